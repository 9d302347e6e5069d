"""Exercise 2.3, The gradient: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def logistic_gradient(w, b, X, y):
    """Gradient of the mean cross-entropy: (dw of shape (d,), db a number), for X (n, d) and y (n,) in {0, 1}."""
    p = 1 / (1 + np.exp(-(X @ w + b)))
    error = p - y
    return X.T @ error / len(y), float(np.mean(error))


def gradient_sign(w, b, X, y):
    dw, db = logistic_gradient(w, b, X, y)
    return -dw, -db


def gradient_summed(w, b, X, y):
    dw, db = logistic_gradient(w, b, X, y)
    return dw * len(y), db * len(y)


def gradient_bias_summed(w, b, X, y):
    dw, db = logistic_gradient(w, b, X, y)
    return dw, db * len(y)


def gradient_squared_error(w, b, X, y):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    error = 2 * (p - y) * p * (1 - p)
    return X.T @ error / len(y), float(np.mean(error))


def gradient_no_sigmoid(w, b, X, y):
    error = X @ w + b - y
    return X.T @ error / len(y), float(np.mean(error))


def gradient_thresholded(w, b, X, y):
    error = (X @ w + b >= 0).astype(float) - y
    return X.T @ error / len(y), float(np.mean(error))


def gradient_forgets_b(w, b, X, y):
    return logistic_gradient(w, 0.0, X, y)


def draw_logistic_gradient(rng: np.random.Generator) -> tuple:
    n, d = int(rng.integers(4, 8)), int(rng.integers(2, 5))
    return rng.normal(size=d), float(rng.normal()), rng.normal(size=(n, d)), rng.integers(0, 2, size=n)


def check_gradient(t: Trial) -> None:
    rng = np.random.default_rng(2)
    cases = [
        (np.array([1.0]), 0.0, np.array([[2.0]]), np.array([1])),
        (np.array([0.5, -0.3]), 0.1, np.array([[1.0, 2.0], [0.5, -1.0], [-2.0, 0.3]]), np.array([1, 0, 0])),
        (rng.normal(size=3), -0.4, rng.normal(size=(7, 3)), np.array([1, 0, 1, 1, 0, 0, 1])),
    ]
    for w, b, X, y in [*cases, *t.fresh(draw_logistic_gradient)]:
        got = t.call(w, b, X, y)
        dw, db = logistic_gradient(w, b, X, y)
        t.several(
            got, 2, "must give two things back, in this order: the gradient of w and the gradient of b (return dw, db)", (dw, db)
        )
        t.close(got[0], dw, what="the gradient of w")
        t.close(got[1], db, what="the gradient of b")


HINTS = (
    "Three lines: the probabilities p (n,), the errors p - y (n,), then the two averages.",
    "The gradient of w averages error times features: X.T @ error / n has shape (d,). The gradient of b averages the errors.",
)
WRONG = (
    Wrong(gradient_sign, "has the sign turned round (y - p in place of p - y): gradient descent with it climbs"),
    Wrong(
        gradient_summed,
        "sums over the rows but does not divide by n; then the right learning rate would change with the size of the data",
    ),
    Wrong(gradient_bias_summed, "divides the gradient of w by n but forgets to do so for b: its step is n times too long"),
    Wrong(
        gradient_squared_error,
        "carries a factor 2 p (1 - p): that is the gradient of the squared error, flat "
        "where the model is sure; with cross-entropy the factor cancels",
    ),
    Wrong(gradient_forgets_b, "forgets the intercept b in the score"),
    Wrong(gradient_no_sigmoid, "compares y with the score z; the error is p - y, so the sigmoid is missing"),
    Wrong(
        gradient_thresholded,
        "rounds the probability to 0 or 1 before it takes the error: that is the "
        "perceptron rule, and rows that are right but unsure teach it nothing",
    ),
)
EXERCISE = Exercise("2.3", "The gradient", "core", logistic_gradient, check_gradient, HINTS, WRONG, points=2)
