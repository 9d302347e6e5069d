"""The exercises of a chapter without their secrets: the source of what students get in place of helpers/exercises/chNN.

All files of the chapter become one, with the checks as `fold` leaves them: they hold expected results in place of the
reference solution, and only what they still use is written out.
"""

import ast
import copy
import inspect
import json
from typing import Any

from helpers.course.classroom.fold import fold
from helpers.course.classroom.source import Source, loaded
from helpers.lab import exercise as lab
from helpers.lab import released_checks
from helpers.lab.checks import outcomes
from helpers.lab.exercise import Exercise
from helpers.lab.trial import Mistake, Trial

HEAD = '''"""Exercises of chapter {chapter} as students have them: the checks hold expected results in place of solutions.

Made by `course.py release`; the teacher's copy has the reference solutions and grades with them.
"""
'''


def stripped(chapter: str) -> dict[str, str]:
    """The files for helpers/exercises/chNN: name -> text. Raises what a check raises that fails its own solution."""
    source = Source(lab.modules(chapter), lab.exercises(chapter))
    checks: dict[str, ast.FunctionDef] = {}  # by the name of the exercise's check
    facts: dict[str, Any] = {}
    for exercise in source.exercises:
        folded = fold(source, exercise)
        facts[exercise.id] = {"results": {}, "mistakes": {}}
        if folded is not None:
            function, results = copy.deepcopy(folded[0]), folded[1]
            function.body.insert(0, ast.parse(f"_known = known({exercise.id!r}, {function.args.args[0].arg})").body[0])
            checks[exercise.check.__name__] = ast.fix_missing_locations(function)
            facts[exercise.id] = {"results": results, "mistakes": mistakes(source, function, results, exercise)}
    return {
        "__init__.py": _module(source, checks, chapter),
        "known.json": json.dumps(facts, indent=0, sort_keys=True) + "\n",
    }


def mistakes(source: Source, function: ast.FunctionDef, results: dict[str, list[str]], exercise: Exercise) -> dict[str, str]:
    """The diagnoses of the wrong answers, each locked with the results that it gives."""
    space = {**source.space, "known": lambda _id, t: released_checks.player(results, t)}
    exec(compile(ast.Module([function], []), "check", "exec"), space)
    found: dict[str, str] = {}
    shared: set[str] = set()
    for wrong in exercise.wrong:
        trial = Trial(wrong.answer, exercise.name)
        try:
            space[function.name](trial)
        except Mistake as mistake:
            if mistake.ask_bank:
                tried = outcomes(space[function.name], trial.again(), exercise.seconds)
                label, locked = released_checks.lock(released_checks.fingerprint(tried or []), wrong.diagnosis)
                if label in found:
                    shared.add(label)  # as in the course, what two entries explain is not named
                found[label] = locked
        except Exception:  # a result of a form that the check did not foresee has no entry here; the check refuses it anyway
            continue
        else:
            raise ValueError(f"{exercise.id}: the check for students lets {wrong.answer.__name__} pass")
    return dict(sorted((label, locked) for label, locked in found.items() if label not in shared))


def _module(source: Source, checks: dict[str, ast.FunctionDef], chapter: str) -> str:
    """The text of the chapter for students."""
    starts = {e.start.__name__ for e in source.exercises if e.start is not None}
    starts |= {e.course.__name__ for e in source.exercises if e.course is not None}
    wanted = source.needs(*checks.values(), *(source.defined[n] for n in starts)) | starts
    if wanted & source.secret:
        raise ValueError(f"chapter {chapter}: {', '.join(sorted(wanted & source.secret))} would go to students")
    kept = source.statements(wanted - checks.keys())
    lines = [HEAD.format(chapter=chapter)]
    lines += _imports(source, set().union({"Exercise"}, *map(loaded, [*checks.values(), *kept])))
    lines.append("from helpers.lab.released_checks import diagnosing, known, unjudged, withheld  # noqa: F401\n")
    for statement in [*kept, *checks.values()]:
        lines += ["", ast.unparse(statement)]
    lines += ["", "EXERCISES = ["]
    for e in source.exercises:
        kind = ", type" if inspect.isclass(e.solution) else ""
        check = f"diagnosing({e.id!r}, {e.check.__name__})" if e.check.__name__ in checks else "unjudged"
        start = f", start={e.start.__name__}" if e.start is not None else ""
        start += f", course={e.course.__name__}" if e.course is not None else ""
        start += f", after={e.after!r}" if e.after else ""
        lines.append(
            f"    Exercise(id={e.id!r}, title={e.title!r}, kind={e.kind!r}, points={e.points!r},\n"
            f"             seconds={e.seconds!r}, solution=withheld({e.name!r}{kind}), check={check}{start}, wrong=(),\n"
            f"             hints={tuple(e.hints)!r}),"
        )
    return "\n".join([*lines, "]", ""])


def _imports(source: Source, used: set[str]) -> list[str]:
    """The imports of the names that are used."""
    lines = []
    for statement in source.imports():
        kept = copy.copy(statement)
        kept.names = [a for a in statement.names if (a.asname or a.name).split(".")[0] in used]
        if kept.names:
            lines.append(ast.unparse(kept))
    return list(dict.fromkeys(lines))
