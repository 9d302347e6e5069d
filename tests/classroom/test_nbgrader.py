"""A school that uses nbgrader: generate, autograde, feedback, by nbgrader itself, on what release --nbgrader writes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from helpers.course.classroom import leaks, notebooks, release
from helpers.course.commands.console import Problem
from helpers.lab import checks
from helpers.paths import build_folder, repository_root
from tests.classroom.test_release import only_exercises

pytest.importorskip("nbgrader")
CHAPTER, ASSIGNMENT = "03", "03_bag_of_words"


@pytest.fixture(scope="module")
def course():
    """nbgrader's folder, inside the course, as its notebooks must find the helpers above them."""
    folder = build_folder() / f"nbgrader-test-{os.getpid()}"
    chapter = release.chosen([CHAPTER])[0]
    release.write_nbgrader(folder, notebooks.Settings([chapter], points={"3.1": 5.0}))
    source = folder / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    nb = nbformat.read(source, 4)
    only_exercises(nb)  # the chapter's other cells cost half a minute a submission and say nothing here
    nbformat.write(nb, source)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def nbgrader(folder: Path, *words: str) -> str:
    """Run nbgrader in its folder; it calls alembic by name, so the environment's commands come first."""
    env = {
        **os.environ,
        "PATH": str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"],
        "COURSE_QUIET": "1",
        "JUPYTER_PREFER_ENV_PATH": "1",
        "COURSE_PROGRESS": os.devnull,
    }
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *words], cwd=folder, env=env, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def fill_in(nb, answers: dict[str, str]) -> None:
    for cell in nb.cells:
        exercise_id = notebooks.tag_of(cell, "exercise")
        if exercise_id in answers:
            cell.source = answers[exercise_id]


def test_generate_autograde_and_feedback(course):
    nbgrader(course, "generate_assignment", ASSIGNMENT)
    released = course / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    assert leaks.leaks(released.parent) == [] and "HIDDEN TESTS" not in released.read_text(encoding="utf-8")
    solutions = {e.id: checks.solution_source(e.id) for e in checks.exercises(CHAPTER)}
    classes = {"ada": solutions, "ben": {k: v for k, v in solutions.items() if k in ("3.1", "3.4")}, "cem": {}}
    for student, answers in classes.items():
        nb = nbformat.read(released, 4)
        fill_in(nb, answers)
        if student == "cem":  # a locked cell that was changed is put back
            for cell in nb.cells:
                if notebooks.tag_of(cell, "check"):
                    cell.source = "pass"
        place = course / "submitted" / student / ASSIGNMENT
        place.mkdir(parents=True)
        nbformat.write(nb, place / f"{ASSIGNMENT}.ipynb")
    nbgrader(course, "autograde", ASSIGNMENT)
    nbgrader(course, "generate_feedback", ASSIGNMENT)
    points = {e.id: 5.0 if e.id == "3.1" else float(e.points) for e in checks.exercises(CHAPTER)}
    expected = {student: sum(points[i] for i in answers) for student, answers in classes.items()}
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        scores = {student: book.find_submission(ASSIGNMENT, student).score for student in classes}
        assert book.find_assignment(ASSIGNMENT).max_score == sum(points.values())
    assert scores == expected
    for student in classes:
        page = course / "feedback" / student / ASSIGNMENT / f"{ASSIGNMENT}.html"
        assert "check-3-1" in page.read_text(encoding="utf-8") or "3.1" in page.read_text(encoding="utf-8")


def test_nbgraders_folder_must_lie_inside_the_course(tmp_path):
    with pytest.raises(Problem, match="above the notebooks"):
        release.write_nbgrader(tmp_path / "x", notebooks.Settings([]))
    assert repository_root() in build_folder().parents
