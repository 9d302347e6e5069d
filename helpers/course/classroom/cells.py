"""A student's cells: which statements an answer needs from the others, and running them. Used inside the jail."""

import ast
import re

from helpers.lab.own_cells import global_names


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
