"""What an answer is, seen from outside: untouched, empty, where it failed. Runs nothing; the jail of the grader needs it too."""

import dis
import inspect
import types
from pathlib import Path
from typing import Any


def untouched(answer: Any, start: Any = None) -> bool:
    """Whether ``answer`` is still what the notebook came with: an empty stub, or the unchanged code of ``start``."""
    if answer is None or answer is ...:
        return True
    return empty(answer) if start is None else shapes(answer) == shapes(start)


def empty(answer: Any) -> bool:
    """Whether a function, or every method of a class, does nothing but return None (or ...)."""
    codes = _codes(answer)
    return bool(codes) and all(_does_nothing(code) for code in codes)


def shapes(answer: Any) -> list[list]:
    """What a function, or each method of a class, does, without names, lines and docstrings: equal for untouched code."""
    return [_shape(code) for code in _codes(answer)]


def first_line(error: BaseException) -> str:
    """The first line of an error's message, or "no message"."""
    return (str(error).strip().splitlines() or ["no message"])[0]


def where(error: BaseException) -> str:
    """The learner's own line on which the error happened, or "" if it cannot be found."""
    trace, line = error.__traceback__, ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if "helpers" not in Path(code.co_filename).parts:
            line = f"{type(error).__name__} in line {trace.tb_lineno - code.co_firstlineno + 1} of {code.co_name}"
        trace = trace.tb_next
    return line


def _codes(answer: Any) -> list[types.CodeType]:
    if inspect.isclass(answer):
        members = [getattr(m, "fget", m) for m in vars(answer).values()]
        return [m.__code__ for m in members if inspect.isfunction(m)]
    return [answer.__code__] if inspect.isfunction(answer) else []


def _shape(code: types.CodeType) -> list:
    """The steps of a piece of code.

    The same source compiles a little differently in a notebook and in a module that imports a name (a method call
    or an attribute), so such details are left out.
    """
    steps: list = []
    for step in dis.get_instructions(code):
        if isinstance(step.argval, types.CodeType):
            steps.append(_shape(step.argval))
        elif step.opname not in ("CACHE", "NOP", "PRECALL", "PUSH_NULL", "RESUME", "COPY_FREE_VARS"):
            jump = step.opcode in dis.hasjrel or step.opcode in dis.hasjabs
            steps.append((step.opname.replace("LOAD_METHOD", "LOAD_ATTR"), None if jump else repr(step.argval)))
    return steps


def _does_nothing(code: types.CodeType) -> bool:
    """Whether a piece of code is a docstring with `...`, `pass` or `return ...`."""
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_CONST", "RETURN_CONST"):
            if step.argval is not None and step.argval is not ...:
                return False
        elif step.opname not in ("RESUME", "NOP", "RETURN_VALUE", "CACHE"):
            return False
    return True
