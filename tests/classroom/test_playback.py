"""Grading tries what no student has seen, and names answers that only hand on what the course's own functions return."""

import json
import textwrap

import pytest

from helpers.course.classroom import feedback, grading, leaks, submissions
from helpers.course.classroom.grading import Graded
from helpers.course.classroom.sandbox import Limits
from helpers.course.classroom.strip import stripped
from helpers.course.classroom.submissions import Notebook
from helpers.lab import checks, plain_data, released_checks
from helpers.lab.trial import Trial
from tests.classroom.classes import solved, with_answers

LIMITS = Limits(cpu=300, wall=200.0)
pytestmark = pytest.mark.usefixtures("isolation")


def playing_back(exercise) -> str:
    """An answer that gives the results of the known tries in their order, as a program could collect them from a release."""
    trial = Trial(exercise.solution, exercise.name)
    exercise.check(trial)
    kept = [plain_data.dumps(out) for _, out in trial.steps]
    return textwrap.dedent(f"""
        import itertools, json
        from helpers.lab import plain_data
        _kept = itertools.cycle({kept!r})
        def {exercise.name}(*args, **kwargs):
            return plain_data.loads(next(_kept))
    """)


@pytest.mark.parametrize("chapter", ["02", "04", "10"])
def test_playing_back_brings_nothing_that_a_stub_does_not(chapter):
    nb = with_answers(chapter, {e.id: playing_back(e) for e in checks.exercises(chapter)})
    marks = grading.Grader(chapter, "isolated", LIMITS, seed=2026).grade(submissions.from_content(nb))
    assert sum(m.points for m in marks) == 0, [(m.id, m.message) for m in marks if m.points]


def test_without_fresh_tries_it_would_pass(monkeypatch):
    monkeypatch.setattr(grading.Grader, "random", lambda self, exercise: None)
    exercise = checks.find("4.4")
    (mark,) = [
        m
        for m in grading.Grader("04", "isolated", LIMITS).grade(
            submissions.from_content(with_answers("04", {exercise.id: playing_back(exercise)}))
        )
        if m.id == exercise.id
    ]
    assert mark.status == "passed"


def test_one_seed_means_the_same_tries_and_another_others():
    wrong = """
        import numpy as np
        def noise(counts, power):
            raised = counts ** power
            return raised / raised.sum() if len(counts) in (2, 3, 4) and power in (0.75, 0.5, 0.0) else counts
        """
    wrong = textwrap.dedent(wrong)
    nb = submissions.from_content(with_answers("04", {"4.4": wrong}))
    said = [
        next(m.message for m in grading.Grader("04", "isolated", LIMITS, seed=seed).grade(nb) if m.id == "4.4")
        for seed in (5, 5, 6)
    ]
    assert said[0] == said[1] != said[2] and "tried:     noise(np.array(" in said[0]


HELPED = {
    "directly": """
        from helpers.evaluation.ranking import average_precision as found
        def average_precision(ranking, relevant):
            return found(ranking, relevant)
        """,
    "renamed": """
        from helpers.evaluation import ranking as r
        average_precision = r.average_precision
        """,
    "by a split name": """
        import importlib
        def average_precision(ranking, relevant):
            home = importlib.import_module("hel" + "pers.evaluation.ranking")
            return getattr(home, "average_" + "precision")(ranking, relevant)
        """,
    "partial": """
        import functools
        from helpers.evaluation.ranking import average_precision as found
        average_precision = functools.partial(found)
        """,
}


@pytest.mark.parametrize("source", HELPED.values(), ids=HELPED.keys())
def test_an_answer_that_hands_on_the_course_s_result_is_named(source):
    notebook = Notebook([(textwrap.dedent(source), ["exercise:11.2"])])
    exercise = checks.find("11.2")
    grader = grading.Grader("11", "isolated", LIMITS, seed=1)
    try:
        mark = grader._mark(exercise, notebook, 1e12)
    finally:
        grader._close()
    assert "helpers.evaluation.ranking.average_precision" in mark.helped, mark
    graded = [Graded("ada", "ada.ipynb", "11", marks=[mark])]
    page = feedback.overview(graded, "", 1)
    assert "helpers.evaluation.ranking.average_precision" in page and "--seed 1" in page
    assert "ranking.average_precision" not in feedback.overview(graded, "", 1, "allowed")
    assert "<h2>Answers that call" not in feedback.student_page("ada", graded)


@pytest.mark.parametrize("chapter", [c for c in checks.chapters() if grading.course_cells(c)])
def test_no_reference_solution_is_named(chapter):
    marks = grading.Grader(chapter, "isolated", LIMITS, seed=3).grade(submissions.from_content(solved(chapter)))
    assert all(m.status == "passed" and not m.helped for m in marks), [(m.id, m.helped, m.message) for m in marks]


def test_what_a_locked_diagnosis_opens_is_no_solution():
    """Likely transformations of the right results open some diagnoses; what they say is a mistake, never the way."""
    secret = [text for s in leaks.secrets() for text in s.texts]
    opened = 0
    known = json.loads(stripped("02")["known.json"])
    for exercise in checks.exercises("02"):
        facts = known[exercise.id]["mistakes"]
        for wrong in exercise.wrong:
            tried = checks.outcomes(exercise.check, Trial(wrong.answer, exercise.name).again(), exercise.seconds)
            text = released_checks.unlock(released_checks.fingerprint(tried), facts)
            opened += bool(text)
            assert text in ("", wrong.diagnosis)
            assert not any(s in leaks.squeeze(text) for s in secret)
    assert opened > 20
