"""Search by meaning: exact over vectors, and what is built on rankings - fusion, diversity, feedback.

A *ranking* is a list of `Hit`s, best first, or of document numbers where only the order counts. A retriever is anything with
`search(query, k) -> list[Hit]`: `bm25.BM25`, `DenseRetriever`, `Hybrid`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from helpers.features.checks import numbers
from helpers.retrieval.bm25 import BM25, Hit, top_hits

__all__ = ["DenseIndex", "DenseRetriever", "Hybrid", "Retriever", "expand_with_feedback", "mmr", "reciprocal_rank_fusion"]


class Retriever(Protocol):
    """Anything that finds documents for a query."""

    def search(self, query: str, k: int = 10) -> list[Hit]: ...


class DenseIndex:
    """Exact search: the dot product with every vector. For unit vectors that is the cosine.

    vectors: (n, C). Raises ValueError for another shape, or for rows that are not of length 1 (dot products then reward length).

    >>> index = DenseIndex(np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]]))
    >>> [(hit.index, round(hit.score, 2)) for hit in index.search([0.0, 1.0], k=2)]
    [(2, 1.0), (1, 0.8)]
    """

    def __init__(self, vectors: np.ndarray):
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        if vectors.ndim != 2 or not len(vectors):
            raise ValueError(f"expected vectors of shape (n, C) with n >= 1, got {vectors.shape}")
        if not np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3):
            raise ValueError("expected rows of length 1; divide each row by its length first (helpers.features.unit_rows)")
        self.vectors = vectors

    def __len__(self) -> int:
        return len(self.vectors)

    def scores(self, queries: np.ndarray) -> np.ndarray:
        """(n,) cosines of one query (C,), or (m, n) of several (m, C). Raises ValueError for another width."""
        queries = np.asarray(queries, dtype=np.float32)
        if not np.isfinite(queries).all():
            raise ValueError("expected queries of finite numbers, got NaN or infinite ones")
        if queries.shape[-1] != self.vectors.shape[1]:
            raise ValueError(
                f"expected queries of {self.vectors.shape[1]} numbers, got {queries.shape[-1]}; were they made by "
                "another encoder?"
            )
        return queries @ self.vectors.T

    def search(self, query: np.ndarray, k: int = 10) -> list[Hit]:
        """The k nearest of one query (C,), nearest first. It always returns something, however far away."""
        return top_hits(self.scores(query), k)

    def search_batch(self, queries: np.ndarray, k: int = 10) -> tuple[np.ndarray, np.ndarray]:
        """Numbers and scores, (m, k) each, nearest first. Matrix products, and a sort of k per row instead of n."""
        if not 1 <= k:
            raise ValueError(f"expected k of at least 1, got {k}")
        queries = np.atleast_2d(queries)
        parts = [self._nearest(queries[at : at + 64], min(k, len(self))) for at in range(0, max(1, len(queries)), 64)]
        return np.concatenate([numbers for numbers, _ in parts]), np.concatenate([values for _, values in parts])

    def _nearest(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """`search_batch` of a few queries: their scores for all vectors are in memory at once."""
        scores = self.scores(queries)  # (m, n)
        part = np.argpartition(scores, len(self) - k, axis=1)[:, len(self) - k :]  # the k best, in no order
        values = np.take_along_axis(scores, part, axis=1)
        for row in np.flatnonzero((scores >= values.min(axis=1, keepdims=True)).sum(axis=1) > k):  # equals at the border
            part[row] = np.argsort(-scores[row], kind="stable")[:k]
            values[row] = scores[row, part[row]]
        order = np.lexsort((part, -values), axis=1)  # best first, ties by number
        return np.take_along_axis(part, order, axis=1), np.take_along_axis(values, order, axis=1)


class DenseRetriever:
    """An encoder and an index. encoder: anything with `encode(texts) -> (n, C)` unit rows, the one that made the vectors.

    >>> from types import SimpleNamespace
    >>> encoder = SimpleNamespace(encode=lambda texts: np.array([[1.0, 0.0] if "cat" in text else [0.0, 1.0] for text in texts]))
    >>> DenseRetriever(encoder, encoder.encode(["the dog", "a cat"])).search("cats", k=1)
    [Hit(index=1, score=1.0)]
    """

    def __init__(self, encoder: Any, vectors: np.ndarray):
        self.encoder, self.index = encoder, vectors if hasattr(vectors, "search") else DenseIndex(vectors)

    def search(self, query: str, k: int = 10) -> list[Hit]:
        """The k nearest documents. Raises ValueError for an empty query, which has no meaning to be near to."""
        if not query.strip():
            raise ValueError("expected a query with at least one word, got an empty one")
        return self.index.search(self.encoder.encode([query])[0], k)


def reciprocal_rank_fusion(rankings: Sequence[Sequence[int]], k: int = 60) -> list[Hit]:
    """One ranking out of several: each adds 1 / (k + rank) to a document's score, ranks counted from 1.

    Only ranks count, so scores of different scales can be joined. A larger k flattens the top. Ties by number.
    Raises ValueError for a negative k or no ranking. Source: Cormack, Clarke and Büttcher 2009.

    >>> hits = reciprocal_rank_fusion([[7, 8, 9], [9, 8]])
    >>> [(hit.index, round(hit.score, 6)) for hit in hits]  # 9: 1/63 + 1/61, 8: 1/62 + 1/62, 7: 1/61
    [(9, 0.032266), (8, 0.032258), (7, 0.016393)]
    """
    if k < 0 or not rankings:
        raise ValueError(f"expected k >= 0 and at least one ranking, got k = {k} and {len(rankings)} rankings")
    scores: defaultdict[int, float] = defaultdict(float)
    for ranking in rankings:
        for rank, document in enumerate(ranking, start=1):
            scores[document] += 1 / (k + rank)
    return [Hit(d, s) for d, s in sorted(scores.items(), key=lambda item: (-item[1], item[0]))]


class Hybrid:
    """Several retrievers over the same documents, fused by reciprocal ranks. pool: how many each of them hands in.

    >>> texts = ["the river bank", "a bank lends money", "the otter"]
    >>> [hit.index for hit in Hybrid(BM25().fit(texts), BM25(b=0).fit(texts)).search("river bank")]
    [0, 1]
    """

    def __init__(self, *retrievers: Retriever, pool: int = 50, k: int = 60):
        if len(retrievers) < 2:
            raise ValueError(f"expected at least two retrievers to fuse, got {len(retrievers)}")
        self.retrievers, self.pool, self.k = retrievers, pool, k

    def search(self, query: str, k: int = 10) -> list[Hit]:
        found = [[hit.index for hit in r.search(query, max(k, self.pool))] for r in self.retrievers]
        return reciprocal_rank_fusion(found, self.k)[:k]


def mmr(relevance: Sequence[float], similarity: np.ndarray, k: int, weight: float = 0.7) -> list[int]:
    """Maximal marginal relevance: pick k of n candidates one by one, each relevant AND unlike those already picked.

    relevance: (n,) similarity to the query; similarity: (n, n) among candidates, on the same scale. weight: 1 = relevance only,
    0 = novelty only. Returns positions in the order picked. Raises ValueError for k < 1 or a weight outside 0..1; a k beyond
    n gives all. Source: Carbonell and Goldstein 1998.

    >>> mmr([0.9, 0.8, 0.5], np.array([[1.0, 0.9, 0.1], [0.9, 1.0, 0.1], [0.1, 0.1, 1.0]]), k=2)  # 1 says what 0 says
    [0, 2]
    """
    if k < 1 or not 0 <= weight <= 1:
        raise ValueError(f"expected k >= 1 and a weight from 0 to 1, got {k} and {weight}")
    relevance, similarity = numbers(relevance, "relevance"), numbers(similarity, "similarity")
    picked: list[int] = []
    left = list(range(len(relevance)))
    while left and len(picked) < k:
        nearest = similarity[np.ix_(left, picked)].max(axis=1) if picked else np.zeros(len(left))
        value = weight * relevance[left] - (1 - weight) * nearest
        picked.append(left.pop(int(np.argmax(value))))
    return picked


def expand_with_feedback(index: BM25, query: str, n_documents: int = 3, n_words: int = 5) -> str:
    """The query with the heaviest words of its best documents added (pseudo-relevance feedback, Rocchio 1971).

    It trusts the first ranking blindly: where that was wrong, the new query is further off. A query that finds nothing comes
    back unchanged.

    >>> index = BM25().fit(["otter river water", "otter river stone", "water stone", "water", "stone", "bank"])
    >>> expand_with_feedback(index, "otter", n_documents=2, n_words=1)
    'otter river'
    """
    hits = index.search(query, n_documents)
    if not hits:
        return query
    weight = np.asarray(index.columns.tocsr()[[hit.index for hit in hits]].sum(axis=0)).ravel()
    known = set(index.tokenize(query))
    heaviest = (index.vocabulary.words[j] for j in np.argsort(-weight, kind="stable") if weight[j] > 0)
    added: list[str] = []
    for word in heaviest:
        if len(added) == n_words:
            break
        if word not in known:
            added.append(word)
    return " ".join([query, *added])
