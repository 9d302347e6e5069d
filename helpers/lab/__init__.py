"""What makes the package a course: set-up of a notebook, figures, widgets, checks, ladders, progress.

The names that notebooks use most are offered here and imported on first use, so that
``from helpers.lab import setup`` does not load matplotlib or ipywidgets.
"""

from importlib import import_module

_HOME = {
    "setup": "runtime", "budget": "runtime", "tidy": "runtime",
    "show": "figures",
    "check": "checks", "hint": "checks", "solution": "checks",
}
_MODULES = ("runtime", "figures", "widgets", "checks", "ladder", "progress", "machine")
__all__ = [*_HOME, *_MODULES]


def __getattr__(name: str):
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"helpers.lab has no {name!r}; it offers {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
