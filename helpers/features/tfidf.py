"""Weights of counted terms: inverse document frequency, saturation (BM25), rows of length 1, cosine (chapters 03 and 11).

Letters: X counts (n, V), n documents, df (V,) in how many documents each term stands. Sources: Sparck Jones 1972; Salton,
Buckley 1988; Robertson, Zaragoza 2009.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from helpers.features.checks import numbers

__all__ = ["IDF", "cosine", "document_frequency", "idf", "saturate", "unit_rows"]

IDF = ("smooth", "plain", "okapi", "okapi positive")


def document_frequency(X: sparse.csr_matrix) -> np.ndarray:
    """In how many rows of X (n, V) each column is not zero; shape (V,).

    >>> document_frequency(sparse.csr_matrix([[2, 0, 1], [1, 0, 0]])).tolist()
    [2, 0, 1]
    """
    X = sparse.csr_matrix(X)
    return np.bincount(X.indices[X.data != 0], minlength=X.shape[1])


def idf(df: np.ndarray, n: int, kind: str = "smooth") -> np.ndarray:
    """Inverse document frequency: large for what stands in few of the n documents (df: in how many, shape (V,)).

    "smooth": ln((1 + n) / (1 + df)) + 1, as in scikit-learn, always positive. "plain": ln(n / df) (Sparck Jones 1972).
    "okapi": ln((n - df + 0.5) / (df + 0.5)), negative for df > n/2. "okapi positive": ln(1 + the same quotient) (Robertson,
    Zaragoza 2009, section 3). Raises ValueError for an unknown kind, n < 1 or df outside 0..n.

    >>> [round(float(idf([2], 15, kind)[0]), 6) for kind in ("okapi", "okapi positive")]  # ln(13.5/2.5), ln(1 + 13.5/2.5)
    [1.686399, 1.856298]
    """
    df = numbers(df, "df")
    if kind not in IDF:
        raise ValueError(f"expected kind to be one of {IDF}, got {kind!r}")
    if n < 1 or (df.size and (df.min() < 0 or df.max() > n)):
        raise ValueError(f"expected n >= 1 documents and 0 <= df <= n, got n = {n} and df {df.min()}..{df.max()}")
    if kind == "smooth":
        return np.log((1 + n) / (1 + df)) + 1
    if kind == "plain":
        if (df == 0).any():
            raise ValueError('expected df >= 1 for the plain idf, got 0: the logarithm of n/0 has no value; use "smooth"')
        return np.log(n / df)
    odds = (n - df + 0.5) / (df + 0.5)
    return np.log(odds if kind == "okapi" else 1 + odds)


def saturate(X: sparse.csr_matrix, k1: float = 1.5, b: float = 0.75) -> sparse.csr_matrix:
    """Counts X (n, V) to BM25 term weights tf (k1 + 1) / (tf + k1 (1 - b + b length / mean length)).

    The tenth occurrence of a word adds less than the first; b says how much long texts are marked down. Multiply by an
    Okapi idf and sum over the words of a query: that is BM25. Source: Robertson, Zaragoza 2009, section 3.

    >>> saturate(sparse.csr_matrix([[1, 3], [4, 0]]), k1=1.5).toarray().round(3).tolist()  # 1 * 2.5 / (1 + 1.5), 3 * 2.5 / 4.5
    [[1.0, 1.667], [1.818, 0.0]]
    """
    if k1 < 0 or not 0 <= b <= 1:
        raise ValueError(f"expected k1 >= 0 and 0 <= b <= 1, got k1 = {k1}, b = {b}")
    X = sparse.csr_matrix(X, dtype=np.float64, copy=True)
    length = np.asarray(X.sum(axis=1)).ravel()
    mean = length.mean() if length.any() else 1.0
    penalty = np.repeat(k1 * (1 - b + b * length / mean), np.diff(X.indptr))
    X.data *= (k1 + 1) / (X.data + penalty)
    return X


def unit_rows(X):
    """X (n, V), sparse or dense, with each row divided by its length sqrt(sum of squares) (L2 normalization); zero rows stay.

    >>> unit_rows([[3.0, 4.0], [0.0, 0.0]]).tolist()
    [[0.6, 0.8], [0.0, 0.0]]
    """
    if sparse.issparse(X):
        X = sparse.csr_matrix(X, dtype=np.float64, copy=True)
        norms = np.sqrt(np.asarray(X.multiply(X).sum(axis=1)).ravel())
        X.data /= np.repeat(np.where(norms == 0, 1.0, norms), np.diff(X.indptr))
        return X
    X = np.atleast_2d(numbers(X, "X"))
    norms = np.linalg.norm(X, axis=1, keepdims=True)
    return X / np.where(norms == 0, 1.0, norms)


def cosine(A, B) -> np.ndarray:
    """Cosine of the angle between each row of A (n, V) and each of B (m, V): dense (n, m), 1 = same direction.

    A row of zeros (a text of unknown words only) has no direction; its cosine with everything is 0 here.

    >>> cosine([[3.0, 4.0]], [[4.0, 3.0], [-3.0, -4.0], [0.0, 0.0]]).round(6).tolist()
    [[0.96, -1.0, 0.0]]
    """
    A, B = unit_rows(A), unit_rows(B)
    if A.shape[1] != B.shape[1]:
        raise ValueError(f"expected rows of one length, got {A.shape[1]} and {B.shape[1]}; use one vectorizer for both")
    C = A @ B.T
    return C.toarray() if sparse.issparse(C) else np.asarray(C)
