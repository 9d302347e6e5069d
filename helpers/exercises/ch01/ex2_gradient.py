"""Exercise 1.2, The gradient of the loss: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def gradient(X, y, w, b):
    """Slopes (dw, db) of J = mean((X w + b - y)^2). X is (n, d); y is (n,); w and dw are (d,)."""
    e = X @ w + b - y
    return 2 * X.T @ e / len(y), float(2 * np.mean(e))


def gradient_without_two(X, y, w, b):
    dw, db = gradient(X, y, w, b)
    return dw / 2, db / 2


def gradient_of_sum(X, y, w, b):
    dw, db = gradient(X, y, w, b)
    return dw * len(y), db * len(y)


def gradient_swapped(X, y, w, b):
    dw, db = gradient(X, y, w, b)
    return np.full(len(w), db), float(dw[0])


def gradient_sign(X, y, w, b):
    dw, db = gradient(X, y, w, b)
    return -dw, -db


def gradient_without_x(X, y, w, b):
    db = gradient(X, y, w, b)[1]
    return np.full(len(w), db), db


def gradient_product_of_means(X, y, w, b):
    e = X @ w + b - y
    return 2 * np.mean(e) * X.mean(axis=0), float(2 * np.mean(e))


def gradient_without_b(X, y, w, b):
    e = X @ w - y
    return 2 * X.T @ e / len(y), float(2 * np.mean(e))


def gradient_over_features(X, y, w, b):
    dw, db = gradient(X, y, w, b)
    return dw * len(y) / X.shape[1], db


def gradient_db_summed(X, y, w, b):
    dw, db = gradient(X, y, w, b)
    return dw, db * len(y)


def draw_gradient(rng: np.random.Generator) -> tuple:
    n, d = int(rng.integers(3, 8)), int(rng.integers(2, 5))
    return rng.normal(size=(n, d)), rng.normal(size=n), rng.normal(size=d), float(rng.normal())


def check_gradient(t: Trial) -> None:
    cases = [
        ([[1], [3], [2]], [2, 1, 2], [1], 0.5),
        ([[1, 0], [2, -1], [4, 3]], [0, 1, 5], [0.5, 2], -1),
        ([[150], [200], [260]], [200, 600, 500], [2 / 3], 1),
        ([[1, 0, 2, 1], [2, -1, 0, 3]], [4, 1], [0.5, 2, -1, 0], 3),
    ]
    for X, y, w, b in [*cases, *t.fresh(draw_gradient)]:
        X, y, w = np.array(X, dtype=float), np.array(y, dtype=float), np.array(w, dtype=float)
        got, (dw, db) = t.call(X, y, w, b), gradient(X, y, w, b)
        t.several(got, 2, "must return the pair (dw, db)", (dw, db))
        t.close(got[0], dw, rtol=1e-9, what="dw")
        t.close(got[1], db, rtol=1e-9, what="db")


HINTS = (
    "Start with the errors of all rows: e = X @ w + b - y, shape (n,).",
    "The slope of weight j is 2/n times the sum over rows of e[i] * X[i, j]. For all j at once: X.T @ e.",
    "db is the mean of 2 e. Return the pair (dw, db).",
)
WRONG = (
    Wrong(gradient_without_two, "loses the factor 2: the slope of e ** 2 is 2 e, not e"),
    Wrong(gradient_of_sum, "adds over the rows where the loss averages: divide by n"),
    Wrong(
        gradient_swapped,
        "puts the slope of the intercept in dw and the slope of the weight in db: the one with X in it is dw",
    ),
    Wrong(gradient_sign, "has the sign turned round: with e = prediction - target the slopes are +2 e x and +2 e"),
    Wrong(
        gradient_without_x,
        "leaves X out of dw: a change of a weight moves the prediction by x, so each error counts x times",
    ),
    Wrong(
        gradient_product_of_means,
        "multiplies the mean error by the mean of the column: multiply row by row first, then average",
    ),
    Wrong(gradient_db_summed, "divides dw by n but forgets to do so for db"),
    Wrong(gradient_without_b, "forgets the intercept b in the prediction: the errors are X @ w + b - y"),
    Wrong(gradient_over_features, "divides by the number of features: the mean runs over the n rows"),
)
EXERCISE = Exercise("1.2", "The gradient of the loss", "core", gradient, check_gradient, HINTS, WRONG, points=2)
