"""Logistic and softmax regression: scores to probabilities, the loss, its gradient, three ways downhill.

Letters: X features (n, D), y labels (n,), w weights (D,) or W (D, K), b bias, z or Z scores before the
sigmoid or softmax ("logits"), p or P probabilities. Every loss is a mean over rows; L2 adds l2/2 times the
sum of squared weights (the bias is free). scikit-learn's C scales the *sum* of the losses:
C = 1 / (n * l2).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = [
    "LogisticRegression", "SoftmaxRegression", "binary_cross_entropy", "cross_entropy", "gradient_descent",
    "lbfgs", "log_sigmoid", "log_softmax", "log_sum_exp", "logistic_loss", "newton", "sigmoid", "softmax",
    "softmax_loss",
]  # fmt: skip


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
        raise ValueError(
            f"expected one logit per label, got y {y.shape} and z {z.shape}; flatten both to (n,)"
        )
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


def logistic_loss(
    w: np.ndarray, b: float, X: np.ndarray, y: np.ndarray, l2: float = 0.0
) -> tuple[float, np.ndarray, float]:
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


# ---------------------------------------------------------------------------------------- three ways downhill

Objective = Callable[[np.ndarray], tuple[float, np.ndarray]]  # theta -> (loss, gradient)


def gradient_descent(
    objective: Objective, theta: np.ndarray, rate: float, steps: int
) -> tuple[np.ndarray, list[float]]:
    """theta <- theta - rate * gradient, `steps` times. Returns the last theta and steps + 1 losses."""
    if not rate > 0 or steps < 0:
        raise ValueError(f"expected rate > 0 and steps >= 0, got rate = {rate}, steps = {steps}")
    losses = []
    for _ in range(steps):
        loss, gradient = objective(theta)
        losses.append(loss)
        theta = theta - rate * gradient
    return theta, [*losses, objective(theta)[0]]


def newton(
    objective: Objective,
    hessian: Callable[[np.ndarray], np.ndarray],
    theta: np.ndarray,
    steps: int = 50,
    tolerance: float = 1e-10,
) -> tuple[np.ndarray, list[float]]:
    """Newton's method: theta <- theta - H^{-1} gradient, halved while the loss does not fall.

    Stops when no gradient entry exceeds `tolerance`. Source: Nocedal, Wright 2006, section 3.3.
    """
    loss, gradient = objective(theta)
    losses = [loss]
    for _ in range(steps):
        if np.abs(gradient).max() <= tolerance:
            break
        step = np.linalg.lstsq(hessian(theta), gradient, rcond=None)[0]  # lstsq: also for a singular H
        for halving in range(30):
            candidate = theta - step / 2**halving
            new_loss, new_gradient = objective(candidate)
            if new_loss <= loss + 1e-14 * (1.0 + abs(loss)):  # the slack is for rounding
                break
        else:
            break  # no step helps: the loss is flat to rounding
        theta, loss, gradient = candidate, new_loss, new_gradient
        losses.append(loss)
    return theta, losses


def lbfgs(
    objective: Objective, theta: np.ndarray, steps: int = 1000, tolerance: float = 1e-8
) -> tuple[np.ndarray, list[float]]:
    """L-BFGS by scipy: Newton's idea, curvature guessed from the last few gradients (Liu, Nocedal 1989)."""
    from scipy.optimize import minimize

    losses = [objective(theta)[0]]
    result = minimize(
        objective,
        theta,
        jac=True,
        method="L-BFGS-B",
        callback=lambda intermediate_result: losses.append(float(intermediate_result.fun)),
        options={"maxiter": steps, "gtol": tolerance, "ftol": 1e-15, "maxcor": 20, "maxfun": 20 * steps},
    )
    return result.x, losses


# ----------------------------------------------------------------------------------------------------- models


class _Linear:
    """What both models share: weights, bias, logits, and the record of the last fit."""

    weights: np.ndarray
    bias: np.ndarray | float
    losses: list[float]

    def __init__(
        self, l2: float = 0.0, solver: str = "lbfgs", rate: float = 1.0, steps: int = 1000, tolerance: float = 1e-8
    ) -> None:
        if not l2 >= 0:
            raise ValueError(
                f"expected l2 >= 0, got {l2}; a negative penalty would reward large weights without end"
            )
        if solver not in self._solvers:
            raise ValueError(f"expected solver to be one of {self._solvers}, got {solver!r}")
        if steps < 1 or not rate > 0:
            raise ValueError(f"expected steps >= 1 and rate > 0, got steps = {steps}, rate = {rate}")
        if not tolerance > 0:
            raise ValueError(f"expected tolerance > 0 (largest gradient entry at the end), got {tolerance}")
        self.l2, self.solver, self.rate, self.steps, self.tolerance = l2, solver, rate, steps, tolerance

    def logits(self, X: np.ndarray) -> np.ndarray:
        """Scores X W + b for X (n, D): shape (n,) for logistic, (n, K) for softmax regression."""
        if not hasattr(self, "weights"):
            raise ValueError("expected a fitted model, got a new one; call fit(X, y) first")
        X = _features(X)
        if X.shape[1] != len(self.weights):
            raise ValueError(f"expected {len(self.weights)} columns as in fit, got {X.shape[1]}")
        return X @ self.weights + self.bias

    @property
    def n_parameters(self) -> int:
        """Weights and biases together."""
        return int(np.size(self.weights) + np.size(self.bias))

    def _refuse_separated(self, separated: bool) -> None:
        if separated and self.l2 == 0 and self.solver != "gradient descent":
            raise ValueError(
                "expected overlapping classes when l2 = 0, got classes that a linear boundary "
                "separates perfectly: the loss has no minimum, ever larger weights are ever better; set l2 > 0 (1e-3, say)"
            )


class LogisticRegression(_Linear):
    """Two classes: p(y = 1 | x) = sigmoid(x w + b), fitted by "gradient descent", "newton" or "lbfgs".

    l2: strength of the penalty l2/2 ||w||^2 on the mean loss (scikit-learn's C is 1 / (n l2)). rate is used
    by gradient descent only; steps is the most steps taken. After `fit`: weights (D,), bias, losses (one per
    step). Perfectly separated classes have no best weights unless l2 > 0: newton and lbfgs then raise
    ValueError, gradient descent takes its steps.
    """

    _solvers = ("lbfgs", "newton", "gradient descent")

    def fit(self, X: np.ndarray, y: np.ndarray) -> LogisticRegression:
        """Fit to features X (n, D) and labels y (n,) in {0, 1}, both present. Returns itself."""
        X, y = _features(X), _binary_labels(y)
        _check_rows(X, y)
        if y.min() == y.max():
            raise ValueError(
                f"expected both classes in y, got only class {int(y[0])}; there is nothing to tell apart"
            )

        def objective(theta):
            loss, dw, db = _logistic_loss(theta[1:], theta[0], X, y, self.l2)
            return loss, np.r_[db, dw]

        def hessian(theta):  # sum of p (1 - p) x x^T / n, with x = (1, features)
            p = sigmoid(X @ theta[1:] + theta[0])
            A = np.column_stack([np.ones(len(y)), X.toarray() if hasattr(X, "toarray") else X])
            return (A * (p * (1 - p))[:, None]).T @ A / len(y) + self.l2 * np.diag(
                np.r_[0.0, np.ones(X.shape[1])]
            )

        theta = np.zeros(X.shape[1] + 1)
        if self.solver == "newton":
            theta, self.losses = newton(objective, hessian, theta, self.steps, self.tolerance)
        elif self.solver == "lbfgs":
            theta, self.losses = lbfgs(objective, theta, self.steps, self.tolerance)
        else:
            theta, self.losses = gradient_descent(objective, theta, self.rate, self.steps)
        self._refuse_separated(bool(np.all((2 * y - 1) * (X @ theta[1:] + theta[0]) > 0)))
        self.weights, self.bias = theta[1:], float(theta[0])
        return self

    def probabilities(self, X: np.ndarray) -> np.ndarray:
        """p(y = 1 | x) for each row of X (n, D), shape (n,)."""
        return sigmoid(self.logits(X))

    def predict(self, X: np.ndarray, threshold: float = 0.5) -> np.ndarray:
        """1 where p(y = 1 | x) >= threshold, else 0; shape (n,)."""
        return (self.probabilities(X) >= threshold).astype(np.int64)


class SoftmaxRegression(_Linear):
    """K classes: p(y = k | x) = softmax(x W + b)_k, fitted by "gradient descent" or "lbfgs"; l2 as in
    LogisticRegression.

    After `fit`: weights (D, K), bias (K,), losses. X may be a scipy.sparse matrix (best as float64). tolerance: the fit ends
    when no entry of the gradient is larger; 1e-4 saves much time on 20,000 columns and hardly changes an answer.
    """

    _solvers = ("lbfgs", "gradient descent")

    def fit(self, X: np.ndarray, y: np.ndarray, n_classes: int | None = None) -> SoftmaxRegression:
        """Fit to X (n, D) and class numbers y (n,) in 0..K-1, with K = n_classes or the largest label + 1."""
        X, y = _features(X), _class_labels(y, n_classes)
        _check_rows(X, y)
        D, K = X.shape[1], int(y.max()) + 1 if n_classes is None else n_classes
        if len(np.unique(y)) < 2:
            raise ValueError(f"expected at least two classes in y, got only class {int(y[0])}")

        def objective(theta):
            theta = theta.reshape(D + 1, K)  # first row: the biases
            loss, dW, db = _softmax_loss(theta[1:], theta[0], X, y, self.l2)
            return loss, np.vstack([db, dW]).ravel()

        theta = np.zeros((D + 1) * K)
        if self.solver == "lbfgs" and hasattr(X, "tocsr"):  # very many columns: bounds and BLAS threads cost more than they bring
            from threadpoolctl import threadpool_limits

            from helpers import quasi_newton

            with threadpool_limits(1, user_api="blas"):
                theta, self.losses = quasi_newton.minimize(objective, theta, self.steps, self.tolerance)
        elif self.solver == "lbfgs":
            theta, self.losses = lbfgs(objective, theta, self.steps, self.tolerance)
        else:
            theta, self.losses = gradient_descent(objective, theta, self.rate, self.steps)
        theta = theta.reshape(D + 1, K)
        Z = X @ theta[1:] + theta[0]
        runner_up = np.where(np.arange(K) == y[:, None], -np.inf, Z).max(axis=1)
        self._refuse_separated(bool(np.all(Z[np.arange(len(y)), y] > runner_up)))
        self.weights, self.bias = theta[1:], theta[0]
        return self

    def probabilities(self, X: np.ndarray) -> np.ndarray:
        """p(y = k | x) for each row of X (n, D) and class k, shape (n, K); each row sums to 1."""
        return softmax(self.logits(X))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """The most probable class of each row of X (n, D), shape (n,)."""
        return np.argmax(self.logits(X), axis=1)


# ----------------------------------------------------------------------------------------------------- checks


def _features(X):
    if hasattr(X, "tocsr"):  # a scipy.sparse matrix: only its stored values are checked
        X = X.tocsr()
        values = X.data
    else:
        X = values = np.asarray(X, dtype=np.float64)
    if X.ndim != 2 or 0 in X.shape:
        raise ValueError(
            f"expected features of shape (n, D) with n, D >= 1, got {X.shape}; use X[:, None] for one feature"
        )
    if not np.isfinite(values).all():
        raise ValueError("expected finite features, got NaN or infinity; remove or repair these rows first")
    return X


def _binary_labels(y: np.ndarray) -> np.ndarray:
    y = np.asarray(y)
    if y.ndim != 1 or len(y) == 0:
        raise ValueError(f"expected labels of shape (n,) with n >= 1, got {y.shape}")
    if y.dtype.kind not in "biuf" or not ((y == 0) | (y == 1)).all():
        raise ValueError(
            f"expected labels 0 or 1, got {np.unique(y)[:5].tolist()}; recode them, say with (y == 'spam')"
        )
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
        raise ValueError(
            f"expected one label per row, got {X.shape[0]} rows and {len(y)} labels; find the lost row first"
        )


def _weights(w: np.ndarray, X, y: np.ndarray, shape: tuple[int, ...], l2: float) -> np.ndarray:
    _check_rows(X, y)
    w = np.asarray(w, dtype=np.float64)
    if w.shape != shape:
        raise ValueError(f"expected weights of shape {shape}, got {w.shape}; one weight per column of X")
    if not l2 >= 0:
        raise ValueError(
            f"expected l2 >= 0, got {l2}; a negative penalty would reward large weights without end"
        )
    return w
