"""course.py bench: set up with the test tools, then measure our code beside its peers (tests/benchmarks)."""

from __future__ import annotations

from typing import Any

from helpers.course.commands.console import Problem
from helpers.course.commands.environment import prepare
from helpers.course.commands.process import run_foreground
from helpers.paths import repository_root


def command(options: Any) -> int:
    """course.py bench"""
    root = repository_root()
    there = sorted(path.stem.removeprefix("bench_") for path in (root / "tests" / "benchmarks").glob("bench_*.py"))
    unknown = [name for name in options.names if name not in there]
    if unknown:  # told before anything is installed
        raise Problem(f"There is no benchmark {', '.join(unknown)}.", "The benchmarks are: " + ", ".join(there))
    environment = prepare(options, tests=True)
    offline = environment.variables(HF_HUB_OFFLINE="1", COURSE_PROFILE="cpu", MPLBACKEND=None)
    return run_foreground([environment.python, "-m", "tests.benchmarks", *options.names], env=offline, cwd=root)
