"""How a room offers its public names: each is imported from its module at first use, so that opening a room costs nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any


def offer(room: str, table: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of the package `room` (PEP 562).

    table: a line for each module of the room: its name, a colon, and the names it offers, with spaces between them.
    """
    rows = [line.split(":") for line in table.strip().splitlines()]
    home = {name: module.strip() for module, names in rows for name in names.split()}

    def get(name: str) -> Any:
        if name in home:
            return getattr(import_module(f"{room}.{home[name]}"), name)
        raise AttributeError(f"{room} has no {name!r}; it offers {', '.join(home)}")

    return get, lambda: sorted({*vars(sys.modules[room]), *home}), list(home)
