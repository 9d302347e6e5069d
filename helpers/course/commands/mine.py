"""course.py mine: list what of the course the reader has written, and write it as a package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from helpers.course.commands.process import run_foreground
from helpers.paths import repository_root


def command(options: Any) -> int:
    """course.py mine"""
    from helpers.course.commands.environment import prepare

    environment = prepare(options)
    words = ["--write", str(Path(options.write).absolute())] if options.write else []
    return run_foreground(
        [environment.python, "-m", "helpers.lab.own_package", *words],
        env=environment.variables(COURSE_QUIET="1"),
        cwd=repository_root(),
    )
