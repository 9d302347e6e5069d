"""Groups without a classifier: keywords of groups (class-based TF-IDF), k-means on unit rows (chapters 03 and 11)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import sparse

from helpers.features.tfidf import unit_rows

__all__ = ["Clusters", "class_tfidf", "k_means", "spherical_k_means", "top_terms"]


def class_tfidf(X, groups: np.ndarray, n_groups: int | None = None) -> np.ndarray:
    """Weight of each term for each group of texts, shape (K, V): tf * ln(1 + A / f).

    X: counts (n, V). groups: (n,) group numbers; negative ones ("noise", belonging nowhere) are left out. tf: share of the
    term among the group's words. f: how often it stands in all groups together. A: mean number of words per group. A group
    without words gets a row of zeros. Source: Grootendorst 2022, "BERTopic", section 3.3.

    >>> class_tfidf([[3, 1], [0, 4]], np.array([0, 1])).round(3).tolist()  # 3/4 ln(1 + 4/3), 1/4 ln(1 + 4/5), 4/4 ln(1 + 4/5)
    [[0.635, 0.147], [0.0, 0.588]]
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
    """The k terms of largest weight for each row of weights (K, V); ties in the order of the columns, zeros left out.

    >>> top_terms(np.array([[0.1, 0.0, 0.7]]), ["otter", "bank", "river"])
    [['river', 'otter']]
    """
    weights = np.atleast_2d(weights)
    if weights.shape[1] != len(terms):
        raise ValueError(f"expected one term per column, got {weights.shape[1]} columns and {len(terms)} terms")
    order = np.argsort(-weights, axis=1, kind="stable")[:, :k]
    return [[terms[j] for j in row if weights[i, j] > 0] for i, row in enumerate(order)]


class Clusters(NamedTuple):
    """Result of k_means: cluster of each row (n,), centers (k, V), sum of squared distances, rounds taken.

    >>> Clusters(labels=np.array([0, 0, 1]), centers=np.eye(2), inertia=0.5, rounds=2).rounds
    2
    """

    labels: np.ndarray
    centers: np.ndarray
    inertia: float
    rounds: int


def k_means(X, k: int, seed: int = 0, rounds: int = 100, start: np.ndarray | None = None) -> Clusters:
    """Cluster the rows of X (n, V), made unit length first, around k centers: assign, average, repeat until nothing changes.

    start: (k,) rows that are the first centers (default: k different rows at random). A cluster that runs empty keeps its
    center. The result depends on the start: try several seeds and keep the least inertia. Source: Lloyd 1982.

    >>> found = k_means([[1.0, 0.0], [1.0, 0.2], [0.0, 1.0]], k=2, start=[0, 2])
    >>> found.labels.tolist(), round(found.inertia, 4), found.rounds
    ([0, 0, 1], 0.0194, 2)
    """
    X = unit_rows(X)
    if rounds < 1:
        raise ValueError(f"expected at least one round, got {rounds}")
    length = np.asarray(X.multiply(X).sum(axis=1)).ravel() if sparse.issparse(X) else (X * X).sum(axis=1)

    def nearness(centers: np.ndarray) -> np.ndarray:  # (n, k): minus the squared distances
        return 2 * np.asarray(X @ centers.T) - length[:, None] - (centers * centers).sum(axis=1)

    def average(centers: np.ndarray, sums: np.ndarray, members: np.ndarray, best: np.ndarray) -> np.ndarray:
        return np.where(members[:, None] > 0, sums / np.maximum(members, 1)[:, None], centers)

    labels, centers, done = _lloyd(X, _start(X, k, seed, start), rounds, nearness, average)
    inertia = float(np.maximum(-nearness(centers)[np.arange(len(labels)), labels], 0).sum())
    return Clusters(labels, centers, inertia, done)


def spherical_k_means(X: np.ndarray, k: int, rounds: int = 10, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """k-means on the sphere: centers (k, C) of length 1, and the cell of each row (n,); near means a large dot product.

    The rows must have length 1. An empty cell gets the row that fits worst. Raises ValueError unless 1 <= k <= n.
    Source: Dhillon and Modha 2001.

    >>> centers, cell = spherical_k_means(np.eye(3)[[0, 0, 1, 1]], k=2)
    >>> cell.tolist() in ([0, 0, 1, 1], [1, 1, 0, 0]), centers.shape
    (True, (2, 3))
    """
    X = np.asarray(X, dtype=np.float32)

    def on_the_sphere(centers: np.ndarray, sums: np.ndarray, members: np.ndarray, best: np.ndarray) -> np.ndarray:
        empty = np.flatnonzero(members == 0)
        sums[empty] = X[np.argsort(best)[: len(empty)]]
        return unit_rows(sums).astype(np.float32)

    _, centers, _ = _lloyd(X, _start(X, k, seed), rounds, lambda centers: X @ centers.T, on_the_sphere)
    return centers, (X @ centers.T).argmax(axis=1)


def _start(X, k: int, seed: int, start: np.ndarray | None = None) -> np.ndarray:
    """The rows `start` of X, or k different ones at random, as the first centers."""
    n = X.shape[0]
    if not 1 <= k <= n:
        raise ValueError(f"expected 1 <= k <= {n} clusters or cells for {n} rows, got {k}")
    start = np.random.default_rng(seed).choice(n, k, replace=False) if start is None else np.asarray(start)
    if start.shape != (k,):
        raise ValueError(f"expected {k} rows to start from, got shape {start.shape}")
    return X[start].toarray() if sparse.issparse(X) else X[start].copy()


def _lloyd(X, centers: np.ndarray, rounds: int, nearness: Callable, move: Callable) -> tuple[np.ndarray, np.ndarray, int]:
    """(labels, centers, rounds taken): each row joins its nearest center, each center moves to its rows, until all stay.

    nearness: centers -> (n, k), large is near. move: (centers, sums of their rows, members, nearness of each row) -> centers.
    """
    n, k = X.shape[0], len(centers)
    labels, done = np.full(n, -1), 0
    for done in range(1, rounds + 1):  # noqa: B007 (its last value is returned)
        near = nearness(centers)
        new = near.argmax(axis=1)
        G = sparse.csr_matrix((np.ones(n, dtype=X.dtype), (new, np.arange(n))), (k, n))
        sums = G @ X
        sums = sums.toarray() if sparse.issparse(sums) else np.asarray(sums)
        moved = move(centers, sums, np.bincount(new, minlength=k), near.max(axis=1))
        settled = np.array_equal(new, labels) and np.array_equal(moved, centers)
        labels, centers = new, moved
        if settled:
            break
    return labels, centers, done
