"""The verdict on an answer: right, not done yet, or wrong, and then which mistake it is.

When an answer fails, it and every wrong answer of the exercise's bank run on all tries. The mistake is named if one of them, and
no other, gives the learner's results everywhere; else the first try that fails speaks for itself.
"""

import copy
import functools
import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers.lab.answers import first_line, untouched
from helpers.lab.exercise import Exercise, find, lent
from helpers.lab.formatting import same
from helpers.lab.time_limit import TookTooLong, time_limit
from helpers.lab.trial import Mistake, Trial, Undone, collector


@dataclass(frozen=True)
class Report:
    """The verdict on one answer. status: ``passed``, ``not done yet`` or ``wrong``; message: all of it as text."""

    id: str
    status: str
    message: str
    title: str = ""
    said: tuple[str, ...] = ()  # the message in sentences
    case: tuple[tuple[str, str], ...] = ()  # what was tried, expected and got, as far as there is a case
    tried: tuple = ()  # the arguments of the try that failed


def not_done(exercise: Exercise) -> Report:
    """The report on an answer that nobody has begun."""
    message = f'… {exercise.id} {exercise.title}: not done yet. Help: hint("{exercise.id}")'
    return Report(exercise.id, "not done yet", message, exercise.title)


def evaluate(exercise_id: str, answer: Any) -> Report:
    """Judge ``answer`` and report; never raises for anything that the answer does. Raises ValueError for an unknown id."""
    exercise = find(exercise_id)
    head = f"{exercise.id} {exercise.title}"
    if lent(answer) or untouched(answer, exercise.start):
        return not_done(exercise)
    expected_kind = "class" if inspect.isclass(exercise.solution) else "function"
    if not callable(answer):
        said = (
            f"check() wants the {expected_kind} {exercise.name} itself, got {type(answer).__name__}. "
            f'Write check("{exercise.id}", {exercise.name}), without calling it.'
        )
        return Report(exercise.id, "wrong", f"✗ {head}: {said}", exercise.title, (said,))
    return judge(exercise, Trial(answer, exercise.name))


def judge(exercise: Exercise, trial: Trial) -> Report:
    """Run the check of an exercise on a trial, and put what it finds into words."""
    head = f"{exercise.id} {exercise.title}"
    try:
        with time_limit(exercise.seconds):
            exercise.check(trial)
        said = f"{len(trial.steps)} tries, all as expected"
        return Report(exercise.id, "passed", f"✓ {head}: right ({said})", exercise.title, (f"{said[:1].upper()}{said[1:]}.",))
    except Undone:
        return not_done(exercise)
    except TookTooLong:
        mistake = Mistake(
            f"does not come back within {exercise.seconds:g} seconds; is there a loop that never ends, "
            "or work that is done again and again?",
            trial.shown,
        )
    except Mistake as found:
        mistake = found
        if found.ask_bank:
            mistake.diagnosis = _diagnose(exercise, trial, found)
    except Exception as error:  # the result had a form that the check did not foresee
        mistake = Mistake(f"gives a result of an unexpected form ({type(error).__name__}: {first_line(error)})", trial.shown)
    said = f"Your {exercise.name} {mistake.diagnosis}"
    parts = (("tried", mistake.shown), ("expected", mistake.expected), ("got", mistake.got))
    case = tuple((name, text) for name, text in parts if text)
    lines = [f"✗ {head}: not right yet.", f"  {said}", *(f"  {name + ':':<11}{text}" for name, text in case)]
    message = "\n".join([*lines, f'  Help: hint("{exercise.id}")'])
    return Report(exercise.id, "wrong", message, exercise.title, (said,), case, trial.tried)


def outcomes(check: Callable[[Trial], None], trial: Trial, seconds: float) -> list[Any]:
    """What a collecting trial of a check gives, as far as it comes in ``seconds``."""
    try:
        with time_limit(seconds), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the answer has warned in its first run
            check(trial)
    except TookTooLong:
        return [*trial.outcomes, "too long"]
    except Exception:  # a check may not foresee what an answer gives: the tries end here, those before it stand
        pass
    return trial.outcomes


def _diagnose(exercise: Exercise, trial: Trial, mistake: Mistake) -> str:
    """The diagnosis that the bank has for an answer: only one that explains every try, and only if no other does as well."""
    got = outcomes(exercise.check, trial.again(), exercise.seconds)
    bank = _bank(exercise) if trial.start is None else _tried(exercise, trial.start)
    found = {w.diagnosis for w, theirs in zip(exercise.wrong, bank) if got and same(theirs, got, 1e-6, 1e-9)}
    return found.pop() if len(found) == 1 else mistake.diagnosis


@functools.cache
def _bank(exercise: Exercise) -> list[list[Any]]:
    return _tried(exercise, None)


def _tried(exercise: Exercise, start: np.random.Generator | None) -> list[list[Any]]:
    """What each wrong answer of the bank gives in the tries."""
    trials = (collector(Trial(w.answer, exercise.name, copy.deepcopy(start))) for w in exercise.wrong)
    return [outcomes(exercise.check, trial, exercise.seconds) for trial in trials]
