"""Every exercise: the reference passes, wrong answers get their diagnosis, stubs are "not done yet", bad code is reported."""

import inspect
from pathlib import Path

import nbformat
import pytest

from helpers.lab import checks, verdicts
from helpers.lab.exercise import Exercise
from tests.tools import author, style

ALL = [e for chapter in checks.chapters() for e in checks.exercises(chapter)]
EACH = pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.id)
WRONG = pytest.mark.parametrize(
    "exercise, wrong",
    [(e, w) for e in ALL for w in e.wrong],
    ids=lambda v: getattr(v, "id", None) or getattr(getattr(v, "answer", None), "__name__", None),
)


def cells(chapter: str) -> dict[str, nbformat.NotebookNode]:
    """The tagged cells (exercise:ID, check:ID) of a chapter's notebook."""
    nb = nbformat.read(author.notebook_path(chapter), 4)
    return {tag: c for c in nb.cells for tag in style.tags(c) if tag.startswith(("exercise:", "check:"))}


def run_cell(source: str, name: str, exercise) -> object:
    """What ``name`` is after the notebook cell has run (in the namespace of the exercise's module)."""
    space = dict(vars(inspect.getmodule(exercise.check)))
    exec(compile(source, "cell", "exec"), space)
    return space[name]


@EACH
def test_the_reference_solution_passes(exercise):
    report = checks.evaluate(exercise.id, exercise.solution)
    assert report.status == "passed", report.message


@WRONG
def test_each_wrong_answer_gets_its_own_diagnosis(exercise, wrong):
    answer = wrong.answer
    if answer is exercise.start:  # unchanged it counts as not done yet; here somebody rewrote it and kept the bug
        assert checks.evaluate(exercise.id, answer).status == "not done yet"
        answer = lambda *args, **kwargs: wrong.answer(*args, **kwargs)  # noqa: E731
    report = checks.evaluate(exercise.id, answer)
    assert report.status == "wrong", report.message
    assert wrong.diagnosis in report.message, report.message


@EACH
def test_an_exercise_is_complete(exercise):
    assert len(exercise.wrong) >= 3 and len(exercise.hints) >= 2
    diagnoses = [w.diagnosis for w in exercise.wrong]
    assert len(set(diagnoses)) == len(diagnoses)
    assert all(len(d) > 20 for d in diagnoses)
    assert exercise.name in checks.solution_source(exercise.id).splitlines()[0]
    assert (exercise.start is not None) == (exercise.kind == "find the bug")


@pytest.mark.parametrize("chapter", checks.chapters())
def test_a_chapter_has_the_kinds_it_needs(chapter):
    kinds = [e.kind for e in checks.exercises(chapter)]
    if chapter != "00":  # chapter 00 only introduces the checker
        assert len(kinds) >= 5
        assert kinds.count("core") >= 2 and {"warm-up", "stretch", "find the bug"} <= set(kinds)
    ids = [e.id for e in checks.exercises(chapter)]
    assert ids == [f"{int(chapter)}.{k}" for k in range(1, len(ids) + 1)]


@EACH
def test_the_notebook_has_a_stub_that_is_not_done_yet(exercise):
    found = cells(exercise.id.split(".")[0].zfill(2))
    stub, check = found[f"exercise:{exercise.id}"], found[f"check:{exercise.id}"]
    assert check.source.strip() == f'{exercise.name} = check("{exercise.id}", {exercise.name})'
    assert "not done yet" in style.output_text(check)
    answer = run_cell(stub.source, exercise.name, exercise)
    report = checks.evaluate(exercise.id, answer)
    assert report.status == "not done yet", report.message
    if not inspect.isclass(answer):
        assert inspect.signature(answer) == inspect.signature(exercise.solution)


@EACH
def test_the_printed_solution_passes_too(exercise):
    """What solution() prints is what a reader would paste: it must run by itself."""
    answer = run_cell(checks.solution_source(exercise.id), exercise.name, exercise)
    assert checks.evaluate(exercise.id, answer).status == "passed"


def endless(*args, **kwargs):
    while True:
        pass


def crash(*args, **kwargs):
    raise KeyError("oops")


def leave(*args, **kwargs):
    raise SystemExit("bye")


def nothing(*args, **kwargs):
    unused = len(args)  # noqa: F841


@EACH
@pytest.mark.parametrize(
    "answer, expected",
    [
        (crash, "KeyError"),
        (leave, "SystemExit"),
        (nothing, ""),
        (lambda *a, **k: "text", ""),
        (lambda *a, **k: [[1.0], [2.0]], ""),
        (lambda: 1, "TypeError"),
        (3.5, "check() wants the"),
        ("text", "check() wants the"),
    ],
    ids=["exception", "exit", "nothing", "text", "nested list", "wrong signature", "a number", "a text"],
)
def test_bad_answers_get_a_readable_message(exercise, answer, expected):
    report = checks.evaluate(exercise.id, answer)
    assert report.status == "wrong", report.message
    assert expected in report.message and "Traceback" not in report.message
    assert len(report.message) < 1500


@EACH
def test_an_endless_loop_is_stopped(exercise, monkeypatch):
    quick = {**vars(exercise), "seconds": 0.3}
    monkeypatch.setattr(verdicts, "find", lambda _id: Exercise(**quick))
    report = checks.evaluate(exercise.id, endless)
    assert report.status == "wrong" and "seconds" in report.message


def test_there_are_notebooks_for_all_exercise_modules():
    assert ALL, "no exercise was found"
    for chapter in checks.chapters():
        assert Path(author.notebook_path(chapter)).exists()


@EACH
def test_each_file_says_in_its_name_which_exercise_it_holds(exercise):
    """ch05/ex4_train_bpe.py holds 5.4, whose answer is train_bpe: there one finds its check and its diagnoses."""
    chapter, number = exercise.id.split(".")
    home = inspect.getmodule(exercise.check)
    assert home.__name__ == f"helpers.exercises.ch{chapter.zfill(2)}.ex{number}_{exercise.name}" and home.EXERCISE is exercise
    assert all(inspect.getmodule(a) is home for a in (exercise.solution, *(w.answer for w in exercise.wrong)))
