"""What you built is yours: an answer that passed is kept with all that it needs, and works in a later notebook.

Kept is source, not memory: the answer, the functions of the notebook that it calls, and the imports. Before that it is checked
once more in a namespace of its own, where a name of the notebook that it leans on is missing.
"""

import ast
import inspect
import sys
from importlib import import_module
from types import ModuleType
from typing import Any

from helpers.lab import record
from helpers.lab.exercise import Exercise, find
from helpers.lab.own_cells import global_names, source_of


class Leaning(ValueError):
    """An answer uses something of the notebook that cannot be kept with it."""


def standalone(answer: Any) -> str:
    """Source that makes ``answer`` by itself: imports, what it calls from its notebook, and the answer last.

    Raises Leaning for a value of the notebook that it uses, ValueError where a source cannot be found.
    """
    imports: dict[str, None] = {}
    parts: dict[str, str] = {}
    _collect(answer, imports, parts, set())
    return "\n".join(imports) + ("\n\n\n" if imports else "") + "\n\n".join(parts.values())


def _collect(value: Any, imports: dict[str, None], parts: dict[str, str], seen: set[int]) -> None:
    seen.add(id(value))
    source = source_of(value)
    space = getattr(value, "__globals__", None) or vars(sys.modules[value.__module__])
    for name in sorted(global_names(source) - {value.__name__}):
        if name not in space:
            continue  # a name that is missing, or bound later: the second check will tell
        used = space[name]
        line = _import(name, used)
        if line:
            imports[line] = None
        elif inspect.isfunction(used) or inspect.isclass(used):
            if id(used) not in seen:
                _collect(used, imports, parts, seen)
        elif isinstance(used, (bool, int, float, str)) and name.isupper():
            parts[name] = f"{name} = {used!r}\n"
        else:
            raise Leaning(f"uses `{name}` of the notebook, a {type(used).__name__}; make it an argument, or define it inside")
    parts[value.__name__] = source


def _import(name: str, value: Any) -> str:
    """The line that imports ``value`` as ``name``; "" for what no module but the notebook has."""
    if isinstance(value, ModuleType):
        home = value.__name__
        return f"import {home}" if home == name else f"import {home} as {name}"
    home, called = getattr(value, "__module__", None), getattr(value, "__qualname__", "")
    if not isinstance(home, str) or home == "__main__" or "." in called or not called:
        return ""
    try:
        found = getattr(import_module(home), called, None)
    except ImportError:
        return ""
    if found is not value:
        return ""
    return f"from {home} import {called}" + ("" if called == name else f" as {name}")


def made(source: str, name: str) -> Any:
    """What a kept source defines as ``name``. Raises what its code raises, KeyError when it does not define it."""
    space: dict[str, Any] = {"__name__": "yours"}
    exec(compile(source, f"your {name}", "exec"), space)
    space[name].kept_source = source
    return space[name]


def keep(exercise: Exercise, answer: Any, passes: Any) -> str:
    """Keep an answer that has passed. Returns "" or, in words that follow on "Your <name>", why it is not kept.

    passes: called with what the kept source makes; whether it passes the check as well.
    """
    if getattr(answer, "kept_source", None):
        return ""
    try:
        source = standalone(answer)
        ast.parse(source)
        alone = made(source, answer.__name__)
    except Leaning as error:
        return str(error)
    except Exception as error:
        return f"cannot be kept: {error}"
    if not passes(alone):
        return "passes here, but not in a notebook of its own: it leans on something that this notebook has changed"
    record.keep(exercise.id, answer.__name__, source)
    return ""


def mine(exercise_id: str, course: Any = None) -> Any:
    """Your own answer to an exercise, if one that passed is kept on this machine; else the course's, and a line says which.

    course: what to use in place of the course's answer. Raises ValueError for an unknown exercise.
    """
    exercise = find(exercise_id)
    kept = record.answers().get(exercise.id)
    if kept is not None:
        try:
            found = made(kept["source"], kept["name"])
        except Exception as error:
            print(f"Your {exercise.name} ({exercise.id}) could not be made again: {error}. The course's is used.")
        else:
            print(f"Your own {exercise.name} ({exercise.id}, {kept['date']}) is used here.")
            return found
    else:
        print(f"The course's {exercise.name} is used here; yours will be, once exercise {exercise.id} passes.")
    return course if course is not None else exercise.of_the_course
