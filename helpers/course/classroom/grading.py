"""Grade one submission: find the answers, open a jail, run the teacher's checks; and the worker that does it for many.

The worker (`python -m helpers.course.classroom.grading`) judges one submission after the other in a process of its own, named
on its standard input. If a submission brings it down, the one who started it starts another and goes on with the next.
"""

import json
import sys
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import ModuleType

import numpy as np

from helpers.course.classroom import sandbox, submissions
from helpers.course.classroom.remote import RemoteTrial, error_texts, secrets_of
from helpers.course.classroom.sandbox import Garbled, Gone, Jail, Late, Limits, NoJail
from helpers.course.classroom.submissions import Found, Notebook, Refused
from helpers.lab import answers, checks
from helpers.lab.checks import Report
from helpers.lab.exercise import Exercise, modules
from helpers.paths import repository_root


@dataclass
class Mark:
    """What one exercise brought. status: passed, wrong, not done yet, or refused."""

    id: str
    title: str
    status: str
    points: float
    of: float
    message: str
    note: str = ""
    code: str = ""
    helped: str = ""  # the course's functions that the answer hands on, for the teacher


@dataclass
class Graded:
    """What one submission brought; `refused` says why it was not graded as a whole."""

    student: str
    file: str
    chapter: str = ""
    refused: str = ""
    marks: list[Mark] = field(default_factory=list)
    isolation: str = ""
    seconds: float = 0.0

    @property
    def points(self) -> float:
        """The points of all exercises together."""
        return sum(m.points for m in self.marks)

    @property
    def of(self) -> float:
        """The points that there are to get."""
        return sum(m.of for m in self.marks)


def course_cells(chapter: str) -> list[tuple[str, list[str]]]:
    """The code cells of the course's own notebook."""
    for path in (repository_root() / "notebooks").glob(f"{chapter}_*.ipynb"):
        return submissions.read(path).cells
    return []


class Grader:
    """Grades submissions of one chapter in one mode."""

    def __init__(
        self,
        chapter: str,
        mode: str,
        limits: Limits,
        points: dict[str, float] | None = None,
        hidden: tuple[str, ...] = (),
        seed: int = 0,
    ) -> None:
        self.chapter, self.mode, self.limits, self.hidden, self.seed = chapter, mode, limits, hidden, seed
        self.exercises = checks.exercises(chapter)
        self.points = {e.id: float((points or {}).get(e.id, e.points)) for e in self.exercises}
        self.secrets = secrets_of(self.exercises)
        self.modules = sorted(
            {v.__name__ for home in modules(chapter) for v in vars(home).values() if isinstance(v, ModuleType)}
        )  # what the jail must load before the system calls are forbidden
        self.cells = {
            source.strip() for source, tags in course_cells(chapter) if not any(t.startswith("exercise:") for t in tags)
        }
        self.jail: Jail | None = None

    def grade(self, notebook: Notebook) -> list[Mark]:
        """A mark for each exercise of the chapter. Raises NoJail when no jail can be built."""
        end = time.monotonic() + self.limits.wall
        try:
            return [self._mark(e, notebook, end) for e in self.exercises]
        finally:
            self._close()

    def _mark(self, exercise: Exercise, notebook: Notebook, end: float) -> Mark:
        of = self.points[exercise.id]
        mark = Mark(exercise.id, exercise.title, "refused", 0.0, of, "")
        try:
            found = submissions.find_answer(notebook, exercise, self.cells)
        except Refused as error:
            mark.message = f"Not graded: {error}."
            return mark
        mark.note, mark.code = found.note, found.source[:20_000]
        if time.monotonic() > end:
            mark.message = f"Not graded: the exercises before it took the {self.limits.wall:.0f} seconds of the submission."
            return mark
        try:
            self.helped: set[str] = set()
            report, note = self._report(exercise, notebook, found, end)
        finally:
            if self.jail is not None and (self.jail.waiting or self.jail.child.poll() is not None):
                self._close()  # it may still work on this answer, or be gone: the next one gets a fresh jail
        mark.status, mark.message, mark.helped = report.status, report.message, ", ".join(sorted(self.helped))
        mark.points = of if report.status == "passed" else 0.0
        mark.note = "; ".join(part for part in (mark.note, note) if part)
        return mark

    def _report(self, exercise: Exercise, notebook: Notebook, found: Found, end: float) -> tuple[Report, str]:
        """The verdict on one answer, and a note about its cell."""

        def wrong(text: str) -> Report:
            return Report(exercise.id, "wrong", f"✗ {exercise.id} {exercise.title}: not right yet.\n  {text}")

        before = [source for source, _ in notebook.cells[: found.where]]
        after = [source for source, _ in notebook.cells[found.where + 1 :]]
        try:
            if self.jail is None:
                self.jail = sandbox.open_jail(self.mode, self.limits, self.modules, self.hidden)
            loaded = self.jail.request(
                "load",
                self.limits.load,
                exercise=exercise.id,
                name=exercise.name,
                source=found.source,
                before=before,
                after=after,
            )
        except Late:
            return wrong(f"The cell, with what it needs from other cells, does not end within {self.limits.load:g} seconds."), ""
        except (Gone, Garbled) as error:
            return wrong(f"The cell {error}."), ""
        note = ""
        if loaded.get("error"):
            error = error_texts(loaded["error"])
            note = f"the cell stops with {error['type']}: {error['line']}"
        if not loaded.get("defined"):
            return wrong(f"The cell does not define {exercise.name}" + (f": {note}." if note else ".")), ""
        if untouched(exercise, loaded):
            return checks.not_done(exercise), note
        if not loaded.get("callable"):
            return wrong(f"{exercise.name} is {str(loaded.get('type'))[:40]}; a function was expected."), note
        timed = replace(exercise, seconds=max(0.1, min(exercise.seconds, end - time.monotonic())))
        trial = RemoteTrial(timed, self.jail, self.secrets, self.random(exercise))
        report = checks.judge(timed, trial)
        self.helped = trial.handed_on | ({str(loaded["course"])[:120]} if loaded.get("course") else set())
        return report, note

    def random(self, exercise: Exercise) -> np.random.Generator:
        """The source of an exercise's fresh tries: the same for all students of a batch, unknown to them."""
        return np.random.default_rng([self.seed, *(int(n) for n in exercise.id.split("."))])

    def _close(self) -> None:
        if self.jail is not None:
            self.jail.close()
            self.jail = None


def untouched(exercise: Exercise, loaded: dict) -> bool:
    """As `answers.untouched`, by what the jail told about the answer."""
    if loaded.get("nothing"):
        return True
    if exercise.start is not None:
        return loaded.get("shapes") == answers.shapes(exercise.start)
    return loaded.get("empty") is True


def grade_file(job: dict, graders: dict[str, Grader]) -> Graded:
    """Grade one file. job: student, file, chapter ("" for any), mode, limits, points, hidden, seed."""
    graded = Graded(job["student"], job["file"], job["chapter"], isolation=job["mode"])
    begun = time.monotonic()
    try:
        notebook = submissions.read(Path(job["path"]))
        chapter = submissions.chapter_of(Path(job["path"]), notebook)
        if not chapter:
            raise Refused("it does not say which chapter it belongs to, neither by its file name nor by its cells")
        if chapter not in checks.chapters():
            raise Refused(f"chapter {chapter} has no exercises here")
        graded.chapter = chapter
        if job["chapter"] and chapter != job["chapter"]:
            raise Refused(f"it belongs to chapter {chapter}; chapter {job['chapter']} is being graded")
        if chapter not in graders:
            limits, hidden = Limits(**job["limits"]), tuple(job["hidden"])
            graders[chapter] = Grader(chapter, job["mode"], limits, job["points"], hidden, job["seed"])
        graded.marks = graders[chapter].grade(notebook)
    except Refused as error:
        graded.refused = str(error)
    except NoJail as error:
        graded.refused = f"NOT GRADED, a fault of the grader: no jail could be built ({error})"
    graded.seconds = round(time.monotonic() - begun, 2)
    return graded


def main() -> None:
    """Read a job a line from standard input; write what it brought as a line of JSON."""
    out = sys.stdout
    sys.stdout = sys.stderr  # a library that prints must not end up between the answers
    graders: dict[str, Grader] = {}
    for line in sys.stdin:
        out.write(json.dumps(asdict(grade_file(json.loads(line), graders))) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
