"""course.py test --changed: which tests and notebooks a change concerns, from the imports (read, never run).

What is read of each file: its imports wherever they stand, names that a package offers lazily, and module names inside
strings (commands, code for another process). A change that cannot be followed runs all of its kind: data and requirements
run everything. Whoever adds a way to load a module that is none of these must name it here.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from helpers.course.commands.console import Problem

EVERYTHING = re.compile(r"data/|(data/|tests/)?requirements\.txt$|pyproject\.toml$")
NAMED = re.compile(r"\b(?:helpers|tests)(?:[./]\w+)+")
WEAVING = (
    "tests/tools/woven.py",
    "tests/tools/in_kernel.py",
    "tests/tools/in_browser.py",
    "tests/tools/lab_server.py",
)  # what runs a notebook
MUTATION = ("tests/mutation/test_mutants.py",)
NEVER = ("tests/old/",)  # a leg of its own


def changed_files(root: Path) -> tuple[str, list[str]]:
    """What the changes are measured against, in words, and the changed files: committed since main, not committed, new."""

    def git(*words: str) -> list[str] | None:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, encoding="utf-8", check=False)
        return done.stdout.splitlines() if done.returncode == 0 else None

    try:
        bases = [found[0] for name in ("origin/main", "main") if (found := git("merge-base", name, "HEAD"))]
        base = bases[0] if bases else "HEAD"
        changed = git("diff", "--name-only", "--no-renames", base, "--")
        new = git("ls-files", "--others", "--exclude-standard")
    except OSError:
        changed = new = None
    if changed is None or new is None:
        raise Problem("There is no git history here to compare with.", "Name tests, or run all:  python3 course.py test")
    return base[:10], sorted({*changed, *new})


class Graph:
    """Who imports whom. Files are paths from the root, with /; `uses[a]` holds what a needs directly."""

    def __init__(self, root: Path, gone: Iterable[str] = ()) -> None:
        """gone: modules that have been deleted; their importers are still found."""
        self.root = root
        files = [p.relative_to(root).as_posix() for top in ("helpers", "tests") for p in sorted((root / top).rglob("*.py"))]
        files += [name for name in ("course.py",) if (root / name).exists()]
        self.modules = {self._dotted(file): file for file in [*files, *(g for g in gone if g.endswith(".py"))]}
        self.notebooks = [p.relative_to(root).as_posix() for p in sorted((root / "notebooks").glob("[!.]*.ipynb"))]
        self.lazy: dict[str, dict[str, str]] = {}  # package -> name -> module
        self.uses: dict[str, set[str]] = {}
        self.families: dict[str, set[str]] = {}  # modules that are loaded by a name made at run time
        self.texts = {file: (root / file).read_text(encoding="utf-8") for file in files}
        trees = {file: ast.parse(text) for file, text in self.texts.items()}
        for module, file in self.modules.items():
            if file.endswith("/__init__.py") and file in trees:
                self._read_lazy(module, trees[file])
        for file, tree in trees.items():
            self.uses[file], self.families[file] = set(), set()
            self._read(file, tree)
            folders = [f"{parent.as_posix()}/conftest.py" for parent in Path(file).parents]
            if file.startswith("tests/") and "/test_" in file:
                self.uses[file] |= {f for f in folders if f in self.texts and f != file}
        for file in self.notebooks:
            self._read_notebook(file)

    @staticmethod
    def _dotted(file: str) -> str:
        return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def _below(self, prefix: str) -> set[str]:
        """The files of all modules whose names begin so."""
        return {file for module, file in self.modules.items() if module.startswith(prefix)}

    def _read_lazy(self, package: str, tree: ast.Module) -> None:
        """What a package with __getattr__ offers: its dictionaries {name: module} and {module: names}."""
        assigned = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        if "__getattr__" not in assigned | {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}:
            return
        offered = self.lazy.setdefault(package, {})

        def module(value: object) -> str | None:
            names = [f"{package}.{value.lstrip('.')}", value] if isinstance(value, str) else []
            return next((name for name in names if name in self.modules), None)

        for node in ast.walk(tree):
            pairs = list(zip(node.keys, node.values)) if isinstance(node, ast.Dict) else []
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "offer":  # offer(__name__, "bpe: BPE ...")
                rows = [line.split(":") for line in ast.literal_eval(node.args[1]).strip().splitlines()]
                pairs += [(ast.Constant(left.strip()), ast.Constant(names)) for left, names in rows]
            for key, value in pairs:
                try:
                    left, right = ast.literal_eval(key), ast.literal_eval(value)  # type: ignore[arg-type]
                except (ValueError, TypeError):
                    continue
                names = right.split() if isinstance(right, str) else right
                value_module, key_module = module(right), module(left)
                if value_module:
                    offered[left] = self.modules[value_module]
                elif key_module and isinstance(names, (list, tuple, set)):
                    offered |= {name: self.modules[key_module] for name in names if isinstance(name, str)}

    def _read(self, file: str, tree: ast.Module) -> None:
        uses, nodes = self.uses[file], list(ast.walk(tree))
        package = self._dotted(file) if file.endswith("/__init__.py") else self._dotted(file).rpartition(".")[0]
        for node in nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    uses |= self._module(alias.name, file)
            elif isinstance(node, ast.ImportFrom):
                parts = package.split(".")
                above = ".".join(parts[: len(parts) - node.level + 1]) if node.level else ""
                base = ".".join(part for part in (above, node.module) if part)
                uses |= self._module(base, file, lazily=False)
                for alias in node.names:
                    uses |= self._member(base, alias.name)
            elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                if NAMED.fullmatch(str(node.values[0].value)):
                    self.families[file] |= self._below(str(node.values[0].value).replace("/", "."))
        docstrings = {
            id(node.body[0].value)
            for node in nodes
            if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef)) and node.body and isinstance(node.body[0], ast.Expr)
        }
        for node in nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
                for name in NAMED.findall(node.value):
                    uses |= self._module(name.removesuffix(".py").replace("/", "."), file, lazily=False)
        uses.discard(file)

    def _module(self, name: str, file: str, lazily: bool = True) -> set[str]:
        """The files behind a dotted name: the module, or the longest part that is one, and the packages around it."""
        beside = Path(file).with_name(f"{name}.py").as_posix()
        if file.startswith("tests/") and "." not in name and beside in self.texts:
            return {beside}
        parts = name.split(".")
        known = [".".join(parts[:n]) for n in range(1, len(parts) + 1) if ".".join(parts[:n]) in self.modules]
        found = {self.modules[one] for one in known}
        if lazily and known and known[-1] in self.lazy:
            found |= self._below(known[-1] + ".")
        return found

    def _member(self, base: str, name: str) -> set[str]:
        """The files behind `from base import name`."""
        whole = f"{base}.{name}"
        if whole in self.modules:
            return {self.modules[whole]} | (self._below(whole + ".") if whole in self.lazy else set())
        if base in self.lazy and (name != "*" and name in self.lazy[base]):
            return {self.lazy[base][name]}
        return self._below(base + ".") if base in self.lazy else set()

    def _read_notebook(self, file: str) -> None:
        cells = json.loads((self.root / file).read_text(encoding="utf-8"))["cells"]
        self.uses[file], self.families[file] = set(), set()
        source = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        try:
            self._read(file, ast.parse(re.sub(r"^(\s*)[%!].*$", r"\1pass", source, flags=re.MULTILINE)))
        except SyntaxError:
            self.uses[file] |= self._below("helpers")
        chapter = Path(file).name[:2]
        self.uses[file] |= self._below(f"helpers.exercises.ch{chapter}") | {f for f in WEAVING if f in self.texts}

    def tests(self) -> list[str]:
        """All files of tests, but for those that have a leg of their own."""
        return [f for f in self.texts if re.fullmatch(r"tests/(.+/)?test_\w+\.py", f) and not f.startswith(NEVER)]

    def reach(self, start: str) -> dict[str, list[str]]:
        """Every test and notebook that needs a file, and the way there: [file, ..., importer]."""
        found = {}
        for wanted, with_families in ((set(self.tests()), True), (set(self.notebooks), False)):
            ways, waiting = {start: [start]}, deque([start])
            while waiting:
                here = waiting.popleft()
                for file, used in self.uses.items():
                    if file not in ways and (here in used or with_families and here in self.families[file]):
                        ways[file] = [*ways[here], file]
                        waiting.append(file)
            found |= {file: way for file, way in ways.items() if file in wanted}
        return found


@dataclass
class Choice:
    """What to run: file -> why, in words; or everything, and why."""

    files: dict[str, str] = field(default_factory=dict)
    everything: str = ""

    def add(self, files: Iterable[str], why: str) -> None:
        for file in files:
            self.files.setdefault(file, why)

    def lines(self) -> Iterator[str]:
        """The choice in words."""
        if self.everything:
            yield f"everything: {self.everything}"
            return
        for file, why in sorted(self.files.items()):
            yield f"{file:<44} {why}"


def mutated(graph: Graph, file: str) -> bool:
    """Whether tests/mutation names this module or this file of tests; there names are parts of strings."""
    stem = Path(file).stem.removeprefix("test_").removesuffix("_parity")
    listed = "\n".join(text for name, text in graph.texts.items() if name.startswith("tests/mutation/"))
    return re.search(rf"[\"'/._]{stem}[\"'._]", listed) is not None


def choose(root: Path, changed: Iterable[str]) -> Choice:
    """The tests and notebooks that these changed files concern."""
    changed = list(changed)
    choice = Choice()
    graph = Graph(root, [file for file in changed if not (root / file).exists()])
    tests = graph.tests()
    for file in changed:
        if EVERYTHING.match(file):
            choice.everything = choice.everything or f"{file} has changed, and no import says who reads it"
        elif file in graph.modules.values():
            if mutated(graph, file):
                choice.add(MUTATION, f"{file} has mutants there, or shows them")
            for found, way in graph.reach(file).items():
                choice.add([found], "changed" if len(way) == 1 else "<- " + " <- ".join(reversed(way[:-1])))
        elif file in graph.notebooks or file.startswith("notebooks/"):
            choice.add([file] if file in graph.notebooks else graph.notebooks, "changed")
            choice.add((t for t in tests if "notebook" in graph.texts[t]), f"may read {file}")
        elif file.startswith("helpers/"):
            folder = next(p for p in Path(file).parents if (p / "__init__.py").as_posix() in graph.texts)
            for neighbour in [f for f in graph.texts if Path(f).parent == folder]:
                choice.add(graph.reach(neighbour), f"uses the folder of {file}")
        elif file.startswith("tests/"):
            choice.add((t for t in tests if t.startswith(file.rpartition("/")[0] + "/")), f"may read {file}")
        else:
            named = [t for t in tests if Path(file).name in graph.texts[t]]
            choice.add(named or [t for t in tests if t.startswith(("tests/unit/", "tests/notebooks/"))], f"may read {file}")
    return choice
