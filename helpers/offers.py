"""How a room offers its public names: each is imported from its module at first use, so that opening a room costs nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any


def offer(room: str, **modules: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of the package `room` (PEP 562).

    modules: module of the room -> the names it offers, with spaces between them.
    """
    home = {name: module for module, names in modules.items() for name in names.split()}

    def get(name: str) -> Any:
        if name in home:
            return getattr(import_module(f"{room}.{home[name]}"), name)
        raise AttributeError(f"{room} has no {name!r}; it offers {', '.join(home)}")

    return get, lambda: sorted({*vars(sys.modules[room]), *home}), list(home)
