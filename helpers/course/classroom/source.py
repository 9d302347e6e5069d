"""The source of a chapter's exercises: what its files define, by name, and what of it is secret."""

import ast
import inspect
from types import ModuleType
from typing import Any

from helpers.lab import exercise as lab
from helpers.lab.exercise import Exercise


def loaded(node: ast.AST) -> set[str]:
    """The names that a piece of code mentions."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def names_in(node: ast.AST) -> set[str]:
    """All names that a piece of code mentions, attributes included."""
    return loaded(node) | {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}


class Source:
    """The files of one chapter, read as if they were one; their names must differ. Raises ValueError when two do not.

    modules: in an order in which none needs a later one. exercises: those of the chapter, [] when nothing is secret.
    """

    def __init__(self, modules: list[ModuleType], exercises: list[Exercise]) -> None:
        self.exercises = exercises
        self.space: dict[str, Any] = {}  # what the files' names stand for
        self.body: list[ast.stmt] = []
        self.defined: dict[str, ast.stmt] = {}
        for module in modules:
            self.space |= {k: v for k, v in vars(module).items() if not k.startswith("__")}
            body = ast.parse(inspect.getsource(module)).body
            names = {
                name: statement
                for statement in body
                for name in _defined(statement)
                if name not in ("AFTER", "EXERCISE", "HINTS", "WRONG")
            }
            twice = names.keys() & self.defined.keys()
            if twice:
                raise ValueError(f"{module.__name__}: {', '.join(sorted(twice))} is defined in another file of the chapter, too")
            self.defined |= names
            self.body += body
        shown = {e.start.__name__ for e in exercises if e.start is not None}
        answers = [e.solution for e in exercises] + [w.answer for e in exercises for w in e.wrong]
        self.secret = {a.__name__ for a in answers if a.__name__ not in shown}
        checking = {e.check.__name__ for e in exercises} | shown
        grown = True
        while grown:  # what uses a secret is a secret
            more = {n for n, node in self.defined.items() if n not in self.secret | checking and loaded(node) & self.secret}
            self.secret |= more
            grown = bool(more)

    def imports(self) -> list[ast.Import | ast.ImportFrom]:
        """The imports of all files, each once, without those from one exercise to another."""
        found: dict[str, ast.Import | ast.ImportFrom] = {}
        for s in self.body:
            if isinstance(s, (ast.Import, ast.ImportFrom)) and not _of_exercises(s):
                found.setdefault(ast.unparse(s), s)
        return list(found.values())

    def functions(self) -> set[str]:
        """The names of functions and classes."""
        return {n for n, s in self.defined.items() if isinstance(s, (ast.FunctionDef, ast.ClassDef))}

    def needs(self, *nodes: ast.AST) -> set[str]:
        """The names of the chapter that pieces of code need, directly or through one another."""
        found: set[str] = set()
        waiting = list(nodes)
        while waiting:
            for name in loaded(waiting.pop()) & set(self.defined) - found:
                found.add(name)
                waiting.append(self.defined[name])
        return found

    def statements(self, names: set[str]) -> list[ast.stmt]:
        """The statements that define these names, in order, each once."""
        chosen = {id(self.defined[n]) for n in names}
        return [s for s in self.body if id(s) in chosen]


def _defined(statement: ast.stmt) -> set[str]:
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return {statement.name}
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        return {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return set()


def _of_exercises(statement: ast.Import | ast.ImportFrom) -> bool:
    return isinstance(statement, ast.ImportFrom) and (statement.module or "").startswith("helpers.exercises")


def needed_source(answer: Any) -> str:
    """The source of an answer of the bank with all that it needs from its chapter, so that it stands alone (for tests)."""
    source = Source(lab.modules(answer.__module__.split(".")[2].removeprefix("ch")), [])
    wanted = source.needs(source.defined[answer.__name__]) | {answer.__name__}
    imports = [s for s in source.imports() if not (getattr(s, "module", None) or "").startswith("helpers.lab.")]
    return "\n".join(map(ast.unparse, [*imports, *source.statements(wanted)])) + "\n"
