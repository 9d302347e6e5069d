"""Linear regression: exact solutions, gradients, gradient descent, ridge (chapter 01).

Shapes: n examples, d features, k targets. X is (n, d), y is (n,) or (n, k), w is (d,) or (d, k), b is a number or (k,).
Loss everywhere: J(w, b) = mean((X @ w + b - y) ** 2). Features are made in `helpers.features`, letters and tables.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from helpers.features.checks import finite_array, two_dimensional
from helpers.models.checks import features_and_targets, same_shape

__all__ = ["LinearModel", "least_squares", "mse", "mse_gradient", "normal_equations", "r2", "ridge"]


# ---------------------------------------------------------------------------------------- loss and score


def mse(y: np.ndarray, y_hat: np.ndarray) -> float:
    """Mean squared error of predictions y_hat against targets y (same shape), in squared units of y.

    Raises ValueError for different shapes, no values, or NaN/infinity.

    >>> mse([1.0, 2.0, 3.0], [1.0, 2.0, 6.0])
    3.0
    """
    y, y_hat = same_shape(y, y_hat)
    return float(np.mean((y - y_hat) ** 2))


def r2(y: np.ndarray, y_hat: np.ndarray) -> float:
    """Share of the squared error of "always predict the mean of y" that y_hat removes: 1 - SSE / SST.

    1 is perfect, 0 is no better than the mean of these same targets, negative is worse than that.
    Raises ValueError for different shapes, NaN/infinity, or targets that are all equal (SST is 0: undefined).

    >>> r2([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])  # 1 - 1/2
    0.5
    """
    y, y_hat = same_shape(y, y_hat)
    if np.all(y == y[:1]):  # not total == 0: the mean of equal numbers may be rounded
        raise ValueError("expected targets that differ, got y with all values equal; report the mse instead")
    return 1.0 - float(np.sum((y - y_hat) ** 2) / np.sum((y - y.mean(axis=0)) ** 2))


def mse_gradient(X: np.ndarray, y: np.ndarray, w: np.ndarray, b: float) -> tuple[np.ndarray, float]:
    """Gradient of J(w, b) = mean((X w + b - y)^2): dJ/dw = 2/n X^T e and dJ/db = 2/n sum(e), e = X w + b - y.

    X: (n, d). y: (n,). w: (d,). b: a number. Returns (dw, db): an array (d,) and a number.
    Raises ValueError for shapes that do not fit, empty input, NaN/infinity.

    >>> dw, db = mse_gradient([[150], [200], [260]], [200, 600, 500], w=[2 / 3], b=1)
    >>> dw.round(6).tolist(), round(db, 6)  # -1155940/9 and -5342/9
    ([-128437.777778], -593.555556)
    """
    X, y = features_and_targets(X, y, one_target=True)
    w = finite_array(w, "w")
    if w.shape != (X.shape[1],):
        raise ValueError(f"expected w of shape ({X.shape[1]},), one weight per column of X, got {w.shape}")
    error = X @ w + b - y  # (n,)
    return 2 * X.T @ error / len(y), float(2 * error.mean())


# ------------------------------------------------------------------------------------------ exact fits


class LinearModel(NamedTuple):
    """A fitted line or plane: unpacks as `w, b = model`, predicts with `model.predict(X)`.

    >>> LinearModel(w=np.array([2.0]), b=1.0).predict([[3.0]]).tolist()
    [7.0]
    """

    w: np.ndarray  # (d,) or (d, k)
    b: float | np.ndarray  # number or (k,)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return X @ w + b, shape (n,) or (n, k). ValueError when X does not have d columns."""
        X = two_dimensional(X)
        if X.shape[1] != self.w.shape[0]:
            raise ValueError(f"expected X with {self.w.shape[0]} columns, as in the fit, got {X.shape[1]}")
        return X @ self.w + self.b


def normal_equations(X: np.ndarray, y: np.ndarray) -> LinearModel:
    """Solve (A^T A) theta = A^T y with A = [X, 1]: the textbook route, for well-behaved X.

    X: (n, d). y: (n,) or (n, k). Squares the condition number of A; prefer `least_squares` for anything delicate.
    Raises ValueError for bad shapes or values, or columns of A that depend on each other (no unique answer).
    Source: Gauss, Theoria combinationis observationum, 1823.

    >>> w, b = normal_equations([[150], [200], [260]], [200, 600, 500])
    >>> round(float(w[0]), 6), round(b, 6)  # 235/91 and -8350/91
    (2.582418, -91.758242)
    """
    X, y = features_and_targets(X, y)
    A = np.hstack([X, np.ones((len(X), 1))])
    if np.linalg.matrix_rank(A) < A.shape[1]:
        raise ValueError(
            f"normal_equations needs columns that do not depend on each other; the {len(X)} rows of [X, 1] have"
            f" rank {np.linalg.matrix_rank(A)}, not {A.shape[1]}. Drop a column, or use least_squares or ridge."
        )
    return _model(np.linalg.solve(A.T @ A, A.T @ y))


def least_squares(X: np.ndarray, y: np.ndarray) -> LinearModel:
    """Least squares by singular values. Where many w fit equally well, the one with the smallest norm.

    X: (n, d). y: (n,) or (n, k). Raises ValueError for empty input, X not 2-D, lengths that differ, NaN/infinity.

    >>> least_squares([[150], [200], [260]], [200, 600, 500]).predict([[240]]).round(6).tolist()  # 48050/91
    [528.021978]
    """
    X, y = features_and_targets(X, y)
    x_mean, y_mean = X.mean(axis=0), y.mean(axis=0)
    w = np.linalg.lstsq(X - x_mean, y - y_mean, rcond=None)[0]
    return _model(w, y_mean - x_mean @ w)


def ridge(X: np.ndarray, y: np.ndarray, lam: float) -> LinearModel:
    """Minimize sum((X w + b - y)^2) + lam * sum(w^2). The intercept b is not penalized.

    The error is summed here, not averaged, as in scikit-learn's Ridge(alpha=lam): with a mean, lam would be n
    times smaller. Closed form: w = (Xc^T Xc + lam I)^-1 Xc^T yc with centered Xc, yc; with more features than
    rows the equal form w = Xc^T (Xc Xc^T + lam I)^-1 yc, which solves a smaller system.

    X: (n, d). y: (n,) or (n, k). lam: at least 0; at 0 this is `least_squares`.
    Raises ValueError for bad X or y, lam negative or not finite. Source: Hoerl and Kennard, Technometrics 12(1), 1970.

    >>> ridge([[-1.0], [1.0]], [0.0, 4.0], lam=2.0)  # w = 4 / (2 + 2), b = the mean of y
    LinearModel(w=array([1.]), b=2.0)
    """
    if not (bool(np.isscalar(lam)) and np.isfinite(lam) and lam >= 0):
        raise ValueError(f"expected lam as a finite number of at least 0, got {lam!r}; 0 means no penalty")
    if lam == 0:
        return least_squares(X, y)
    X, y = features_and_targets(X, y)
    (n, d), x_mean, y_mean = X.shape, X.mean(axis=0), y.mean(axis=0)
    Xc, yc = X - x_mean, y - y_mean
    try:
        if d <= n:
            w = np.linalg.solve(Xc.T @ Xc + lam * np.eye(d), Xc.T @ yc)
        else:
            w = Xc.T @ np.linalg.solve(Xc @ Xc.T + lam * np.eye(n), yc)
    except np.linalg.LinAlgError as error:
        raise ValueError(f"expected a larger lam for columns that depend on each other, got {lam!r}") from error
    return _model(w, y_mean - x_mean @ w)


def _model(w: np.ndarray, b: np.ndarray | float | None = None) -> LinearModel:
    if b is None:  # the last row of w is the intercept
        w, b = w[:-1], w[-1]
    return LinearModel(w, float(b) if np.ndim(b) == 0 else np.asarray(b))
