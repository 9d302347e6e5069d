"""Mutants of a reference solution: one small mistake in each, of the kinds that people make. A check must refuse them all."""

import ast
import copy
import inspect
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers.lab.exercise import Exercise
from helpers.lab.formatting import as_array, is_tensor
from helpers.lab.trial import Trial

COMPARED = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
OTHER = {"max": "min", "min": "max", "argmax": "argmin", "argmin": "argmax", "amax": "amin", "sum": "mean", "mean": "sum"}
OTHER |= {"maximum": "minimum", "minimum": "maximum", "cumsum": "cumprod", "ones": "zeros", "tril": "triu", "triu": "tril"}
LOGS = {"log": "log2", "log2": "log", "log10": "log", "exp": "exp2"}
AXES = {"0": (1,), "1": (0,), "2": (0, 1), "-1": (0, -2)}  # axis -> others that people write for it
COMMUTES = {"maximum", "minimum", "max", "min", "logaddexp", "isclose", "transpose"}  # swapped, nothing changes


@dataclass(frozen=True)
class Mutant:
    """name: the operator and what it changed, "drops the factor: a * b -> a"; the same name always means the same mutant."""

    name: str
    answer: Any


def mutants(exercise: Exercise) -> list[Mutant]:
    """All mutants of an exercise's reference solution, each made by one change."""
    source = textwrap.dedent(inspect.getsource(exercise.solution))
    tree = ast.parse(source).body[0]
    space = vars(inspect.getmodule(exercise.solution))
    found: dict[str, Mutant] = {}
    for where, node in enumerate(list(ast.walk(tree))):
        for label, new in _changes(node):
            made = copy.deepcopy(tree)
            old = list(ast.walk(made))[where]
            before = ast.unparse(node)
            if not _replace(made, old, new):
                continue
            name = f"{label}: {_short(before)} -> {_short(ast.unparse(ast.fix_missing_locations(new)) if new else 'gone')}"
            name += "" if name not in found else f" ({sum(n.startswith(name) for n in found) + 1})"
            found[name] = Mutant(name, _compiled(made, space, exercise.name))
    return [*found.values(), *_around(exercise)]


def _short(text: str) -> str:
    return " ".join(text.split())[:70]


def _compiled(tree: ast.stmt, space: dict[str, Any], name: str) -> Any:
    inside = dict(space)
    exec(compile(ast.fix_missing_locations(ast.Module([tree], [])), "mutant", "exec"), inside)
    return inside[name]


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST | None) -> bool:
    for node in ast.walk(tree):
        for field, value in ast.iter_fields(node):
            if value is old:
                setattr(node, field, new)
                return True
            if isinstance(value, list) and any(v is old for v in value):
                at = next(i for i, v in enumerate(value) if v is old)
                value[at : at + 1] = [new] if new is not None else []
                if not value and field == "body":
                    value.append(ast.Pass())
                return True
    return False


def _plus(node: ast.expr, number: int) -> ast.expr:
    if isinstance(node, ast.Constant):
        return ast.Constant(node.value + number)
    return ast.BinOp(copy.deepcopy(node), ast.Add() if number > 0 else ast.Sub(), ast.Constant(abs(number)))


def _changes(node: ast.AST) -> Iterator[tuple[str, Any]]:
    """(what is done, the node that takes its place)."""
    c = copy.deepcopy
    if isinstance(node, ast.BinOp):
        kind = {ast.Mult: "factor", ast.Div: "divisor", ast.Add: "term", ast.Sub: "term", ast.Pow: "power"}.get(type(node.op))
        if kind:
            yield f"drops the {kind}", c(node.left)
        if isinstance(node.op, (ast.Mult, ast.Add)):
            yield f"drops the first {kind}", c(node.right)
        if isinstance(node.op, (ast.Mult, ast.Div)):
            yield "doubles", ast.BinOp(c(node), ast.Mult(), ast.Constant(2))
        vectors = (
            isinstance(node.left, ast.Name) and isinstance(node.right, ast.Name) and f"{node.left.id}{node.right.id}".islower()
        )
        if isinstance(node.op, (ast.Sub, ast.Div)) or isinstance(node.op, ast.MatMult) and not vectors:
            yield "swaps", ast.BinOp(c(node.right), node.op, c(node.left))
        if isinstance(node.op, (ast.Add, ast.Sub)):
            yield (
                "turns the sign",
                ast.BinOp(c(node.left), ast.Sub() if isinstance(node.op, ast.Add) else ast.Add(), c(node.right)),
            )
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARED:
        yield "border", ast.Compare(c(node.left), [COMPARED[type(node.ops[0])](), *node.ops[1:]], c(node.comparators))
    if (
        isinstance(node, ast.UnaryOp)
        and isinstance(node.op, (ast.USub, ast.Not, ast.Invert))
        and not isinstance(node.operand, ast.Constant)
    ):
        yield "drops the sign", c(node.operand)
    if isinstance(node, ast.Call):
        yield from _of_call(node)
    if isinstance(node, ast.Slice):
        for side in ("lower", "upper"):
            value = getattr(node, side)
            if value is not None and not (isinstance(value, ast.Constant) and not isinstance(value.value, int)):
                for step in (1, -1):
                    new = c(node)
                    setattr(new, side, _plus(value, step))
                    yield f"{side} end off by {step:+d}", new
    if isinstance(node, (ast.For, ast.While)):
        new = c(node)
        new.body = [*new.body, ast.Break()]
        yield "first in place of all", new
    if isinstance(node, ast.AugAssign):
        yield "assigns in place of adding", ast.Assign([c(node.target)], c(node.value), lineno=0)
    if isinstance(node, ast.IfExp):
        yield "always the first case", c(node.body)
        yield "always the second case", c(node.orelse)
    if isinstance(node, ast.If):
        new = c(node)
        new.test = ast.UnaryOp(ast.Not(), new.test)
        yield "turns the condition", new
    if isinstance(node, ast.BoolOp):
        yield "drops a condition", c(node.values[0])
        yield "drops the first condition", c(node.values[-1])


def _of_call(node: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    c = copy.deepcopy
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    for table, label in ((OTHER, "another function"), (LOGS, "another base")):
        if name in table and not (isinstance(node.func, ast.Name) and table[name] not in ("min", "max", "sum")):
            new = c(node)
            if isinstance(new.func, ast.Attribute):
                new.func.attr = table[name]
            else:
                new.func = ast.Name(table[name], ast.Load())
            yield label, new
    if (
        len(node.args) == 2
        and name not in COMMUTES
        and ast.dump(node.args[0]) != ast.dump(node.args[1])
        and not any(isinstance(a, ast.Starred) for a in node.args)
    ):
        yield "swaps the arguments", ast.Call(c(node.func), [c(node.args[1]), c(node.args[0])], c(node.keywords))
    for i, keyword in enumerate(node.keywords):
        if keyword.arg in ("axis", "dim") and isinstance(keyword.value, (ast.Constant, ast.UnaryOp)):
            for other in AXES.get(ast.unparse(keyword.value), ()):
                new = c(node)
                new.keywords[i].value = ast.Constant(other)
                yield "another axis", new
        if keyword.arg == "kind":
            new = c(node)
            del new.keywords[i]
            yield "an unstable sort", new
    if name == "range" and node.args:
        for step in (1, -1):
            new = c(node)
            end = min(len(node.args) - 1, 1)
            new.args[end] = _plus(new.args[end], step)
            yield f"range off by {step:+d} at its end", new
        if len(node.args) > 1:
            new = c(node)
            new.args[0] = _plus(new.args[0], 1)
            yield "range starts one late", new


def _around(exercise: Exercise) -> Iterator[Mutant]:
    """The reference with something done to its arguments or its result."""
    if inspect.isclass(exercise.solution):
        return
    names = list(inspect.signature(exercise.solution).parameters)
    calls: list[dict[str, Any]] = []
    outs: list[Any] = []

    def noting(*args: Any, **kwargs: Any) -> Any:
        calls.append(dict(zip(names, args)) | kwargs)
        outs.append(exercise.solution(*args, **kwargs))
        return outs[-1]

    exercise.check(Trial(noting, exercise.name))
    for label, applies, change in _RESULTS:
        if any(applies(out) for out in outs):
            yield Mutant(label, _after(exercise.solution, applies, change))
    for name in names:
        values = [call[name] for call in calls if name in call]
        if values and isinstance(values[0], (int, float)) and not isinstance(values[0], bool):
            yield Mutant(f"the first try's {name} in place of the argument", _fixed(exercise.solution, name, values[0]))


def _after(f: Callable, applies: Callable[[Any], bool], change: Callable[[Any], Any]) -> Callable:
    def changed(*args: Any, **kwargs: Any) -> Any:
        out = f(*args, **kwargs)
        return change(out) if applies(out) else out

    return changed


def _fixed(f: Callable, name: str, value: Any) -> Callable:
    def fixed(*args: Any, **kwargs: Any) -> Any:
        bound = inspect.signature(f).bind(*args, **kwargs)
        bound.arguments[name] = value
        return f(*bound.args, **bound.kwargs)

    return fixed


def _array(out: Any) -> bool:
    return isinstance(out, np.ndarray) and out.ndim > 0


def _tensor(out: Any) -> bool:
    return is_tensor(out) and out.ndim > 0


_RESULTS: tuple[tuple[str, Callable[[Any], bool], Callable[[Any], Any]], ...] = (
    ("a list in place of the array", _array, lambda out: out.tolist()),
    ("a list in place of the tensor", _tensor, lambda out: out.tolist()),
    ("an array in place of the tensor", _tensor, as_array),
    ("a result cut off from the computation", is_tensor, lambda out: out.detach()),
    ("a result rounded to whole numbers", lambda out: _array(out) and out.dtype.kind == "f", lambda out: out.astype(int)),
    ("a result without its last entry", lambda out: isinstance(out, list) and len(out) > 0, lambda out: out[:-1]),
)
