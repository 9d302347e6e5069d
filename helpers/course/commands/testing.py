"""course.py test: set up, then one pytest session on two workers, and one sum at the end.

The parts of the suite are called steps: folders of tests, the notebooks (nbval, with cells woven in by tests/tools/woven.py)
and the browser, which looks at each notebook while its kernel lives. Step "old" runs where it is named.
"""

from __future__ import annotations

import os
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers.course.commands import changed
from helpers.course.commands.console import Problem, say, seconds
from helpers.course.commands.environment import Environment, prepare
from helpers.course.commands.process import run_foreground
from helpers.paths import build_folder, repository_root

# One session: a worker that is free takes the next file or notebook, the longest first (tests/tools/balance.py).
WORKERS = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
NBVAL = ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout", "300"]  # against hangs; the budget is 60 s a notebook
PLUGINS = ["-p", "tests.tools.woven", "-p", "tests.tools.balance"]
IN_THE_BROWSER = "--woven-browser"
STEPS = {
    "lint": "tests/lint",
    "unit": "tests/unit",
    "parity": "tests/parity",
    "exercises": "tests/exercises",
    "fuzz": "tests/fuzz",
    "mutation": "tests/mutation",
    "notebooks": "tests/notebooks",
    "classroom": "tests/classroom",
    "nbval": "notebooks",
    "browser": "tests/browser",
    "old": "tests/old",
}  # the oldest versions that are supported: they are fetched, so this is a leg of its own
SLOW = ("fuzz", "mutation", "classroom", "nbval", "browser")
NAMED_ONLY = ("old",)
# One thread each: two workers with two threads each on two cores wait for one another, up to five times as long.
ONE_THREAD = {name: "1" for name in ("COURSE_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
NO_TESTS = 5  # pytest's exit status when nothing was collected
SLOWEST = 20


@dataclass
class Outcome:
    """What one step brought: counts of tests, the seconds that they took one after the other, why tests were skipped."""

    name: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    note: str = ""
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def good(self) -> bool:
        return self.failed == 0


@dataclass
class Session:
    """One run of pytest: its steps, its wall time, and (seconds, test) of each test."""

    steps: dict[str, Outcome]
    seconds: float = 0.0
    times: list[tuple[float, str]] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return all(step.good for step in self.steps.values())

    def step(self, name: str) -> Outcome:
        return self.steps.setdefault(name, Outcome(name))


def step_of(case: ElementTree.Element) -> str:
    """The step that a test of the report belongs to."""
    place, name = case.get("classname") or case.get("name") or "", case.get("name") or ""
    if place.startswith("notebooks."):
        return "browser" if name == "in the browser" else "nbval"
    return next((step for step, folder in STEPS.items() if place.startswith(folder.replace("/", "."))), "others")


def test_name(case: ElementTree.Element) -> str:
    """A test's file and name, short."""
    return f"{case.get('classname') or ''}::{case.get('name') or ''}".removeprefix("tests.").removeprefix("::")


def read_report(report: Path, session: Session) -> None:
    """Add the tests of a junit report to the session. A missing or torn report counts as one failure."""
    try:
        cases = list(ElementTree.parse(report).getroot().iter("testcase"))
    except (OSError, ElementTree.ParseError):
        session.step("others").failed += 1
        session.step("others").note = "pytest left no report"
        return
    for case in cases:
        step, skip, took = session.step(step_of(case)), case.find("skipped"), float(case.get("time") or 0)
        step.seconds += took
        session.times.append((took, test_name(case)))
        if case.find("failure") is not None or case.find("error") is not None:
            step.failed += 1
        elif skip is not None:
            step.skipped += 1
            step.reasons[" ".join((skip.get("message") or "no reason given").split())[:200]] += 1
        else:
            step.passed += 1


def chosen_steps(options: Any, root: Path) -> list[str]:
    """The names of the steps to run, in order; those whose folder does not exist are left out."""
    wanted = [name.strip() for name in options.steps.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in STEPS]
    if unknown:
        raise Problem(f"There is no test step {', '.join(unknown)}.", "The steps are: " + ", ".join(STEPS))
    names = [name for name in STEPS if (name in wanted if wanted else name not in NAMED_ONLY)]
    if options.fast:
        names = [name for name in names if name not in SLOW]
    return [name for name in names if _has_tests(root / STEPS[name], name)]


def _has_tests(folder: Path, name: str) -> bool:
    return any(folder.glob("[!.]*.ipynb" if name == "nbval" else "**/test_*.py"))


def arguments_for(names: Sequence[str]) -> list[str]:
    """pytest's arguments for these steps. The browser needs the kernels of the notebooks, so it brings them along."""
    folders = [STEPS[name] for name in names]
    if "browser" in names and STEPS["nbval"] not in folders:
        folders.append(STEPS["nbval"])
    return [*WORKERS, *([IN_THE_BROWSER] if "browser" in names else []), *folders]


def paths_in(arguments: Sequence[str], root: Path) -> bool:
    """Whether pytest arguments name files or folders themselves, such as tests/unit/test_bpe.py::test_merge."""
    return any(
        not argument.startswith("-") and (root / argument.split("::")[0]).exists() and "/" in argument.replace("\\", "/")
        for argument in arguments
    )


def run_session(
    arguments: Sequence[str], environment: Environment, steps: Sequence[str] = (), *, empty_is_fine: bool = False
) -> Session:
    """Run pytest once; its output goes to the terminal, its counts come back. Each of `steps` must have run a test."""
    root = environment.root
    report = build_folder(root) / "tests" / "report.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    offline = environment.variables(
        HF_HUB_OFFLINE="1",
        COURSE_PROFILE="cpu",
        MPLBACKEND=None,
        COURSE_QUIET="1",
        COURSE_PROGRESS=os.devnull,
        **({} if "COURSE_THREADS" in os.environ else ONE_THREAD),
    )
    command: list[str] = [str(environment.python), "-m", "pytest", "-q", f"--junitxml={report}", *arguments]
    session, begun = Session({name: Outcome(name) for name in steps}), time.monotonic()
    status = run_foreground(command, env=offline, cwd=root)
    session.seconds = time.monotonic() - begun
    if status == NO_TESTS and empty_is_fine:
        return session
    read_report(report, session)
    for step in session.steps.values():
        if not (step.passed or step.failed or step.skipped or empty_is_fine):
            step.failed, step.note = 1, "ran no test"
    if status and session.good:  # an interrupt, a crash, a failure outside of tests: never a silent success
        session.step("others").failed += 1
        session.step("others").note = f"pytest ended with {status}"
    return session


def summary(session: Session) -> str:
    """The table of the steps, the slowest tests, the reasons of skips, and the plain line with the sums, which is the last."""
    steps = session.steps.values()
    lines = ["", f"  {'step':<12} {'passed':>7} {'failed':>7} {'skipped':>8} {'tests took':>12}"]
    for o in steps:
        mark = "" if o.good else "   <- FAILED" + (f" ({o.note})" if o.note else "")
        lines.append(f"  {o.name:<12} {o.passed:>7} {o.failed:>7} {o.skipped:>8} {seconds(o.seconds):>12}{mark}")
    lines.append(f"  all together {seconds(session.seconds)} on the clock")
    slowest = sorted(session.times, reverse=True)[:SLOWEST]
    if slowest:
        lines += ["", f"  the slowest {len(slowest)}:", *(f"  {seconds(took):>12}  {name[:110]}" for took, name in slowest)]
    groups: Counter[str] = Counter()
    for took, name in session.times:
        groups[name.split("::")[0]] += took  # type: ignore[assignment]
    if len(groups) > 1:
        lines += [
            "",
            "  the longest files: "
            + ", ".join(f"{name.rpartition('.ipynb')[0] or name} {seconds(took)}" for name, took in groups.most_common(10)),
        ]
    lines += [f"  skipped in {o.name}: {count} x {reason}" for o in steps for reason, count in sorted(o.reasons.items())]
    passed, failed, skipped = (sum(getattr(o, what) for o in steps) for what in ("passed", "failed", "skipped"))
    return "\n".join([*lines, "", f"{passed} passed, {failed} failed, {skipped} skipped"])


def concerned(root: Path) -> list[str] | None:
    """The files of tests and the notebooks that changes since main concern, told in words; None means everything."""
    base, files = changed.changed_files(root)
    say(f"\nChanged since {base}: {', '.join(files) or 'nothing'}")
    choice = changed.choose(root, files)
    for line in choice.lines():
        say("  " + line)
    return None if choice.everything else sorted(choice.files)


def command(options: Any) -> int:
    """course.py test"""
    root = repository_root()
    names = chosen_steps(options, root)
    files = None
    if options.changed:
        files = concerned(root)
        if files == []:
            say("\nNo test and no notebook is concerned.\n\n0 passed, 0 failed, 0 skipped")
            return 0
    environment = prepare(options, tests=True)
    selected = bool(options.extra)
    if paths_in(options.extra, root):
        names, arguments = [], [*NBVAL, *options.extra]
    elif files is not None:
        names, arguments = [], [*NBVAL, *WORKERS, IN_THE_BROWSER, *options.extra, *files]
    elif not names:
        raise Problem("There are no tests to run.", "Leave --steps and --fast away.")
    else:
        arguments = [*NBVAL, *options.extra, *arguments_for(names)]
    say(f"\n=== {', '.join(names) or 'chosen tests'} (pytest {' '.join(map(os.fspath, [*PLUGINS, *arguments]))})")
    session = run_session([*PLUGINS, *arguments], environment, names, empty_is_fine=selected)
    say(summary(session))
    return 0 if session.good else 1
