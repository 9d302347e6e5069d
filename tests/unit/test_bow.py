"""helpers.features.bag_of_words, term_weights, hashing, naive_bayes, topics: worked numbers, properties, bad input."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from helpers.features import bag_of_words, clustering, hashing, sorting, tfidf, words
from helpers.features.tfidf import document_frequency, idf, saturate, unit_rows
from helpers.models.lbfgs import minimize
from helpers.models.logistic import SoftmaxRegression
from helpers.models.naive_bayes import NaiveBayes

NOTES = [
    "The rain falls and the wind blows.",
    "The wind brings clouds.",
    "Rain and snow and rain!",
    "The sun melts the ice.",
    "She plays the piano.",
    "The band plays a loud song.",
    "A loud piano and a drum.",
    "The cook bakes bread.",
    "She bakes a cake and bread.",
    "The cook salts the soup and the bread.",
]
texts = st.lists(st.text(alphabet="ab cé1!", max_size=15), min_size=1, max_size=6)


# ------------------------------------------------------------------------------------------------ worked examples


def test_the_sparsity_of_ten_notes_and_26_words():
    v = bag_of_words.CountVectorizer(binary=True)
    X = v.fit_transform(NOTES)
    assert X.shape == (10, 26) and X.nnz == 48 and X.dtype == np.int64
    assert X.shape[0] * X.shape[1] - X.nnz == 212 and abs(212 / 260 - 0.815) < 5e-4


def test_a_binary_row_is_the_clipped_sum_of_one_hot_rows():
    v = bag_of_words.CountVectorizer(binary=True)
    v.fit(NOTES)
    words = ["rain", "wind", "bread", "song", "drum"]
    row = v.transform([" ".join(words + ["rain"])]).toarray()
    assert row.sum() == 5
    assert (row == np.minimum(v.transform(words).toarray().sum(axis=0), 1)).all()


def test_three_of_four_words_unknown_leave_one_entry():
    v = bag_of_words.CountVectorizer().fit(NOTES)
    assert v.transform(["robots compose loud symphonies"]).nnz == 1


def test_order_is_lost_by_words_and_kept_by_pairs():
    same = ["dog bites man", "man bites dog"]
    one, two = (bag_of_words.CountVectorizer(grams=grams).fit_transform(same).toarray() for grams in ((1, 1), (1, 2)))
    assert (one[0] == one[1]).all() and not (two[0] == two[1]).all()


@pytest.mark.parametrize(
    "kind, b, expected_idf, expected",
    [
        ("okapi", 0.75, math.log(13.5 / 2.5), 1.788604),
        ("okapi positive", 0.75, math.log(1 + 13.5 / 2.5), 1.968801),
        ("okapi", 0.0, math.log(13.5 / 2.5), 1.686399),
    ],
)
def test_the_bm25_score_of_the_worked_example(kind, b, expected_idf, expected):
    # 15 documents of mean length 12.6; the first has 11 words, one of them the query's; the other document with it is any
    lengths = [11, *[12] * 7, *[14] * 6, 10]
    assert sum(lengths) / 15 == pytest.approx(12.6, abs=0.07)
    lengths[-1] += round(12.6 * 15) - sum(lengths)
    assert sum(lengths) == 189
    X = np.zeros((15, 2))
    X[:, 1] = lengths
    X[0, 0] = X[1, 0] = 1
    X[0, 1] -= 1
    X[1, 1] -= 1
    weight = idf(document_frequency(X)[:1], 15, kind)[0]
    score = weight * saturate(X, k1=1.5, b=b).toarray()[0, 0]
    assert weight == pytest.approx(expected_idf, rel=1e-12)
    assert score == pytest.approx(expected, abs=1.5e-6)
    assert score == pytest.approx(expected_idf * 2.5 / (1 + 1.5 * (1 - b + b * 11 / 12.6)), rel=1e-12)


def test_class_tfidf_is_the_formula():
    counts = np.array([[4.0, 0, 1], [1, 3, 0], [2, 2, 2]])
    got = clustering.class_tfidf(counts, np.array([0, 1, 1]))
    merged = np.array([counts[0], counts[1] + counts[2]])
    tf, f, A = merged / merged.sum(axis=1, keepdims=True), merged.sum(axis=0), merged.sum() / 2
    np.testing.assert_allclose(got, tf * np.log(1 + A / f), rtol=1e-12)


def test_class_tfidf_leaves_noise_out():
    counts = np.array([[4.0, 0], [1, 3], [9, 9]])
    without = clustering.class_tfidf(counts[:2], np.array([0, 1]))
    np.testing.assert_array_equal(clustering.class_tfidf(counts, np.array([0, 1, -1])), without)


def test_buckets_are_those_of_the_published_hash():
    """MurmurHash3_x86_32 with seed 0: "test" is 0xBA6BD213 and negative, "Hello, world!" is 0xC0363E43."""
    for term, value in (("test", 0xBA6BD213), ("Hello, world!", 0xC0363E43), ("", 0)):
        signed = value - 2**32 if value >> 31 else value
        assert hashing.bucket(term, 1000) == (abs(signed) % 1000, 1 if signed >= 0 else -1)


# ----------------------------------------------------------------------------------------------------- properties


@given(texts, st.integers(1, 3), st.integers(0, 2), st.sampled_from(["word", "char"]))
def test_fit_transform_and_transform_agree_and_count_every_ngram(rows, low, more, unit):
    v = bag_of_words.CountVectorizer(grams=(low, low + more), unit=unit)
    joint = " " if unit == "word" else ""
    expected = [words.ngrams(v.units(row), low, low + more, joint) for row in rows]
    if not any(expected):
        with pytest.raises(ValueError, match="at least one n-gram"):
            v.fit_transform(rows)
        return
    X = v.fit_transform(rows)
    assert abs(X - v.transform(rows)).max() == 0
    for grams, counts in zip(expected, X.toarray()):
        assert {g: grams.count(g) for g in grams} == {v.vocabulary.words[j]: c for j, c in enumerate(counts) if c}


@given(texts, st.integers(1, 2), st.integers(0, 1))
def test_fast_counts_are_those_of_the_definition(rows, low, more):
    columns, counts = bag_of_words.count_plainly(rows, low, low + more)
    if columns:
        v = bag_of_words.CountVectorizer(grams=(low, low + more))
        assert v.fit_transform(rows).toarray().tolist() == counts.tolist() and v.vocabulary.words == columns


@given(st.lists(st.integers(0, 5), max_size=20), st.booleans())
def test_numbering_keys_is_that_of_numpy(keys, huge):
    keys = np.array(keys, dtype=np.int64) * (2**58 if huge else 1)
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    _, *got = sorting.distinct(keys)
    assert (got[0] == first).all() and (got[1] == inverse).all()


@given(texts)
def test_columns_fall_in_count_and_ties_are_alphabetical(rows):
    if not any(words.tokenize(row) for row in rows):
        return
    v = bag_of_words.CountVectorizer().fit(rows)
    keys = [(-count, word) for word, count in zip(v.vocabulary.words, v.vocabulary.counts)]
    assert keys == sorted(keys)


@given(st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=1, max_size=5))
def test_cosines_lie_between_0_and_1_and_zero_rows_give_0(rows):
    X = np.array(rows)
    C = tfidf.cosine(X, sparse.csr_matrix(X))
    assert (C >= 0).all() and (C <= 1 + 1e-12).all()
    np.testing.assert_allclose(np.diag(C), X.any(axis=1).astype(float))
    np.testing.assert_allclose(C, tfidf.cosine(7 * X, X), atol=1e-12)


def test_rows_have_length_1_or_0():
    v = bag_of_words.TfidfVectorizer().fit(NOTES)
    norms = sparse.linalg.norm(v.transform([*NOTES, "qqq zzz"]), axis=1)
    np.testing.assert_allclose(norms, [1.0] * 10 + [0.0])
    assert unit_rows(np.zeros((2, 3))).sum() == 0


def test_naive_bayes_probabilities_sum_to_1():
    X = bag_of_words.CountVectorizer().fit_transform(NOTES)
    y = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 2])
    model = NaiveBayes().fit(X, y)
    np.testing.assert_allclose(np.exp(model.log_likelihood).sum(axis=0), 1)
    np.testing.assert_allclose(model.probabilities(X).sum(axis=1), 1)
    assert (model.predict(X) == y).all() and model.n_parameters == 26 * 3 + 3


def test_vocabulary_round_trip_and_unknown_words():
    lists = [words.tokenize(note) for note in NOTES]
    v = words.Vocabulary.build(lists, max_size=5, unknown="<unk>")
    assert len(v) == 6 and v.words[0] == "the" and "the" in v and "soup" not in v
    assert v.counts.sum() == sum(map(len, lists))
    assert v.decode(v.encode(["the", "soup"])) == ["the", "<unk>"]
    assert words.Vocabulary.build(lists).encode(["the", "unicorn"]) == [0]


def test_hashed_rows_need_no_fit_and_signs_cancel_on_average():
    h = hashing.HashingVectorizer(64, unit_length=False)
    assert h.transform(["new words only", "!!!"]).toarray()[1].sum() == 0
    signs = [hashing.bucket(f"word{i}", 64)[1] for i in range(2000)]
    assert abs(np.mean(signs)) < 0.1
    assert hashing.collision_share(["a", "b", "a"], 2**20) == 0 and hashing.collision_share("ab", 1) == 1


def test_k_means_finds_separate_groups_and_an_empty_cluster_does_no_harm():
    X = np.array([[1, 0.0], [0.9, 0.1], [0, 1], [0.1, 1]])
    run = clustering.k_means(X, 2, start=np.array([0, 2]))
    assert run.labels.tolist() == [0, 0, 1, 1]
    doubled = clustering.k_means(np.array([[1.0, 0], [1, 0], [0, 1]]), 2, start=np.array([0, 1]))
    assert np.isfinite(doubled.centers).all()


def test_quasi_newton_finds_the_minimum_of_a_bowl():
    scale = np.array([1.0, 10, 100])
    theta, losses = minimize(lambda t: (float((scale * (t - 3) ** 2).sum()), 2 * scale * (t - 3)), np.zeros(3))
    np.testing.assert_allclose(theta, 3, atol=1e-6)
    assert all(b <= a for a, b in zip(losses, losses[1:]))


def test_sparse_and_dense_softmax_regression_agree():
    X, y = bag_of_words.TfidfVectorizer().fit_transform(NOTES), np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 2])
    a, b = SoftmaxRegression(l2=0.01).fit(X, y), SoftmaxRegression(l2=0.01).fit(X.toarray(), y)
    np.testing.assert_allclose(a.weights, b.weights, atol=1e-5)


# ------------------------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    "settings, problem",
    [
        ({"grams": (0, 1)}, "low <= high"),
        ({"grams": (2, 1)}, "low <= high"),
        ({"unit": "syllable"}, "word"),
        ({"min_df": 0}, "min_df"),
        ({"max_df": 1.5}, "max_df"),
        ({"max_features": 0}, "max_features"),
    ],
)
def test_bad_settings(settings, problem):
    with pytest.raises(ValueError, match=problem):
        bag_of_words.CountVectorizer(**settings)


def test_an_ngram_range_must_be_two_whole_numbers():
    for bad in (2, (1,), (1.0, 2), "12"):
        with pytest.raises(TypeError, match="two whole numbers"):
            bag_of_words.CountVectorizer(grams=bad)


@pytest.mark.parametrize(
    "rows, problem",
    [
        ([], "at least one text"),
        (["", "  "], "at least one n-gram"),
        (["the of", "and the"], "at least one n-gram"),
    ],
)
def test_empty_corpora_and_texts_of_stop_words_only(rows, problem):
    with pytest.raises(ValueError, match=problem):
        bag_of_words.CountVectorizer(stop_words=["the", "of", "and"]).fit(rows)


def test_a_stop_word_text_among_others_gives_a_zero_row_and_cosine_0():
    v = bag_of_words.TfidfVectorizer(stop_words=["the", "of"])
    X = v.fit_transform(["the of the", "rain and snow"])
    assert X[0].nnz == 0 and tfidf.cosine(X, X)[0].tolist() == [0, 0]


def test_texts_must_be_a_list_of_strings():
    v = bag_of_words.CountVectorizer().fit(NOTES)
    for method in (v.transform, hashing.HashingVectorizer(8).transform):
        with pytest.raises(TypeError, match="one string"):
            method("a single text")
        with pytest.raises(TypeError, match="texts\\[1\\]"):
            method(["a", None])
    with pytest.raises(TypeError, match="one text"):
        words.tokenize(["a"])
    with pytest.raises(ValueError, match="fit"):
        bag_of_words.CountVectorizer().transform(["a"])


def test_a_class_without_examples_is_never_predicted():
    X, y = bag_of_words.CountVectorizer().fit_transform(NOTES), np.array([0, 0, 0, 0, 2, 2, 2, 2, 2, 2])
    model = NaiveBayes().fit(X, y, n_classes=4)
    assert set(model.predict(X)) <= {0, 2}
    P = model.probabilities(X)
    assert (P[:, [1, 3]] == 0).all() and np.isfinite(P).all()


def test_naive_bayes_without_smoothing_and_with_unknown_words():
    X, y = np.array([[2, 0, 0], [0, 3, 0]]), np.array([0, 1])
    model = NaiveBayes(alpha=0).fit(X, y)
    np.testing.assert_allclose(model.probabilities(np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0]])), [[1, 0], [0.5, 0.5], [0.5, 0.5]])
    with pytest.raises(ValueError, match="alpha"):
        NaiveBayes(alpha=0).fit(np.array([[1, 0], [0, 0]]), y)


@pytest.mark.parametrize(
    "X, y, problem",
    [
        ([[1, -1]], [0], ">= 0"),
        ([[1, 1]], [0, 1], "one label per row"),
        ([[1, 1]], [-1], "class numbers"),
        ([[1.0, np.nan]], [0], "finite"),
    ],
)
def test_naive_bayes_refuses(X, y, problem):
    with pytest.raises(ValueError, match=problem):
        NaiveBayes().fit(np.array(X), np.array(y))


def test_other_refusals():
    with pytest.raises(ValueError, match="one length"):
        tfidf.cosine(np.ones((1, 2)), np.ones((1, 3)))
    with pytest.raises(ValueError, match="kind"):
        idf(np.array([1]), 2, "odd")
    with pytest.raises(ValueError, match="0 <= df <= n"):
        idf(np.array([3]), 2)
    with pytest.raises(ValueError, match="k1"):
        saturate(np.ones((1, 1)), k1=-1)
    with pytest.raises(ValueError, match="clusters"):
        clustering.k_means(np.ones((2, 2)), 3)
    with pytest.raises(ValueError, match="noise"):
        clustering.class_tfidf(np.ones((2, 2)), np.array([-1, -1]))
    with pytest.raises(ValueError, match="n_features"):
        hashing.HashingVectorizer(0)
    with pytest.raises(ValueError, match="at least one word"):
        words.Vocabulary.build([[], []])
    with pytest.raises(TypeError, match="tokenized"):
        words.Vocabulary.build(["not tokenized"])
    with pytest.raises(ValueError, match="0..0"):
        words.Vocabulary(["a"], [1]).decode([1])
