"""Exercise 1.7, Ridge in closed form: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def ridge(X, y, lam):
    """Minimize sum((X w + b - y)^2) + lam * sum(w^2); X is (n, d), y is (n,); returns (w, b)."""
    x_mean, y_mean = X.mean(axis=0), y.mean()
    Xc, yc = X - x_mean, y - y_mean
    w = np.linalg.solve(Xc.T @ Xc + lam * np.eye(X.shape[1]), Xc.T @ yc)
    return w, float(y_mean - x_mean @ w)


def ridge_on_intercept(X, y, lam):
    A = np.column_stack([X, np.ones(len(X))])
    theta = np.linalg.solve(A.T @ A + lam * np.eye(A.shape[1]), A.T @ y)
    return theta[:-1], float(theta[-1])


def ridge_times_n(X, y, lam):
    return ridge(X, y, lam * len(X))


def ridge_over_n(X, y, lam):
    return ridge(X, y, lam / len(X))


def ridge_ignores_lam(X, y, lam):
    return ridge(X, y, 0.0)


def ridge_everywhere(X, y, lam):
    x_mean, y_mean = X.mean(axis=0), y.mean()
    Xc, yc = X - x_mean, y - y_mean
    w = np.linalg.solve(Xc.T @ Xc + lam, Xc.T @ yc)
    return w, float(y_mean - x_mean @ w)


def ridge_bias_is_mean(X, y, lam):
    return ridge(X, y, lam)[0], float(y.mean())


def ridge_without_intercept(X, y, lam):
    return np.linalg.solve(X.T @ X + lam * np.eye(X.shape[1]), X.T @ y), 0.0


def draw_ridge(rng: np.random.Generator) -> tuple:
    n, d = int(rng.integers(5, 9)), int(rng.integers(1, 4))
    return rng.normal(size=(n, d)), rng.normal(size=n) + 5, float(rng.uniform(0.1, 3))


def check_ridge(t: Trial) -> None:
    rng = np.random.default_rng(5)
    tall = rng.normal(size=(6, 3)).round(1)
    cases = [
        (np.array([[1.0], [2.0], [4.0]]), np.array([3.0, 5.0, 4.0]), 0.0),
        (np.array([[1.0, 0.0], [2.0, 1.0], [4.0, 1.0], [3.0, 3.0]]), np.array([3.0, 5.0, 4.0, 9.0]), 2.0),
        (tall, (tall.sum(axis=1) + 100).round(1), 0.5),
    ]
    for X, y, lam in [*cases, *t.fresh(draw_ridge)]:
        got, (w, b) = t.call(X, y, lam), ridge(X, y, lam)
        t.several(got, 2, "must return the pair (w, b)", (w, b))
        t.close(got[0], w, rtol=1e-6, what="the weights w")
        t.close(got[1], b, rtol=1e-6, what="the intercept b")


HINTS = (
    "Take the mean off every column of X and off y. Then the best intercept of the centered data is 0.",
    "For the centered data solve (Xc.T @ Xc + lam * identity) w = Xc.T @ yc; np.eye(d) is the identity matrix.",
    "Go back to the original data at the end: b = mean of y - (means of the columns) @ w.",
)
WRONG = (
    Wrong(
        ridge_on_intercept,
        "penalizes the intercept as well: a shift of all targets would then change the slopes. "
        "Center X and y first, or put 0 at the intercept's place in the penalty",
    ),
    Wrong(ridge_times_n, "multiplies lam by n: that is right for a mean of squares, here the squares are summed"),
    Wrong(ridge_over_n, "divides lam by n: here the squares are summed, so lam stays as it is"),
    Wrong(ridge_ignores_lam, "gives plain least squares: lam has no effect"),
    Wrong(ridge_everywhere, "adds lam to every entry of the matrix: only the diagonal gets it"),
    Wrong(
        ridge_bias_is_mean,
        "returns the mean of y as b: that is the intercept for centered columns. Subtract (column means) @ w",
    ),
    Wrong(ridge_without_intercept, "fits through the origin: the model has an intercept b"),
)
EXERCISE = Exercise("1.7", "Ridge in closed form", "core", ridge, check_ridge, HINTS, WRONG, points=3)
