"""course.py release and course.py grade: check what can be checked at once, set up, and hand over to helpers/classroom."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from helpers.course.commands.console import Problem
from helpers.course.commands.process import run_foreground
from helpers.paths import repository_root

# option of the command line -> how it is handed on; a flag stands for itself
_RELEASE = ("out", "due", "points", "instructions", "address", "tag", "nbgrader")
_GRADE = ("chapter", "out", "release", "due", "jobs", "wall", "cpu", "memory", "seed", "helpers")


def command(options: Any) -> int:
    """course.py release, course.py grade"""
    from helpers.course.commands.environment import prepare

    root = repository_root()
    if not (root / "helpers" / "course" / "classroom").is_dir():
        raise Problem(
            "This is a student's copy of the course: it holds no solutions and cannot grade.", "Use the teacher's copy."
        )
    if options.command == "grade" and not Path(options.folder).is_dir():
        raise Problem(f"There is no folder {options.folder}.", "Name the folder that holds the submissions.")
    environment = prepare(options)
    module = "helpers.course.classroom." + ("release" if options.command == "release" else "batch")
    return run_foreground(
        [environment.python, "-m", module, *handed_on(options)],
        env=environment.variables(COURSE_QUIET="1", COURSE_PROGRESS="/dev/null"),
        cwd=root,
    )


def handed_on(options: Any) -> Sequence[str]:
    """The arguments for the module that does the work. Paths are made absolute: it runs in the course's folder."""
    names, flags = (_RELEASE, ("keep_outputs",)) if options.command == "release" else (_GRADE, ("no_isolation",))
    words = list(options.chapters) if options.command == "release" else [str(Path(options.folder).absolute())]
    for name in names:
        value = getattr(options, name)
        if value in ("", None):
            continue
        is_path = name in ("out", "instructions", "nbgrader", "release") or (name == "points" and value.endswith(".json"))
        words += ["--" + name, str(Path(value).absolute()) if is_path else str(value)]
    return words + ["--" + name.replace("_", "-") for name in flags if getattr(options, name)]
