"""What runs inside the jail: it loads a student's cells and calls their functions when the grader asks.

It knows no solution, no expected value and no verdict. Requests come as pickles (the grader is trusted), answers
go back as plain text (`helpers.lab.plain_data`), one line each. A copy of this file is started as a script inside the jail;
student code may do to this process whatever it likes: it can only spoil or invent its own answers.
"""

import ast
import builtins
import copy
import ctypes
import importlib
import os
import pickle
import platform
import re
import symtable
import sys
import warnings

from helpers.lab import checks, plain_data
from helpers.lab.formatting import same

AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
CLONE = {"x86_64": 56, "aarch64": 220}
CLONE3, CLONE_THREAD, EPERM, ENOSYS = 435, 0x10000, 1, 38
# System calls that an answer has no use for: new processes and programs, sockets, looking into other processes, mounts,
# memory that no limit counts, and parts of the kernel with a history. Both processors, the same order of purposes.
FORBIDDEN = {
    "x86_64": (
        57,
        58,
        59,
        322,
        41,
        101,
        310,
        311,
        438,
        272,
        308,
        165,
        166,
        155,
        161,
        428,
        429,
        430,
        432,
        442,
        319,
        447,
        29,
        68,
        64,
        240,
        321,
        298,
        250,
        248,
        249,
        323,
        425,
        426,
        427,
        246,
        175,
        313,
        304,
        303,
        135,
        434,
    ),
    "aarch64": (
        221,
        281,
        198,
        117,
        270,
        271,
        438,
        97,
        268,
        40,
        39,
        41,
        51,
        428,
        429,
        430,
        432,
        442,
        279,
        447,
        194,
        186,
        190,
        180,
        280,
        241,
        219,
        217,
        218,
        282,
        425,
        426,
        427,
        104,
        105,
        273,
        265,
        264,
        92,
        434,
    ),
}


class _Instruction(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32)]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.POINTER(_Instruction))]


def filter_calls() -> bool:
    """Forbid `FORBIDDEN` and new processes to this process for ever (seccomp). False where that is not possible."""
    machine = platform.machine()
    if sys.platform != "linux" or machine not in AUDIT:
        return False
    load, equal, at_least, any_of, give = 0x20, 0x15, 0x35, 0x45, 0x06
    allow, error = 0x7FFF0000, 0x00050000
    steps = [(load, 0, 0, 4), (equal, 1, 0, AUDIT[machine]), (give, 0, 0, error | EPERM), (load, 0, 0, 0)]
    if machine == "x86_64":
        steps += [(at_least, 0, 1, 0x40000000), (give, 0, 0, error | EPERM)]
    for number in FORBIDDEN[machine]:
        steps += [(equal, 0, 1, number), (give, 0, 0, error | EPERM)]
    steps += [(equal, 0, 1, CLONE3), (give, 0, 0, error | ENOSYS)]  # the C library then takes clone, whose flags can be read
    steps += [
        (equal, 0, 3, CLONE[machine]),
        (load, 0, 0, 16),
        (any_of, 1, 0, CLONE_THREAD),
        (give, 0, 0, error | EPERM),
        (give, 0, 0, allow),
    ]
    made = (_Instruction * len(steps))(*steps)
    program = _Program(len(steps), made)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) == -1:
        return False
    return libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0


# ------------------------------------------------------------------------------------- the student's cells


def tidy(source: str) -> str:
    """A cell without the lines that only a notebook understands (%time, !ls); line numbers stay."""
    lines = source.splitlines()
    return "\n".join("" if re.match(r"\s*[%!]", line) or line.startswith("?") else line for line in lines) + "\n"


def parsed(source: str, name: str) -> tuple[str, ast.Module]:
    """The cell as it can be compiled: as it is, or without notebook magic. Raises SyntaxError."""
    try:
        return source, ast.parse(source, name)
    except SyntaxError:
        return tidy(source), ast.parse(tidy(source), name)


def global_names(source: str) -> set[str]:
    """The names that a piece of code takes from the notebook."""
    found: set[str] = set()

    def visit(table: symtable.SymbolTable, top: bool) -> None:
        for symbol in table.get_symbols():
            if symbol.is_referenced() and (top or symbol.is_global()):
                found.add(symbol.get_name())
        for child in table.get_children():
            visit(child, False)

    visit(symtable.symtable(source, "cell", "exec"), True)
    return found - set(dir(builtins))


def bound_names(statement: ast.stmt) -> set[str]:
    """The names that a statement at the top of a cell gives a value to."""
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return {statement.name}
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return {(alias.asname or alias.name).split(".")[0] for alias in statement.names}
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def needed(source: str, before: list[str], after: list[str]) -> list[ast.stmt]:
    """The statements of the other cells that give a value to what the cell uses, directly or through one another."""
    shelf: list[tuple[ast.stmt, set[str], bool]] = []
    for cells, early in ((before, True), (after, False)):
        for cell in cells:
            try:
                statements = parsed(cell, "cell")[1].body
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                continue
            shelf += [(s, bound_names(s), early) for s in statements]
    wanted, known, chosen = list(global_names(source)), set(), set()
    while wanted:
        name = wanted.pop()
        if name in known:
            continue
        known.add(name)
        here = [i for i, (_, bound, early) in enumerate(shelf) if name in bound and early]
        here = here or [i for i, (_, bound, _) in enumerate(shelf) if name in bound]
        for i in set(here) - chosen:
            chosen.add(i)
            wanted += global_names(ast.unparse(shelf[i][0]))
    return [shelf[i][0] for i in sorted(chosen)]


def run_statements(statements: list[ast.stmt], space: dict, name: str, patient: bool) -> BaseException | None:
    """Run statements one by one; returns the first error, and stops there unless `patient`."""
    first = None
    for statement in statements:
        try:
            exec(compile(ast.Module([statement], []), name, "exec"), space)
        except BaseException as error:  # also SystemExit: a cell that leaves does not leave the grader
            first = first or error
            if not patient:
                break
    return first


def told(error: BaseException) -> dict:
    return {"type": type(error).__name__, "line": checks._first_line(error)[:500], "where": checks._where(error)[:300]}


class Inmate:
    """One answer at a time: `load` makes it, `call` and `run` use it."""

    def __init__(self) -> None:
        self.answer = None

    def hello(self, modules: list[str], guard: bool, secret: list[str]) -> dict:
        """Load what will be needed, look around, then forbid system calls."""
        for name in modules:
            importlib.import_module(name)
        return {"facts": look_around(secret), "filter": guard and filter_calls()}

    def load(self, exercise: str, name: str, source: str, before: list[str], after: list[str]) -> dict:
        """Run the exercise's cell, with what it needs from others; say what the answer is, not what it does."""
        label = f"exercise {exercise}"
        space = {"__name__": "__main__", "__builtins__": builtins}
        try:
            source, tree = parsed(source, label)
            run_statements(needed(source, before, after), space, "another cell", patient=True)
        except SyntaxError as error:
            line = f"line {error.lineno}: {error.msg}"
            return {"defined": False, "error": {"type": "SyntaxError", "line": line, "where": ""}}
        except (ValueError, RecursionError, MemoryError) as error:
            return {"defined": False, "error": told(error)}
        space.pop(name, None)  # the name may stand for something else in the chapter
        error = run_statements(tree.body, space, label, patient=False)
        reply = {"defined": name in space, "error": told(error) if error is not None else None}
        if name in space:
            self.answer = space[name]
            codes = checks._codes(self.answer)
            reply |= {
                "type": type(self.answer).__name__,
                "callable": callable(self.answer),
                "nothing": self.answer is None or self.answer is ...,
                "shapes": [checks._shape_of(c) for c in codes],
                "empty": bool(codes) and all(checks._empty(c) for c in codes),
            }
        return reply

    def call(self, args: bytes) -> dict:
        """Call the answer; say what came out and whether it changed its arguments."""
        (positional, named), (before, before_named) = pickle.loads(args), pickle.loads(args)
        try:
            out = self.answer(*positional, **named)
        except NotImplementedError:
            return {"undone": True}
        except BaseException as error:
            return {"error": told(error)}
        changed = not same((positional, named), (before, before_named), 0.0, 0.0)
        return {"undone": out is ..., "out": out, "changed": changed}

    def run(self, steps: bytes) -> dict:
        """Run the steps of a check on the answer."""
        try:
            out = pickle.loads(steps)(self.answer)
        except NotImplementedError:
            return {"undone": True}
        except BaseException as error:
            return {"error": told(error)}
        return {"undone": out is ..., "out": copy.copy(out)}


def look_around(secret: list[str]) -> dict:
    """What this process can see and do; the grader compares it with what it should be."""
    import socket

    facts: dict = {"uid": os.getuid() if hasattr(os, "getuid") else -1, "root": sorted(os.listdir("/"))}
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            facts["rights"] = re.search(r"CapEff:\s*(\w+)", file.read())[1].strip("0")
        facts["processes"] = sum(entry.isdigit() for entry in os.listdir("/proc"))
    except OSError:
        facts["rights"], facts["processes"] = "", 0
    try:
        facts["interfaces"] = [name for _, name in socket.if_nameindex()]
    except OSError:
        facts["interfaces"] = []
    facts["seen"] = [path for path in secret if _listed(path)]
    facts["writable"] = [path for path in ("/", sys.prefix, os.path.dirname(__file__)) if _writable(path)]
    return facts


def _listed(path: str) -> bool:
    return os.path.isfile(path) or (os.path.isdir(path) and bool(os.listdir(path)))


def _writable(folder: str) -> bool:
    try:
        descriptor = os.open(os.path.join(folder, ".course-test"), os.O_CREAT | os.O_WRONLY)
    except OSError:
        return False
    os.close(descriptor)
    os.unlink(os.path.join(folder, ".course-test"))
    return True


def take_channel() -> tuple:
    """The two ends of the channel, moved away from the standard streams, which become nothing."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    return requests, answers


def main() -> None:
    requests, answers = take_channel()
    warnings.simplefilter("ignore")
    inmate = Inmate()
    while True:
        try:
            number, name, arguments = pickle.load(requests)
        except EOFError:
            os._exit(0)
        reply = getattr(inmate, name)(**arguments)
        try:
            line = plain_data.dumps(reply)
        except (ValueError, RecursionError, MemoryError) as error:
            line = plain_data.dumps({"error": {"type": "a result", "line": str(error)[:200] or "too large", "where": ""}})
        answers.write(f"{number} {line}\n".encode("ascii"))
        answers.flush()


if __name__ == "__main__":
    main()
