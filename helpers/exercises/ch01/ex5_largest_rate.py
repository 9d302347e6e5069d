"""Exercise 1.5, The speed limit: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def largest_rate(X):
    """The learning rate from which on batch gradient descent diverges; X is (n, d)."""
    A = np.column_stack([X, np.ones(len(X))])
    H = 2 / len(X) * A.T @ A
    return float(2 / np.linalg.eigvalsh(H)[-1])


def rate_without_ones(X):
    return float(2 / np.linalg.eigvalsh(2 / len(X) * X.T @ X)[-1])


def rate_half(X):
    return largest_rate(X) / 2


def rate_smallest_curvature(X):
    A = np.column_stack([X, np.ones(len(X))])
    return float(2 / np.linalg.eigvalsh(2 / len(X) * A.T @ A)[0])


def rate_largest_entry(X):
    A = np.column_stack([X, np.ones(len(X))])
    return float(2 / (2 / len(X) * A.T @ A).max())


def rate_of_sum(X):
    return largest_rate(X) / len(X)


def rate_without_two(X):
    return largest_rate(X) * 2


def draw_largest_rate(rng: np.random.Generator) -> list:
    return rng.normal(size=(int(rng.integers(4, 9)), int(rng.integers(1, 4)))).tolist()


def check_largest_rate(t: Trial) -> None:
    cases = ([[0.0], [2.0], [3.0]], [[1, 0.5], [-1, 2], [0, 1], [3, -2], [1, 1]], [[150.0], [200.0], [260.0]])
    for X in [*cases, *t.fresh(draw_largest_rate)]:
        X = np.array(X)
        t.close(t.call(X), largest_rate(X), rtol=1e-6, what="the rate")


HINTS = (
    "Build A: the columns of X and a column of ones, for instance with np.column_stack([X, np.ones(len(X))]).",
    "The matrix of curvatures is H = 2/n * A.T @ A. np.linalg.eigvalsh(H) gives its eigenvalues, smallest first.",
)
WRONG = (
    Wrong(rate_without_ones, "forgets the intercept: b is a parameter too, its column in A is all ones"),
    Wrong(
        rate_half,
        "gives half the limit: at 1 / (largest curvature) one step lands on the floor of the steepest "
        "valley; divergence begins at 2 / (largest curvature)",
    ),
    Wrong(
        rate_smallest_curvature,
        "uses the smallest curvature: the steepest direction overshoots first, so the "
        "largest eigenvalue decides. eigvalsh sorts upwards, it is the last",
    ),
    Wrong(
        rate_largest_entry,
        "takes the largest entry of H: the curvature in the steepest direction is the largest eigenvalue of H",
    ),
    Wrong(rate_of_sum, "leaves out the 1/n: the loss is a mean, so its curvature is 2/n A^T A"),
    Wrong(rate_without_two, "leaves out the 2 of the curvature: the second derivative of e ** 2 is 2, so H = 2/n A^T A"),
)
EXERCISE = Exercise("1.5", "The speed limit", "stretch", largest_rate, check_largest_rate, HINTS, WRONG, points=3)
