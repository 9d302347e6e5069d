"""Distinct n-grams, repetition and loops: by hand."""

import pytest

from helpers.evaluation.diversity import distinct_n, loop_length, repetition


def test_by_hand():
    assert distinct_n([list("ababab")], 2) == pytest.approx(2 / 5)
    assert repetition([list("ababab")], 4) == pytest.approx(1 / 3)
    assert distinct_n([[1, 2], [1, 2], [3, 4]], 2) == pytest.approx(2 / 3)  # over all texts together
    assert repetition([[1] * 10, list(range(10))], 4) == pytest.approx((6 / 7 + 0) / 2)  # the mean over texts
    assert repetition([[1, 2]], 4) == 0  # too short to repeat anything


def test_texts_do_not_run_into_each_other():
    assert distinct_n([[1, 2], [3, 1], [2, 3]], 2) == 1


def test_loops():
    assert loop_length(list("xyabcabcabc")) == 3 and loop_length(list("aaa")) == 1
    assert loop_length(list("abcabcabcd")) == 0 and loop_length([]) == 0 and loop_length([1, 1]) == 0
    assert loop_length(list("abab"), times=2) == 2


@pytest.mark.parametrize(
    "call",
    [lambda: distinct_n([[1]], 2), lambda: distinct_n([[1, 2]], 0), lambda: repetition([], 4), lambda: loop_length([1], times=1)],
)
def test_bad_values(call):
    with pytest.raises(ValueError, match="expected"):
        call()


@pytest.mark.parametrize("texts", ["a text", ["a text", "another"]])
def test_strings_are_refused(texts):
    with pytest.raises(TypeError, match="lists of tokens"):
        distinct_n(texts, 2)
