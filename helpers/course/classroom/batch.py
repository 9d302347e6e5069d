"""course.py grade, inside the environment: all submissions of a folder, several workers, tables and pages at the end."""

import argparse
import datetime
import json
import os
import secrets
import select
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from helpers.course.classroom import feedback, sandbox, submissions
from helpers.course.classroom.grading import Graded, Mark
from helpers.course.classroom.sandbox import Limits
from helpers.course.classroom.submissions import Submission
from helpers.course.commands.console import Problem, guarded, say, seconds
from helpers.paths import build_folder, repository_root

GRACE = 60.0  # seconds beyond a submission's own limit before its worker is taken for hanging


@dataclass
class Settings:
    """How a batch is graded."""

    chapter: str = ""
    mode: str = "isolated"
    limits: Limits = Limits()
    jobs: int = 2
    points: dict[str, float] | None = None
    hidden: tuple[str, ...] = ()
    seed: int = 0


class Worker:
    """A process that grades; see `grading.main`."""

    def __init__(self) -> None:
        env = {
            **os.environ,
            "COURSE_QUIET": "1",
            "COURSE_THREADS": "1",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
            "PYTHONUTF8": "1",
        }
        self.child = subprocess.Popen(
            [sys.executable, "-m", "helpers.course.classroom.grading"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=repository_root(),
            env=env,
        )
        self.job: dict[str, Any] = {}
        self.end = 0.0
        self.rest = b""

    def give(self, job: dict, patience: float) -> None:
        """Send the worker a job, and note when to give up on it. patience: seconds."""
        self.job, self.end = job, time.monotonic() + patience
        self.child.stdin.write(json.dumps(job).encode() + b"\n")
        self.child.stdin.flush()

    def read(self) -> Graded | None:
        """What came, once it is complete. Raises EOFError when the worker has ended."""
        data = os.read(self.child.stdout.fileno(), 1 << 20)
        if not data:
            raise EOFError
        self.rest += data
        if not self.rest.endswith(b"\n"):
            return None
        content, self.rest = json.loads(self.rest), b""
        content["marks"] = [Mark(**mark) for mark in content["marks"]]
        return Graded(**content)

    def stop(self) -> None:
        """End the worker: an idle one by itself, one that still works by force."""
        try:
            self.child.stdin.close()
            if not self.job:
                self.child.wait(10)  # an idle worker ends by itself and takes its folders away
        except (OSError, subprocess.TimeoutExpired):
            pass
        self.child.kill()
        self.child.wait()
        self.child.stdout.close()


def grade_all(todo: list[Submission], settings: Settings, folder: Path, done: Callable[[Graded], None]) -> list[Graded]:
    """Grade every submission; the result has one entry for each, in the same order, whatever happened."""
    results: dict[int, Graded] = {}

    def finish(index: int, graded: Graded) -> None:
        results[index] = graded
        done(graded)

    waiting = []
    for index, one in enumerate(todo):
        if one.refused:
            finish(index, Graded(one.student, _file(one, folder), refused=one.refused, isolation=settings.mode))
        else:
            waiting.append(index)
    waiting.reverse()
    workers: list[Worker] = []
    try:
        while waiting or any(w.job for w in workers):
            while waiting and len(workers) < settings.jobs:
                workers.append(Worker())
            for worker in workers:
                if not worker.job and waiting:
                    index = waiting.pop()
                    one = todo[index]
                    job = {
                        "index": index,
                        "student": one.student,
                        "file": _file(one, folder),
                        "path": str(one.path),
                        "chapter": settings.chapter,
                        "mode": settings.mode,
                        "limits": asdict(settings.limits),
                        "points": settings.points,
                        "hidden": list(settings.hidden),
                        "seed": settings.seed,
                    }
                    worker.give(job, settings.limits.wall + settings.limits.load + sandbox.STARTING + GRACE)
            busy = [w for w in workers if w.job]
            ready = select.select([w.child.stdout for w in busy], [], [], 1.0)[0]
            for worker in busy:
                why = ""
                try:
                    if worker.child.stdout in ready:
                        graded = worker.read()
                        if graded is not None:
                            finish(worker.job["index"], graded)
                            worker.job = {}
                            continue
                except (EOFError, ValueError, TypeError, KeyError):
                    why = "grading it brought the grader down"
                if not why and time.monotonic() > worker.end:
                    why = "grading it did not come to an end"
                if why:
                    job = worker.job
                    finish(job["index"], Graded(job["student"], job["file"], refused=why, isolation=settings.mode))
                    worker.stop()
                    workers.remove(worker)
    finally:
        for worker in workers:
            worker.stop()
    return [results[i] for i in range(len(todo))]


def _file(one: Submission, folder: Path) -> str:
    return submissions._text(os.path.relpath(one.path, folder))


def twice(todo: list[Submission], graded: list[Graded]) -> None:
    """Two files of one student for one chapter: neither counts, as nobody but the teacher can say which is meant."""
    seen = Counter((g.student, g.chapter) for g in graded if g.chapter and not g.refused)
    for g in graded:
        if g.chapter and not g.refused and seen[g.student, g.chapter] > 1:
            count = seen[g.student, g.chapter]
            g.refused = f"the student handed in {count} files for chapter {g.chapter}; leave one in the folder"
            g.marks = []


def lateness(todo: list[Submission], graded: list[Graded], due: str) -> dict[tuple[str, str], str]:
    """Which files were last changed after the due date: as true as the files' dates are."""
    if not due:
        return {}
    limit = datetime.datetime.fromisoformat(due)
    limit = limit.replace(hour=23, minute=59, second=59) if len(due) <= 10 else limit
    found = {}
    for one, g in zip(todo, graded):
        try:
            changed = datetime.datetime.fromtimestamp(one.path.lstat().st_mtime, limit.tzinfo)
        except (OSError, ValueError, OverflowError):
            continue
        found[g.student, g.file] = "yes" if changed > limit else "no"
    return found


def release_facts(folder: str) -> dict:
    """The points and the due date of a release folder. Raises Problem when they cannot be read."""
    if not folder:
        return {}
    path = Path(folder) / "release.json" if Path(folder).is_dir() else Path(folder)
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        facts["points"] = {str(k): float(v) for k, v in facts.get("points", {}).items()}
        return facts
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise Problem(f"{path} is no release ({error}).", "Name the folder that course.py release wrote.") from error


def output_folder(options: argparse.Namespace, folder: Path) -> Path:
    """The folder for the results. Raises Problem for one inside the submissions, or one that holds something else."""
    out = Path(options.out).resolve() if options.out else build_folder() / "grades" / folder.name
    if out == folder or folder in out.parents:
        raise Problem("The results cannot go into the folder of the submissions.", "Name another folder with --out.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())) and not (out / feedback.MARKER).exists():
        raise Problem(f"{out} holds something else.", "Name an empty or new folder with --out.")
    return out


def chosen_mode(options: argparse.Namespace, limits: Limits) -> tuple[str, str]:
    """The mode of grading and the warning that goes with it. Raises Problem where isolation is missing and nobody waived it."""
    mode, why = sandbox.strongest(limits)
    if mode == "isolated":
        if why:
            say(f"  note: answers run isolated, {why}")
        return mode, ""
    if options.no_isolation and os.name != "nt":
        say(f"  WARNING: no isolation here ({why}).\n  WARNING: {feedback.LIMITS_WARNING}")
        return mode, feedback.LIMITS_WARNING
    raise Problem(
        f"This machine cannot isolate the answers from your files ({why}).",
        "Grade on Linux 5.12 or newer: as root (in a virtual machine, or a container started with --privileged), "
        "or as a user who may make user namespaces. "
        + (
            "On Windows, use WSL 2."
            if os.name == "nt"
            else "If you trust your students' code with your files and network: --no-isolation."
        ),
    )


def inside(options: argparse.Namespace) -> int:
    """The work of `course.py grade`."""
    folder = Path(options.folder).resolve()
    if not folder.is_dir():
        raise Problem(f"There is no folder {options.folder}.", "Name the folder that holds the submissions.")
    out = output_folder(options, folder)
    facts = release_facts(options.release)
    limits = Limits(wall=float(options.wall), memory_mb=options.memory, cpu=options.cpu)
    mode, warning = chosen_mode(options, limits)
    todo = submissions.collect(folder)
    if not todo:
        raise Problem(
            f"There is no notebook in {options.folder}.",
            "It should hold a folder for each student, or a notebook for each student.",
        )
    chapter = str(options.chapter).zfill(2) if options.chapter else ""
    settings = Settings(
        chapter,
        mode,
        limits,
        max(1, options.jobs or os.cpu_count() or 1),
        facts.get("points"),
        (str(folder), str(out)),
        secrets.randbits(64) if options.seed is None else options.seed,
    )
    left_aside = submissions.ignored(folder)
    if left_aside:
        say(f"  left aside, as nobody's work: {', '.join(left_aside)}")
    say(f"  {len(todo)} files, {settings.jobs} at a time, {mode}")
    begun = time.monotonic()
    width = max(len(one.student) for one in todo)

    def told(g: Graded) -> None:
        result = f"{g.points:g} of {g.of:g} points" if not g.refused else "NOT GRADED: " + g.refused
        say(feedback.clean(f"  {g.student:<{min(width, 30)}} {g.chapter:>3} {g.seconds:6.1f} s  {result}"))

    graded = grade_all(todo, settings, folder, told)
    twice(todo, graded)
    late = lateness(todo, graded, options.due or facts.get("due", ""))
    feedback.write(out, graded, warning, late, settings.seed, options.helpers)
    refused = sum(bool(g.refused) for g in graded)
    say(
        f"{len(graded)} files in {seconds(time.monotonic() - begun)}, {refused} of them not graded. "
        f"Read {os.path.relpath(out / 'index.html')}"
    )
    return 1 if any(g.refused.startswith("NOT GRADED") for g in graded) else 0


def main() -> int:
    """The command line inside the environment; course.py has checked it already."""
    parser = argparse.ArgumentParser(prog="course.py grade")
    parser.add_argument("folder")
    for name in ("--chapter", "--out", "--release", "--due"):
        parser.add_argument(name, default="")
    parser.add_argument("--no-isolation", action="store_true")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--helpers", choices=feedback.HELPERS, default="named")
    parser.add_argument("--jobs", type=int, default=0)
    parser.add_argument("--wall", type=float, default=Limits.wall)
    parser.add_argument("--cpu", type=int, default=Limits.cpu)
    parser.add_argument("--memory", type=int, default=Limits.memory_mb)
    return guarded(inside, parser.parse_args(), farewell=False)


if __name__ == "__main__":
    sys.exit(main())
