"""Word vectors by counting: co-occurrence counts, positive pointwise mutual information, truncated SVD (chapter 04)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from helpers.features.words import Vocabulary

__all__ = ["cooccurrence", "flatten", "ppmi", "truncated_svd"]


def flatten(texts: Iterable[Sequence[str]], vocabulary: Vocabulary) -> tuple[np.ndarray, np.ndarray]:
    """All known words of tokenized texts in one row: their numbers, and for each the number of its text; both (N,), int32.

    Unknown words are taken out before windows are formed, so their neighbors move together (as word2vec does).

    >>> [numbers.tolist() for numbers in flatten([["a", "?", "b"], ["a"]], Vocabulary(["a", "b"], [2, 1]))]
    [[0, 1, 0], [0, 0, 1]]
    """
    encoded = [vocabulary.encode(text) for text in texts]
    lengths = [len(row) for row in encoded]
    ids = np.fromiter((i for row in encoded for i in row), dtype=np.int32, count=sum(lengths))
    return ids, np.repeat(np.arange(len(encoded), dtype=np.int32), lengths)


def cooccurrence(
    texts: Iterable[Sequence[str]], vocabulary: Vocabulary, window: int, *, weighted: bool = False
) -> sparse.csr_matrix:
    """How often each word stands within `window` words of each other one: symmetric, shape (V, V).

    weighted: a neighbor at distance s counts (window + 1 - s) / window, the mean of word2vec's dynamic window.
    Raises ValueError for window < 1, or when no two known words stand side by side.

    >>> cooccurrence([["a", "b", "c", "b"]], Vocabulary(["b", "a", "c"], [2, 1, 1]), window=1).toarray().tolist()
    [[0.0, 1.0, 2.0], [1.0, 0.0, 0.0], [2.0, 0.0, 0.0]]
    """
    if window < 1:
        raise ValueError(f"expected window >= 1, got {window}")
    ids, text_of = flatten(texts, vocabulary)
    V = len(vocabulary)
    total = sparse.csr_matrix((V, V), dtype=np.float64)
    for s in range(1, min(window, len(ids)) + 1):
        same = text_of[s:] == text_of[:-s] if s < len(ids) else np.zeros(0, dtype=bool)
        left, right = ids[: len(same)][same], ids[s:][same]
        weight = np.full(len(left), (window + 1 - s) / window if weighted else 1.0)
        total = total + sparse.coo_matrix((weight, (left, right)), shape=(V, V)).tocsr()
    if total.nnz == 0:
        raise ValueError("expected at least two known words side by side, got none; pass more text or lower min_count")
    return (total + total.T).tocsr()


def ppmi(counts: sparse.csr_matrix, *, power: float = 1.0, shift: float = 0.0) -> sparse.csr_matrix:
    """Positive pointwise mutual information: max(0, ln(p(a, b) / (p(a) p(b))) - shift), in nats; same shape.

    counts: (V, V), symmetric or not. power: exponent of the context frequencies (0.75 as in word2vec lifts PMI's
    love of rare contexts). shift: ln k makes it the matrix that negative sampling with k negatives factorizes.
    Source: Church, Hanks 1990; Levy, Goldberg 2014; Levy, Goldberg, Dagan 2015, section 3.

    >>> ppmi(sparse.csr_matrix([[0, 1, 2], [1, 0, 0], [2, 0, 0]])).toarray().round(3).tolist()  # ln((1/6) / (1/2 * 1/6)) = ln 2
    [[0.0, 0.693, 0.693], [0.693, 0.0, 0.0], [0.693, 0.0, 0.0]]
    """
    counts = sparse.coo_matrix(counts, dtype=np.float64)
    if counts.nnz == 0 or counts.data.min() < 0:
        raise ValueError("expected counts >= 0 that are not all zero, got none; count co-occurrences first")
    rows = np.asarray(counts.sum(axis=1)).ravel()
    columns = np.asarray(counts.sum(axis=0)).ravel() ** power
    p_column = columns / columns.sum()
    seen = counts.data > 0
    a, b, n = counts.row[seen], counts.col[seen], counts.data[seen]
    value = np.log(n / (rows[a] * p_column[b])) - shift
    positive = value > 0
    return sparse.csr_matrix((value[positive], (a[positive], b[positive])), shape=counts.shape)


def truncated_svd(
    matrix: sparse.spmatrix | np.ndarray, dim: int, *, iterations: int = 4, oversample: int = 10, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The `dim` largest singular values s (dim,) with left and right vectors: matrix is about U @ diag(s) @ Vt.

    A random guess of the space of the largest directions is multiplied by the matrix and its transpose a few times, which
    makes large directions larger; a small exact SVD does the rest. More iterations are needed where singular
    values lie close together. Signs: the largest entry of each left vector is positive.
    Raises ValueError for dim < 1 or dim > the smaller side. Source: Halko, Martinsson, Tropp 2011, algorithms 4.4, 5.1.

    >>> U, s, Vt = truncated_svd(np.array([[3.0, 0.0], [0.0, 2.0]]), dim=1)
    >>> s.round(6).tolist(), (U @ np.diag(s) @ Vt).round(6).tolist()
    ([3.0], [[3.0, 0.0], [0.0, 0.0]])
    """
    m, n = matrix.shape
    if not 1 <= dim <= min(m, n):
        raise ValueError(f"expected 1 <= dim <= {min(m, n)} (the smaller side of the matrix), got {dim}")
    Q = np.random.default_rng(seed).standard_normal((n, min(dim + oversample, m, n)))
    with threadpool_limits(1, user_api="blas"):  # narrow tables: a second thread costs more than it brings
        Q = np.linalg.qr(matrix @ Q)[0]  # (m, dim + oversample)
        for _ in range(iterations):
            Q = np.linalg.qr(matrix @ np.linalg.qr(matrix.T @ Q)[0])[0]
        small = (matrix.T @ Q).T  # (dim + oversample, n)
        left, s, Vt = np.linalg.svd(small, full_matrices=False)
    U, s, Vt = (Q @ left)[:, :dim], s[:dim], Vt[:dim]
    signs = np.sign(U[np.abs(U).argmax(axis=0), np.arange(dim)])
    signs[signs == 0] = 1.0
    return U * signs, s, Vt * signs[:, None]
