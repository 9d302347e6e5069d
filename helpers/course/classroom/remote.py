"""The teacher's checks, run on an answer that sits in a jail.

The check itself, the reference answers, the bank of wrong answers and the verdict stay in this process. Into the jail go
the student's cell and the arguments of each call; out comes a result as plain data. So there is no verdict that a
student's code could print, patch or forge: it can only give results, and they are compared here. Where a check runs
steps on an answer (a class, several calls, a gradient), the steps go into the jail as well; a solution never does:
a pickle that would hold one is refused, and the steps then run here, calling the answer through the jail.
"""

import builtins
import copy
import io
import time
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

import helpers.exercises
from helpers.course.classroom.sandbox import Garbled, Gone, Jail, Late
from helpers.lab.exercise import Exercise
from helpers.lab.formatting import call_text
from helpers.lab.time_limit import TookTooLong
from helpers.lab.trial import Mistake, Trial, Undone, collector

try:
    import cloudpickle
except ImportError:  # joblib, which scikit-learn needs, carried a copy of its own until it became a package
    from joblib.externals import cloudpickle


class HoldsSolution(Exception):
    """What was to go into the jail refers to a reference solution or a wrong answer of the bank."""


def secrets_of(exercises: list[Exercise]) -> set[int]:
    """The identities of the functions that must not go into a jail."""
    return {id(e.solution) for e in exercises} | {id(w.answer) for e in exercises for w in e.wrong}


class _Packer(cloudpickle.Pickler):
    def __init__(self, file: io.BytesIO, secrets: set[int]) -> None:
        super().__init__(file, protocol=4)
        self.secrets = secrets

    def reducer_override(self, obj: Any) -> Any:
        if id(obj) in self.secrets:
            raise HoldsSolution(getattr(obj, "__name__", "a solution"))
        return super().reducer_override(obj)


cloudpickle.register_pickle_by_value(helpers.exercises)  # the jail lacks these modules: what they define goes by value


def pack(value: Any, secrets: set[int]) -> bytes:
    """Pickle a value for the jail.

    Raises HoldsSolution, or whatever pickling raises for a value that cannot be pickled.
    """
    file = io.BytesIO()
    _Packer(file, secrets).dump(value)
    return file.getvalue()


class RemoteTrial(Trial):
    """A `Trial` whose answer lives in a jail."""

    def __init__(self, exercise: Exercise, jail: Jail, secrets: set[int], random: np.random.Generator | None = None) -> None:
        super().__init__(self._through, exercise.name, random)
        self.handed_on: set[str] = set()  # helpers whose result the answer gave back as its own
        self.exercise, self.jail, self.secrets = exercise, jail, secrets
        self.end = time.monotonic() + exercise.seconds

    def again(self) -> Trial:
        """As `Trial.again`, with the answer in the jail."""
        return collector(RemoteTrial(self.exercise, self.jail, self.secrets, copy.deepcopy(self.start)))

    def _ask(self, action: str, **arguments: Any) -> dict:
        try:
            return self.jail.request(action, self.end - time.monotonic(), **arguments)
        except Late:
            raise TookTooLong("no answer in time") from None
        except (Gone, Garbled) as error:
            raise Mistake(str(error), self.shown) from error

    def _result(self, reply: dict) -> Any:
        if reply.get("undone"):
            raise Undone
        if "error" in reply or "out" not in reply:
            error = error_texts(reply.get("error"))
            raise Mistake(f"stops with {error['type']}: {error['line']}", self.shown, got=error["where"], ask_bank=True)
        return reply["out"]

    def _call(self, args: tuple, kwargs: dict) -> Any:
        self.shown = call_text(self.name, args, kwargs)
        try:
            packed = pack((args, kwargs), self.secrets)
        except Exception:  # arguments that cannot travel: the parent's way, through `_through`, cannot help either
            raise Mistake("could not be tried: the grader cannot send these arguments", self.shown) from None
        reply = self._ask("call", args=packed)
        out = self._result(reply)
        self.handed_on |= helpers_named(reply)
        if reply.get("changed"):
            raise Mistake(
                "changes its input; work on a copy (for an array: x = x.copy(), or x = x - m in place of x -= m)", self.shown
            )
        self.steps.append((_Call(packed), out))
        return out

    def _run(self, steps: Callable[[Any], Any], shown: str) -> Any:
        """As in `Trial`; the steps go into the jail unless they hold a solution or cannot be pickled."""
        self.shown = shown
        try:
            packed = pack(steps, self.secrets)
        except Exception:  # it holds a solution, or something that does not travel: the steps stay here
            return super()._run(steps, shown)
        reply = self._ask("run", steps=packed)
        out = self._result(reply)
        self.handed_on |= helpers_named(reply)
        self.steps.append((steps, out))
        return out

    def _through(self, *args: Any, **kwargs: Any) -> Any:
        """The answer as a function here: each call goes through the jail, errors come back as errors."""
        reply = self._ask("call", args=pack((args, kwargs), self.secrets))
        if reply.get("undone"):
            raise NotImplementedError
        if "error" in reply or "out" not in reply:
            error = error_texts(reply.get("error"))
            raise _error_class(error["type"])(error["line"])
        return reply["out"]


class _Call:
    """The call of a `RemoteTrial` on another answer, for the bank of wrong answers."""

    def __init__(self, packed: bytes) -> None:
        self.packed = packed

    def __call__(self, f: FunctionType) -> Any:
        args, kwargs = cloudpickle.loads(self.packed)
        return f(*args, **kwargs)


def _error_class(name: str) -> type[Exception]:
    known = getattr(builtins, name, None)
    return known if isinstance(known, type) and issubclass(known, Exception) else type(name[:40] or "Error", (Exception,), {})


def helpers_named(reply: dict) -> set[str]:
    """The names of the course's own functions in a reply of the jail, whatever else may stand there."""
    named = reply.get("handed_on")
    return {str(name)[:120] for name in named[:10]} if isinstance(named, list) else set()


def error_texts(error: Any) -> dict[str, str]:
    """The parts of an error that a jail told, whatever was in it: type, line, where."""
    error = error if isinstance(error, dict) else {}
    return {name: str(error.get(name, ""))[:500] for name in ("type", "line", "where")}
