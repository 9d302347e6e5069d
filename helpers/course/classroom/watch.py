"""Which of the course's own functions an answer gives back as its own. Used inside the jail.

Nothing is safe from the answer there: a name that is found is a hint for the teacher, none that is not found is a proof.
"""

import functools
import inspect
import os
import sys
from collections.abc import Callable
from typing import Any

from helpers.lab.formatting import same

_HOME = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_KEPT = 200  # results that are remembered in one call


def of_the_course(value: Any) -> str:
    """The name of the course's function or class that ``value`` is, wraps or inherits from; "" for the answer's own."""
    while isinstance(value, functools.partial):
        value = value.func
    value = inspect.unwrap(getattr(value, "__func__", value)) if callable(value) else value
    for kind in value.__mro__ if isinstance(value, type) else (value,):
        home = getattr(kind, "__module__", None)
        if isinstance(home, str) and home.partition(".")[0] == "helpers" and hasattr(kind, "__qualname__"):
            return f"{home}.{kind.__qualname__}"
    return ""


class Watch:
    """Runs an answer and remembers what the course's functions returned to code that is not the course's."""

    def __init__(self) -> None:
        self.returned: list[tuple[str, Any]] = []

    def _profile(self, frame: Any, event: str, value: Any) -> None:
        if event != "return" or value is None or len(self.returned) >= _KEPT:
            return
        code, caller = frame.f_code, frame.f_back
        if code.co_filename.startswith(_HOME) and caller is not None and not caller.f_code.co_filename.startswith(_HOME):
            self.returned.append((f"{frame.f_globals.get('__name__', '?')}.{code.co_qualname}", value))

    def run(self, steps: Callable[[], Any]) -> tuple[Any, list[str]]:
        """What ``steps()`` gives, and the names of the course's functions that gave the same. Raises what it raises."""
        sys.setprofile(self._profile)
        try:
            out = steps()
        finally:
            sys.setprofile(None)
        found = [name for name, value in self.returned if value is out or _telling(out) and same(value, out, 0.0, 0.0)]
        self.returned.clear()
        return out, list(dict.fromkeys(found))


def _telling(out: Any) -> bool:
    """Whether equal values are no chance: not for a flag, a small number or an empty result."""
    if isinstance(out, (bool, int, str, bytes)) or out is None:
        return False
    return not hasattr(out, "__len__") or (getattr(out, "ndim", 1) > 0 and len(out) > 1)
