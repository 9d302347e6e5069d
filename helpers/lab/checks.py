"""Exercises that answer back: one checker for reader, classroom and CI.

A chapter's module ``helpers.exercises.chNN`` lists its `Exercise` objects. Each holds the reference solution, the check, hints,
and a bank of plausible wrong answers with the diagnosis that each deserves. When an answer fails, the checker runs
every wrong answer on the same calls; the first one that gives the learner's results names the mistake.
"""

import copy
import dis
import inspect
import os
import re
import textwrap
import types
from collections.abc import Callable, Iterator, MappingView
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from helpers.lab.formatting import as_array, brief, call_text, same
from helpers.lab.time_limit import TookTooLong, time_limit

KINDS = ("warm-up", "core", "stretch", "find the bug")


@dataclass(frozen=True)
class Wrong:
    """A plausible wrong ``answer`` and the ``diagnosis`` (what it does, in words) that a learner must get for it."""

    answer: Any
    diagnosis: str


@dataclass(frozen=True)
class Exercise:
    """One exercise: what it asks is in the notebook, how it is judged is here.

    check: called with a `Trial`; it returns when the answer is right. start: the code that stands in the notebook
    when it is not an empty stub (find the bug). seconds: time limit of the whole check, in seconds.
    """

    id: str
    title: str
    kind: str
    solution: Any
    check: Callable[["Trial"], None]
    hints: tuple[str, ...]
    wrong: tuple[Wrong, ...]
    points: int = 1
    start: Any = None
    seconds: float = 10.0

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"exercise {self.id}: kind is {self.kind!r}, expected one of {', '.join(KINDS)}")

    @property
    def name(self) -> str:
        """The name that the answer has in the notebook."""
        return self.solution.__name__


@dataclass(frozen=True)
class Report:
    """The verdict on one answer. status: ``passed``, ``not done yet`` or ``wrong``; message: what to print."""

    id: str
    status: str
    message: str


class Mistake(Exception):
    """An answer is wrong: why, and the smallest input that shows it. ask_bank: a wrong answer of the bank may explain it."""

    def __init__(self, diagnosis: str = "", shown: str = "", expected: str = "", got: str = "", ask_bank: bool = False):
        super().__init__(diagnosis)
        self.diagnosis, self.shown, self.expected, self.got, self.ask_bank = diagnosis, shown, expected, got, ask_bank


class Undone(Exception):
    """The answer raised NotImplementedError or returned `...`: nothing has been written yet."""


class Trial:
    """What a check works with: it runs the learner's answer and compares results."""

    def __init__(self, answer: Any, name: str = "answer"):
        self.answer, self.name = answer, name
        self.steps: list[tuple[Callable[[Any], Any], Any]] = []  # (what was run on the answer, what came out)
        self.shown = ""

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Call the learner's function on copies of the arguments; an argument that it changes is a mistake."""
        shown = call_text(self.name, args, kwargs)
        given = copy.deepcopy((args, kwargs))
        out = self.run(lambda f: f(*given[0], **given[1]), shown)
        if not same((args, kwargs), given, 0.0, 0.0):
            raise Mistake(
                "changes its input; work on a copy (for an array: x = x.copy(), or x = x - m in place of x -= m)", shown
            )
        self.steps[-1] = (lambda f: f(*copy.deepcopy(args), **copy.deepcopy(kwargs)), self.steps[-1][1])
        return out

    def run(self, steps: Callable[[Any], Any], shown: str) -> Any:
        """Run ``steps(answer)``, for classes or several calls; ``shown`` is the text of it for the report."""
        self.shown = shown
        try:
            out = steps(self.answer)
        except NotImplementedError as error:
            raise Undone from error
        except (TookTooLong, Mistake):
            raise
        except (Exception, SystemExit) as error:
            raise Mistake(f"stops with {type(error).__name__}: {_first_line(error)}", shown, got=_where(error)) from error
        if out is ...:
            raise Undone
        try:
            kept = copy.deepcopy(_without_graph(out))
        except TookTooLong:
            raise
        except Exception as error:
            raise Mistake(_not_copied(out, error), shown) from error
        self.steps.append((steps, kept))
        return out

    def close(self, got: Any, expected: Any, rtol: float = 1e-7, atol: float = 1e-9, what: str = "the result") -> None:
        """Compare numbers or arrays: type, then shape, then NaN, then values within the tolerances.

        A result that is right to five digits is told so, and no wrong answer of the bank is blamed for it.
        """
        if got is None:
            self._fail(f"returns nothing (None) where {what} was expected; is there a `return`?", expected, got)
        try:
            ours, theirs = (np.asarray(as_array(value), dtype=float) for value in (got, expected))
        except (TypeError, ValueError):
            self._fail(f"gives {what} as {type(got).__name__}; a {_kind(expected)} was expected", expected, got)
        if ours.shape != theirs.shape:
            self._fail(f"gives {what} with shape {ours.shape}; shape {theirs.shape} was expected", expected, got, bank=True)
        if np.isnan(ours).any() and not np.isnan(theirs).any():
            self._fail(f"gives NaN (not a number) in {what}: look for 0/0, log(0) or inf - inf", expected, got, bank=True)
        if not np.allclose(ours, theirs, rtol=rtol, atol=atol, equal_nan=True):
            if np.allclose(ours, theirs, rtol=1e-5, atol=atol, equal_nan=True):
                self._fail(
                    f"gives {what} right to about 5 digits, but not further: is it computed in float32, or is a "
                    "small number added somewhere?",
                    expected,
                    got,
                )
            self._fail(f"gives a wrong value for {what}", expected, got, bank=True)

    def equal(self, got: Any, expected: Any, what: str = "the result") -> None:
        """Compare exactly (strings, lists, tuples, integers, dictionaries, arrays of integers)."""
        if got is None and expected is not None:
            self._fail(f"returns nothing (None) where {what} was expected; is there a `return`?", expected, got)
        if not same(got, expected, 0.0, 0.0):
            self._fail(f"gives a wrong value for {what}", expected, got, bank=True)

    def several(self, got: Any, number: int, diagnosis: str, expected: Any = None) -> None:
        """Fail with ``diagnosis`` unless ``got`` holds ``number`` results, in a tuple or in a list."""
        if got is None:
            self._fail(f"returns nothing (None) where {number} results were expected; is there a `return`?", expected, got)
        self.true(isinstance(got, (tuple, list)) and len(got) == number, diagnosis, expected, got)

    def true(self, condition: bool, diagnosis: str, expected: Any = None, got: Any = None) -> None:
        """Fail with ``diagnosis`` unless ``condition`` holds."""
        if not condition:
            self.fail(diagnosis, expected, got)

    def fail(self, diagnosis: str, expected: Any = None, got: Any = None) -> None:
        """Fail with ``diagnosis``."""
        self._fail(diagnosis, expected, got)

    def _fail(self, diagnosis: str, expected: Any, got: Any, bank: bool = False) -> None:
        raise Mistake(diagnosis, self.shown, brief(expected), brief(got), bank)


def _without_graph(out: Any) -> Any:
    """Tensors cut off from the computation that made them: torch refuses to copy them with it."""
    if type(out) in (tuple, list):
        return type(out)(_without_graph(part) for part in out)
    return out.detach() if hasattr(out, "detach") else out


def _not_copied(out: Any, error: Exception) -> str:
    """What to say about a result that cannot be kept: mostly a generator, or a view of a dictionary."""
    for part in (out, *(out if isinstance(out, (tuple, list)) else ())):
        if isinstance(part, (Iterator, MappingView)):
            place = "" if part is out else f" inside a {type(out).__name__}"
            return f"returns a {type(part).__name__}{place}; wrap it in list(...)"
    return f"returns a {type(out).__name__} that cannot be copied ({_first_line(error)})"


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or ["no message"])[0]


def _where(error: BaseException) -> str:
    """The learner's own line on which the error happened, if it can be found."""
    trace, line = error.__traceback__, ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if "helpers" not in Path(code.co_filename).parts:
            line = f"{type(error).__name__} in line {trace.tb_lineno - code.co_firstlineno + 1} of {code.co_name}"
        trace = trace.tb_next
    return line


def _kind(value: Any) -> str:
    return "number" if np.ndim(value) == 0 else f"array of shape {np.shape(value)}"


def chapters() -> list[str]:
    """The chapters that have exercises, as "01", "02", ..."""
    folder = Path(__file__).parents[1] / "exercises"
    return sorted(path.stem[2:] for path in folder.glob("ch[0-9][0-9].py"))


def exercises(chapter: str) -> list[Exercise]:
    """The exercises of a chapter ("01" or "1"). Raises ValueError for a chapter that has none."""
    number = str(chapter).zfill(2)
    if number not in chapters():
        raise ValueError(f"chapter {chapter!r} has no exercises; chapters with exercises: {', '.join(chapters())}")
    return list(import_module(f"helpers.exercises.ch{number}").EXERCISES)


def find(exercise_id: str) -> Exercise:
    """The exercise with this id, such as "1.2". Raises ValueError with the known ids when there is none."""
    match = re.fullmatch(r"(\d{1,2})\.(\d+)", str(exercise_id).strip())
    if not match:
        raise ValueError(f'{exercise_id!r} is no exercise id; write the chapter, a point and the number, such as "1.2"')
    listed = exercises(match[1])
    for exercise in listed:
        if exercise.id == f"{int(match[1])}.{match[2]}":
            return exercise
    raise ValueError(f"there is no exercise {exercise_id}; chapter {match[1]} has {', '.join(e.id for e in listed)}")


def _shape_of(code: types.CodeType) -> list:
    """What a function does, without its name, lines and docstring: for telling untouched code.

    The same source compiles a little differently in a notebook and in a module that imports a name (a method call
    or an attribute), so such details are left out.
    """
    steps: list = []
    for step in dis.get_instructions(code):
        if isinstance(step.argval, types.CodeType):
            steps.append(_shape_of(step.argval))
        elif step.opname not in ("CACHE", "NOP", "PRECALL", "PUSH_NULL", "RESUME", "COPY_FREE_VARS"):
            jump = step.opcode in dis.hasjrel or step.opcode in dis.hasjabs
            steps.append((step.opname.replace("LOAD_METHOD", "LOAD_ATTR"), None if jump else repr(step.argval)))
    return steps


def _empty(code: types.CodeType) -> bool:
    """Whether a function does nothing but return None (or ...): a docstring with `...`, `pass` or `return ...`."""
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_CONST", "RETURN_CONST"):
            if step.argval is not None and step.argval is not ...:
                return False
        elif step.opname not in ("RESUME", "NOP", "RETURN_VALUE", "CACHE"):
            return False
    return True


def _codes(answer: Any) -> list[types.CodeType]:
    if inspect.isclass(answer):
        members = [getattr(m, "fget", m) for m in vars(answer).values()]
        return [m.__code__ for m in members if inspect.isfunction(m)]
    return [answer.__code__] if inspect.isfunction(answer) else []


def untouched(exercise: Exercise, answer: Any) -> bool:
    """Whether the answer is still what the notebook came with: an empty stub, or the unchanged ``start``."""
    if answer is None or answer is ...:
        return True
    codes = _codes(answer)
    if exercise.start is not None:
        return [_shape_of(c) for c in codes] == [_shape_of(c) for c in _codes(exercise.start)]
    return bool(codes) and all(_empty(c) for c in codes)


def _diagnose(exercise: Exercise, trial: Trial, mistake: Mistake) -> str:
    """The diagnosis of the first wrong answer of the bank that gives the learner's results on the same calls."""
    for wrong in exercise.wrong:
        try:
            with time_limit(exercise.seconds):
                if trial.steps and all(same(steps(wrong.answer), out, 1e-6, 1e-9) for steps, out in trial.steps):
                    return wrong.diagnosis
        except Exception:  # a wrong answer of the bank may stop with an error on this input: then it is not this one
            continue
    return mistake.diagnosis


def not_done(exercise: Exercise) -> Report:
    """The report on an answer that nobody has begun."""
    return Report(exercise.id, "not done yet", f'… {exercise.id} {exercise.title}: not done yet. Help: hint("{exercise.id}")')


def evaluate(exercise_id: str, answer: Any) -> Report:
    """Judge ``answer`` and report; never raises for anything that the answer does. Raises ValueError for an unknown id."""
    exercise = find(exercise_id)
    head = f"{exercise.id} {exercise.title}"
    if untouched(exercise, answer):
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
        mistake = Mistake(f"gives a result of an unexpected form ({type(error).__name__}: {_first_line(error)})", trial.shown)
    lines = [f"✗ {head}: not right yet.", f"  Your {exercise.name} {mistake.diagnosis}"]
    lines += [
        f"  {name:<11}{text}"
        for name, text in (("tried:", mistake.shown), ("expected:", mistake.expected), ("got:", mistake.got))
        if text
    ]
    return Report(exercise.id, "wrong", "\n".join([*lines, f'  Help: hint("{exercise.id}")']))


def check(exercise_id: str, answer: Any) -> None:
    """Judge an answer and print the verdict; ``check("1.2", fit_line)``. With COURSE_STRICT set, all but a pass raises."""
    from helpers.lab import record

    report = evaluate(exercise_id, answer)
    print(report.message)
    if report.status == "passed":
        record.remember(report.id)
    elif os.environ.get("COURSE_STRICT"):
        raise AssertionError(report.message)


_given: dict[str, int] = {}


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
