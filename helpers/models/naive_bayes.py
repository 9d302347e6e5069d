"""Multinomial naive Bayes: a classifier of counts that is trained by counting (chapter 03).

Letters: X counts (n, V), y class numbers (n,), K classes, alpha the made-up count that every word gets in every class.
Source: McCallum, Nigam 1998; Manning, Raghavan, Schuetze 2008, chapter 13.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from helpers.models.checks import class_labels, same_rows
from helpers.models.losses import softmax

__all__ = ["NaiveBayes"]


class NaiveBayes:
    """P(class | text) by Bayes' rule, as if the words of a text were drawn one by one, independently, given its class.

    alpha: added to every count (1 is Laplace's rule; 0 lets one unseen word rule a class out). After `fit`:
    log_prior (K,), log_likelihood (V, K): ln P(word | class), each column of probabilities sums to 1.
    A class without examples (possible with `n_classes`) has prior 0 and is never predicted.

    >>> model = NaiveBayes(alpha=1.0).fit([[3, 0], [1, 2]], np.array([0, 1]))
    >>> np.exp(model.log_likelihood).round(3).tolist()  # (3 + 1) / 5 and (1 + 1) / 5; (0 + 1) / 5 and (2 + 1) / 5
    [[0.8, 0.4], [0.2, 0.6]]
    >>> model.probabilities([[1, 0]]).round(3).tolist()
    [[0.667, 0.333]]
    """

    log_prior: np.ndarray
    log_likelihood: np.ndarray

    def __init__(self, alpha: float = 1.0) -> None:
        if not alpha >= 0:
            raise ValueError(f"expected alpha >= 0, got {alpha}; 1 is Laplace's rule")
        self.alpha = alpha

    def fit(self, X, y: np.ndarray, n_classes: int | None = None) -> NaiveBayes:
        """Count: X (n, V) sparse or dense, no negative entries; y (n,) in 0..K-1. Returns itself.

        Raises ValueError on shapes, labels, negative or infinite entries, and, when alpha is 0, on a class without any word.
        """
        X, y = _counts(X), class_labels(y, n_classes)
        same_rows(X, y)
        K = int(y.max()) + 1 if n_classes is None else n_classes
        members = np.bincount(y, minlength=K)
        Y = sparse.csr_matrix((np.ones(len(y)), y, np.arange(len(y) + 1)), (len(y), K))
        words = np.asarray((X.T @ Y).toarray()) + self.alpha  # (V, K): how often each word stands in each class
        totals = words.sum(axis=0)
        if (totals[members > 0] == 0).any():
            raise ValueError("expected at least one word in every class when alpha = 0, got a class without any; set alpha > 0")
        with np.errstate(divide="ignore", invalid="ignore"):  # ln 0 = -inf: a class or word that was never seen
            self.log_prior = np.log(members / len(y))
            self.log_likelihood = np.where(members > 0, np.log(words) - np.log(totals), -np.log(X.shape[1]))
        return self

    @property
    def n_parameters(self) -> int:
        """Numbers learned: one per word and class, and one per class."""
        return self.log_likelihood.size + self.log_prior.size

    def logits(self, X) -> np.ndarray:
        """ln P(class) + sum over words of count * ln P(word | class), shape (n, K); softmax of it is P(class | text)."""
        if not hasattr(self, "log_prior"):
            raise ValueError("expected a fitted model, got a new one; call fit(X, y) first")
        X = _counts(X)
        if X.shape[1] != len(self.log_likelihood):
            raise ValueError(f"expected {len(self.log_likelihood)} columns as in fit, got {X.shape[1]}; use the same vectorizer")
        impossible = np.isneginf(self.log_likelihood)
        if not impossible.any():
            return np.asarray(X @ self.log_likelihood) + self.log_prior
        Z = np.asarray(X @ np.where(impossible, 0.0, self.log_likelihood))  # 0 * -inf would be NaN
        return np.where(np.asarray(X @ impossible.astype(np.float64)) > 0, -np.inf, Z) + self.log_prior

    def probabilities(self, X) -> np.ndarray:
        """P(class | text), shape (n, K). Where every class is ruled out (alpha = 0), the priors."""
        Z = self.logits(X)
        return softmax(np.where(np.isneginf(Z).all(axis=1, keepdims=True), self.log_prior, Z))

    def predict(self, X) -> np.ndarray:
        """The most probable class of each row; shape (n,)."""
        return np.argmax(self.probabilities(X), axis=1)


def _counts(X) -> sparse.csr_matrix:
    X = sparse.csr_matrix(X, dtype=np.float64)
    if 0 in X.shape:
        raise ValueError(f"expected counts of shape (n, V) with n, V >= 1, got {X.shape}")
    if not np.isfinite(X.data).all() or (X.data < 0).any():
        raise ValueError("expected finite counts >= 0, got negative or infinite entries; naive Bayes wants counts, not scores")
    return X
