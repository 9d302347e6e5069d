"""helpers.models.word2vec against torch (gradients), gensim (quality), scipy, scikit-learn and the formula written out."""

import numpy as np
import pytest
from scipy import sparse

from helpers.data import datasets
from helpers.evaluation import word_similarity
from helpers.features import bag_of_words, cooccurrence
from helpers.models import contrastive, word2vec_losses, word_vectors
from helpers.models import word2vec as w

torch = pytest.importorskip("torch")
functional = torch.nn.functional


def leaves(V=9, d=5, seed=0):
    rng = np.random.default_rng(seed)
    E, U = rng.normal(size=(V, d)), rng.normal(size=(V, d))
    return E, U, torch.tensor(E, requires_grad=True), torch.tensor(U, requires_grad=True)


def same(ours, loss, E, U):
    loss.backward()
    assert ours.loss == pytest.approx(loss.item(), rel=1e-12)
    assert ours[1] == pytest.approx(E.grad.numpy(), abs=1e-12) and ours[2] == pytest.approx(U.grad.numpy(), abs=1e-12)


PAIRS = np.array([[0, 1], [0, 2], [3, 1], [8, 8]])
NEGATIVES = np.array([[4, 4, 1], [1, 5, 2], [6, 3, 7], [0, 8, 2]])


def test_softmax_gradients():
    E, U, tE, tU = leaves()
    loss = functional.cross_entropy(tE[PAIRS[:, 0]] @ tU.T, torch.tensor(PAIRS[:, 1]))
    same(word2vec_losses.skipgram_softmax_loss(E, U, PAIRS), loss, tE, tU)


def test_negative_sampling_gradients():
    E, U, tE, tU = leaves()
    true = (tE[PAIRS[:, 0]] * tU[PAIRS[:, 1]]).sum(1)
    noise = torch.einsum("pd,pkd->pk", tE[PAIRS[:, 0]], tU[NEGATIVES])
    loss = -(functional.logsigmoid(true) + functional.logsigmoid(-noise).sum(1)).mean()
    same(word2vec_losses.negative_sampling_loss(E, U, PAIRS, NEGATIVES), loss, tE, tU)


def test_cbow_gradients():
    E, U, tE, tU = leaves()
    contexts, centers = [[1, 2], [0, 0, 5], [6], [7, 3, 2, 1]], PAIRS[:, 0]
    h = torch.stack([tE[words].mean(0) for words in contexts])
    noise = torch.einsum("pd,pkd->pk", h, tU[NEGATIVES])
    loss = -(functional.logsigmoid((h * tU[centers]).sum(1)) + functional.logsigmoid(-noise).sum(1)).mean()
    same(word2vec_losses.cbow_loss(E, U, contexts, centers, NEGATIVES), loss, tE, tU)


def test_info_nce_gradients():
    A, B, tA, tB = leaves()
    loss = functional.cross_entropy(tA @ tB.T / 0.2, torch.arange(len(A)))
    same(contrastive.info_nce(A, B, 0.2), loss, tA, tB)


@pytest.mark.parametrize("power, shift", [(1.0, 0.0), (0.75, 0.0), (0.75, np.log(5))])
def test_ppmi_against_the_formula(power, shift):
    counts = np.random.default_rng(0).poisson(0.7, size=(30, 30)).astype(float)
    counts += counts.T
    p_row, p_column = counts.sum(axis=1) / counts.sum(), counts.sum(axis=0) ** power
    p_column /= p_column.sum()
    with np.errstate(divide="ignore"):
        direct = np.maximum(0, np.log(counts / counts.sum() / np.outer(p_row, p_column)) - shift)
    assert cooccurrence.ppmi(sparse.csr_matrix(counts), power=power, shift=shift).toarray() == pytest.approx(direct, abs=1e-12)


def test_truncated_svd_against_scikit_learn():
    decomposition = pytest.importorskip("sklearn.decomposition")
    rng = np.random.default_rng(0)
    signal = sparse.csr_matrix(rng.normal(size=(200, 5)) @ rng.normal(size=(5, 80)))
    X = sparse.random(200, 80, 0.2, random_state=0, format="csr") + signal
    U, s, Vt = cooccurrence.truncated_svd(X, 5, iterations=30)
    theirs = decomposition.TruncatedSVD(5, algorithm="arpack", random_state=0).fit(X)
    assert s == pytest.approx(theirs.singular_values_, rel=1e-8)
    assert np.abs(np.sum(Vt * theirs.components_, axis=1)) == pytest.approx(np.ones(5), abs=1e-8)  # equal up to sign
    assert np.abs(U * s) == pytest.approx(np.abs(theirs.transform(X)), abs=1e-5)


def test_pca_against_scikit_learn():
    decomposition = pytest.importorskip("sklearn.decomposition")
    X = np.random.default_rng(0).normal(size=(50, 6)) * [5, 3, 2, 1, 1, 1]
    ours, theirs = word_vectors.pca(X, 3), decomposition.PCA(3).fit(X)
    assert ours.explained == pytest.approx(theirs.explained_variance_ratio_, rel=1e-10)
    assert np.abs(ours.coordinates) == pytest.approx(np.abs(theirs.transform(X)), abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_spearman_and_ranks_against_scipy(seed):
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 10, 40), rng.normal(size=40)  # with ties
    assert word_similarity.spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)


def test_subsampling_keeps_what_gensim_keeps():
    models = pytest.importorskip("gensim.models")
    texts = [bag_of_words.tokenize(lead.text) for lead in datasets.leads(split="valid")]
    theirs = models.Word2Vec(sample=1e-3, min_count=5)
    theirs.build_vocab(texts)
    vocabulary = bag_of_words.Vocabulary.build(texts, min_count=5)
    keep = dict(zip(vocabulary.words, word2vec_losses.keep_probability(vocabulary.counts, 1e-3)))
    assert set(keep) == set(theirs.wv.index_to_key)
    for word in theirs.wv.index_to_key:
        assert keep[word] == pytest.approx(theirs.wv.get_vecattr(word, "sample_int") / (2**32 - 1), abs=1e-6)


@pytest.mark.slow
def test_skip_gram_is_as_good_as_gensim_on_the_same_corpus():
    """Equal settings, smaller than the chapter's to save time: mean rho over seeds no lower than gensim's minus the spread."""
    models = pytest.importorskip("gensim.models")
    texts = [bag_of_words.tokenize(lead.text) for lead in datasets.leads(split="train")]
    pairs = datasets.word_similarity()
    ours, theirs = [], []
    for seed in (1, 2):
        fitted = w.Word2Vec(dim=32, seed=seed).fit(texts, epochs=3, rate=0.05)
        ours.append(word_similarity.evaluate_pairs(fitted.vectors, pairs, n_resamples=1).rho)
        peer = models.Word2Vec(
            texts,
            sg=1,
            vector_size=32,
            window=5,
            negative=5,
            min_count=5,
            sample=1e-3,
            epochs=3,
            alpha=0.05,
            min_alpha=5e-6,
            workers=1,
            seed=seed,
        )
        assert peer.sg == 1
        vectors = word_vectors.WordVectors(peer.wv.index_to_key, peer.wv.vectors)
        theirs.append(word_similarity.evaluate_pairs(vectors, pairs, n_resamples=1).rho)
    assert np.mean(ours) > np.mean(theirs) - 0.04, (ours, theirs)
    assert min(ours) > 0.2
