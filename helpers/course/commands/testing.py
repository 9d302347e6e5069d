"""course.py test: set up, then every part of the test suite as a named step, and one sum at the end."""

from __future__ import annotations

import os
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers.course.commands.console import Problem, say, seconds
from helpers.course.commands.environment import Environment, prepare
from helpers.course.commands.process import run_foreground
from helpers.paths import build_folder, repository_root

WORKERS = ["-n", "2", "--dist", "loadfile"]  # loadfile: one notebook, one kernel
NBVAL = ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout", "300"]  # against hangs; the budget is 120 s a notebook
# name -> the folder and the options of pytest. Browser tests share one server and are sensitive to load: one worker.
STEPS: dict[str, tuple[str, list[str]]] = {
    "unit": ("tests/unit", WORKERS),
    "parity": ("tests/parity", WORKERS),
    "exercises": ("tests/exercises", WORKERS),
    "mutation": ("tests/mutation", WORKERS),
    "notebooks": ("tests/notebooks", WORKERS),
    "classroom": ("tests/classroom", WORKERS),
    "nbval": ("notebooks", [*NBVAL, *WORKERS]),
    "browser": ("tests/browser", []),
}
SLOW = ("notebooks", "classroom", "nbval", "browser")
NO_TESTS = 5  # pytest's exit status when nothing was collected


@dataclass
class Outcome:
    """What one step brought: counts of tests, seconds, pytest's exit status, and why tests were skipped."""

    name: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    status: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def good(self) -> bool:
        return self.failed == 0 and self.status == 0


def read_counts(report: Path, outcome: Outcome) -> None:
    """Add the counts of a junit report to `outcome`. A missing or torn report counts as one failure."""
    try:
        cases = list(ElementTree.parse(report).getroot().iter("testcase"))
    except (OSError, ElementTree.ParseError):
        outcome.failed += 1
        return
    for case in cases:
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            outcome.failed += 1
        elif skip is not None:
            outcome.skipped += 1
            outcome.reasons[" ".join((skip.get("message") or "no reason given").split())[:200]] += 1
        else:
            outcome.passed += 1


def chosen_steps(options: Any, root: Path) -> list[str]:
    """The names of the steps to run, in order; those whose folder does not exist are left out."""
    wanted = [name.strip() for name in options.steps.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in STEPS]
    if unknown:
        raise Problem(f"There is no test step {', '.join(unknown)}.", "The steps are: " + ", ".join(STEPS))
    names = [name for name in STEPS if not wanted or name in wanted]
    if options.fast:
        names = [name for name in names if name not in SLOW]
    return [name for name in names if _has_tests(root / STEPS[name][0], name)]


ONE_THREAD = {name: "1" for name in ("COURSE_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}


def _has_tests(folder: Path, name: str) -> bool:
    return any(folder.glob("[!.]*.ipynb" if name == "nbval" else "**/test_*.py"))


def paths_in(arguments: Sequence[str], root: Path) -> bool:
    """Whether pytest arguments name files or folders themselves, such as tests/unit/test_bpe.py::test_merge."""
    return any(not argument.startswith("-") and (root / argument.split("::")[0]).exists() and "/" in argument.replace(
        "\\", "/") for argument in arguments)


def run_step(name: str, arguments: Sequence[str], environment: Environment, *, empty_is_fine: bool) -> Outcome:
    """Run pytest once; its output goes to the terminal, its counts come back."""
    root = environment.root
    report = build_folder(root) / "tests" / f"{name}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    # One thread each: two workers with two threads each on two cores wait for one another, up to five times as long.
    offline = environment.variables(HF_HUB_OFFLINE="1", COURSE_PROFILE="cpu", MPLBACKEND=None, COURSE_QUIET="1",
                                    COURSE_PROGRESS=os.devnull, **({} if "COURSE_THREADS" in os.environ else ONE_THREAD))
    command = [environment.python, "-m", "pytest", "-q", "-rs", f"--junitxml={report}", *arguments]
    outcome, begun = Outcome(name), time.monotonic()
    outcome.status = run_foreground(command, env=offline, cwd=root)
    outcome.seconds = time.monotonic() - begun
    if outcome.status == NO_TESTS and empty_is_fine:
        outcome.status = 0
        return outcome
    read_counts(report, outcome)
    if outcome.status and not outcome.failed:
        outcome.failed = 1  # nothing collected, an interrupt, a crash: never a silent success
    return outcome


def summary(outcomes: Sequence[Outcome]) -> str:
    """The table of the steps, the reasons of skips, and the plain line with the sums, which is the last."""
    lines = ["", f"  {'step':<12} {'passed':>7} {'failed':>7} {'skipped':>8} {'time':>12}"]
    for o in outcomes:
        mark = "" if o.good else "   <- FAILED" + (f" (pytest ended with {o.status})" if o.status > 1 else "")
        lines.append(f"  {o.name:<12} {o.passed:>7} {o.failed:>7} {o.skipped:>8} {seconds(o.seconds):>12}{mark}")
    for o in outcomes:
        lines += [f"  skipped in {o.name}: {count} x {reason}" for reason, count in sorted(o.reasons.items())]
    passed, failed, skipped = (sum(getattr(o, what) for o in outcomes) for what in ("passed", "failed", "skipped"))
    lines += [f"  all together {seconds(sum(o.seconds for o in outcomes))}", "",
              f"{passed} passed, {failed} failed, {skipped} skipped"]
    return "\n".join(lines)


def command(options: Any) -> int:
    """course.py test"""
    root = repository_root()
    names = chosen_steps(options, root)
    environment = prepare(options, tests=True)
    if paths_in(options.extra, root):
        jobs = [("chosen", list(options.extra))]
    else:
        jobs = [(name, [*STEPS[name][1], *options.extra, STEPS[name][0]]) for name in names]
    if not jobs:
        raise Problem("There are no tests to run.", "Leave --steps and --fast away.")
    outcomes: list[Outcome] = []
    try:
        for number, (name, arguments) in enumerate(jobs, 1):
            say(f"\n=== test step {number} of {len(jobs)}: {name} (pytest {' '.join(map(os.fspath, arguments))})")
            outcomes.append(run_step(name, arguments, environment, empty_is_fine=bool(options.extra)))
    except KeyboardInterrupt:
        say(summary(outcomes))
        raise
    say(summary(outcomes))
    return 0 if all(outcome.good for outcome in outcomes) else 1
