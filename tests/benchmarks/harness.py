"""Benchmarks: our code beside named peers, in one process, results compared first, ratios printed, no time asserted.

Each file bench_NAME.py here has a function ``cases() -> list[Case]``, or one ``report()`` that yields lines, where what is
measured is no time. `course.py bench NAME ...` runs them; in an environment that is set up already:
`python -m tests.benchmarks NAME ...`. The targets are design decisions, not tests: a miss is printed, and the exit status
stays 0. Only a wrong result is an error.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ONLY_BY_NAME = {"training": "it trains for about 8 minutes"}  # left out unless it is named
SHOWN_VERSIONS = ("numpy", "scipy", "scikit-learn", "torch", "tokenizers", "transformers", "gensim", "nltk", "tiktoken")


@dataclass(frozen=True)
class Timed:
    """Work in two parts: ``prepare()`` runs before each timing and is not timed; ``run(prepared)`` is timed."""

    run: Callable[[Any], Any]
    prepare: Callable[[], Any]


Work = Callable[[], Any] | Timed


@dataclass(frozen=True)
class Case:
    """One comparison.

    name: what is done, with the size of the data. item: its number in the list of performance targets ("4a").
    ours: the work, a function without arguments or a `Timed`. peers: name -> work, or a string that says why the peer
    is missing (see `needs`). same: ``same(ours, theirs)`` gets both results and raises AssertionError when they differ;
    it runs before anything is timed. targets: peer -> the largest ratio (our time / its time) that meets the target; 0.5
    means "in half the time". stretch: the same for the stretch goal. amounts: how much work each party does ("ours" or
    the peer's name -> number of `unit`), when they differ: the ratio is then one of times per unit, and rates are shown.
    repeats: timings of each party, at least 3, after a warm-up; slow: peers that are timed once, without a warm-up.
    """

    name: str
    ours: Work
    peers: dict[str, Work | str]
    same: Callable[[Any, Any], None] | None = None
    item: str = ""
    targets: dict[str, float] = field(default_factory=dict)
    stretch: dict[str, float] = field(default_factory=dict)
    amounts: dict[str, float] = field(default_factory=dict)
    unit: str = "items"
    repeats: int = 3
    slow: tuple[str, ...] = ()
    note: str = ""

    def __post_init__(self):
        if self.repeats < 3:
            raise ValueError(f"{self.name}: expected at least 3 repeats, got {self.repeats}; list single runs under slow")
        unknown = (set(self.targets) | set(self.stretch) | set(self.slow) | set(self.amounts)) - {"ours", *self.peers}
        if unknown:
            raise ValueError(f"{self.name}: no such peer: {', '.join(sorted(unknown))}; the peers are {', '.join(self.peers)}")


@dataclass(frozen=True)
class Row:
    """One line of the table: a party of a case. ratio: our time (per unit) / its time (per unit); None for ourselves."""

    case: Case
    party: str
    seconds: float | None
    ratio: float | None
    verdict: str


def needs(package: str, work: Callable[[], Work]) -> Work | str:
    """The peer's work, made by ``work()`` only when ``package`` can be imported; else the reason why it is left out."""
    if importlib.util.find_spec(package) is None:
        return f"the package {package} is not installed"
    return work()


def once(work: Work) -> tuple[Any, float]:
    """Run the work once; returns its result and the seconds of the timed part."""
    prepared = work.prepare() if isinstance(work, Timed) else None
    gc.collect()
    begin = time.perf_counter()
    result = work.run(prepared) if isinstance(work, Timed) else work()
    return result, time.perf_counter() - begin


def run_case(case: Case) -> list[Row]:
    """Compare the results of all parties, then time them in turns. Raises AssertionError when a result differs."""
    present = {name: work for name, work in case.peers.items() if not isinstance(work, str)}
    ours, _ = once(case.ours)  # this first run of each party is the warm-up too
    times: dict[str, list[float]] = {"ours": []}
    for name, work in present.items():
        theirs, seconds = once(work)
        times[name] = [seconds] if name in case.slow else []
        if case.same is not None:
            case.same(ours, theirs)
        del theirs
    del ours
    for _ in range(case.repeats):
        for name, work in {"ours": case.ours, **present}.items():
            if name not in case.slow:
                times[name].append(once(work)[1])
    return rows(case, {name: statistics.median(all_) for name, all_ in times.items()})


def rows(case: Case, medians: dict[str, float]) -> list[Row]:
    """The lines of one case from the median seconds of each party that was there."""
    listed = [Row(case, "ours", medians["ours"], None, "")]
    for name, work in case.peers.items():
        if isinstance(work, str):
            listed.append(Row(case, name, None, None, f"left out: {work}"))
            continue
        ratio = (medians["ours"] / case.amounts.get("ours", 1.0)) / (medians[name] / case.amounts.get(name, 1.0))
        listed.append(Row(case, name, medians[name], ratio, verdict(ratio, case.targets.get(name), case.stretch.get(name))))
    return listed


def verdict(ratio: float, target: float | None, stretch: float | None) -> str:
    """ "met" or "missed" with the target in words; the stretch goal is named when there is one."""
    if target is None:
        return "no target"
    said = f"{'met' if ratio <= target else 'missed'} (target {in_words(target)})"
    if stretch is not None:
        said += f", stretch {in_words(stretch)} {'met' if ratio <= stretch else 'missed'}"
    return said


def in_words(ratio: float) -> str:
    """A ratio of times as "<= 0.8x its time", or as ">= 100x as fast" where that reads better."""
    return f">= {1 / ratio:g}x as fast" if ratio < 0.2 else f"<= {ratio:.3g}x its time"


def table(listed: Sequence[Row]) -> str:
    """All lines as a plain-text table."""
    lines, last = [], None
    for row in listed:
        if row.case is not last:
            last = row.case
            lines += ["", f"{'[' + last.item + '] ' if last.item else ''}{last.name}"]
            lines += [f"    {last.note}"] if last.note else []
        if row.seconds is None:
            lines.append(f"    {row.party:<28} {'':>10} {'':>16} {row.verdict}")
            continue
        amount = row.case.amounts.get(row.party)
        rate = f"{amount / row.seconds:,.0f} {row.case.unit}/s" if amount else ""
        ratio = "" if row.ratio is None else f"ours / it = {row.ratio:.3g}"
        lines.append(f"    {row.party:<28} {row.seconds:>8.3f} s {rate:>20} {ratio:<20} {row.verdict}".rstrip())
    return "\n".join(lines)


def machine() -> str:
    """One line: Python, packages, cores and threads."""
    found = []
    for name in SHOWN_VERSIONS:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    threads = os.environ.get("COURSE_THREADS", "2")
    return f"Python {platform.python_version()}, {', '.join(found)}; {os.cpu_count()} cores, {threads} threads"


def names() -> list[str]:
    """The benchmarks there are: "bow" for bench_bow.py, and so on."""
    return sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))


def chosen(wanted: Sequence[str]) -> list[str]:
    """The benchmarks to run: those that are named, else all but the ones that take minutes."""
    return list(wanted) or [name for name in names() if name not in ONLY_BY_NAME]


def torch_threads() -> int:
    """Give torch as many threads as the other libraries get; returns their number. Called by the benchmarks that use torch."""
    import torch

    torch.set_num_threads(int(os.environ.get("COURSE_THREADS", "2")))
    return torch.get_num_threads()


def main(wanted: Sequence[str]) -> int:
    """Run the named benchmarks (all of them for no name) and print a table after each. Returns the exit status."""
    unknown = [name for name in wanted if name not in names()]
    if unknown:
        print(f"There is no benchmark {', '.join(unknown)}; there are: {', '.join(names())}")
        return 2
    from threadpoolctl import threadpool_limits

    print(machine())
    print("Median of at least 3 runs after a warm-up; results are compared before anything is timed.")
    status, verdicts = 0, []
    with threadpool_limits(int(os.environ.get("COURSE_THREADS", "2"))):
        for name in chosen(wanted):
            print(f"\n=== {name}", flush=True)
            module = import_module(f"tests.benchmarks.bench_{name}")
            for line in module.report() if hasattr(module, "report") else ():
                print(line, flush=True)
            for case in module.cases() if hasattr(module, "cases") else ():
                try:
                    listed = run_case(case)
                except AssertionError as error:
                    print(f"\n{case.name}: THE RESULTS DIFFER, nothing was timed: {error}", flush=True)
                    status = 1
                    continue
                print(table(listed), flush=True)
                verdicts += [row.verdict.split()[0] for row in listed if row.ratio is not None]
    for name in () if wanted else ONLY_BY_NAME:
        print(f"\nleft out: {name} ({ONLY_BY_NAME[name]}); to run it, name it")
    print(f"\ntargets met: {verdicts.count('met')}, missed: {verdicts.count('missed')}, without target: {verdicts.count('no')}")
    return status
