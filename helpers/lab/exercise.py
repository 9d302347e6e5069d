"""An exercise, what belongs to it, and where it is found: `helpers/exercises/chNN` holds a chapter, each file there an exercise.

A reference solution, hints, a check, and a bank of plausible wrong answers with the diagnosis that each deserves.
"""

import functools
import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from helpers.lab.trial import Trial

KINDS = ("warm-up", "core", "stretch", "find the bug")


@dataclass(frozen=True)
class Wrong:
    """A plausible wrong ``answer`` and the ``diagnosis`` (what it does, in words) that a learner must get for it."""

    answer: Any
    diagnosis: str


@dataclass(frozen=True)
class Exercise:
    """One exercise: what it asks is in the notebook, how it is judged is here.

    check: called with a `Trial`; it returns when the answer is right. start: the code that stands in the notebook
    when it is not an empty stub (find the bug). seconds: time limit of the whole check, in seconds. course: what the page goes
    on with until an answer passes, made of `helpers`; needed where later cells use the answer, since a class's copy has no
    solutions. after: what the answer is good for and where it comes back, said when it passes.
    """

    id: str
    title: str
    kind: str
    solution: Any
    check: Callable[[Trial], None]
    hints: tuple[str, ...]
    wrong: tuple[Wrong, ...]
    points: int = 1
    start: Any = None
    seconds: float = 10.0
    course: Any = None
    after: str = ""

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"exercise {self.id}: expected one of {', '.join(KINDS)} as kind, got {self.kind!r}")

    @property
    def name(self) -> str:
        """The name that the answer has in the notebook."""
        return self.solution.__name__

    @functools.cached_property
    def of_the_course(self) -> Any:
        """What the page goes on with until an answer passes; None in a class's copy where `helpers` has nothing like it.

        It is marked as lent (see `lent`), so that no check, and no grader that looks at the name later, takes it for an answer.
        """
        if self.course is None and getattr(self.solution, "withheld", False):
            return None
        f = self.solution if self.course is None else self.course
        if not isinstance(f, FunctionType):
            return f
        copy = FunctionType(f.__code__, f.__globals__, f.__name__, f.__defaults__, f.__closure__)
        functools.update_wrapper(copy, f)
        copy.of_the_course = True  # type: ignore[attr-defined]
        return copy


def lent(answer: Any) -> bool:
    """Whether an answer is the course's own, which `check` has handed back."""
    return getattr(answer, "of_the_course", False) is True


def chapters() -> list[str]:
    """The chapters that have exercises, as "01", "02", ..."""
    folder = Path(__file__).parents[1] / "exercises"
    return sorted(path.parent.name[2:] for path in folder.glob("ch[0-9][0-9]/__init__.py"))


def _package(chapter: str) -> ModuleType:
    number = str(chapter).zfill(2)
    if number not in chapters():
        raise ValueError(f"chapter {chapter!r} has no exercises; chapters with exercises: {', '.join(chapters())}")
    return import_module(f"helpers.exercises.ch{number}")


def exercises(chapter: str) -> list[Exercise]:
    """The exercises of a chapter ("01" or "1"). Raises ValueError for a chapter that has none."""
    return list(_package(chapter).EXERCISES)


def modules(chapter: str) -> list[ModuleType]:
    """The modules of a chapter's folder: what its exercises share, then the exercises. Raises ValueError as `exercises` does."""
    package = _package(chapter)
    names = [m.name for m in pkgutil.iter_modules(package.__path__)]
    return [import_module(f"{package.__name__}.{name}") for name in sorted(names, key=lambda n: (n.startswith("ex"), n))]


def find(exercise_id: str) -> Exercise:
    """The exercise with this id, such as "1.2". Raises ValueError with the known ids when there is none."""
    match = re.fullmatch(r"(\d{1,2})\.(\d+)", str(exercise_id).strip())
    if not match:
        raise ValueError(f'{exercise_id!r} is no exercise id; write the chapter, a point and the number, such as "1.2"')
    listed = exercises(match[1])
    for exercise in listed:
        if exercise.id == f"{int(match[1])}.{match[2]}":
            return exercise
    raise ValueError(f"there is no exercise {exercise_id}; chapter {match[1]} has {', '.join(e.id for e in listed)}")
