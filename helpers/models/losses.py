"""From scores to probabilities to losses: sigmoid, softmax, cross-entropy, and their gradients (chapter 02)."""

from __future__ import annotations

import numpy as np

from helpers.features.checks import numbers
from helpers.models.checks import binary_labels, class_labels, finite_features, same_rows

__all__ = [
    "binary_cross_entropy",
    "cross_entropy",
    "log_sigmoid",
    "log_softmax",
    "log_sum_exp",
    "logistic_loss",
    "logistic_objective",
    "sigmoid",
    "softmax",
    "softmax_loss",
    "softmax_objective",
]


# ------------------------------------------------------------------------------------ scores to probabilities


def sigmoid(z: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-z)) elementwise, any shape, without overflow: exp is only ever taken of -|z|.

    >>> sigmoid([0.0, 1.0, -1000.0]).round(6).tolist()
    [0.5, 0.731059, 0.0]
    """
    z = numbers(z, "z")
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, e) / (1.0 + e)


def log_sigmoid(z: np.ndarray) -> np.ndarray:
    """ln sigmoid(z) = -ln(1 + exp(-z)) elementwise, finite for every finite z (no clipping needed).

    >>> log_sigmoid([0.0, -1000.0]).round(6).tolist()
    [-0.693147, -1000.0]
    """
    return -np.logaddexp(0.0, -numbers(z, "z"))


def log_sum_exp(Z: np.ndarray, axis: int = -1, keepdims: bool = False) -> np.ndarray:
    """ln of the sum of exp(Z) along an axis; the largest entry is taken out first, so no exp can overflow.

    >>> round(float(log_sum_exp([1000.0, 1000.0])), 6)  # 1000 + ln 2
    1000.693147
    """
    Z = numbers(Z, "Z")
    if Z.ndim == 0 or Z.shape[axis] == 0:
        raise ValueError(f"expected at least one score along axis {axis}, got shape {Z.shape}")
    m = Z.max(axis=axis, keepdims=True)
    m = np.where(np.isfinite(m), m, 0.0)  # a row of -inf only: exp gives 0, the log -inf
    with np.errstate(divide="ignore"):
        out = np.log(np.exp(Z - m).sum(axis=axis, keepdims=True)) + m
    return out if keepdims else np.squeeze(out, axis=axis)


def log_softmax(Z: np.ndarray, axis: int = -1) -> np.ndarray:
    """Natural log of the softmax along an axis: Z - log_sum_exp(Z).

    >>> log_softmax([0.0, 0.0, 0.0, 0.0]).round(6).tolist()  # ln 1/4
    [-1.386294, -1.386294, -1.386294, -1.386294]
    """
    Z = numbers(Z, "Z")
    Z = Z - np.max(Z, axis=axis, keepdims=True)  # first, so that no digits are lost when all scores are large
    return Z - np.log(np.exp(Z).sum(axis=axis, keepdims=True))


def softmax(Z: np.ndarray, axis: int = -1) -> np.ndarray:
    """exp(Z) divided by its sum along an axis. Adding one number to all scores changes nothing.

    >>> softmax([2.0, 1.0, 0.5]).round(6).tolist()
    [0.628532, 0.231224, 0.140244]
    """
    Z = numbers(Z, "Z")
    E = np.exp(Z - np.max(Z, axis=axis, keepdims=True))
    return E / E.sum(axis=axis, keepdims=True)


# --------------------------------------------------------------------------------------- losses and gradients


def binary_cross_entropy(y: np.ndarray, z: np.ndarray) -> float:
    """Mean cross-entropy of 0/1 labels y (n,) under the logits z (n,), in nats: mean of ln(1 + exp(z)) - y z.

    >>> round(binary_cross_entropy([1, 0], [0.0, 0.0]), 6)  # a constant 0.5: ln 2
    0.693147
    """
    y, z = binary_labels(y), numbers(z, "z")
    if z.shape != y.shape:
        raise ValueError(f"expected one logit per label, got y {y.shape} and z {z.shape}; flatten both to (n,)")
    return float(np.mean(np.logaddexp(0.0, z) - y * z))


def cross_entropy(y: np.ndarray, Z: np.ndarray) -> float:
    """Mean cross-entropy of class numbers y (n,) under the logits Z (n, K), in nats: mean of lse(Z_i) - Z[i, y_i].

    >>> round(cross_entropy([0], np.log([[0.1, 0.9]])), 6)  # -ln 0.1
    2.302585
    """
    Z = numbers(Z, "Z")
    if Z.ndim != 2:
        raise ValueError(f"expected logits of shape (n, K), got {Z.shape}; one row per example")
    y = class_labels(y, Z.shape[1])
    if len(y) != len(Z):
        raise ValueError(f"expected one row of logits per label, got {len(y)} labels and {len(Z)} rows")
    return float(np.mean(log_sum_exp(Z) - Z[np.arange(len(y)), y]))


def logistic_loss(w: np.ndarray, b: float, X: np.ndarray, y: np.ndarray, l2: float = 0.0) -> tuple[float, np.ndarray, float]:
    """(loss, dloss/dw (D,), dloss/db) of logistic regression on X (n, D), y (n,) in {0, 1}.

    With p = sigmoid(X w + b) the gradient is X^T (p - y) / n + l2 w, and the mean of p - y for the bias.
    Source: Bishop 2006, section 4.3.2. Raises ValueError for shapes, labels or NaN that do not fit.

    >>> loss, dw, db = logistic_loss([0.0], 0.0, [[2.0]], [1])  # p - y = -1/2
    >>> round(loss, 6), dw.tolist(), db
    (0.693147, [-1.0], -0.5)
    """
    X, y = finite_features(X), binary_labels(y)
    w = _weights(w, X, y, (X.shape[1],), l2)
    return logistic_objective(w, b, X, y, l2)


def logistic_objective(w: np.ndarray, b: float, X, y: np.ndarray, l2: float) -> tuple[float, np.ndarray, float]:
    """`logistic_loss` without its checks, for inner loops.

    >>> logistic_objective(np.array([0.0]), 0.0, np.array([[2.0]]), np.array([1.0]), 0.0)[2]
    -0.5
    """
    z = X @ w + b
    r = sigmoid(z) - y  # p - y, shape (n,)
    loss = float(np.mean(np.logaddexp(0.0, z) - y * z)) + 0.5 * l2 * float(w @ w)
    return loss, X.T @ r / len(y) + l2 * w, float(r.mean())


def softmax_loss(
    W: np.ndarray, b: np.ndarray, X: np.ndarray, y: np.ndarray, l2: float = 0.0
) -> tuple[float, np.ndarray, np.ndarray]:
    """(loss, dloss/dW (D, K), dloss/db (K,)) of softmax regression on X (n, D), classes y (n,) in 0..K-1.

    With P = softmax(X W + b) and Y the one-hot labels the gradient is X^T (P - Y) / n + l2 W.
    Source: Bishop 2006, section 4.3.4. Raises ValueError for shapes, labels or NaN that do not fit.

    >>> loss, dW, db = softmax_loss(np.zeros((1, 2)), np.zeros(2), [[2.0]], np.array([1]))  # P - Y = [1/2, -1/2]
    >>> round(loss, 6), dW.tolist(), db.tolist()
    (0.693147, [[1.0, -1.0]], [0.5, -0.5])
    """
    X, b = finite_features(X), numbers(b, "b")
    if b.ndim != 1:
        raise ValueError(f"expected a bias of shape (K,), got {b.shape}")
    y = class_labels(y, len(b))
    W = _weights(W, X, y, (X.shape[1], len(b)), l2)
    return softmax_objective(W, b, X, y, l2)


def softmax_objective(W: np.ndarray, b: np.ndarray, X, y: np.ndarray, l2: float) -> tuple[float, np.ndarray, np.ndarray]:
    """`softmax_loss` without its checks, for inner loops.

    >>> softmax_objective(np.zeros((1, 2)), np.zeros(2), np.array([[2.0]]), np.array([1]), 0.0)[2].tolist()
    [0.5, -0.5]
    """
    Z = X @ W + b  # (n, K)
    log_P = log_softmax(Z)
    rows = np.arange(len(y))
    loss = -float(log_P[rows, y].mean()) + 0.5 * l2 * float(np.sum(W * W))
    R = np.exp(log_P)
    R[rows, y] -= 1.0  # P - Y
    R /= len(y)
    return loss, X.T @ R + l2 * W, R.sum(axis=0)


def _weights(w: np.ndarray, X, y: np.ndarray, shape: tuple[int, ...], l2: float) -> np.ndarray:
    same_rows(X, y)
    w = numbers(w, "w")
    if w.shape != shape:
        raise ValueError(f"expected weights of shape {shape}, got {w.shape}; one weight per column of X")
    if not l2 >= 0:
        raise ValueError(f"expected l2 >= 0, got {l2}; a negative penalty would reward large weights without end")
    return w
