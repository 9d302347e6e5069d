"""ROUGE, Elo, multiple choice and copied spans: worked numbers and bad input."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.evaluation import generated_text as ev
from helpers.models import ngram, ngram_counts
from helpers.models.language_model import Uniform
from helpers.tokenizers.plain import ByteTokenizer

WORDS = st.lists(st.sampled_from("abcd"), max_size=9)


def test_rouge_l_worked_example():
    reference, candidate = list("abcdefghi"), list("axbycdez")  # LCS 5; 9 and 8 words
    assert ev.rouge_l(candidate, reference) == pytest.approx((5 / 8, 5 / 9, 10 / 17))


def test_rouge_1_with_six_shared_words_of_nine():
    reference, candidate = "we count the words of the text every day".split(), "the words the day of text the".split()
    assert ev.rouge_n(candidate, reference).recall == pytest.approx(6 / 9)  # "the" is shared twice, not three times
    assert ev.rouge_n(["the"] * 4, ["the", "cat", "sat"]) == pytest.approx((1 / 4, 1 / 3, 2 / 7))


@settings(max_examples=80, deadline=None)
@given(WORDS, WORDS, st.integers(1, 3))
def test_rouge_properties(a, b, n):
    forth, back = ev.rouge_n(a, b, n), ev.rouge_n(b, a, n)
    assert forth.precision == back.recall and forth.f1 == pytest.approx(back.f1) and 0 <= forth.f1 <= 1
    assert ev.rouge_l(a, b).f1 <= ev.rouge_n(a, b, 1).f1 + 1e-12  # a common subsequence is made of shared words
    if len(a) >= n:
        assert ev.rouge_n(a, a, n) == (1, 1, 1)
    table = ev.lcs_length(a, b)
    assert table[-1, -1] == brute_lcs(a, b)


def brute_lcs(a, b):
    def subsequences(words):
        found = {()}
        for w in words:
            found |= {s + (w,) for s in found}
        return found

    return max(map(len, subsequences(a) & subsequences(b)))


def test_rouge_of_nothing_is_zero_and_strings_are_refused():
    assert ev.rouge_n([], ["a"]) == ev.rouge_l(["a"], []) == ev.rouge_n(["a"], ["a"], 2) == (0, 0, 0)
    for call in (lambda: ev.rouge_n("a b", ["a"]), lambda: ev.rouge_l(["a"], "a b")):
        with pytest.raises(TypeError, match="split it first"):
            call()
    with pytest.raises(ValueError, match="n >= 1"):
        ev.rouge_n(["a"], ["a"], 0)


def test_elo_worked_examples():
    elo = ev.Elo(["A", "B", "C"])
    assert elo.record("A", "B") == 16 and elo.ratings == {"A": 1516, "B": 1484, "C": 1500}
    assert sum(elo.ratings.values()) == 4500
    assert ev.elo_expected(1516, 1500) == pytest.approx(0.523010, abs=5e-7)
    assert ev.elo_expected(200, 0) == pytest.approx(0.759747, abs=5e-7) and ev.elo_expected(400, 0) == pytest.approx(10 / 11)
    assert elo.ranking()[0] == ("A", 1516)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.permutations("ABC"), st.sampled_from([0, 0.5, 1])), max_size=30))
def test_elo_sum_never_changes(games):
    elo = ev.Elo("ABC", k=24)
    for (a, b, _), result in games:
        elo.record(a, b, result)
    assert sum(elo.ratings.values()) == pytest.approx(4500)


def test_elo_refuses():
    for call in (
        lambda: ev.Elo(["A"]),
        lambda: ev.Elo(["A", "B"], k=0),
        lambda: ev.Elo(["A", "B"]).record("A", "A"),
        lambda: ev.Elo(["A", "B"]).record("A", "Z"),
        lambda: ev.Elo(["A", "B"]).record("A", "B", 2),
    ):
        with pytest.raises(ValueError, match="expected"):
            call()


def test_multiple_choice_with_and_without_length():
    said = ev.choose(Uniform(257), ByteTokenizer(), "q", ["a", "abc", "äb"])
    assert said.total == pytest.approx(-math.log(257) * np.array([1, 3, 3]))
    assert said.per_token == pytest.approx(-math.log(257) * np.ones(3)) and said.per_byte == pytest.approx(said.per_token)
    assert said.best() == 0 and said.best("per_token") in (0, 1, 2)
    for options in (["a"], ["a", ""], "ab"):
        with pytest.raises(ValueError, match="two or more"):
            ev.choose(Uniform(257), ByteTokenizer(), "q", options)
    with pytest.raises(ValueError, match="one of"):
        said.best("luck")


def test_the_question_counts():
    t = ByteTokenizer()
    model = ngram.kneser_ney(ngram_counts.count_ngrams([[*b"qa", 256], [*b"rb", 256]] * 5, 2, 257))
    assert ev.choose(model, t, "q", ["a", "b"]).best() == 0 and ev.choose(model, t, "r", ["a", "b"]).best() == 1


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 3), max_size=8), min_size=1, max_size=4).filter(lambda d: any(d)),
    st.lists(st.integers(0, 3), max_size=10),
)
def test_longest_span_is_that_of_a_plain_search(documents, ids):
    assert ev.SpanIndex(documents).longest(ids) == ev.longest_span_plainly(documents, ids)


def test_spans_stay_within_a_document_and_need_documents():
    assert ev.SpanIndex([[1, 2], [3, 4]]).longest([1, 2, 3, 4]) == (0, 2)
    for documents in ([], [[]]):
        with pytest.raises(ValueError, match="at least one"):
            ev.SpanIndex(documents)
