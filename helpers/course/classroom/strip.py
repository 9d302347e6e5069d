"""Exercise modules without their secrets: the source of what students get for helpers/exercises/chNN.py.

In the code of a check, every expression that does not depend on the student's answer and uses a function of the module
(the reference solution above all) is worked out here and replaced by its results. Then the check needs neither the
solution nor most helpers, and only what is still used is written out.
"""

import ast
import copy
import inspect
import json
import sys
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

from helpers.lab import checks, plain_data, released_checks
from helpers.lab.checks import Exercise, Mistake, Trial

_RANDOM = {"rng", "random", "randn", "rand", "randint", "randperm", "manual_seed", "default_rng", "Generator"}
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def names_in(node: ast.AST) -> set[str]:
    """All names that a piece of code mentions, attributes included."""
    return _loaded(node) | {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}


def _loaded(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


class Source:
    """One exercise module: its definitions by name, and which of them are secret."""

    def __init__(self, module: ModuleType, exercises: list[Exercise]) -> None:
        self.module, self.text = module, inspect.getsource(module)
        self.tree = ast.parse(self.text)
        self.exercises = [e for e in exercises if e.check.__module__ == module.__name__]
        self.defined: dict[str, ast.stmt] = {}
        for statement in self.tree.body:
            if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
                self.defined[statement.name] = statement
            elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
                for name in (n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)):
                    self.defined[name] = statement
        shown = {e.start.__name__ for e in exercises if e.start is not None}
        answers = [e.solution for e in exercises] + [w.answer for e in exercises for w in e.wrong]
        self.secret = {a.__name__ for a in answers if a.__name__ not in shown}
        checking = {e.check.__name__ for e in exercises} | shown
        grown = True
        while grown:  # what uses a secret is a secret
            more = {n for n, node in self.defined.items() if n not in self.secret | checking and _loaded(node) & self.secret}
            self.secret |= more
            grown = bool(more)

    def imports(self) -> list[ast.stmt]:
        return [s for s in self.tree.body if isinstance(s, (ast.Import, ast.ImportFrom))]

    def functions(self) -> set[str]:
        return {n for n, s in self.defined.items() if isinstance(s, (ast.FunctionDef, ast.ClassDef))}


class _Fold(ast.NodeTransformer):
    """Replace what can be worked out by calls of `name`; `keep`: places whose value is not plain, so they stay."""

    def __init__(self, tainted: set[str], functions: set[str], keep: set[tuple], record: bool) -> None:
        self.tainted, self.functions, self.keep, self.record = tainted, functions, keep, record
        self.places: dict[tuple, int] = {}

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, _SCOPES):
            return node  # run at another time, perhaps in a jail: not folded
        if isinstance(node, ast.expr) and not isinstance(node, (ast.Starred, ast.Slice, ast.JoinedStr, ast.FormattedValue)):
            place = (node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)
            mentioned = names_in(node)
            if (
                mentioned & (self.functions | _RANDOM)
                and not _loaded(node) & self.tainted
                and place not in self.keep
                and isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
            ):
                number = self.places.setdefault(place, len(self.places))
                call = [ast.Constant(number), node] if self.record else [ast.Constant(number)]
                return ast.Call(ast.Name("_known", ast.Load()), call, [])
        return self.generic_visit(node)


def tainted_names(function: ast.FunctionDef) -> set[str]:
    """The local names whose value may depend on the student's answer: what is computed from the trial."""
    tainted = {function.args.args[0].arg}
    grown = True
    while grown:
        before = set(tainted)
        for node in ast.walk(function):
            if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.NamedExpr)):
                pairs = [(t, node.value) for t in (node.targets if isinstance(node, ast.Assign) else [node.target])]
            elif isinstance(node, (ast.For, ast.comprehension)):
                pairs = [(node.target, node.iter)]
            elif isinstance(node, ast.With):
                pairs = [(i.optional_vars, i.context_expr) for i in node.items if i.optional_vars is not None]
            elif isinstance(node, ast.FunctionDef) and node is not function:
                pairs = [(ast.Name(node.name, ast.Store()), node)]
            else:
                continue
            for target, value in _split(pairs):
                if value is not None and _loaded(value) & tainted:
                    tainted |= {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}
        grown = tainted != before
    return tainted


def _split(pairs: list[tuple[ast.AST, ast.AST | None]]) -> Iterator[tuple[ast.AST, ast.AST | None]]:
    """Pairs of target and value; `a, b = x, y` as two pairs."""
    for target, value in pairs:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            yield from _split(list(zip(target.elts, value.elts)))
        else:
            yield target, value


class NotPlain(Exception):
    """A place of the check whose value cannot be written down."""


def fold(source: Source, exercise: Exercise) -> tuple[ast.FunctionDef, dict[str, list[str]]] | None:
    """The check of an exercise without what can be worked out, and the results by place; None when secrets remain in it."""
    function = source.defined[exercise.check.__name__]
    tainted, keep = tainted_names(function), set()
    local = {n.name for n in ast.walk(function) if isinstance(n, ast.FunctionDef)}
    while True:
        recording = _Fold(tainted, source.functions() | local, keep, record=True)
        made = _rebuilt(function, recording)
        try:
            results = _run(made, source.module, exercise, {n: p for p, n in recording.places.items()})
            break
        except NotPlain as error:
            keep.add(error.args[0])
    folding = _Fold(tainted, source.functions() | local, keep, record=False)
    made = _rebuilt(function, folding)
    if _uneven(made, tainted) or needs(source, made) & source.secret:
        return None
    return made, results


def _rebuilt(function: ast.FunctionDef, folder: _Fold) -> ast.FunctionDef:
    made = copy.deepcopy(function)
    made.body = [folder.visit(s) for s in made.body]
    return ast.fix_missing_locations(made)


def _run(function: ast.FunctionDef, module: ModuleType, exercise: Exercise, places: dict[int, tuple]) -> dict[str, list[str]]:
    """Run the check with the reference solution; returns what stood at each place, in order. Raises NotPlain."""
    results: dict[str, list[str]] = {}
    trial = Trial(exercise.solution, exercise.name)

    def note(number: int, value: Any) -> Any:
        if not _plain(value):
            raise NotPlain(places[number])
        results.setdefault(f"{number}:{len(trial.steps)}", []).append(plain_data.dumps(value))
        return value

    space = {**vars(module), "_known": note}
    exec(compile(ast.Module([function], []), "check", "exec"), space)
    space[function.name](trial)
    return results


def _plain(value: Any) -> bool:
    """Whether a value comes back from `plain` exactly as it is."""
    if isinstance(value, (list, tuple, set, frozenset)):
        return type(value) in (list, tuple, set) and all(_plain(x) for x in value)
    if isinstance(value, dict):
        return type(value) is dict and all(_plain(k) and _plain(x) for k, x in value.items())
    if getattr(value, "requires_grad", False):
        return False
    return '"$":"unknown"' not in plain_data.dumps(value)


def _uneven(function: ast.FunctionDef, tainted: set[str]) -> bool:
    """Whether the calls of an answer may come in another order or number, without the check ending there."""
    trial = function.args.args[0].arg
    for node in ast.walk(function):
        if isinstance(node, (ast.If, ast.While, ast.IfExp)) and _loaded(node.test) & tainted:
            inside = [x for x in ast.walk(node) if x not in ast.walk(node.test)]
            calls = (x for x in inside if isinstance(x, ast.Attribute) and x.attr in ("call", "run"))
            if any(isinstance(x.value, ast.Name) and x.value.id == trial for x in calls):
                return True
            if any(isinstance(x, (ast.Continue, ast.Break, ast.Return)) for x in inside):
                return True
    return False


def needs(source: Source, *nodes: ast.AST) -> set[str]:
    """The names of the module that pieces of code need, directly or through one another."""
    found: set[str] = set()
    waiting = list(nodes)
    while waiting:
        for name in _loaded(waiting.pop()) & set(source.defined) - found:
            found.add(name)
            waiting.append(source.defined[name])
    return found


HEAD = '''"""Exercises of chapter {chapter} as students have them: the checks hold expected results in place of solutions.

Made by `course.py release`; the teacher's copy has the reference solutions and grades with them.
"""
'''


def stripped(chapter: str) -> dict[str, str]:
    """The files for helpers/exercises: name -> text, for one chapter. Raises what a check raises that fails its own solution."""
    exercises = checks.exercises(chapter)
    modules = list(dict.fromkeys(e.check.__module__ for e in exercises))
    main = f"helpers.exercises.ch{chapter}"
    facts: dict[str, Any] = {}
    files: dict[str, str] = {}
    for name in sorted(set(modules) | {main}, key=lambda n: n == main):
        source = Source(import_module(name), exercises)
        text, found = _module(source, chapter)
        facts |= found
        if name == main:
            others = [m.rsplit(".", 1)[1] for m in modules if m != main]
            text += "\n" + "".join(f"from helpers.exercises import {m}  # noqa: E402\n" for m in others)
            parts = ", ".join(["*PART", *(f"*{m}.PART" for m in others)])
            text += f'EXERCISES = sorted([{parts}], key=lambda e: int(e.id.split(".")[1]))\n'
        files[name.rsplit(".", 1)[1] + ".py"] = text
    files[f"known_{chapter}.json"] = json.dumps(facts, indent=0, sort_keys=True) + "\n"
    return files


def _module(source: Source, chapter: str) -> tuple[str, dict[str, Any]]:
    """The text of one exercise module, and its facts by exercise."""
    made: dict[str, ast.FunctionDef] = {}
    starts = {e.start.__name__ for e in source.exercises if e.start is not None}
    facts: dict[str, Any] = {}
    for exercise in source.exercises:
        folded = fold(source, exercise)
        facts[exercise.id] = {"results": {}, "mistakes": {}}
        if folded is not None:
            function, results = folded
            function = copy.deepcopy(function)
            function.body.insert(0, ast.parse(f"_known = known({exercise.id!r}, {function.args.args[0].arg})").body[0])
            made[exercise.check.__name__] = ast.fix_missing_locations(function)
            facts[exercise.id] = {"results": results, "mistakes": mistakes(source, function, results, exercise)}
    wanted = needs(source, *made.values(), *(source.defined[n] for n in starts)) | starts
    if wanted & source.secret:
        raise ValueError(f"{source.module.__name__}: {', '.join(sorted(wanted & source.secret))} would go to students")
    lines, written = [HEAD.format(chapter=chapter)], set()
    used = set().union(*(_loaded(n) for n in [*made.values(), *(source.defined[n] for n in wanted)]), {"Exercise", "Trial"})
    for statement in source.imports():
        names = [a for a in statement.names if (a.asname or a.name).split(".")[0] in used]
        if names and getattr(statement, "module", None) != "helpers.exercises":
            kept = copy.copy(statement)
            kept.names = names
            lines.append(ast.unparse(kept))
    lines.append("from helpers.lab.released_checks import diagnosing, known, unjudged, withheld  # noqa: F401\n")
    for statement in source.tree.body:
        for name in [n for n, s in source.defined.items() if s is statement and n in wanted and id(s) not in written]:
            if name not in made and id(statement) not in written:
                lines += ["", ast.unparse(statement)]
                written.add(id(statement))
    for function in made.values():
        lines += ["", ast.unparse(function)]
    lines += ["", "PART = ["]
    for e in source.exercises:
        kind = ", type" if inspect.isclass(e.solution) else ""
        check = f"diagnosing({e.id!r}, {e.check.__name__})" if e.check.__name__ in made else "unjudged"
        start = f", start={e.start.__name__}" if e.start is not None else ""
        lines.append(
            f"    Exercise(id={e.id!r}, title={e.title!r}, kind={e.kind!r}, points={e.points!r},\n"
            f"             seconds={e.seconds!r}, solution=withheld({e.name!r}{kind}), check={check}{start}, wrong=(),\n"
            f"             hints={tuple(e.hints)!r}),"
        )
    lines += ["]", ""]
    return "\n".join(lines), facts


def mistakes(source: Source, function: ast.FunctionDef, results: dict[str, list[str]], exercise: Exercise) -> dict[str, str]:
    """The diagnoses of the wrong answers, each locked with the results that it gives."""
    space = {**vars(source.module), "known": lambda _id, t: released_checks.player(results, t)}
    exec(compile(ast.Module([function], []), "check", "exec"), space)
    found: dict[str, str] = {}
    for wrong in exercise.wrong:
        trial = Trial(wrong.answer, exercise.name)
        try:
            space[function.name](trial)
        except Mistake as mistake:
            if mistake.ask_bank:
                label, locked = released_checks.lock(
                    released_checks.fingerprint([out for _, out in trial.steps]), wrong.diagnosis
                )
                found.setdefault(label, locked)  # as in the course, the first that fits names the mistake
        except Exception:  # a result of a form that the check did not foresee has no entry here; the check refuses it anyway
            continue
        else:
            raise ValueError(f"{exercise.id}: the check for students lets {wrong.answer.__name__} pass")
    return dict(sorted(found.items()))


def needed_source(answer: Any) -> str:
    """The source of an answer of the bank with all that it needs from its module, so that it stands alone (for tests)."""
    module = sys.modules[answer.__module__]
    source = Source(module, [])
    wanted = needs(source, source.defined[answer.__name__]) | {answer.__name__}
    parts = [
        ast.unparse(s) for s in source.imports() if getattr(s, "module", None) not in ("helpers.lab.checks", "helpers.exercises")
    ]
    chosen = {id(source.defined[n]): source.defined[n] for n in wanted}
    return "\n".join([*parts, *(ast.unparse(s) for s in source.tree.body if id(s) in chosen)]) + "\n"
