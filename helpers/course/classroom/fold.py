"""Folding: what a check computes without the student's answer is worked out here, and only its results are written down.

In the code of a check, every expression that does not depend on the answer and uses a function of the chapter (the reference
solution above all) is replaced by its results. Then the check needs neither the solution nor most helpers.
"""

import ast
import copy
from collections.abc import Iterator
from typing import Any

from helpers.course.classroom.source import Source, loaded, names_in
from helpers.lab import plain_data
from helpers.lab.exercise import Exercise
from helpers.lab.trial import Trial

_RANDOM = {"rng", "random", "randn", "rand", "randint", "randperm", "manual_seed", "default_rng", "Generator"}
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


class NotPlain(Exception):
    """A place of the check whose value cannot be written down."""


def fold(source: Source, exercise: Exercise) -> tuple[ast.FunctionDef, dict[str, list[str]]] | None:
    """The check of an exercise without what can be worked out, and the results by place; None when secrets remain in it."""
    function = without_fresh(source.defined[exercise.check.__name__])
    tainted, keep = tainted_names(function), set()
    local = {n.name for n in ast.walk(function) if isinstance(n, ast.FunctionDef)}
    while True:
        recording = _Fold(tainted, source.functions() | local, keep, record=True)
        made = _rebuilt(function, recording)
        try:
            results = _run(made, source.space, exercise, {n: p for p, n in recording.places.items()})
            break
        except NotPlain as error:
            keep.add(error.args[0])
    folding = _Fold(tainted, source.functions() | local, keep, record=False)
    made = _rebuilt(function, folding)
    if uneven(made, tainted) or source.needs(made) & source.secret:
        return None
    return made, results


class _Without(ast.NodeTransformer):
    def __init__(self, trial: str) -> None:
        self.trial = trial

    def fresh(self, node: ast.AST) -> bool:
        f = node.func if isinstance(node, ast.Call) else None
        return isinstance(f, ast.Attribute) and f.attr == "fresh" and isinstance(f.value, ast.Name) and f.value.id == self.trial

    def visit_Call(self, node: ast.Call) -> ast.AST:
        return ast.copy_location(ast.List([], ast.Load()), node) if self.fresh(node) else self.generic_visit(node)

    def visit_For(self, node: ast.For) -> ast.AST | None:
        return None if self.fresh(node.iter) else self.generic_visit(node)


def without_fresh(function: ast.FunctionDef) -> ast.FunctionDef:
    """A check without its fresh tries, which only a teacher's copy can judge."""
    return ast.fix_missing_locations(_Without(function.args.args[0].arg).visit(copy.deepcopy(function)))


def uneven(function: ast.FunctionDef, tainted: set[str]) -> bool:
    """Whether the calls of an answer may come in another order or number, without the check ending there."""
    trial = function.args.args[0].arg
    for node in ast.walk(function):
        if isinstance(node, ast.If) and ast.unparse(node.test) == f"{trial}.collecting":
            continue  # the same in every copy
        if isinstance(node, (ast.If, ast.While, ast.IfExp)) and loaded(node.test) & tainted:
            inside = [x for x in ast.walk(node) if x not in ast.walk(node.test)]
            calls = (x for x in inside if isinstance(x, ast.Attribute) and x.attr in ("call", "run"))
            if any(isinstance(x.value, ast.Name) and x.value.id == trial for x in calls):
                return True
            if any(isinstance(x, (ast.Continue, ast.Break, ast.Return)) for x in inside):
                return True
    return False


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
                if value is not None and loaded(value) & tainted:
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


class _Fold(ast.NodeTransformer):
    """Replace what can be worked out by calls of `name`; `keep`: places whose value is not plain, so they stay."""

    def __init__(self, tainted: set[str], functions: set[str], keep: set[tuple], record: bool) -> None:
        self.tainted, self.functions, self.keep, self.record = tainted, functions, keep, record
        self.places: dict[tuple, int] = {}

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, _SCOPES):
            return node  # run at another time, perhaps in a jail: not folded
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            self.generic_visit(node.value)  # such as cases.append(...): it is done, and only what it is given is worked out
            return node
        if isinstance(node, ast.expr) and not isinstance(node, (ast.Starred, ast.Slice, ast.JoinedStr, ast.FormattedValue)):
            place = (node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)
            mentioned = names_in(node)
            if (
                mentioned & (self.functions | _RANDOM)
                and not loaded(node) & self.tainted
                and place not in self.keep
                and isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
            ):
                number = self.places.setdefault(place, len(self.places))
                call = [ast.Constant(number), node] if self.record else [ast.Constant(number)]
                return ast.Call(ast.Name("_known", ast.Load()), call, [])
        return self.generic_visit(node)


def _rebuilt(function: ast.FunctionDef, folder: _Fold) -> ast.FunctionDef:
    made = copy.deepcopy(function)
    made.body = [folder.visit(s) for s in made.body]
    return ast.fix_missing_locations(made)


def _run(function: ast.FunctionDef, names: dict[str, Any], exercise: Exercise, places: dict[int, tuple]) -> dict[str, list[str]]:
    """Run the check with the reference solution; returns what stood at each place, in order. Raises NotPlain."""
    results: dict[str, list[str]] = {}
    trial = Trial(exercise.solution, exercise.name)

    def note(number: int, value: Any) -> Any:
        if not _plain(value):
            raise NotPlain(places[number])
        results.setdefault(f"{number}:{len(trial.steps)}", []).append(plain_data.dumps(value))
        return value

    space = {**names, "_known": note}
    exec(compile(ast.Module([function], []), "check", "exec"), space)
    space[function.name](trial)
    return results


def _plain(value: Any) -> bool:
    """Whether a value comes back from `plain_data` exactly as it is."""
    if isinstance(value, (list, tuple, set, frozenset)):
        return type(value) in (list, tuple, set) and all(_plain(x) for x in value)
    if isinstance(value, dict):
        return type(value) is dict and all(_plain(k) and _plain(x) for k, x in value.items())
    if getattr(value, "requires_grad", False):
        return False
    return '"$":"unknown"' not in plain_data.dumps(value)
