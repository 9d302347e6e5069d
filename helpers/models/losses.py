"""From scores to probabilities to losses: sigmoid, softmax, cross-entropy, and their gradients (chapter 02)."""

from __future__ import annotations

import numpy as np

__all__ = [
    "binary_cross_entropy",
    "cross_entropy",
    "log_sigmoid",
    "log_softmax",
    "log_sum_exp",
    "logistic_loss",
    "sigmoid",
    "softmax",
    "softmax_loss",
]


# ------------------------------------------------------------------------------------ scores to probabilities


def sigmoid(z: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-z)) elementwise, any shape, without overflow: exp is only ever taken of -|z|."""
    z = np.asarray(z, dtype=np.float64)
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, e) / (1.0 + e)


def log_sigmoid(z: np.ndarray) -> np.ndarray:
    """ln sigmoid(z) = -ln(1 + exp(-z)) elementwise, finite for every finite z (no clipping needed)."""
    return -np.logaddexp(0.0, -np.asarray(z, dtype=np.float64))


def log_sum_exp(Z: np.ndarray, axis: int = -1, keepdims: bool = False) -> np.ndarray:
    """ln of the sum of exp(Z) along an axis; the largest entry is taken out first, so no exp can overflow."""
    Z = np.asarray(Z, dtype=np.float64)
    if Z.ndim == 0 or Z.shape[axis] == 0:
        raise ValueError(f"expected at least one score along axis {axis}, got shape {Z.shape}")
    m = Z.max(axis=axis, keepdims=True)
    m = np.where(np.isfinite(m), m, 0.0)  # a row of -inf only: exp gives 0, the log -inf
    with np.errstate(divide="ignore"):
        out = np.log(np.exp(Z - m).sum(axis=axis, keepdims=True)) + m
    return out if keepdims else np.squeeze(out, axis=axis)


def log_softmax(Z: np.ndarray, axis: int = -1) -> np.ndarray:
    """Natural log of the softmax along an axis: Z - log_sum_exp(Z)."""
    Z = np.asarray(Z, dtype=np.float64)
    Z = Z - np.max(Z, axis=axis, keepdims=True)  # first, so that no digits are lost when all scores are large
    return Z - np.log(np.exp(Z).sum(axis=axis, keepdims=True))


def softmax(Z: np.ndarray, axis: int = -1) -> np.ndarray:
    """exp(Z) divided by its sum along an axis. Adding one number to all scores changes nothing."""
    Z = np.asarray(Z, dtype=np.float64)
    E = np.exp(Z - np.max(Z, axis=axis, keepdims=True))
    return E / E.sum(axis=axis, keepdims=True)


# --------------------------------------------------------------------------------------- losses and gradients


def binary_cross_entropy(y: np.ndarray, z: np.ndarray) -> float:
    """Mean cross-entropy of 0/1 labels y (n,) under the logits z (n,), in nats: mean of ln(1 + exp(z)) - y
    z."""
    y, z = _binary_labels(y), np.asarray(z, dtype=np.float64)
    if z.shape != y.shape:
        raise ValueError(f"expected one logit per label, got y {y.shape} and z {z.shape}; flatten both to (n,)")
    return float(np.mean(np.logaddexp(0.0, z) - y * z))


def cross_entropy(y: np.ndarray, Z: np.ndarray) -> float:
    """Mean cross-entropy of class numbers y (n,) under the logits Z (n, K), in nats: mean of lse(Z_i) - Z[i,
    y_i]."""
    Z = np.asarray(Z, dtype=np.float64)
    if Z.ndim != 2:
        raise ValueError(f"expected logits of shape (n, K), got {Z.shape}; one row per example")
    y = _class_labels(y, Z.shape[1])
    if len(y) != len(Z):
        raise ValueError(f"expected one row of logits per label, got {len(y)} labels and {len(Z)} rows")
    return float(np.mean(log_sum_exp(Z) - Z[np.arange(len(y)), y]))


def logistic_loss(w: np.ndarray, b: float, X: np.ndarray, y: np.ndarray, l2: float = 0.0) -> tuple[float, np.ndarray, float]:
    """(loss, dloss/dw (D,), dloss/db) of logistic regression on X (n, D), y (n,) in {0, 1}.

    With p = sigmoid(X w + b) the gradient is X^T (p - y) / n + l2 w, and the mean of p - y for the bias.
    Source: Bishop 2006, section 4.3.2. Raises ValueError on shapes, labels or NaN that do not fit.
    """
    X, y = _features(X), _binary_labels(y)
    w = _weights(w, X, y, (X.shape[1],), l2)
    return _logistic_loss(w, b, X, y, l2)


def _logistic_loss(w, b, X, y, l2):  # the same without the checks, for the inner loops
    z = X @ w + b
    r = sigmoid(z) - y  # p - y, shape (n,)
    loss = float(np.mean(np.logaddexp(0.0, z) - y * z)) + 0.5 * l2 * float(w @ w)
    return loss, X.T @ r / len(y) + l2 * w, float(r.mean())


def softmax_loss(
    W: np.ndarray, b: np.ndarray, X: np.ndarray, y: np.ndarray, l2: float = 0.0
) -> tuple[float, np.ndarray, np.ndarray]:
    """(loss, dloss/dW (D, K), dloss/db (K,)) of softmax regression on X (n, D), classes y (n,) in 0..K-1.

    With P = softmax(X W + b) and Y the one-hot labels the gradient is X^T (P - Y) / n + l2 W.
    Source: Bishop 2006, section 4.3.4. Raises ValueError on shapes, labels or NaN that do not fit.
    """
    X, b = _features(X), np.asarray(b, dtype=np.float64)
    if b.ndim != 1:
        raise ValueError(f"expected a bias of shape (K,), got {b.shape}")
    y = _class_labels(y, len(b))
    W = _weights(W, X, y, (X.shape[1], len(b)), l2)
    return _softmax_loss(W, b, X, y, l2)


def _softmax_loss(W, b, X, y, l2):
    Z = X @ W + b  # (n, K)
    log_P = log_softmax(Z)
    rows = np.arange(len(y))
    loss = -float(log_P[rows, y].mean()) + 0.5 * l2 * float(np.sum(W * W))
    R = np.exp(log_P)
    R[rows, y] -= 1.0  # P - Y
    R /= len(y)
    return loss, X.T @ R + l2 * W, R.sum(axis=0)


# ----------------------------------------------------------------------------------------------------- checks


def _features(X):
    if hasattr(X, "tocsr"):  # a scipy.sparse matrix: only its stored values are checked
        X = X.tocsr()
        values = X.data
    else:
        X = values = np.asarray(X, dtype=np.float64)
    if X.ndim != 2 or 0 in X.shape:
        raise ValueError(f"expected features of shape (n, D) with n, D >= 1, got {X.shape}; use X[:, None] for one feature")
    if not np.isfinite(values).all():
        raise ValueError("expected finite features, got NaN or infinity; remove or repair these rows first")
    return X


def _binary_labels(y: np.ndarray) -> np.ndarray:
    y = np.asarray(y)
    if y.ndim != 1 or len(y) == 0:
        raise ValueError(f"expected labels of shape (n,) with n >= 1, got {y.shape}")
    if y.dtype.kind not in "biuf" or not ((y == 0) | (y == 1)).all():
        raise ValueError(f"expected labels 0 or 1, got {np.unique(y)[:5].tolist()}; recode them, say with (y == 'spam')")
    return y.astype(np.float64)


def _class_labels(y: np.ndarray, n_classes: int | None) -> np.ndarray:
    y = np.asarray(y)
    if y.ndim != 1 or len(y) == 0:
        raise ValueError(f"expected labels of shape (n,) with n >= 1, got {y.shape}")
    if y.dtype.kind not in "iu" or y.min() < 0 or (n_classes is not None and y.max() >= n_classes):
        upper = "K-1" if n_classes is None else n_classes - 1
        raise ValueError(
            f"expected whole class numbers 0..{upper}, got {y.dtype} {np.unique(y)[[0, -1]].tolist()}; "
            "number the classes from 0 and convert them with .astype(int)"
        )
    return y


def _check_rows(X, y: np.ndarray) -> None:
    if X.shape[0] != len(y):
        raise ValueError(f"expected one label per row, got {X.shape[0]} rows and {len(y)} labels; find the lost row first")


def _weights(w: np.ndarray, X, y: np.ndarray, shape: tuple[int, ...], l2: float) -> np.ndarray:
    _check_rows(X, y)
    w = np.asarray(w, dtype=np.float64)
    if w.shape != shape:
        raise ValueError(f"expected weights of shape {shape}, got {w.shape}; one weight per column of X")
    if not l2 >= 0:
        raise ValueError(f"expected l2 >= 0, got {l2}; a negative penalty would reward large weights without end")
    return w
