"""Gradient descent on the squared loss, and what limits its learning rate (chapter 01)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from helpers.features.checks import finite_array, two_dimensional
from helpers.models.checks import features_and_targets
from helpers.models.linear import least_squares, mse

__all__ = ["Descent", "condition_number", "gradient_descent", "largest_learning_rate", "numeric_gradient"]


def numeric_gradient(f: Callable[[np.ndarray], float], at: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """Central differences (f(p + h) - f(p - h)) / 2h, one parameter at a time; h = step * max(1, |p_i|).

    f: takes a float64 array of the shape of `at` and returns a number. at: the parameters, any shape; so is the result. step:
    relative size of the nudge; 1e-6 balances truncation against rounding for smooth f of size about 1.
    Raises ValueError for a step not above 0, or `at` not finite.

    >>> numeric_gradient(lambda p: p[0] ** 2 + 3 * p[1], np.array([2.0, 5.0])).round(6).tolist()
    [4.0, 3.0]
    """
    if not step > 0:
        raise ValueError(f"expected a step above 0, got {step!r}; 1e-6 is a good start")
    at = np.array(finite_array(at, "at"))
    gradient = np.empty_like(at)
    for i in np.ndindex(at.shape):
        h = step * max(1.0, float(abs(at[i])))
        up, down = at.copy(), at.copy()
        up[i] += h
        down[i] -= h
        gradient[i] = (f(up) - f(down)) / (up[i] - down[i])
    return gradient


class Descent(NamedTuple):
    """What gradient_descent did: the final w and b, and the whole way there.

    >>> gradient_descent([[-1.0], [1.0]], [-2.0, 2.0], lr=0.25, steps=3).losses.tolist()  # the error is halved each time
    [4.0, 1.0, 0.25, 0.0625]
    """

    w: np.ndarray  # (d,)
    b: float
    losses: np.ndarray  # (updates + 1,): J on all rows before the first update and after each one
    path: np.ndarray  # (updates + 1, d + 1): w and b at the same moments
    diverged: bool  # the loss grew beyond 1e12 times its start, or beyond what a float holds


def gradient_descent(
    X: np.ndarray,
    y: np.ndarray,
    lr: float,
    steps: int,
    *,
    batch_size: int | None = None,
    tol: float | None = None,
    start: tuple[np.ndarray, float] | None = None,
    seed: int = 0,
) -> Descent:
    """Take `steps` updates w -= lr * dJ/dw, b -= lr * dJ/db on the mean squared error.

    X: (n, d). y: (n,). lr: learning rate, above 0. steps: number of updates, at least 0. batch_size: rows per update, drawn
    without replacement until all were used, then shuffled again; the last batch of a pass may be smaller. None means all rows
    (batch gradient descent); 1 is stochastic. tol: stop early once J is within this share of the least possible loss:
    J <= J_min * (1 + tol). start: (w, b) to start from; zeros by default. seed: for the order of rows.
    Raises ValueError for bad X or y, lr not above 0, negative steps, batch_size outside 1..n, start of the wrong shape.
    Source: Cauchy 1847 (batch); Robbins and Monro, A Stochastic Approximation Method, 1951 (stochastic).

    >>> gradient_descent([[-1.0], [1.0]], [-2.0, 2.0], lr=0.25, steps=2).w.tolist()  # 0 + 0.25 * 4, then 1 + 0.25 * 2
    [1.5]
    """
    X, y = features_and_targets(X, y, one_target=True)
    n, d = X.shape
    if not (np.isfinite(lr) and lr > 0):
        raise ValueError(f"expected lr as a finite number above 0, got {lr!r}; try 0.1 on standardized features")
    if steps < 0 or steps != int(steps):
        raise ValueError(f"expected steps as a whole number of at least 0, got {steps!r}")
    if batch_size is not None and not 1 <= batch_size <= n:
        raise ValueError(f"expected batch_size between 1 and the {n} rows, got {batch_size!r}; None means all")
    w, b = (np.zeros(d), 0.0) if start is None else (finite_array(start[0], "start[0]").copy(), float(start[1]))
    if w.shape != (d,):
        raise ValueError(f"expected start as (w, b) with w of shape ({d},), got {w.shape}")
    target = None if tol is None else mse(y, least_squares(X, y).predict(X)) * (1 + tol)

    rng, order, place, size = np.random.default_rng(seed), np.arange(n), n, batch_size or n
    losses, path, diverged = [mse(y, X @ w + b)], [np.append(w, b)], False
    for _ in range(int(steps)):
        if target is not None and losses[-1] <= target:
            break
        # 1. The rows of this update: all of them, or the next ones of a shuffled pass.
        if place >= n:
            order, place = rng.permutation(n) if size < n else order, 0
        rows = order[place : place + size] if size < n else slice(None)
        place += size
        # 2. The update, and the loss on all rows after it.
        error = X[rows] @ w + b - y[rows]
        w, b = w - lr * 2 * X[rows].T @ error / len(error), float(b - lr * 2 * error.mean())
        with np.errstate(over="ignore", invalid="ignore"):
            losses.append(float(np.mean((X @ w + b - y) ** 2)))
        path.append(np.append(w, b))
        if not losses[-1] < 1e12 * max(losses[0], 1e-300):
            diverged = True
            break
    return Descent(w, b, np.array(losses), np.array(path), diverged)


def condition_number(X: np.ndarray) -> float:
    """Largest over smallest curvature of the squared loss in (w, b): the condition number of A^T A, A = [X, 1].

    1 is a round bowl; the number of gradient steps grows in proportion to it. Infinite when columns depend on each other.
    Raises ValueError for bad X (n, d).

    >>> round(condition_number([[-1.0], [1.0]]), 6), round(condition_number([[-10.0], [10.0]]), 6)
    (1.0, 100.0)
    """
    X = two_dimensional(X)
    s = np.linalg.svd(np.hstack([X, np.ones((len(X), 1))]), compute_uv=False)
    flat = len(X) < X.shape[1] + 1 or s[-1] <= s[0] * np.finfo(float).eps * max(X.shape)
    return float("inf") if flat else float((s[0] / s[-1]) ** 2)


def largest_learning_rate(X: np.ndarray) -> float:
    """The rate at and above which batch gradient descent on the mean squared error stops converging.

    It is 2 over the largest eigenvalue of the matrix of second derivatives, 2/n A^T A with A = [X, 1]; so n over the largest
    eigenvalue of A^T A. Raises ValueError for bad X (n, d).

    >>> round(largest_learning_rate([[-2.0], [2.0]]), 6)  # 2 / (4 + 4)
    0.25
    """
    X = two_dimensional(X)
    s = np.linalg.svd(np.hstack([X, np.ones((len(X), 1))]), compute_uv=False)
    return float(len(X) / s[0] ** 2)
