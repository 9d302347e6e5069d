"""Run damaged calls and judge what comes: a clear refusal, or a result; anything else is a finding."""

import copy
import math
import signal
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import numpy as np

from helpers.lab.formatting import is_tensor, same
from tests.fuzz.calls import Call, Target
from tests.fuzz.damage import damaged
from tests.fuzz.known import AS_LONG_AS_ASKED, MOST, SAYS_NAN

HANGS = 3.0  # seconds of processor time: a busy machine makes nothing hang


class Hang(Exception):
    """A call did not come back."""


@dataclass
class Tally:
    """What came of the cases of one function. findings: kind -> the first case of that kind."""

    name: str
    cases: int = 0
    refused: int = 0
    results: int = 0
    findings: dict[str, str] = field(default_factory=dict)


@contextmanager
def _limit(seconds: float) -> Iterator[None]:
    def stop(*_: Any) -> None:
        raise Hang

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def case(target: Target, rng: np.random.Generator) -> Call:
    """A working call with one argument damaged, now and then two."""
    call = copy.deepcopy(target.calls[int(rng.integers(len(target.calls)))])
    places: list[Any] = [*range(len(call.args)), *call.kwargs]
    if _is_method(target):
        places = places[1:]  # not the object itself
    args, kwargs = list(call.args), dict(call.kwargs)
    for _ in range(1 if rng.random() < 0.8 else 2):
        if not places:
            break
        place = places[int(rng.integers(len(places)))]
        if isinstance(place, int):
            args[place] = damaged(rng, args[place])
        else:
            kwargs[place] = damaged(rng, kwargs[place])
    if target.name in AS_LONG_AS_ASKED:
        args, kwargs = [_at_most(v) for v in args], {k: _at_most(v) for k, v in kwargs.items()}
    return Call(tuple(args), kwargs)


def _at_most(value: Any) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value > MOST:
        return MOST
    return [_at_most(v) for v in value] if isinstance(value, list) else value


def _is_method(target: Target) -> bool:
    owner = target.name.rpartition(".")[0].rpartition(".")[2]
    return owner[:1].isupper()


def fuzz(target: Target, cases: int, seed: int) -> Tally:
    """Try ``cases`` damaged calls. The same seed gives the same cases, whatever other functions are tried."""
    tally = Tally(target.name)
    if not any(c.kwargs or c.args[_is_method(target) :] for c in target.calls):
        cases = 1  # nothing to damage
    for number in range(cases):
        rng = np.random.default_rng([seed, zlib.crc32(target.name.encode()), number])
        call = case(target, rng)
        tally.cases += 1
        kind = judge(target, call, tally)
        if kind:
            tally.findings.setdefault(kind, f"{target.name} case {number}: {_shown(target, call)}")
    return tally


def judge(target: Target, call: Call, tally: Tally) -> str:
    """The kind of finding that a call is, or ""."""
    start = 1 if _is_method(target) else 0
    given = [*call.args[start:], *call.kwargs.values()]
    before = [copy.deepcopy(v) if _plain(v) else None for v in given]
    numbers = not _has(given, lambda v: not math.isfinite(v), lambda a: ~np.isfinite(a)) and _plain(given)
    with warnings.catch_warnings(record=True) as warned, redirect_stdout(StringIO()) as said:
        warnings.simplefilter("always")
        try:
            with _limit(HANGS):
                out = target.function(*call.args, **call.kwargs)
                if hasattr(out, "__next__"):
                    out = [item for item, _ in zip(out, range(50))]
        except Hang:
            return "does not come back"
        except (ValueError, TypeError) as error:
            tally.refused += 1
            return "" if str(error).strip() else "refuses without a word"
        except Exception as error:
            return f"raises {type(error).__name__}"
    tally.results += 1
    if said.getvalue():
        return "prints"
    if any(issubclass(w.category, (RuntimeWarning, DeprecationWarning)) for w in warned):
        return "warns"
    if any(_plain(v) and not same(v, b, 0.0, 0.0) for v, b in zip(given, before)):
        return "changes an argument"
    return "makes NaN of finite numbers" if numbers and target.name not in SAYS_NAN and _has(out, math.isnan, np.isnan) else ""


def _plain(value: Any, depth: int = 0) -> bool:
    """Whether a value is made of numbers and texts only, so that it can be compared."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind != "O"
    if isinstance(value, (list, tuple, set, frozenset)):
        return depth < 5 and all(_plain(v, depth + 1) for v in value)
    if isinstance(value, dict):
        return depth < 5 and all(_plain(k, 5) and _plain(v, depth + 1) for k, v in value.items())
    return is_tensor(value) or isinstance(value, (str, bytes, int, float, complex, np.number, type(None)))


def _has(value: Any, number: Callable[[float], bool], numbers: Callable[[np.ndarray], np.ndarray], depth: int = 0) -> bool:
    """Whether a value holds a number of a kind, told by ``number`` for one and by ``numbers`` for an array."""
    if isinstance(value, (float, np.floating)):
        return number(float(value))
    if is_tensor(value):
        value = value.detach().double().numpy() if value.is_floating_point() else np.zeros(1)
    if isinstance(value, np.ndarray):
        return value.dtype.kind == "f" and bool(numbers(value).any())
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple, set)) else ()
    return depth < 4 and any(_has(v, number, numbers, depth + 1) for v in inside)


def _shown(target: Target, call: Call) -> str:
    from helpers.lab.formatting import brief

    start = 1 if _is_method(target) else 0
    parts = [brief(a, 80) or "None" for a in call.args[start:]] + [
        f"{k}={brief(v, 60) or 'None'}" for k, v in call.kwargs.items()
    ]
    return f"({', '.join(parts)})"
