"""What a check works with: a `Trial` runs an answer and compares what comes out; a `Mistake` says what is wrong with it.

A check ends at the first thing that is wrong. To find out which mistake it was, the check runs once more on a trial that only
collects: it compares nothing, and keeps what came out of every try.
"""

import copy
from collections.abc import Callable, Iterator, MappingView
from typing import Any, TypeVar

import numpy as np

from helpers.lab.answers import first_line, where
from helpers.lab.formatting import as_array, brief, call_text, is_tensor, same
from helpers.lab.time_limit import TookTooLong

T = TypeVar("T")


class Mistake(Exception):
    """An answer is wrong: why, and the smallest input that shows it. ask_bank: a wrong answer of the bank may explain it."""

    def __init__(self, diagnosis: str = "", shown: str = "", expected: str = "", got: str = "", ask_bank: bool = False):
        super().__init__(diagnosis)
        self.diagnosis, self.shown, self.expected, self.got, self.ask_bank = diagnosis, shown, expected, got, ask_bank


class Undone(Exception):
    """The answer raised NotImplementedError or returned `...`: nothing has been written yet."""


class Trial:
    """What a check works with: it runs the learner's answer and compares results."""

    def __init__(self, answer: Any, name: str = "answer", random: np.random.Generator | None = None):
        self.answer, self.name, self.random = answer, name, random
        self.start = copy.deepcopy(random)
        self.steps: list[tuple[Callable[[Any], Any], Any]] = []  # (what was run on the answer, what came out)
        self.shown, self.tried = "", ()
        self.collecting = False
        self.outcomes: list[Any] = []  # when collecting: what came out of each try, or in a word how it failed

    def again(self) -> "Trial":
        """A trial of the same answer on the same tries that only collects."""
        return collector(Trial(self.answer, self.name, copy.deepcopy(self.start)))

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Call the learner's function on copies of the arguments; an argument that it changes is a mistake."""
        if self.collecting:
            return self._collect(lambda: self._call(args, kwargs))
        self.tried = copy.deepcopy(args)
        return self._call(args, kwargs)

    def _call(self, args: tuple, kwargs: dict) -> Any:
        shown = call_text(self.name, args, kwargs)
        given = copy.deepcopy((args, kwargs))
        out = self._run(lambda f: f(*given[0], **given[1]), shown)
        if not same((args, kwargs), given, 0.0, 0.0):
            raise Mistake(
                "changes its input; work on a copy (for an array: x = x.copy(), or x = x - m in place of x -= m)", shown
            )
        self.steps[-1] = (lambda f: f(*copy.deepcopy(args), **copy.deepcopy(kwargs)), self.steps[-1][1])
        return out

    def fresh(self, draw: Callable[[np.random.Generator], T], times: int = 3) -> Iterator[T]:
        """What ``draw`` makes of random numbers, ``times`` times; nothing unless the trial has a source of them.

        Grading has one, which no student's copy knows: an answer that only plays back results seen elsewhere fails there.
        """
        if self.random is not None:
            for _ in range(times):
                yield draw(self.random)

    def run(self, steps: Callable[[Any], Any], shown: str) -> Any:
        """Run ``steps(answer)``, for classes or several calls; ``shown`` is the text of it for the report.

        A range counts as the list of its numbers, here and when grading, which runs through here too. Iterators and views of a
        dictionary do not: they are told to be wrapped in list(...).
        """
        if self.collecting:
            return self._collect(lambda: self._run(steps, shown))
        self.tried = ()
        return self._run(steps, shown)

    def _collect(self, step: Callable[[], Any]) -> Any:
        try:
            out = step()
        except Undone:
            self.outcomes.append("undone")
            return None
        except Mistake as mistake:
            self.outcomes.append(mistake.diagnosis.split(":")[0])
            return None
        self.outcomes.append(self.steps[-1][1])
        return out

    def _run(self, steps: Callable[[Any], Any], shown: str) -> Any:
        self.shown = shown
        try:
            out = steps(self.answer)
        except NotImplementedError as error:
            raise Undone from error
        except (TookTooLong, Mistake):
            raise
        except (Exception, SystemExit) as error:
            said = f"stops with {type(error).__name__}: {first_line(error)}"
            raise Mistake(said, shown, got=where(error), ask_bank=True) from error
        if out is ...:
            raise Undone
        out = _listed(out)
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
        if self.collecting:
            return
        if got is None:
            self._fail(f"returns nothing (None) where {what} was expected; is there a `return`?", expected, got)
        if wanted := _other_kind(got, expected):
            self._fail(f"gives {what} as {type(got).__name__}; {wanted} was expected", expected, got, bank=True)
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
        if self.collecting:
            return
        if got is None and expected is not None:
            self._fail(f"returns nothing (None) where {what} was expected; is there a `return`?", expected, got)
        if not same(got, expected, 0.0, 0.0):
            self._fail(f"gives a wrong value for {what}", expected, got, bank=True)

    def several(self, got: Any, number: int, diagnosis: str, expected: Any = None) -> None:
        """Fail with ``diagnosis`` unless ``got`` holds ``number`` results, in a tuple or in a list."""
        if self.collecting:
            return
        if got is None:
            self._fail(f"returns nothing (None) where {number} results were expected; is there a `return`?", expected, got)
        self.true(isinstance(got, (tuple, list)) and len(got) == number, diagnosis, expected, got)

    def true(self, condition: bool, diagnosis: str, expected: Any = None, got: Any = None) -> None:
        """Fail with ``diagnosis`` unless ``condition`` holds."""
        if not condition and not self.collecting:
            self.fail(diagnosis, expected, got)

    def fail(self, diagnosis: str, expected: Any = None, got: Any = None) -> None:
        """Fail with ``diagnosis``."""
        if not self.collecting:
            self._fail(diagnosis, expected, got)

    def gradients(self, *args: Any, shown: str = "") -> Any:
        """What `gradients` gives for the learner's function; fails for a result that is cut off from the computation."""
        if not self.collecting:
            self.tried = copy.deepcopy(args)
        found = self.run(lambda f: gradients(f, *args), shown or f"{call_text(self.name, args, {})}, then backward()")
        self.true(
            found is not None,
            "gives a result cut off from the computation (by detach, item, NumPy or no_grad): nothing could be trained with it",
        )
        return found

    def _fail(self, diagnosis: str, expected: Any, got: Any, bank: bool = False) -> None:
        raise Mistake(diagnosis, self.shown, brief(expected), brief(got), bank)


def collector(trial: Trial) -> Trial:
    """The trial, told to compare nothing and to keep what comes out of each try."""
    trial.collecting = True
    return trial


def gradients(f: Callable[..., Any], *args: Any) -> Any:
    """The gradients of f's result, its parts weighted 1, 2, 3, ..., for each tensor of floating-point numbers in ``args``.

    Returns None when no gradient reaches any of them; zeros for one that the result does not depend on.
    """
    import torch

    ours = [a.detach().clone().requires_grad_() if torch.is_tensor(a) and a.is_floating_point() else a for a in args]
    out = f(*ours)
    parts = [x for x in (out if isinstance(out, (tuple, list)) else [out]) if torch.is_tensor(x) and x.requires_grad]
    if not parts:
        return None
    total = sum(((torch.arange(x.numel()) + 1).reshape(x.shape).to(x) * x).sum() for x in parts)
    total.backward()
    leaves = [a for a in ours if torch.is_tensor(a) and a.requires_grad]
    return [a.grad if a.grad is not None else torch.zeros_like(a) for a in leaves]


def _other_kind(got: Any, expected: Any) -> str:
    """What was wanted where one is an array or a tensor of numbers and the other is not; "" when they are of one kind.

    What the page goes on with must be of the kind that its next cells compute with.
    """
    if np.ndim(as_array(expected)) == 0:
        return ""
    if is_tensor(expected):
        return "" if is_tensor(got) else "a tensor"
    if isinstance(expected, np.ndarray):
        return "" if isinstance(got, np.ndarray) else "an array"
    return ""


def _without_graph(out: Any) -> Any:
    """Tensors cut off from the computation that made them: torch refuses to copy them with it."""
    if type(out) in (tuple, list):
        return type(out)(_without_graph(part) for part in out)
    return out.detach() if hasattr(out, "detach") else out


def _listed(out: Any) -> Any:
    """A range as a list, also as a part of a result."""
    if type(out) in (tuple, list):
        return type(out)(_listed(part) for part in out) if any(isinstance(part, range) for part in out) else out
    return list(out) if isinstance(out, range) and len(out) <= 1_000_000 else out


def _not_copied(out: Any, error: Exception) -> str:
    """What to say about a result that cannot be kept: mostly a generator, or a view of a dictionary."""
    for part in (out, *(out if isinstance(out, (tuple, list)) else ())):
        if isinstance(part, (Iterator, MappingView)):
            place = "" if part is out else f" inside a {type(out).__name__}"
            return f"returns a {type(part).__name__}{place}; wrap it in list(...)"
    return f"returns a {type(out).__name__} that cannot be copied ({first_line(error)})"


def _kind(value: Any) -> str:
    return "number" if np.ndim(value) == 0 else f"array of shape {np.shape(value)}"
