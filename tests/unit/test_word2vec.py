"""Word vectors: the worked numbers of chapter 04, properties, bad input, and that training learns what it should."""

from collections import namedtuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.evaluation import ranking, word_similarity
from helpers.features import bag_of_words, cooccurrence
from helpers.models import contrastive, word2vec_losses, word_vectors
from helpers.models import word2vec as w
from helpers.models.descent import numeric_gradient

Pair = namedtuple("Pair", "first second score")
Question = namedtuple("Question", "a b c d section")
ARCHITECTURES = ["skip-gram", "cbow"]


def tables(V=7, d=4, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(V, d)), rng.normal(size=(V, d))


def two_groups(n=300, seed=0):
    """Texts that draw their words from one of two groups of six: words of one group must end up together."""
    rng = np.random.default_rng(seed)
    groups = [[f"{g}{i}" for i in range(6)] for g in "ab"]
    return [list(rng.choice(groups[i % 2], 8)) for i in range(n)]


# ------------------------------------------------------------------------------------------- pairs and probabilities


@pytest.mark.parametrize("n, count", [(2, 2), (3, 6), (5, 14), (10, 34)])
def test_number_of_pairs_with_two_words_each_side(n, count):
    assert len(word2vec_losses.skipgram_pairs(range(n), 2)) == count


def test_pairs_of_one_center_in_reading_order():
    pairs = word2vec_losses.skipgram_pairs([10, 11, 12, 13, 14], 2)
    assert pairs[pairs[:, 0] == 12].tolist() == [[12, 10], [12, 11], [12, 13], [12, 14]]
    assert word2vec_losses.skipgram_pairs([5], 2).shape == (0, 2)
    assert word2vec_losses.skipgram_pairs([1, 2, 3], 2, widths=[2, 1, 1]).tolist() == [[1, 2], [1, 3], [2, 1], [2, 3], [3, 2]]


@given(st.lists(st.integers(0, 5), max_size=12), st.integers(1, 6))
@settings(max_examples=50, deadline=None)
def test_pairs_are_symmetric(ids, window):
    pairs = word2vec_losses.skipgram_pairs(ids, window).tolist()
    assert sorted(pairs) == sorted([b, a] for a, b in pairs)


def test_keep_probability():
    keep = word2vec_losses.keep_probability(np.array([900.0, 99.0, 1.0]), 0.01)
    f = np.array([0.9, 0.099, 0.001])
    assert keep == pytest.approx(np.minimum(1, np.sqrt(0.01 / f) + 0.01 / f), rel=1e-12)
    assert keep[2] == 1 and (word2vec_losses.keep_probability(np.array([3.0, 1.0]), 0) == 1).all()


@pytest.mark.parametrize("power, expected", [(1, [16 / 17, 1 / 17]), (0, [0.5, 0.5]), (0.75, [8 / 9, 1 / 9])])
def test_noise_distribution(power, expected):
    assert word2vec_losses.noise_distribution(np.array([16.0, 1.0]), power) == pytest.approx(expected, rel=1e-12)


# ------------------------------------------------------------------------------------------------------------ losses


@pytest.mark.parametrize("k", [1, 5, 20])
def test_loss_of_all_zero_vectors(k):
    """Worked example: (k + 1) ln 2; k = 5 -> 4.158883."""
    zero = np.zeros((6, 3))
    skipgram = word2vec_losses.negative_sampling_loss(zero, zero, [[0, 1], [2, 3]], np.zeros((2, k), dtype=int)).loss
    cbow = word2vec_losses.cbow_loss(zero, zero, [[1, 2]], [0], np.zeros((1, k), dtype=int)).loss
    assert [skipgram, cbow] == pytest.approx([(k + 1) * np.log(2)] * 2, rel=1e-12)


def test_softmax_loss_of_zero_vectors_is_ln_v():
    assert word2vec_losses.skipgram_softmax_loss(np.zeros((9, 2)), np.zeros((9, 2)), [[0, 1]]).loss == pytest.approx(np.log(9))


def both_by_nudging(f, E, U):
    dE = numeric_gradient(lambda x: f(x.reshape(E.shape), U).loss, E.ravel()).reshape(E.shape)
    dU = numeric_gradient(lambda x: f(E, x.reshape(U.shape)).loss, U.ravel()).reshape(U.shape)
    return dE, dU


@pytest.mark.parametrize("name", ["softmax", "negative sampling", "cbow"])
def test_gradients_by_nudging(name):
    E, U = tables()
    pairs, negatives = np.array([[0, 1], [0, 2], [3, 1]]), np.array([[4, 4], [1, 5], [6, 3]])  # with repeated words
    f = {
        "softmax": lambda E, U: word2vec_losses.skipgram_softmax_loss(E, U, pairs),
        "negative sampling": lambda E, U: word2vec_losses.negative_sampling_loss(E, U, pairs, negatives),
        "cbow": lambda E, U: word2vec_losses.cbow_loss(E, U, [[1, 2], [0, 0, 5], [6]], [0, 3, 3], negatives),
    }[name]
    ours = f(E, U)
    dE, dU = both_by_nudging(f, E, U)
    assert ours.dE == pytest.approx(dE, abs=1e-8) and ours.dU == pytest.approx(dU, abs=1e-8)


def dense_update(model, batch, E, U, rate):
    """What one update of the fast trainer should do, pair by pair in float64."""
    k, K = model.negatives, batch.noise.shape[1]
    dE, dU = np.zeros_like(E), np.zeros_like(U)
    for block, around, near, noise in zip(*batch):
        for i, c in enumerate(block):
            contexts = around[near[i]]
            if model.architecture == "skip-gram":
                for o in contexts:
                    for word, y, weight in [(o, 1, 1.0), *((n, 0, k / K) for n in noise)]:
                        error = weight * (y - 1 / (1 + np.exp(-E[c] @ U[word])))
                        dE[c] += error * U[word]
                        dU[word] += error * E[c]
            elif len(contexts):
                h = E[contexts].mean(axis=0)
                for word, y, weight in [(c, 1, 1.0), *((n, 0, k / K) for n in noise)]:
                    error = weight * (y - 1 / (1 + np.exp(-U[word] @ h)))
                    np.add.at(dE, contexts, error * U[word] / len(contexts))
                    dU[word] += error * h
    return E + rate * dE, U + rate * dU


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_fast_update_is_the_sum_over_all_pairs(architecture):
    texts = two_groups(12)
    model = w.Word2Vec(dim=6, window=3, negatives=4, architecture=architecture, min_count=1, sample=0)
    model.BLOCKS, model.BOUND = 2, np.inf
    model.fit(texts, epochs=1)
    ids, text_of = cooccurrence.flatten(texts, model.vocabulary)
    batch, _ = next(model._batches(ids, text_of, np.random.default_rng(1)))
    model.inputs, model.outputs = (t.astype(np.float64) for t in tables(len(model.vocabulary), 6))
    E, U = dense_update(model, batch, model.inputs.copy(), model.outputs.copy(), 0.01)
    (model._skipgram if architecture == "skip-gram" else model._cbow)(batch, 0.01, False)
    assert model.inputs == pytest.approx(E, abs=1e-6) and model.outputs == pytest.approx(U, abs=1e-6)


def test_batches_hold_exactly_the_pairs_of_the_texts():
    texts = [["a", "b", "c", "d"], ["e"], ["f", "g"], list("abcdefghij" * 8)]
    model = w.Word2Vec(window=3, min_count=1, sample=0, dim=2).fit(texts, epochs=1)
    ids, text_of = cooccurrence.flatten(texts, model.vocabulary)
    model.window = 1  # width 1 for every center: no chance is left
    found = [
        (c, o)
        for batch, _ in model._batches(ids, text_of, np.random.default_rng(0))
        for block, around, near, _ in zip(*batch)
        for i, c in enumerate(block)
        for o in around[near[i]]
    ]
    expected = [tuple(p) for t in texts for p in word2vec_losses.skipgram_pairs(model.vocabulary.encode(t), 1).tolist()]
    assert sorted(found) == sorted(expected)


# ---------------------------------------------------------------------------------------------------------- training


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_training_puts_words_of_one_group_together(architecture):
    model = w.Word2Vec(dim=8, window=3, min_count=1, sample=0, architecture=architecture).fit(two_groups(), epochs=10, rate=0.1)
    unit = model.vectors.unit
    group = np.array([word[0] == "a" for word in model.vectors.words])
    same = group[:, None] == group
    cosines = unit @ unit.T
    assert cosines[same].min() > cosines[~same].max()
    assert model.losses[0][1] == pytest.approx(6 * np.log(2), abs=0.05) and model.losses[-1][1] < 3.6


def test_a_seed_fixes_everything():
    a, b = (w.Word2Vec(dim=5, min_count=1, seed=3).fit(two_groups(50), epochs=2) for _ in range(2))
    c = w.Word2Vec(dim=5, min_count=1, seed=4).fit(two_groups(50), epochs=2)
    assert np.array_equal(a.inputs, b.inputs) and not np.array_equal(a.inputs, c.inputs)


@pytest.mark.parametrize("rate", [0.025, 1.0, 50.0])
def test_no_rate_makes_the_vectors_infinite(rate):
    model = w.Word2Vec(dim=5, min_count=1, sample=0).fit(two_groups(100), epochs=3, rate=rate)
    assert np.isfinite(model.inputs).all() and np.isfinite(model.outputs).all()


def test_an_interrupted_training_keeps_what_it_has():
    def stop_after_three(steps, label, total):
        assert label == "training" and total == len(steps)
        for step in steps:
            if step == 3:
                raise KeyboardInterrupt
            yield step

    model = w.Word2Vec(dim=5, min_count=1)
    with pytest.raises(KeyboardInterrupt):
        model.fit(two_groups(2000), progress=stop_after_three)
    assert np.abs(model.outputs).max() > 0 and len(model.vectors) == 12


@pytest.mark.parametrize("setting", ["dim", "window", "negatives", "min_count"])
def test_settings_below_one_are_refused(setting):
    with pytest.raises(ValueError, match=f"expected {setting} >= 1, got 0"):
        w.Word2Vec(**{setting: 0})
    with pytest.raises(TypeError, match="whole number"):
        w.Word2Vec(**{setting: 2.5})


def test_other_bad_settings_are_refused():
    with pytest.raises(ValueError, match="skip-gram, cbow"):
        w.Word2Vec(architecture="glove")
    with pytest.raises(ValueError, match="sample >= 0"):
        w.Word2Vec(sample=-1)
    with pytest.raises(ValueError, match="epochs >= 1"):
        w.Word2Vec().fit([["a", "b"]], epochs=0)
    with pytest.raises(ValueError, match="rate > 0"):
        w.Word2Vec().fit([["a", "b"]], rate=0)
    with pytest.raises(ValueError, match="window >= 1"):
        word2vec_losses.skipgram_pairs([1, 2], 0)


@pytest.mark.parametrize(
    "texts, says",
    [
        ([], "at least one word"),
        ([[]], "at least one word"),
        ([["a"], ["b"]], "side by side"),
        ([["a", "a", "a"]], "1 word"),
        ([["a"]], "side by side"),
        ([["x", "y"]] * 1, "at least one word"),
    ],
)
def test_corpora_without_pairs_are_refused(texts, says):
    with pytest.raises(ValueError, match=says):
        w.Word2Vec(min_count=2 if texts == [["x", "y"]] else 1).fit(texts)


def test_untokenized_texts_are_refused():
    with pytest.raises(TypeError, match="tokenize"):
        w.Word2Vec().fit(["a text", "another one"])


@pytest.mark.parametrize("pairs", [[], [[0, 1, 2]], [[0, 7]], [[-1, 0]]])
def test_bad_pairs_are_refused(pairs):
    with pytest.raises(ValueError, match="expected"):
        word2vec_losses.skipgram_softmax_loss(*tables(), pairs)


@pytest.mark.parametrize("counts", [[], [0, 0], [-1, 2], [np.nan]])
def test_bad_counts_are_refused(counts):
    with pytest.raises(ValueError, match="counts >= 0"):
        word2vec_losses.noise_distribution(np.array(counts, dtype=float))


def test_cbow_without_context_is_refused():
    with pytest.raises(ValueError, match="at least one context word"):
        word2vec_losses.cbow_loss(*tables(), [[]], [0], np.zeros((1, 2), dtype=int))


# ---------------------------------------------------------------------------------------------------------- counting


def test_cooccurrence_counts_by_hand():
    texts = [["a", "b", "c"], ["c", "a"]]
    vocabulary = bag_of_words.Vocabulary.build(texts)  # a 2, c 2, b 1
    assert vocabulary.words == ["a", "c", "b"]
    assert cooccurrence.cooccurrence(texts, vocabulary, 1).toarray().tolist() == [[0, 1, 1], [1, 0, 1], [1, 1, 0]]
    assert cooccurrence.cooccurrence(texts, vocabulary, 2).toarray().tolist() == [[0, 2, 1], [2, 0, 1], [1, 1, 0]]
    assert cooccurrence.cooccurrence(texts, vocabulary, 2, weighted=True).toarray()[0].tolist() == [0, 1.5, 1]


@pytest.mark.parametrize("window", [1, 2, 5])
def test_cooccurrence_is_the_number_of_pairs(window):
    texts = two_groups(20)
    vocabulary = bag_of_words.Vocabulary.build(texts)
    expected = np.zeros((12, 12))
    for text in texts:
        np.add.at(expected, tuple(word2vec_losses.skipgram_pairs(vocabulary.encode(text), window).T), 1)
    assert np.array_equal(cooccurrence.cooccurrence(texts, vocabulary, window).toarray(), expected)


def test_counting_refuses_what_it_cannot_count():
    vocabulary = bag_of_words.Vocabulary.build([["a", "b"]])
    with pytest.raises(ValueError, match="window >= 1"):
        cooccurrence.cooccurrence([["a", "b"]], vocabulary, 0)
    for texts in ([], [["a"]], [["x", "y"]]):
        with pytest.raises(ValueError, match="side by side"):
            cooccurrence.cooccurrence(texts, vocabulary, 2)
    with pytest.raises(ValueError, match="not all zero"):
        cooccurrence.ppmi(np.zeros((3, 3)))


def test_ppmi_of_independent_words_is_empty():
    assert cooccurrence.ppmi(np.outer([1, 2, 3], [4, 5, 6])).toarray() == pytest.approx(np.zeros((3, 3)), abs=1e-12)


def test_truncated_svd_refuses_bad_sizes():
    for dim in (0, 4):
        with pytest.raises(ValueError, match="1 <= dim <= 3"):
            cooccurrence.truncated_svd(np.eye(5, 3), dim)


# ----------------------------------------------------------------------------------------------------- finished vectors


def square():
    return word_vectors.WordVectors(["north", "east", "south", "northeast"], np.array([[0, 1.0], [2, 0], [0, -3], [5, 5]]))


def test_neighbors_by_cosine_not_by_length():
    found = square().neighbors("north", 3)
    assert [n.word for n in found] == ["northeast", "east", "south"]
    assert [n.cosine for n in found] == pytest.approx([np.sqrt(0.5), 0, -1])
    assert [n.word for n in square().neighbors(np.array([1.0, 0]), 1)] == ["east"]
    assert len(square().neighbors("north", 100)) == 3


def test_analogy_with_and_without_the_query_words():
    vectors = word_vectors.WordVectors(
        ["man", "woman", "king", "queen", "tree"], np.array([[1, 0, 0.2], [1, 1, 0.2], [1, 0, 2], [1, 0.6, 2], [-1, 0, 0.1]])
    )
    assert vectors.analogy("man", "woman", "king", 1)[0].word == "queen"
    assert vectors.analogy("man", "woman", "king", 5, exclude_query=False)[0].word in ("king", "woman", "queen")
    questions = [Question("Man", "Woman", "King", "Queen", "family"), Question("man", "woman", "king", "duchess", "family")]
    scores = word_similarity.analogy_accuracy(vectors, questions)
    assert scores["family"] == scores["all"] == (1, 1, 2)


def test_analogy_accuracy_agrees_with_single_questions():
    rng = np.random.default_rng(0)
    vectors = word_vectors.WordVectors([f"w{i}" for i in range(40)], rng.normal(size=(40, 5)))
    questions = [Question(*(f"w{i}" for i in rng.choice(40, 4, replace=False)), "s") for _ in range(300)]
    for exclude in (True, False):
        one_by_one = sum(vectors.analogy(q.a, q.b, q.c, 1, exclude)[0].word == q.d for q in questions)
        assert word_similarity.analogy_accuracy(vectors, questions, exclude_query=exclude)["all"].right == one_by_one


def test_unknown_words_and_bad_tables_are_refused():
    with pytest.raises(ValueError, match="close to it: north"):
        square().neighbors("nort")
    with pytest.raises(ValueError, match="k >= 1"):
        square().neighbors("north", 0)
    with pytest.raises(ValueError, match="2 numbers"):
        square().neighbors(np.zeros(3))
    for words, table in ([], np.zeros((0, 2))), (["a"], np.zeros((2, 2))), (["a", "a"], np.zeros((2, 2))):
        with pytest.raises(ValueError, match="expected"):
            word_vectors.WordVectors(words, table)


def test_a_zero_vector_has_cosine_zero():
    vectors = word_vectors.WordVectors(["nothing", "something"], np.array([[0.0, 0], [1, 1]]))
    assert vectors.similarity("nothing", "something") == 0 and np.isfinite(vectors.unit).all()


def test_spearman():
    assert word_similarity.spearman([30, 10, 20, 10], [4, 1.5, 3, 1.5]) == pytest.approx(1)  # ties share their mean rank
    x = np.array([0.1, 0.5, 0.2, 0.9])
    assert word_similarity.spearman(x, np.exp(5 * x)) == pytest.approx(1) and word_similarity.spearman(x, -x) == pytest.approx(-1)
    assert np.isnan(word_similarity.spearman([1, 1, 1], [1, 2, 3]))
    with pytest.raises(ValueError, match="length >= 2"):
        word_similarity.spearman([1], [1])


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=2, max_size=20))
@settings(max_examples=50, deadline=None)
def test_spearman_ignores_rising_maps(pairs):
    x, y = np.array(pairs).T
    a, b = word_similarity.spearman(x, y), word_similarity.spearman(x.astype(float) ** 3 + x, y)
    assert (np.isnan(a) and np.isnan(b)) or a == pytest.approx(b)


def test_evaluate_pairs():
    score = word_similarity.evaluate_pairs(
        square(), [Pair("North", "northeast", 9), Pair("north", "east", 5), Pair("north", "south", 1), Pair("north", "zenith", 8)]
    )
    assert score.rho == pytest.approx(1) and (score.used, score.total) == (3, 4)
    with pytest.raises(ValueError, match="got 0 of 1"):
        word_similarity.evaluate_pairs(square(), [Pair("a", "b", 1)])


def test_average_vectors():
    rows = word_vectors.average_vectors([["north", "east", "moon"], [], ["moon"]], square())
    assert rows == pytest.approx(np.array([[0.5, 0.5], [0, 0], [0, 0]]))
    assert word_vectors.average_vectors([["north", "east"]], square(), {"north": 3.0, "east": 1.0})[0] == pytest.approx(
        [0.25, 0.75]
    )
    with pytest.raises(TypeError, match="tokenize"):
        word_vectors.average_vectors(["north east"], square())


def test_precision_at_k():
    assert ranking.precision_at_k([1, 2, 3, 4], {2, 4, 9}, 2) == 0.5 and ranking.precision_at_k([2], {2}, 4) == 0.25
    with pytest.raises(ValueError, match="k of at least 1"):
        ranking.precision_at_k([1], {1}, 0)


def test_pca_refuses_bad_input():
    for X, k in ((np.zeros((3, 2)), 3), (np.zeros((3, 2)), 0), (np.array([[np.nan, 1], [1, 2]]), 1), (np.zeros(3), 1)):
        with pytest.raises(ValueError, match="1 <= k"):
            word_vectors.pca(X, k)


# ------------------------------------------------------------------------------------------------------------- InfoNCE


@pytest.mark.parametrize("B", [2, 3, 64])
def test_info_nce_of_equal_similarities_is_ln_b(B):
    """Worked example: B = 3 -> 1.098612."""
    assert contrastive.info_nce(np.ones((B, 4)), np.ones((B, 4))).loss == pytest.approx(np.log(B), rel=1e-12)


def test_the_worked_similarity_matrix():
    S = np.array([[0.33, 0.19, 0.11], [0.15, 0.35, 0.09], [0.08, 0.13, 0.31]])
    assert (S.argmax(axis=0) == range(3)).all() and (S.argmax(axis=1) == range(3)).all()
    assert np.diag(S).mean() == pytest.approx(0.33) and S[~np.eye(3, dtype=bool)].mean() == pytest.approx(0.125)
    soft, sharp = contrastive.info_nce(S, np.eye(3), 1.0).loss, contrastive.info_nce(S, np.eye(3), 0.01).loss
    assert soft == pytest.approx(0.971, abs=0.01) and sharp < 1e-4  # decisive only with a small temperature


def test_info_nce_gradients_by_nudging():
    A, B = tables(5, 3)
    ours = contrastive.info_nce(A, B, 0.3)
    dA = numeric_gradient(lambda x: contrastive.info_nce(x.reshape(5, 3), B, 0.3).loss, A.ravel())
    dB = numeric_gradient(lambda x: contrastive.info_nce(A, x.reshape(5, 3), 0.3).loss, B.ravel())
    assert ours.dA.ravel() == pytest.approx(dA, abs=1e-7) and ours.dB.ravel() == pytest.approx(dB, abs=1e-7)


@pytest.mark.parametrize(
    "A, B, temperature",
    [
        (np.ones((1, 2)), np.ones((1, 2)), 1.0),
        (np.ones((3, 2)), np.ones((2, 2)), 1.0),
        (np.ones((3, 2)), np.ones((3, 2)), 0.0),
    ],
)
def test_info_nce_refuses_bad_input(A, B, temperature):
    with pytest.raises(ValueError, match="expected"):
        contrastive.info_nce(A, B, temperature)
