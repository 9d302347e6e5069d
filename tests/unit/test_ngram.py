"""Counts and smoothings: exact worked numbers, every distribution sums to 1 (but the broken one), bad input."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.models import ngram, ngram_counts
from helpers.models.broken_backoff import BrokenBackoff
from helpers.models.language_model import LanguageModel

TOY = [[0, 1, 2, 3], [4, 0, 1, 2]]  # a b c d | e a b c
CORPORA = st.lists(st.lists(st.integers(0, 4), max_size=7), min_size=1, max_size=6).filter(lambda docs: any(docs))
SMOOTHINGS = {
    "laplace": ngram.laplace,
    "add-k": lambda c: ngram.add_k(c, 0.02),
    "interpolation": lambda c: ngram.interpolation(c, np.linspace(0.9, 0.4, c.order)),
    "absolute": ngram.absolute_discounting,
    "absolute, no unigram discount": lambda c: ngram.absolute_discounting(c, [0.0] + [0.6] * (c.order - 1)),
    "Kneser-Ney": lambda c: ngram.kneser_ney(c, 0.75),
    "modified": ngram.kneser_ney,
}


def naive_counts(documents, order, start):
    counts = Counter()
    for d in documents:
        row = [start] * (order - 1) + list(d)
        for end in range(order - 1, len(row)):
            for k in range(1, order + 1):
                counts[tuple(row[end - k + 1 : end + 1])] += 1
    return counts


# ------------------------------------------------------------------------------------------------------------- counts


@settings(max_examples=60, deadline=None)
@given(CORPORA, st.integers(1, 4))
def test_counts_are_those_of_a_dictionary(documents, order):
    counts, expected = ngram_counts.count_ngrams(documents, order, 5), naive_counts(documents, order, 5)
    assert counts.n_tokens == sum(map(len, documents)) and counts.n_documents == len(documents)
    for gram, n in expected.items():
        assert counts.gram_count(gram) == n
    different = [sum(len(g) == k for g in expected) for k in range(1, order + 1)]
    assert [int(np.count_nonzero(level.counts)) for level in counts.levels] == different
    for k in range(1, order):  # different left neighbors
        grams = [g for g in expected if len(g) == k + 1]
        for gram, n in Counter(g[1:] for g in grams).items():
            nodes = counts.nodes(gram[:-1])
            words, where = counts.following(k, nodes[-1])
            assert counts.levels[k - 1].continuations[where][np.flatnonzero(words == gram[-1])[0]] == n


def test_large_batches_are_located_as_small_ones_are():
    rng = np.random.default_rng(0)
    documents = [rng.integers(0, 50, size=int(n)) for n in rng.integers(0, 90, size=400)]
    model = ngram.kneser_ney(ngram_counts.count_ngrams(documents[:200], 3, 50))
    together = model.score_batch(documents)
    assert sum(map(len, documents)) > 10_000  # takes the sorted way
    for i in (0, 57, 210, 399):
        assert np.array_equal(together[i], model.score(documents[i]))


def test_documents_do_not_run_into_each_other():
    counts = ngram_counts.count_ngrams(TOY, 3, 5)
    assert counts.gram_count([3, 4]) == 0 and counts.gram_count([2, 3, 4]) == 0
    assert counts.gram_count([0, 1]) == counts.gram_count([0, 1, 2]) == 2 and counts.gram_count([2, 3]) == 1
    assert counts.gram_count([5, 5, 0]) == counts.gram_count([5, 4]) == 1  # 5 is the start symbol


def test_order_of_the_documents_does_not_matter():
    a, b = (ngram.kneser_ney(ngram_counts.count_ngrams(d, 3, 5)) for d in (TOY, TOY[::-1]))
    assert np.array_equal(a.score([0, 1, 2, 4]), b.score([0, 1, 2, 4]))


# ---------------------------------------------------------------------------------------------------- worked examples


def test_maximum_likelihood_is_a_share_of_counts():
    documents = [[0, 1]] * 50 + [[0, 2]] * 150
    model = ngram.maximum_likelihood(ngram_counts.count_ngrams(documents, 2, 4))
    p = np.exp(model.begin([0]).log_probs)
    assert p.tolist() == pytest.approx([0, 0.25, 0.75, 0]) and model.score([0, 3])[1] == -math.inf
    assert np.exp(model.begin([3]).log_probs).sum() == 0  # a context never seen: no distribution, as documented


def test_the_improper_backoff_sums_to_23_13():
    scores = np.exp(BrokenBackoff(ngram_counts.count_ngrams(TOY, 3, 5)).begin([0, 1]).log_probs)
    assert scores.tolist() == pytest.approx([3 / 13, 3 / 13, 1, 2 / 13, 2 / 13], abs=1e-15)
    assert scores.sum() == pytest.approx(23 / 13, abs=1e-15)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_the_improper_backoff_scores_as_it_shows(order):
    model = BrokenBackoff(ngram_counts.count_ngrams(TOY, 3, 5), order)
    for ids in ([0, 1, 2, 3], [3, 3, 0, 1, 4]):
        state, shown = model.begin(), []
        for i in ids:
            shown.append(state.fork().log_probs[i])
            state.advance(i)
        assert np.allclose(model.score(ids), shown, atol=1e-12)
    assert model.score_batch([]) == []


def test_laplace_and_absolute_discounting_by_hand():
    counts = ngram_counts.count_ngrams(TOY, 2, 5)
    assert np.exp(ngram.laplace(counts).begin([2]).log_probs).tolist() == pytest.approx([1 / 6, 1 / 6, 1 / 6, 2 / 6, 1 / 6])
    p = np.exp(ngram.absolute_discounting(counts, 0.5).begin([1]).log_probs)  # after b: c twice
    unigram = [(c - 0.5) / 8 + 0.5 * 5 / 8 / 5 for c in (2, 2, 2, 1, 1)]
    assert p.tolist() == pytest.approx([0.25 * u + (0.75 if w == 2 else 0) for w, u in enumerate(unigram)])


def test_kneser_ney_counts_neighbors_not_occurrences():
    documents = [[0, 1]] * 9 + [[2, 3], [1, 3], [0, 3]]  # 1 occurs often, but only after 0; 3 after three different ones
    counts = ngram_counts.count_ngrams(documents, 2, 4)
    lower = np.exp(ngram.kneser_ney(counts, [0.0, 0.75]).begin([3]).log_probs)  # nothing follows 3: only neighbors count
    start = 4  # 0, 1 and 2 also stand after the start symbol
    pairs = {(start, 0), (start, 2), (start, 1), (0, 1), (2, 3), (1, 3), (0, 3)}
    assert lower.tolist() == pytest.approx([sum(w == v for _, w in pairs) / len(pairs) for v in range(4)])


def test_modified_discounts_follow_the_formula():
    counts = np.array([1] * 100 + [2] * 40 + [3] * 25 + [4] * 18 + [9] * 7)
    y = 100 / 180
    assert ngram.discounts_of(counts) == pytest.approx((1 - 2 * y * 0.4, 2 - 3 * y * 25 / 40, 3 - 4 * y * 18 / 25))
    assert ngram.discounts_of(np.array([1, 1, 2])) == (0.5, 1.0, 1.5)  # too small to estimate
    assert ngram.discounts_of(np.repeat([1, 2, 3, 4], [2, 1000, 400, 300])) == (0.5, 1.0, 1.5)  # singletons were removed


# ----------------------------------------------------------------------------------------------------------- sum to 1


@settings(max_examples=25, deadline=None)
@given(CORPORA, st.integers(1, 4), st.lists(st.integers(0, 6), max_size=6))
def test_every_smoothing_sums_to_one_in_every_context(documents, order, context):
    counts = ngram_counts.count_ngrams(documents, order, 7)
    for name, build in SMOOTHINGS.items():
        model = build(counts)
        p = np.exp(model.begin(context).log_probs)
        assert p.shape == (7,) and p.min() >= 0 and abs(p.sum() - 1) < 1e-9, name
        follows = model.score([*context, 3])
        assert np.exp(follows[-1]) == pytest.approx(p[3], abs=1e-12), name
        assert isinstance(model, LanguageModel)


def test_a_lower_order_of_the_same_counts_is_the_model_of_that_order():
    rng = np.random.default_rng(3)
    documents = [rng.integers(0, 6, size=12) for _ in range(30)]
    high, low = ngram_counts.count_ngrams(documents, 4, 6), ngram_counts.count_ngrams(documents, 2, 6)
    for build in (ngram.kneser_ney, ngram.laplace, ngram.absolute_discounting):
        assert np.allclose(build(high, order=2).score(documents[0]), build(low).score(documents[0]), atol=1e-12)


def test_only_the_last_tokens_matter_and_a_fork_is_its_own():
    model = ngram.kneser_ney(ngram_counts.count_ngrams(TOY, 3, 5))
    long, short = model.begin([4, 3, 2, 1, 0, 0, 1]), model.begin([2, 0, 1])  # a context longer than the order is cut
    assert np.array_equal(long.log_probs, short.log_probs)
    twin = short.fork()
    twin.advance(2)
    assert short.context == (0, 1) and twin.context == (1, 2)
    assert not np.array_equal(short.log_probs, twin.log_probs)
    assert len(ngram.kneser_ney(ngram_counts.count_ngrams(TOY, 1, 5)).begin([1, 2]).context) == 0


def test_samples_follow_the_distribution():
    model, n = ngram.kneser_ney(ngram_counts.count_ngrams(TOY, 2, 5), 0.5), 20_000
    first = Counter(int(s[0]) if len(s) else 3 for s in model.sample_batch(n, end_id=3, max_tokens=1, rng=0))
    p = np.exp(model.begin().log_probs)
    for w in range(5):
        assert abs(first[w] / n - p[w]) < 4 * math.sqrt(p[w] / n), w
    texts = model.sample_batch(200, end_id=3, max_tokens=6, rng=1)
    assert len(texts) == 200 and max(map(len, texts)) <= 6 and all(3 not in t for t in texts)
    again = model.sample_batch(200, end_id=3, max_tokens=6, rng=1)
    assert all(np.array_equal(a, b) for a, b in zip(texts, again))


# ---------------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    "documents, order, size, expected",
    [
        ([], 2, 5, "empty corpus"),
        ([[]], 2, 5, "empty corpus"),
        ([[], []], 1, 5, "empty corpus"),
        (TOY, 0, 5, "order of 1 or more"),
        (TOY, -1, 5, "order of 1 or more"),
        (TOY, 1.5, 5, "order of 1 or more"),
        (TOY, 2, 0, "vocab_size"),
        ([[0, 5]], 2, 5, "from 0 to 4, got 5"),
        ([[0, -1]], 2, 5, "from 0 to 4, got -1"),
    ],
    ids=str,
)
def test_counting_refuses_what_cannot_be_counted(documents, order, size, expected):
    with pytest.raises(ValueError, match=expected):
        ngram_counts.count_ngrams(documents, order, size)


@pytest.mark.parametrize("documents", ["abc", [0, 1, 2], [[0.5, 1.0]], [["a", "b"]]], ids=str)
def test_counting_refuses_what_are_no_documents_of_ids(documents):
    with pytest.raises(TypeError, match="expected"):
        ngram_counts.count_ngrams(documents, 2, 5)


def test_empty_documents_among_others_count_as_nothing():
    with_empty, without = ngram_counts.count_ngrams([[], *TOY, []], 3, 5), ngram_counts.count_ngrams(TOY, 3, 5)
    assert all(np.array_equal(a.counts, b.counts) for a, b in zip(with_empty.levels, without.levels))
    assert [len(s) for s in ngram.kneser_ney(without).score_batch([[], [0, 1], []])] == [0, 2, 0]
    assert len(ngram.kneser_ney(without).score([])) == 0 and ngram.kneser_ney(without).score_batch([]) == []


def test_models_refuse_unknown_ids_and_settings():
    counts = ngram_counts.count_ngrams(TOY, 3, 5)
    model = ngram.kneser_ney(counts)
    for call in (
        lambda: model.score([0, 5]),
        lambda: model.begin([5]),
        lambda: model.begin().advance(5),
        lambda: model.begin().advance(-1),
        lambda: model.sample_batch(1, end_id=9),
        lambda: BrokenBackoff(counts).begin([7]),
        lambda: counts.gram_count([9]),
    ):
        with pytest.raises(ValueError, match="from 0 to"):
            call()
    for call, expected in [
        (lambda: ngram.kneser_ney(counts, order=4), "order from 1 to 3"),
        (lambda: ngram.laplace(counts, order=0), "order from 1 to 3"),
        (lambda: BrokenBackoff(counts, order=4), "order from 1 to 3"),
        (lambda: ngram.add_k(counts, 0), "k > 0"),
        (lambda: ngram.kneser_ney(counts, 1.2), "from 0 to 1"),
        (lambda: ngram.absolute_discounting(counts, [0.5, 0.5]), "3 discount"),
        (lambda: ngram.interpolation(counts, [0.5, 0.5, -0.1]), "from 0 to 1"),
        (lambda: counts.gram_count([0, 1, 2, 3]), "1 to 3 tokens"),
        (lambda: counts.gram_count([]), "1 to 3 tokens"),
    ]:
        with pytest.raises(ValueError, match=expected):
            call()
