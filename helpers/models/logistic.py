"""Logistic and softmax regression: scores to probabilities, the loss, its gradient, three ways downhill.

Letters: X features (n, D), y labels (n,), w weights (D,) or W (D, K), b bias, z or Z scores before the
sigmoid or softmax ("logits"), p or P probabilities. Every loss is a mean over rows; L2 adds l2/2 times the
sum of squared weights (the bias is free). scikit-learn's C scales the *sum* of the losses:
C = 1 / (n * l2).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from helpers.models.checks import binary_labels, class_labels, finite_features, same_rows
from helpers.models.losses import logistic_objective, sigmoid, softmax, softmax_objective

__all__ = ["LogisticRegression", "SoftmaxRegression", "lbfgs", "newton", "steepest_descent"]


# ---------------------------------------------------------------------------------------- three ways downhill

Objective = Callable[[np.ndarray], tuple[float, np.ndarray]]  # theta -> (loss, gradient)


def steepest_descent(objective: Objective, theta: np.ndarray, rate: float, steps: int) -> tuple[np.ndarray, list[float]]:
    """Gradient descent on any objective: theta <- theta - rate * gradient, `steps` times. Returns theta and the losses.

    >>> steepest_descent(lambda t: (float(t @ t), 2 * t), np.array([4.0]), rate=0.25, steps=2)
    (array([1.]), [16.0, 4.0, 1.0])
    """
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

    >>> newton(lambda t: (float(t @ t), 2 * t), lambda t: 2 * np.eye(1), np.array([4.0]))  # a parabola: one step
    (array([0.]), [16.0, 0.0])
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


def lbfgs(objective: Objective, theta: np.ndarray, steps: int = 1000, tolerance: float = 1e-8) -> tuple[np.ndarray, list[float]]:
    """L-BFGS by scipy: Newton's idea, curvature guessed from the last few gradients (Liu, Nocedal 1989).

    >>> lbfgs(lambda t: (float((t - 5) @ (t - 5)), 2 * (t - 5)), np.array([4.0, -3.0]))[0].round(6).tolist()
    [5.0, 5.0]
    """
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
    _solvers: tuple[str, ...]

    def __init__(
        self, l2: float = 0.0, solver: str = "lbfgs", rate: float = 1.0, steps: int = 1000, tolerance: float = 1e-8
    ) -> None:
        if not l2 >= 0:
            raise ValueError(f"expected l2 >= 0, got {l2}; a negative penalty would reward large weights without end")
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
        X = finite_features(X)
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

    l2: strength of the penalty l2/2 ||w||^2 on the mean loss (scikit-learn's C is 1 / (n l2)). rate is used by gradient descent
    only; steps is the most steps taken. After `fit`: weights (D,), bias, losses (one per step). Perfectly separated classes have
    no best weights unless l2 > 0: newton and lbfgs then raise ValueError, gradient descent takes its steps.

    >>> model = LogisticRegression().fit([[0.0], [0.0], [1.0], [1.0], [1.0], [1.0]], [0, 1, 1, 1, 1, 0])
    >>> model.probabilities([[0.0], [1.0]]).round(4).tolist()  # the shares of 1s: 1/2 and 3/4
    [0.5, 0.75]
    """

    _solvers = ("lbfgs", "newton", "gradient descent")

    def fit(self, X: np.ndarray, y: np.ndarray) -> LogisticRegression:
        """Fit to features X (n, D) and labels y (n,) in {0, 1}, both present. Returns itself."""
        X, y = finite_features(X), binary_labels(y)
        same_rows(X, y)
        if y.min() == y.max():
            raise ValueError(f"expected both classes in y, got only class {int(y[0])}; there is nothing to tell apart")

        def objective(theta):
            loss, dw, db = logistic_objective(theta[1:], theta[0], X, y, self.l2)
            return loss, np.r_[db, dw]

        def hessian(theta):  # sum of p (1 - p) x x^T / n, with x = (1, features)
            p = sigmoid(X @ theta[1:] + theta[0])
            A = np.column_stack([np.ones(len(y)), X.toarray() if hasattr(X, "toarray") else X])
            return (A * (p * (1 - p))[:, None]).T @ A / len(y) + self.l2 * np.diag(np.r_[0.0, np.ones(X.shape[1])])

        theta = np.zeros(X.shape[1] + 1)
        if self.solver == "newton":
            theta, self.losses = newton(objective, hessian, theta, self.steps, self.tolerance)
        elif self.solver == "lbfgs":
            theta, self.losses = lbfgs(objective, theta, self.steps, self.tolerance)
        else:
            theta, self.losses = steepest_descent(objective, theta, self.rate, self.steps)
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
    """K classes: p(y = k | x) = softmax(x W + b)_k, fitted by "gradient descent" or "lbfgs"; l2 as in LogisticRegression.

    After `fit`: weights (D, K), bias (K,), losses. X may be a scipy.sparse matrix (best as float64). tolerance: the fit ends
    when no entry of the gradient is larger; 1e-4 saves much time on 20,000 columns and hardly changes an answer.

    >>> model = SoftmaxRegression().fit([[0.0], [0.0], [1.0], [1.0], [1.0], [1.0]], [0, 1, 1, 1, 1, 0])
    >>> model.probabilities([[1.0]]).round(4).tolist(), model.n_parameters
    ([[0.25, 0.75]], 4)
    """

    _solvers = ("lbfgs", "gradient descent")

    def fit(self, X: np.ndarray, y: np.ndarray, n_classes: int | None = None) -> SoftmaxRegression:
        """Fit to X (n, D) and class numbers y (n,) in 0..K-1, with K = n_classes or the largest label + 1."""
        X, y = finite_features(X), class_labels(y, n_classes)
        same_rows(X, y)
        D, K = X.shape[1], int(y.max()) + 1 if n_classes is None else n_classes
        if len(np.unique(y)) < 2:
            raise ValueError(f"expected at least two classes in y, got only class {int(y[0])}")

        def objective(theta):
            theta = theta.reshape(D + 1, K)  # first row: the biases
            loss, dW, db = softmax_objective(theta[1:], theta[0], X, y, self.l2)
            return loss, np.vstack([db, dW]).ravel()

        theta = np.zeros((D + 1) * K)
        if self.solver == "lbfgs" and hasattr(X, "tocsr"):  # very many columns: bounds and BLAS threads cost more than they bring
            from threadpoolctl import threadpool_limits

            from helpers.models import lbfgs as quasi_newton

            with threadpool_limits(1, user_api="blas"):
                theta, self.losses = quasi_newton.minimize(objective, theta, self.steps, self.tolerance)
        elif self.solver == "lbfgs":
            theta, self.losses = lbfgs(objective, theta, self.steps, self.tolerance)
        else:
            theta, self.losses = steepest_descent(objective, theta, self.rate, self.steps)
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
