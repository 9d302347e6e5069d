"""Topics without a classifier: keywords of groups of texts (class-based TF-IDF) and k-means on unit rows (chapter 03)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from helpers.features.tfidf import unit_rows

__all__ = ["Clusters", "class_tfidf", "k_means", "top_terms"]


def class_tfidf(X, groups: np.ndarray, n_groups: int | None = None) -> np.ndarray:
    """Weight of each term for each group of texts, shape (K, V): tf * ln(1 + A / f).

    X: counts (n, V). groups: (n,) group numbers; negative ones ("noise", belonging nowhere) are left out. tf: share of the
    term among the group's words. f: how often it stands in all groups together. A: mean number of words per group. A group
    without words gets a row of zeros. Source: Grootendorst 2022, "BERTopic", section 3.3.
    """
    X, groups = sparse.csr_matrix(X, dtype=np.float64), np.asarray(groups)
    if groups.ndim != 1 or len(groups) != X.shape[0] or groups.dtype.kind not in "iu":
        raise ValueError(f"expected one whole group number per row, shape ({X.shape[0]},), got {groups.dtype} {groups.shape}")
    if (groups < 0).all():
        raise ValueError("expected at least one row in a group, got only negative group numbers (noise)")
    K = int(groups.max()) + 1 if n_groups is None else n_groups
    if groups.max() >= K:
        raise ValueError(f"expected group numbers below n_groups = {K}, got {groups.max()}")
    rows = np.flatnonzero(groups >= 0)
    G = sparse.csr_matrix((np.ones(len(rows)), (groups[rows], rows)), (K, len(groups)))
    counts = (G @ X).toarray()  # (K, V)
    words = counts.sum(axis=1, keepdims=True)
    tf = counts / np.where(words == 0, 1, words)
    f = counts.sum(axis=0)
    return tf * np.log1p(words.mean() / np.where(f == 0, 1, f))


def top_terms(weights: np.ndarray, terms: list[str], k: int = 10) -> list[list[str]]:
    """The k terms of largest weight for each row of weights (K, V); ties in the order of the columns, zeros left out."""
    weights = np.atleast_2d(weights)
    if weights.shape[1] != len(terms):
        raise ValueError(f"expected one term per column, got {weights.shape[1]} columns and {len(terms)} terms")
    order = np.argsort(-weights, axis=1, kind="stable")[:, :k]
    return [[terms[j] for j in row if weights[i, j] > 0] for i, row in enumerate(order)]


class Clusters(NamedTuple):
    """Result of k_means: cluster of each row (n,), centers (k, V), sum of squared distances, rounds taken."""

    labels: np.ndarray
    centers: np.ndarray
    inertia: float
    rounds: int


def k_means(X, k: int, seed: int = 0, rounds: int = 100, start: np.ndarray | None = None) -> Clusters:
    """Cluster the rows of X (n, V), made unit length first, around k centers: assign, average, repeat until nothing changes.

    start: (k,) rows that are the first centers (default: k different rows at random). A cluster that runs empty keeps its
    center. The result depends on the start: try several seeds and keep the least inertia. Source: Lloyd 1982.
    """
    X = unit_rows(X)
    n = X.shape[0]
    if not 1 <= k <= n:
        raise ValueError(f"expected 1 <= k <= {n} clusters for {n} rows, got {k}")
    start = np.random.default_rng(seed).choice(n, k, replace=False) if start is None else np.asarray(start)
    if start.shape != (k,):
        raise ValueError(f"expected {k} rows to start from, got shape {start.shape}")
    if rounds < 1:
        raise ValueError(f"expected at least one round, got {rounds}")
    length = np.asarray(X.multiply(X).sum(axis=1)).ravel() if sparse.issparse(X) else (X * X).sum(axis=1)
    centers = X[start].toarray() if sparse.issparse(X) else X[start].copy()
    labels, done = np.full(n, -1), 0

    def squared_distances() -> np.ndarray:  # (n, k), to the centers as they are now
        return length[:, None] - 2 * np.asarray(X @ centers.T) + (centers * centers).sum(axis=1)

    for done in range(1, rounds + 1):  # noqa: B007 (its last value is returned)
        new = squared_distances().argmin(axis=1)
        if np.array_equal(new, labels):
            break
        labels = new
        members = np.bincount(labels, minlength=k)
        G = sparse.csr_matrix((np.ones(n), (labels, np.arange(n))), (k, n))
        sums = G @ X
        sums = sums.toarray() if sparse.issparse(sums) else np.asarray(sums)
        centers = np.where(members[:, None] > 0, sums / np.maximum(members, 1)[:, None], centers)
    inertia = float(np.maximum(squared_distances()[np.arange(n), labels], 0).sum())
    return Clusters(labels, centers, inertia, done)
