"""Dense search against brute force, fusion, diversity, feedback, the inverted file."""

import numpy as np
import pytest

from helpers.features.clustering import k_means, spherical_k_means
from helpers.features.tfidf import unit_rows
from helpers.retrieval.bm25 import BM25
from helpers.retrieval.dense import DenseIndex, DenseRetriever, Hybrid, expand_with_feedback, mmr, reciprocal_rank_fusion
from helpers.retrieval.ivf import IVF


def random_vectors(n, dim=16, seed=0):
    return unit_rows(np.random.default_rng(seed).normal(size=(n, dim))).astype(np.float32)


class Encoder:
    """A stand-in: a text is the direction of its letters."""

    def encode(self, texts):
        return unit_rows([[t.count(c) + 0.01 for c in "abcdef"] for t in texts]).astype(np.float32)


def test_exact_search_is_brute_force():
    vectors, queries = random_vectors(200), random_vectors(20, seed=1)
    index = DenseIndex(vectors)
    numbers, scores = index.search_batch(queries, 7)
    for q, row, values in zip(queries, numbers, scores):
        order = sorted(range(200), key=lambda i: -sum(float(a) * float(b) for a, b in zip(vectors[i], q)))[:7]
        assert row.tolist() == order == [h.index for h in index.search(q, 7)]
        np.testing.assert_allclose(values, vectors[order] @ q, atol=1e-6)


def test_ties_and_duplicates_go_by_number():
    v = np.eye(4, dtype=np.float32)  # exact products: elsewhere rounding may part even equal rows
    index = DenseIndex(v[[2, 0, 2, 1, 2]])
    assert index.search_batch(v[2], 3)[0].tolist() == [[0, 2, 4]] and [h.index for h in index.search(v[2], 3)] == [0, 2, 4]


def test_dense_bad_input():
    v = random_vectors(5)
    with pytest.raises(ValueError, match="length 1"):
        DenseIndex(2 * v)
    with pytest.raises(ValueError, match="shape"):
        DenseIndex(np.zeros((0, 4)))
    with pytest.raises(ValueError, match="another encoder"):
        DenseIndex(v).search(np.ones(3))
    assert len(DenseIndex(v).search(v[0], 99)) == 5 and DenseIndex(v).search_batch(v, 99)[0].shape == (5, 5)
    with pytest.raises(ValueError, match="empty"):
        DenseRetriever(Encoder(), Encoder().encode(["a"])).search("  ")


def test_fusion_by_hand():
    fused = {h.index: h.score for h in reciprocal_rank_fusion([[4, 7, 2], [2, 9, 4]])}
    assert fused[4] == pytest.approx(1 / 61 + 1 / 63) == fused[2] and fused[7] == pytest.approx(1 / 62)
    assert [h.index for h in reciprocal_rank_fusion([[4, 7, 2], [2, 9, 4]])] == [2, 4, 7, 9]  # ties by number
    with pytest.raises(ValueError, match="at least one ranking"):
        reciprocal_rank_fusion([])


def test_hybrid_finds_what_either_finds():
    texts = ["aaa bbb", "ccc", "ddd eee"]
    hybrid = Hybrid(BM25().fit(texts), DenseRetriever(Encoder(), Encoder().encode(texts)))
    assert hybrid.search("ccc", 1)[0].index == 1 and len(hybrid.search("zzz", 2)) == 2  # a word that BM25 does not know
    with pytest.raises(ValueError, match="two retrievers"):
        Hybrid(BM25().fit(texts))


def test_mmr_by_hand():
    relevance, similarity = [0.9, 0.85, 0.8], np.array([[1, 0.99, 0.1], [0.99, 1, 0.1], [0.1, 0.1, 1]])
    assert mmr(relevance, similarity, 2, weight=0.7) == [0, 2] and mmr(relevance, similarity, 2, weight=1) == [0, 1]
    assert mmr(relevance, similarity, 9) == [0, 2, 1]
    with pytest.raises(ValueError, match="k >= 1"):
        mmr(relevance, similarity, 0)


def test_feedback_adds_the_heaviest_words_of_the_best():
    index = BM25().fit(["otter river water", "otter river stone", "water stone", "water", "stone", "bank"])
    assert expand_with_feedback(index, "otter", n_documents=2, n_words=1) == "otter river"
    assert expand_with_feedback(index, "submarine") == "submarine"


def test_inverted_file():
    vectors, queries = random_vectors(300), random_vectors(10, seed=2)
    exact = DenseIndex(vectors)
    ivf = IVF(vectors, n_cells=12, n_probe=3, seed=1)
    recall = []
    for q in queries:
        assert [h.index for h in ivf.search(q, 10, n_probe=12)] == [h.index for h in exact.search(q, 10)]  # nothing is missed
        recall.append(len({h.index for h in ivf.search(q, 10)} & {h.index for h in exact.search(q, 10)}) / 10)
        assert ivf.compared(q, 12) == 312 > ivf.compared(q, 3)
    assert 0.2 < np.mean(recall) < 1
    assert sorted(ivf.order.tolist()) == list(range(300)) and len(ivf) == 300


def test_kmeans_cells_are_the_nearest_and_none_is_empty():
    X = unit_rows(np.r_[np.eye(3)[[0] * 40], np.eye(3)[[1] * 2] + 0.01]).astype(np.float32)
    centers, cell = spherical_k_means(X, 2, seed=0)
    np.testing.assert_allclose(np.linalg.norm(centers, axis=1), 1, atol=1e-6)
    assert (cell == (X @ centers.T).argmax(1)).all() and len(set(cell)) == 2
    with pytest.raises(ValueError, match="cells"):
        spherical_k_means(X, 99)
    with pytest.raises(ValueError, match="n_probe"):
        IVF(X, 2).search(X[0], 1, n_probe=0)


def test_feedback_adds_words_of_the_best_documents_only():
    index = BM25().fit(["cat sat", "dog ran far away", "bird flew home"])
    assert expand_with_feedback(index, "cat", 1, 5) == "cat sat"


def test_a_batch_breaks_ties_as_a_single_search():
    vectors = np.repeat(unit_rows(random_vectors(4, 8)), 6, axis=0)[np.random.default_rng(0).permutation(24)]
    index, queries = DenseIndex(vectors), unit_rows(random_vectors(5, 8, seed=1))
    numbers, _ = index.search_batch(queries, 3)
    assert numbers.tolist() == [[hit.index for hit in index.search(q, 3)] for q in queries]


def test_the_cost_of_no_cells_is_refused_like_the_search():
    index = IVF(unit_rows(random_vectors(40)), n_cells=4)
    with pytest.raises(ValueError):
        index.compared(random_vectors(1)[0], n_probe=0)


def test_the_inertia_is_that_of_the_clusters_returned():
    X = unit_rows(random_vectors(30))
    found = k_means(X, 3, rounds=1)
    assert found.inertia == pytest.approx(((X - found.centers[found.labels]) ** 2).sum(), rel=1e-4)
    with pytest.raises(ValueError, match="at least one round"):
        k_means(X, 3, rounds=0)
