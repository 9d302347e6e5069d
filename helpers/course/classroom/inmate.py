"""What runs inside the jail: it loads a student's cells and calls their functions when the grader asks.

It knows no solution, no expected value and no verdict. Requests come as pickles (the grader is trusted), answers
go back as plain text (`helpers.lab.plain_data`), one line each. A copy of this file is started as a script inside the jail;
student code may do to this process whatever it likes: it can only spoil or invent its own answers.
"""

import builtins
import copy
import importlib
import os
import pickle
import re
import sys
import warnings
from collections.abc import Callable
from typing import Any

from helpers.course.classroom.call_filter import filter_calls
from helpers.course.classroom.cells import needed, parsed, run_statements
from helpers.course.classroom.watch import Watch, of_the_course
from helpers.lab import answers, plain_data
from helpers.lab.formatting import same

WATCHED = 4  # calls of an answer that are watched; watching slows it down


def told(error: BaseException) -> dict:
    """An error as the grader is told it: its type, its first line, the learner's line."""
    return {"type": type(error).__name__, "line": answers.first_line(error)[:500], "where": answers.where(error)[:300]}


class Inmate:
    """One answer at a time: `load` makes it, `call` and `run` use it."""

    def __init__(self) -> None:
        self.answer, self.watched = None, 0

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
            self.answer, self.watched = space[name], 0
            reply |= {
                "course": of_the_course(self.answer),
                "type": type(self.answer).__name__,
                "callable": callable(self.answer),
                "nothing": self.answer is None or self.answer is ...,
                "shapes": answers.shapes(self.answer),
                "empty": answers.empty(self.answer),
            }
        return reply

    def call(self, args: bytes) -> dict:
        """Call the answer; say what came out and whether it changed its arguments."""
        (positional, named), (before, before_named) = pickle.loads(args), pickle.loads(args)
        try:
            out, found = self._watched(lambda: self.answer(*positional, **named))
        except NotImplementedError:
            return {"undone": True}
        except BaseException as error:
            return {"error": told(error)}
        changed = not same((positional, named), (before, before_named), 0.0, 0.0)
        return {"undone": out is ..., "out": out, "changed": changed, "handed_on": found}

    def run(self, steps: bytes) -> dict:
        """Run the steps of a check on the answer."""
        try:
            prepared = pickle.loads(steps)
            out, found = self._watched(lambda: prepared(self.answer))
        except NotImplementedError:
            return {"undone": True}
        except BaseException as error:
            return {"error": told(error)}
        return {"undone": out is ..., "out": copy.copy(out), "handed_on": found}

    def _watched(self, steps: Callable[[], Any]) -> tuple[Any, list[str]]:
        """The result of ``steps()``; in an answer's first calls also which of the course's functions it came from."""
        self.watched += 1
        return Watch().run(steps) if self.watched <= WATCHED else (steps(), [])


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
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    return requests, replies


def main() -> None:
    """Answer the grader's requests until there are no more."""
    requests, replies = take_channel()
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
        replies.write(f"{number} {line}\n".encode("ascii"))
        replies.flush()


if __name__ == "__main__":
    main()
