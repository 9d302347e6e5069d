"""Exercise 1.1, Mean squared error: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def mse(y, y_hat):
    """Mean squared error of the predictions y_hat against the targets y, both arrays of shape (n,)."""
    return float(np.mean((y - y_hat) ** 2))


def mse_sum(y, y_hat):
    return float(np.sum((y - y_hat) ** 2))


def mse_root(y, y_hat):
    return float(np.sqrt(np.mean((y - y_hat) ** 2)))


def mse_absolute(y, y_hat):
    return float(np.mean(np.abs(y - y_hat)))


def mse_of_mean(y, y_hat):
    return float(np.mean(y - y_hat) ** 2)


def mse_half(y, y_hat):
    return float(np.mean((y - y_hat) ** 2) / 2)


def mse_n_minus_one(y, y_hat):
    return float(np.sum((y - y_hat) ** 2) / max(len(y) - 1, 1))


def draw_mse(rng: np.random.Generator) -> tuple:
    n = int(rng.integers(2, 9))
    return rng.normal(size=n), rng.normal(size=n)


def check_mse(t: Trial) -> None:
    cases = [([1, 4, 2], [0, 2, 3]), ([3, 3], [3, 3]), ([1, 5, 2], [2, 1, 2]), ([200, 600, 500], [101, 134.333, 174.333])]
    for y, y_hat in [*cases, *t.fresh(draw_mse)]:
        y, y_hat = np.array(y, dtype=float), np.array(y_hat, dtype=float)
        t.close(t.call(y, y_hat), mse(y, y_hat), rtol=1e-9, what="the loss")


HINTS = (
    "Three steps, from the inside out: the errors y - y_hat, their squares, the mean of the squares.",
    "NumPy works on whole arrays: (y - y_hat) ** 2 squares every entry, np.mean averages.",
)
WRONG = (
    Wrong(mse_sum, "adds the squared errors up but never divides by their number: a mean does not grow with n"),
    Wrong(mse_root, "takes the square root at the end: that is the RMSE, in units of y. J itself has no root"),
    Wrong(mse_absolute, "averages the absolute errors: square each error before taking the mean"),
    Wrong(mse_of_mean, "squares the mean of the errors: errors of +5 and -5 then cancel. Square first, then average"),
    Wrong(mse_n_minus_one, "divides by n - 1: that belongs to the variance of a sample; this mean divides by n"),
    Wrong(mse_half, "divides by 2n: some books do, to lose the 2 in the slope, but this chapter's J divides by n"),
)
AFTER = "The next cells measure with it, and section 5 judges your own descent by it on real text."
EXERCISE = Exercise("1.1", "Mean squared error", "warm-up", mse, check_mse, HINTS, WRONG, points=1, after=AFTER)
