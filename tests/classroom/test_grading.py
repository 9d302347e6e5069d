"""Grading in a jail says what the checker says: references pass, stubs are not done yet, each mistake gets its diagnosis."""

import csv
import json
import os
import subprocess
import sys
import textwrap

import pytest

from helpers.course.classroom import batch, grading, sandbox, submissions
from helpers.course.classroom.sandbox import Limits
from helpers.course.classroom.source import needed_source
from helpers.course.classroom.submissions import Notebook
from helpers.course.commands.console import Problem
from helpers.lab import checks
from helpers.paths import repository_root
from tests.classroom.classes import RIGHT, WRONG, hand_in, small, solved, with_answers

LIMITS = Limits(cpu=300, wall=200.0)
pytestmark = pytest.mark.usefixtures("isolation")
CHAPTERS = [c for c in checks.chapters() if checks.exercises(c) and grading.course_cells(c)]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_course_notebook_is_not_done_yet_and_the_solved_one_is_right(chapter):
    grader = grading.Grader(chapter, "isolated", LIMITS)
    for nb, status in ((with_answers(chapter, {}), "not done yet"), (solved(chapter), "passed")):
        marks = grader.grade(submissions.from_content(nb))
        assert {m.id: m.status for m in marks} == {e.id: status for e in checks.exercises(chapter)}, [m.message for m in marks]
        assert not any(m.note for m in marks)
    assert sum(m.points for m in marks) == sum(e.points for e in checks.exercises(chapter))


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_wrong_answer_gets_its_diagnosis(chapter):
    grader = grading.Grader(chapter, "isolated", LIMITS)
    try:
        for exercise in grader.exercises:
            for wrong in exercise.wrong:
                if wrong.answer is exercise.start:
                    continue
                body = textwrap.indent(needed_source(wrong.answer), "    ")  # it may call the reference by its name
                source = f"def _made():\n{body}\n    return {wrong.answer.__name__}\n{exercise.name} = _made()\n"
                mark = grader._mark(exercise, Notebook([(source, [f"exercise:{exercise.id}"])]), 1e12)
                assert mark.status == "wrong" and wrong.diagnosis in mark.message, (wrong.answer.__name__, mark)
    finally:
        grader._close()


def test_an_answer_may_use_what_the_notebook_defines_and_nothing_else_runs():
    cells = [
        ("import numpy as np\nprint(undefined)\nsize = len", []),
        ("while True:\n    pass", []),
        ("%time size\nx = 1/0", []),
        ("def helper(text):\n    return size(text.encode('utf-8'))", []),
        (
            "%%time\nprint(not_there) if False else None\ndef bytes_per_character(text):\n    return helper(text) / later(text)",
            ["exercise:0.1"],
        ),
        ("def later(text):\n    return size(text)", []),
    ]
    (mark,) = grading.Grader("00", "isolated", LIMITS).grade(Notebook(cells))
    assert mark.status == "passed", mark


def test_a_cell_that_stops_after_its_definition_is_graded_with_a_note():
    (mark,) = grading.Grader("00", "isolated", LIMITS).grade(Notebook([(RIGHT + "print(1 / 0)", ["exercise:0.1"])]))
    assert mark.status == "passed" and "ZeroDivisionError" in mark.note


def test_a_solution_never_travels():
    from helpers.course.classroom.remote import HoldsSolution, pack, secrets_of

    exercises = checks.exercises("03")
    secrets = secrets_of(exercises)
    solution, wrong = exercises[0].solution, exercises[0].wrong[0].answer
    for value in (solution, [wrong], lambda f: f(solution), lambda f, g=wrong: g(f)):
        with pytest.raises(HoldsSolution):
            pack(value, secrets)
    assert pack(lambda f: f([1]), secrets)


def test_steps_that_hold_a_solution_run_here_and_call_the_answer_there():
    from dataclasses import replace

    exercise = checks.find("0.1")

    def check(t):
        t.equal(t.run(lambda f: [f("é"), exercise.solution("é")], "both"), [2.0, 2.0], what="the two")
        t.true(t.run(lambda f: raises(f), "an error"), "should stop with a ZeroDivisionError")

    def raises(f):
        try:
            f("")
        except ZeroDivisionError:
            return True
        return False

    grader = grading.Grader("00", "isolated", LIMITS)
    grader.exercises = [replace(exercise, check=check)]
    (mark,) = grader.grade(Notebook([(RIGHT, ["exercise:0.1"])]))
    assert mark.status == "passed", mark


def run_batch(folder, *more: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "helpers.course.classroom.batch", str(folder), *more],
        cwd=repository_root(),
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "PYTHONUTF8": "1"},
    )


def test_the_command_writes_tables_and_pages(tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    release = tmp_path / "release.json"
    release.write_text(json.dumps({"points": {"0.1": 2.5}, "due": "2001-01-01"}))
    folder.mkdir()
    hand_in(folder, "ada", small(RIGHT))
    hand_in(folder, "ben", small(WRONG))
    (folder / "cem.ipynb").write_text(json.dumps(small(RIGHT)))
    hand_in(folder, "dua", small(RIGHT))
    (folder / "dua" / "second.ipynb").write_text(json.dumps(small(RIGHT)))
    hand_in(folder, "eve", small("x = 1", ("exercise:3.1",)), "03")
    done = run_batch(folder, "--out", str(out), "--chapter", "0", "--release", str(release))
    assert done.returncode == 0, done.stdout + done.stderr
    rows = {r["student"]: r for r in csv.DictReader((out / "grades.csv").read_text(encoding="utf-8-sig").splitlines())}
    assert {s: r["points"] for s, r in rows.items()} == {"ada": "2.5", "ben": "0", "cem": "2.5", "dua": "0", "eve": "0"}
    assert rows["ada"]["late"] == "yes" and rows["ada"]["of"] == "2.5" and rows["ada"]["isolation"] == "isolated"
    assert "2 files" in rows["dua"]["not graded because"] and "chapter 03" in rows["eve"]["not graded because"]
    page = (out / "students" / "ben.html").read_text(encoding="utf-8")
    assert "divides the wrong way round" in page and "Feedback for ben" in page
    assert "ada" in (out / "index.html").read_text(encoding="utf-8")
    again = run_batch(folder, "--out", str(out))  # a folder of earlier results may be written again
    assert again.returncode == 0
    assert "cannot go into" in run_batch(folder, "--out", str(folder / "results")).stdout
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()
    assert "something else" in run_batch(folder, "--out", str(tmp_path / "mine")).stdout
    (tmp_path / "none").mkdir()
    assert "no notebook" in run_batch(tmp_path / "none").stdout


def test_without_isolation_grading_is_refused_unless_it_is_asked_for(tmp_path, monkeypatch, capsys):
    import argparse

    monkeypatch.setattr(sandbox, "strongest", lambda limits: ("limits", "for the test"))
    with pytest.raises(Problem) as caught:
        batch.chosen_mode(argparse.Namespace(no_isolation=False), Limits())
    assert "cannot isolate" in caught.value.sentence and "--no-isolation" in caught.value.fix
    mode, warning = batch.chosen_mode(argparse.Namespace(no_isolation=True), Limits())
    assert mode == "limits" and "without isolation" in warning and "WARNING" in capsys.readouterr().out
    hand_in(tmp_path, "ada", small(RIGHT))
    graded = batch.grade_all(batch.submissions.collect(tmp_path), batch.Settings("", "limits", Limits(), 1), tmp_path, print)
    assert graded[0].points == 1 and graded[0].isolation == "limits"
    assert "without isolation" in batch.feedback.student_page("ada", graded)


def test_a_submission_that_brings_the_grader_down_costs_only_itself(tmp_path, monkeypatch):
    for name in ("ada", "ben", "cem"):
        hand_in(tmp_path, name, small(RIGHT))
    give = batch.Worker.give

    def broken(self, job, patience):
        give(self, {"index": 1, "student": "ben", "file": "x"} if job["student"] == "ben" else job, patience)

    monkeypatch.setattr(batch.Worker, "give", broken)
    graded = batch.grade_all(batch.submissions.collect(tmp_path), batch.Settings(jobs=1), tmp_path, print)
    assert [g.points for g in graded] == [1, 0, 1] and "brought the grader down" in graded[1].refused


def test_what_systems_leave_behind_is_nobodys_work(tmp_path):
    from helpers.course.classroom import submissions

    for place in ("__MACOSX/ada", "ada/__MACOSX", "ada/.ipynb_checkpoints", "bob"):
        (tmp_path / place).mkdir(parents=True)
    for file in (
        "__MACOSX/ada/._01.ipynb",
        "__MACOSX/x.ipynb",
        "ada/01.ipynb",
        "ada/__MACOSX/01.ipynb",
        "ada/.ipynb_checkpoints/01.ipynb",
    ):
        (tmp_path / file).write_text("{}")
    (tmp_path / "Thumbs.db").write_text("")
    (tmp_path / "._bob.ipynb").write_text("")
    found = submissions.collect(tmp_path)
    assert [(one.student, one.path.name) for one in found] == [("ada", "01.ipynb"), ("bob", "bob")]
    assert submissions.ignored(tmp_path) == ["Thumbs.db", "__MACOSX"]


def test_odd_strings_in_every_field_are_read_or_refused_with_the_reason(tmp_path):
    import json

    from helpers.course.classroom import submissions

    odd = ["\ud800", "\udfff x", 1, None, {}, [], ["\ud800"], {"a": "\ud800"}, True, 1e308, "\0", "\u202e"]
    for value in odd:
        for field in ("source", "metadata", "tags", "grade_id", "cell_type", "cells", "chapter", "id"):
            cell = {
                "cell_type": "code",
                "source": "def f(): pass",
                "id": "a",
                "metadata": {"tags": ["exercise:1.1"], "nbgrader": {}},
            }
            whole = {"nbformat": 4, "metadata": {"course": {"chapter": "01"}}, "cells": [cell]}
            places = {
                "tags": cell["metadata"],
                "grade_id": cell["metadata"]["nbgrader"],
                "cells": whole,
                "chapter": whole["metadata"]["course"],
            }
            places.get(field, cell)[field] = [value] if field == "tags" else value
            path = tmp_path / "a.ipynb"
            path.write_text(json.dumps(whole))
            try:
                notebook = submissions.read(path)
            except submissions.Refused as error:
                assert str(error).encode()
            else:
                assert json.dumps([notebook.cells, notebook.chapter], ensure_ascii=False).encode()
                assert submissions.chapter_of(path, notebook) in ("01", "")
