"""Exercises that answer back: one checker for reader, classroom and CI.

When an answer fails, the checker runs it and every wrong answer of the exercise's bank on all tries. The mistake is named if one
of them, and no other, gives the learner's results everywhere; else the first try that fails speaks for itself.
"""

import copy
import functools
import inspect
import os
import textwrap
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers.lab import record
from helpers.lab.answers import first_line, untouched
from helpers.lab.exercise import Exercise, chapters, exercises, find
from helpers.lab.formatting import same
from helpers.lab.time_limit import TookTooLong, time_limit
from helpers.lab.trial import Mistake, Trial, Undone, collector

__all__ = [
    "Report",
    "chapters",
    "check",
    "evaluate",
    "exercises",
    "find",
    "hint",
    "judge",
    "not_done",
    "solution",
    "solution_source",
]

_given: dict[str, int] = {}  # exercise id -> how many of its hints were printed


def check(exercise_id: str, answer: Any) -> None:
    """Judge an answer and print the verdict; ``check("1.2", fit_line)``. With COURSE_STRICT set, all but a pass raises."""
    report = evaluate(exercise_id, answer)
    print(report.message)
    check.tried = report.tried  # type: ignore[attr-defined]  # what the message calls *check.tried
    if report.status == "passed":
        record.remember(report.id)
    elif os.environ.get("COURSE_STRICT"):
        raise AssertionError(report.message)


def hint(exercise_id: str) -> None:
    """Print the next hint for the exercise; after the last one it starts again."""
    exercise = find(exercise_id)
    number = _given.get(exercise.id, 0) % len(exercise.hints)
    _given[exercise.id] = number + 1
    print(f"Hint {number + 1} of {len(exercise.hints)} for {exercise.id}: {exercise.hints[number]}")
    if number + 1 == len(exercise.hints) and not getattr(exercise.solution, "withheld", False):
        print(f'That was the last hint. The reference: solution("{exercise.id}")')


def solution_source(exercise_id: str) -> str:
    """The source code of the reference solution. Raises ValueError in a copy for students, which has none."""
    if getattr(find(exercise_id).solution, "withheld", False):
        raise ValueError(f"the reference solution of {exercise_id} is not part of this copy of the course")
    return textwrap.dedent(inspect.getsource(find(exercise_id).solution))


def solution(exercise_id: str) -> None:
    """Print the reference solution. Try the hints first: an answer that you found stays longer."""
    if getattr(find(exercise_id).solution, "withheld", False):
        print(f'This is a copy for a class: it has no solutions. Help: hint("{exercise_id}"), or your teacher.')
        return
    print(solution_source(exercise_id))


@dataclass(frozen=True)
class Report:
    """The verdict on one answer. status: ``passed``, ``not done yet`` or ``wrong``; message: what to print."""

    id: str
    status: str
    message: str
    tried: tuple = ()  # the arguments of the try that failed


def not_done(exercise: Exercise) -> Report:
    """The report on an answer that nobody has begun."""
    return Report(exercise.id, "not done yet", f'… {exercise.id} {exercise.title}: not done yet. Help: hint("{exercise.id}")')


def evaluate(exercise_id: str, answer: Any) -> Report:
    """Judge ``answer`` and report; never raises for anything that the answer does. Raises ValueError for an unknown id."""
    exercise = find(exercise_id)
    head = f"{exercise.id} {exercise.title}"
    if untouched(answer, exercise.start):
        return not_done(exercise)
    expected_kind = "class" if inspect.isclass(exercise.solution) else "function"
    if not callable(answer):
        return Report(
            exercise.id,
            "wrong",
            f"✗ {head}: check() wants the {expected_kind} {exercise.name} itself, got "
            f'{type(answer).__name__}. Write check("{exercise.id}", {exercise.name}), without calling it.',
        )
    return judge(exercise, Trial(answer, exercise.name))


def judge(exercise: Exercise, trial: Trial) -> Report:
    """Run the check of an exercise on a trial, and put what it finds into words."""
    head = f"{exercise.id} {exercise.title}"
    try:
        with time_limit(exercise.seconds):
            exercise.check(trial)
        return Report(exercise.id, "passed", f"✓ {head}: right ({len(trial.steps)} tries, all as expected)")
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
    lines = [f"✗ {head}: not right yet.", f"  Your {exercise.name} {mistake.diagnosis}"]
    lines += [
        f"  {name:<11}{text}"
        for name, text in (("tried:", mistake.shown), ("expected:", mistake.expected), ("got:", mistake.got))
        if text
    ]
    return Report(exercise.id, "wrong", "\n".join([*lines, f'  Help: hint("{exercise.id}")']), trial.tried)


def outcomes(check: Callable[[Trial], None], trial: Trial, seconds: float) -> list[Any] | None:
    """What a collecting trial of a check gives; None when it takes too long. seconds: the limit."""
    try:
        with time_limit(seconds), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the answer has warned in its first run
            check(trial)
    except TookTooLong:
        return None
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
def _bank(exercise: Exercise) -> list[list[Any] | None]:
    return _tried(exercise, None)


def _tried(exercise: Exercise, start: np.random.Generator | None) -> list[list[Any] | None]:
    """What each wrong answer of the bank gives in the tries."""
    trials = (collector(Trial(w.answer, exercise.name, copy.deepcopy(start))) for w in exercise.wrong)
    return [outcomes(exercise.check, trial, exercise.seconds) for trial in trials]
