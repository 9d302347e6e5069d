"""Damaged calls of every public function: a refusal in words, or a result; what is known is listed, and nothing else comes up."""

import os

import numpy as np
import pytest

from tests.fuzz.calls import LEFT_OUT, ROOMS, Call, Target, modules, targets
from tests.fuzz.engine import Tally, fuzz, judge
from tests.fuzz.known import AS_LONG_AS_ASKED, SAYS_NAN, known

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no timer of processor time")
ALL = targets()
CASES = int(os.environ.get("COURSE_FUZZ_CASES", "40"))
# What is never listed as known: a result that is wrong without a word, or none at all.
SILENT = ("makes NaN of finite numbers", "changes an argument", "prints", "refuses without a word", "raises MemoryError")


@pytest.mark.parametrize("room", ROOMS)
def test_no_damaged_call_has_a_new_kind_of_outcome(room):
    found, listed = [], known()
    for target in (t for t in ALL if t.name.split(".")[1] == room):
        for kind, where in fuzz(target, CASES, seed=0).findings.items():
            if kind not in listed.get(target.name, ()):
                found.append(f"{kind}: {where}")
    assert not found, "\n".join(found)


def test_nothing_silent_is_listed_as_known():
    kinds = {kind for kinds in known().values() for kind in kinds}
    assert not kinds & {*SILENT, "does not come back"}


def test_the_lists_name_what_there_is():
    names = {t.name for t in ALL}
    loaded = {m.__name__ for m in modules()}
    assert not {*known(), *AS_LONG_AS_ASKED, *SAYS_NAN} - names
    for name, words in SAYS_NAN.items():
        function = next(t.function for t in ALL if t.name == name)
        assert words in (function.__doc__ or "")
    assert not set(LEFT_OUT) & loaded and all(len(reason) > 10 for reason in LEFT_OUT.values())
    assert len(names) > 350 and {name.split(".")[1] for name in names} == set(ROOMS)


def _tried(function, *args) -> str:
    return judge(Target("tests.made_up", function, []), Call(args, {}), Tally("made up"))


def test_the_judge_sees_each_kind():
    def changes(x):
        x[0] = 7.0

    def forgets(x):
        raise KeyError("x")

    def endless(x):
        while True:
            pass

    def empty(x):
        raise ValueError

    x = np.ones(3)
    assert _tried(changes, x.copy()) == "changes an argument"
    assert _tried(lambda x: x * np.nan, x) == "makes NaN of finite numbers"
    assert _tried(lambda x: x * np.nan, x * np.nan) == ""
    assert _tried(forgets, x) == "raises KeyError" and _tried(endless, x) == "does not come back"
    assert _tried(empty, x) == "refuses without a word" and _tried(print, x) == "prints"
    assert _tried(lambda x: x / 0, x) == "warns" and _tried(lambda x: x + 1, x) == ""


def test_a_seed_gives_the_same_cases():
    target = next(t for t in ALL if t.name.endswith("losses.softmax"))
    assert fuzz(target, 200, 5) == fuzz(target, 200, 5) != fuzz(target, 200, 6)
