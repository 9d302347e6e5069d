"""What the reader's cells define: the source behind a name, and the names whose last cell could not be run at all."""

import ast
import builtins
import inspect
import re
import symtable
import textwrap
from typing import Any

_DEFINES = re.compile(r"^(?:async\s+def|def|class)\s+(\w+)", re.MULTILINE)
_sources: dict[str, str] = {}  # name -> the statement that defined it last
_broken: dict[str, str] = {}  # name -> why the last cell that was to define it could not be run


def global_names(source: str) -> set[str]:
    """The names that a piece of code takes from around it.

    >>> sorted(global_names("def f(x):\\n    return np.sum(x) + k"))
    ['k', 'np']
    """
    found: set[str] = set()

    def visit(table: symtable.SymbolTable, top: bool) -> None:
        for symbol in table.get_symbols():
            if symbol.is_referenced() and (top or symbol.is_global()):
                found.add(symbol.get_name())
        for child in table.get_children():
            visit(child, False)

    visit(symtable.symtable(source, "cell", "exec"), True)
    return found - set(dir(builtins))


def note(source: str) -> None:
    """Note what a cell defines, or that it cannot be run. source: the cell without %magic."""
    try:
        statements = ast.parse(source).body
    except (SyntaxError, ValueError) as error:
        reason = f"{type(error).__name__}" + (f" in its line {error.lineno}" if isinstance(error, SyntaxError) else "")
        _broken.update(dict.fromkeys(_DEFINES.findall(source), reason))
        return
    for statement in statements:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            first = min([statement.lineno, *(d.lineno for d in statement.decorator_list)])
            _sources[statement.name] = "\n".join(source.splitlines()[first - 1 : statement.end_lineno]) + "\n"
            _broken.pop(statement.name, None)


def watch() -> None:
    """Follow the cells of this notebook; nothing outside of one."""
    try:
        from IPython import get_ipython
    except ImportError:
        return
    shell = get_ipython()
    if shell is not None and not getattr(shell, "course_watches", False):
        shell.events.register("pre_run_cell", lambda info: note(shell.transform_cell(info.raw_cell or "")))
        shell.course_watches = True


def broken(name: str) -> str:
    """Why the last cell that was to define ``name`` could not be run; "" when it could."""
    return _broken.get(name, "")


def source_of(value: Any) -> str:
    """The source of a function or class. Raises ValueError where it cannot be found."""
    name = getattr(value, "__name__", "")
    try:
        return textwrap.dedent(inspect.getsource(value))
    except (OSError, TypeError):
        if name in _sources and getattr(value, "__module__", "") == "__main__":
            return _sources[name]
        raise ValueError(f"the source of {name or type(value).__name__} cannot be found") from None
