"""A check refuses every small mistake made in its reference solution, and tries the answer on fresh inputs when it grades."""

import json
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from helpers.lab import checks
from helpers.lab.trial import Trial
from tests.exercises.operators import mutants

ALL = [e for chapter in checks.chapters() for e in checks.exercises(chapter)]
EACH = pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.id)
# Exercise -> mutant -> why it does the same as the reference, or why its result is as good.
EQUIVALENT = {
    path.stem.removeprefix("ch"): json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parent / "equivalent").glob("ch*.json"))
}


def equivalent(exercise) -> dict[str, str]:
    return EQUIVALENT.get(exercise.id.split(".")[0].zfill(2), {}).get(exercise.id, {})


@EACH
def test_every_mutant_is_refused(exercise):
    survivors = []
    for mutant in mutants(exercise):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trial = Trial(mutant.answer, exercise.name)
            status = checks.judge(replace(exercise, seconds=1.0, wrong=()), trial).status
        if status == "passed":
            survivors.append(mutant.name)
    known = equivalent(exercise)
    assert not sorted(set(survivors) - set(known)), "these pass; refuse them, or list them with a reason in equivalent/"
    assert not sorted(set(known) - set(survivors)), "these are listed as equivalent, and are refused or gone"
    assert all(len(reason) > 15 for reason in known.values())


@EACH
def test_grading_tries_more_than_a_student_can_know(exercise):
    plain, fresh = Trial(exercise.solution, exercise.name), []
    exercise.check(plain)
    for seed in range(30):  # the reference passes whatever is drawn
        trial = Trial(exercise.solution, exercise.name, np.random.default_rng(seed))
        report = checks.judge(exercise, trial)
        assert report.status == "passed", (seed, report.message)
        fresh.append(len(trial.steps) - len(plain.steps))
    assert min(fresh) >= 2, "the check has no t.fresh(draw)"


@EACH
def test_an_answer_that_plays_back_what_the_released_check_expects_fails_when_graded(exercise):
    plain = Trial(exercise.solution, exercise.name)
    exercise.check(plain)
    kept = iter([out for _, out in plain.steps])
    trial = Trial(lambda *args, **kwargs: next(kept, None), exercise.name, np.random.default_rng(12345))
    assert checks.judge(exercise, trial).status == "wrong"


@EACH
def test_fresh_tries_refuse_the_bank_as_well(exercise):
    for wrong in exercise.wrong:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trial = Trial(wrong.answer, exercise.name, np.random.default_rng(7))
            report = checks.judge(replace(exercise, wrong=()), trial)
        assert report.status == "wrong", report.message
