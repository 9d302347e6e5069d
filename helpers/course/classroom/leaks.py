"""Does anything in a folder hold the text of a solution or of a wrong answer? A release is not made if so.

Texts are compared without white space and with one kind of quotes, as they were written and as Python would write them,
in every file; notebooks are looked at cell by cell, too. Compiled files are refused outright.
"""

import ast
import functools
import inspect
import json
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from helpers.lab import checks

BINARY = (".safetensors", ".png")  # numbers and pictures: not searched
SHORT = 60  # a body shorter than this may stand anywhere by chance: it counts only together with its own head
# Wrong answers that a chapter shows itself, as a first version on the way: (exercise, name) -> the notebook that may hold it.
TAUGHT = {("1.3", "backward_without_reset"): "notebooks/01_linear_regression.ipynb"}


@dataclass(frozen=True)
class Secret:
    """The text of one solution or wrong answer: its body, and the whole with its head; squeezed."""

    exercise: str
    name: str
    texts: tuple[str, ...]


def squeeze(text: str) -> str:
    """The text without white space, all quotes alike."""
    return "".join(text.split()).replace("'", '"')


def _bodies(source: str) -> Iterator[str]:
    tree = ast.parse(source).body[0]
    body = tree.body[1:] if ast.get_docstring(tree) is not None else tree.body
    if not body:
        return
    lines = source.splitlines()
    written = "\n".join(line for line in lines[body[0].lineno - 1 :])
    unparsed = "\n".join(ast.unparse(s) for s in body)
    head = lines[0] if lines[0].rstrip().endswith(":") else ast.unparse(tree).splitlines()[0]
    yield source
    yield ast.unparse(tree)
    for text in (written, unparsed):
        yield head + text
        if len(squeeze(text)) >= SHORT:
            yield text


@functools.cache
def secrets() -> list[Secret]:
    """Every solution and wrong answer of every chapter, except code that the notebooks show as the start of an exercise."""
    found = []
    for chapter in checks.chapters():
        for e in checks.exercises(chapter):
            shown = squeeze(ast.unparse(_without_docstring(e.start))) if e.start is not None else ""
            for answer in [e.solution, *(w.answer for w in e.wrong)]:
                source = textwrap.dedent(inspect.getsource(answer))
                same = squeeze(ast.unparse(_without_docstring(answer))).split(":", 1)[1:] == shown.split(":", 1)[1:]
                if answer is e.start or same:
                    continue
                found.append(Secret(e.id, answer.__name__, tuple(dict.fromkeys(squeeze(t) for t in _bodies(source)))))
    return found


def _without_docstring(answer: object) -> ast.stmt:
    tree = ast.parse(textwrap.dedent(inspect.getsource(answer))).body[0]
    if ast.get_docstring(tree) is not None:
        tree.body = tree.body[1:] or [ast.Pass()]
    return tree


def texts(path: Path) -> Iterator[str]:
    """What a file says: as it is, its cells or strings if it is JSON, and as Python would write it if it is Python."""
    raw = path.read_bytes().decode("utf-8", "replace")
    yield raw
    if path.suffix in (".ipynb", ".json"):
        strings = list(_strings(json.loads(raw)))
        yield "\n".join(strings)
        codes = (
            ["".join(c["source"]) for c in json.loads(raw).get("cells", []) if c["cell_type"] == "code"]
            if path.suffix == ".ipynb"
            else []
        )
    else:
        codes = [raw] if path.suffix == ".py" else []
    for code in codes:
        try:
            yield ast.unparse(ast.parse(code))
        except SyntaxError:
            continue


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        if all(isinstance(x, str) for x in value):
            yield "".join(value)
        else:
            for x in value:
                yield from _strings(x)
    elif isinstance(value, dict):
        for k, x in value.items():
            yield k
            yield from _strings(x)


def leaks(folder: Path) -> list[str]:
    """ "file: exercise, name" for each secret text found; empty when the folder is clean."""
    known, found = secrets(), []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        with open(path, "rb") as file:
            binary = b"\0" in file.read(4096)
        if binary and path.suffix in BINARY:
            continue
        if binary or path.suffix in (".pyc", ".pyo"):
            found.append(f"{name}: compiled code, or another file that cannot be searched")
            continue
        for text in texts(path):
            squeezed = squeeze(text)
            found += [
                f"{name}: {s.exercise} {s.name}"
                for s in known
                if any(t in squeezed for t in s.texts) and TAUGHT.get((s.exercise, s.name)) != name
            ]
    return list(dict.fromkeys(found))
