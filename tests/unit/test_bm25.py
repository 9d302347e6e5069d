"""BM25: worked numbers, the rules of a search engine (no zeros, ties by number), and its bad input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.retrieval.bm25 import BM25, Hit, bm25_plainly, top_hits

TOY = [
    "the otter lives at the river",
    "a bank lends money",
    "the bank of the river is steep and the bank is wet",
    "otters eat fish",
]


def test_scores_by_hand():
    index = BM25().fit(TOY)
    np.testing.assert_allclose(np.maximum(index.scores("river bank"), 0), bm25_plainly("river bank", TOY), atol=1e-12)
    assert [h.index for h in index.search("river bank")] == [2, 1, 0]  # document 3 holds neither word: not found, not last


@given(
    st.lists(st.text("abc ", max_size=9), min_size=1, max_size=5), st.text("abcd ", max_size=5), st.floats(0, 3), st.floats(0, 1)
)
def test_the_index_scores_what_the_formula_says(docs, query, k1, b):
    if any(d.split() for d in docs):
        found = np.maximum(BM25(k1, b).fit(docs).scores(query), 0)  # -inf: holds no word of the query
        np.testing.assert_allclose(found, bm25_plainly(query, docs, k1, b), atol=1e-12)


def test_the_published_example():
    """15 documents, a word in 2 of them, once in one of 11 words, mean length 12.6: 1.789, or 1.969 with the positive idf."""
    rest = 15 * 12.6 - 11
    docs = ["word " + "x " * 10, "word " + "x " * 12, *["x " * n for n in (12, 13) * 6], "x " * int(rest - 13 - 25 * 6)]
    for kind, expected in (("okapi", 1.788604), ("okapi positive", 1.968801)):
        index = BM25(1.5, 0.75, idf_kind=kind).fit(docs)
        assert len(docs) == 15 and index.counts.sum() / 15 == pytest.approx(12.6)
        assert index.scores("word")[0] == pytest.approx(expected, abs=2e-6)


def test_a_word_in_most_documents_never_counts_against_one():
    docs = ["a b", "a c", "a d", "b"]
    assert BM25().fit(docs).scores("a")[0] > 0 > BM25(idf_kind="okapi").fit(docs).scores("a")[0]


def test_long_documents_are_marked_down_unless_b_is_0():
    docs = ["fish", "fish " + "and chips " * 20, "tea"]
    hits = BM25().fit(docs).search("fish")
    assert [h.index for h in hits] == [0, 1] and hits[0].score > 1.5 * hits[1].score
    flat = BM25(b=0).fit(docs).search("fish")
    assert flat[0].score == pytest.approx(flat[1].score) and [h.index for h in flat] == [0, 1]  # a tie goes by number


def test_repetition_saturates_and_a_repeated_query_word_counts_twice():
    index = BM25(b=0).fit(["cold", "cold " * 2, "cold " * 10, "warm"])
    one, two, ten, none = index.scores("cold")
    assert one < two < ten < one * 2.2 and none == -np.inf
    np.testing.assert_allclose(index.scores("cold cold")[:3], 2 * index.scores("cold")[:3])


def test_weigh_is_the_same_as_fitting_anew():
    index = BM25().fit(TOY).weigh(2.0, 0.3)
    np.testing.assert_array_equal(index.scores("river"), BM25(2.0, 0.3).fit(TOY).scores("river"))


def test_nothing_known_nothing_found_and_k_beyond_n():
    index = BM25().fit(TOY)
    assert index.search("submarine") == [] == index.search("")
    assert len(index.search("the", k=99)) == 2
    assert index.known("the blue river") == ["the", "river"]


def test_explain_adds_up():
    index = BM25().fit(TOY)
    parts = index.explain("river bank", 2)
    assert sum(s for _, s in parts) == pytest.approx(index.search("river bank")[0].score)


def test_bad_settings():
    for wrong in ({"k1": -1}, {"b": 1.5}):
        with pytest.raises(ValueError, match="expected k1 >= 0 and 0 <= b <= 1"):
            BM25(**wrong)
    with pytest.raises(ValueError, match="at least one text"):
        BM25().fit([])
    with pytest.raises(ValueError, match="k of at least 1"):
        BM25().fit(TOY).search("river", 0)


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=30), st.integers(1, 35))
def test_top_hits_are_a_stable_sort(values, k):
    scores = np.array(values, dtype=float)
    scores[scores == -3] = -np.inf
    order = [i for i in np.argsort(-scores, kind="stable") if scores[i] > -np.inf][:k]
    assert top_hits(scores, k) == [Hit(int(i), scores[i]) for i in order]


def test_the_explanation_adds_up_to_the_score():
    index = BM25().fit(["river bank", "the river", "tree house"])
    for query in ("river", "river river", "the river river bank"):
        assert sum(part for _, part in index.explain(query, 0)) == pytest.approx(index.scores(query)[0])
