"""Exercise 1.6, One pass of mini-batches: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def sgd_pass(x, y, w, b, lr, batch_size, order):
    """One pass over all rows, in the given order, batch_size rows per update; returns the new (w, b)."""
    for start in range(0, len(x), batch_size):
        rows = order[start : start + batch_size]
        e = w * x[rows] + b - y[rows]
        w, b = w - lr * 2 * np.mean(e * x[rows]), b - lr * 2 * np.mean(e)
    return float(w), float(b)


def sgd_without_two(x, y, w, b, lr, batch_size, order):
    return sgd_pass(x, y, w, b, lr / 2, batch_size, order)


def sgd_divides_by_n(x, y, w, b, lr, batch_size, order):
    for start in range(0, len(x), batch_size):
        rows = order[start : start + batch_size]
        e = w * x[rows] + b - y[rows]
        w, b = w - lr * 2 * np.sum(e * x[rows]) / len(x), b - lr * 2 * np.sum(e) / len(x)
    return float(w), float(b)


def sgd_drops_the_rest(x, y, w, b, lr, batch_size, order):
    whole = len(x) // batch_size * batch_size
    return sgd_pass(x[order[:whole]], y[order[:whole]], w, b, lr, batch_size, np.arange(whole))


def sgd_stale(x, y, w, b, lr, batch_size, order):
    w0, b0 = w, b
    for start in range(0, len(x), batch_size):
        rows = order[start : start + batch_size]
        e = w0 * x[rows] + b0 - y[rows]
        w, b = w - lr * 2 * np.mean(e * x[rows]), b - lr * 2 * np.mean(e)
    return float(w), float(b)


def sgd_ignores_order(x, y, w, b, lr, batch_size, order):
    return sgd_pass(x, y, w, b, lr, batch_size, np.arange(len(x)))


def sgd_one_after_the_other(x, y, w, b, lr, batch_size, order):
    for start in range(0, len(x), batch_size):
        rows = order[start : start + batch_size]
        w = w - lr * 2 * np.mean((w * x[rows] + b - y[rows]) * x[rows])
        b = b - lr * 2 * np.mean(w * x[rows] + b - y[rows])
    return float(w), float(b)


def sgd_first_batch_only(x, y, w, b, lr, batch_size, order):
    rows = order[:batch_size]
    return sgd_pass(x[rows], y[rows], w, b, lr, batch_size, np.arange(len(rows)))


def sgd_divides_by_batch_size(x, y, w, b, lr, batch_size, order):
    for start in range(0, len(x), batch_size):
        rows = order[start : start + batch_size]
        e = w * x[rows] + b - y[rows]
        w, b = w - lr * 2 * np.sum(e * x[rows]) / batch_size, b - lr * 2 * np.sum(e) / batch_size
    return float(w), float(b)


def draw_sgd_pass(rng: np.random.Generator) -> tuple:
    n = int(rng.integers(4, 8))
    x, y, (w, b) = rng.normal(size=n), rng.normal(size=n), rng.normal(size=2).round(2).tolist()
    return x, y, w, b, 0.07, int(rng.integers(1, n)), rng.permutation(n)


def check_sgd_pass(t: Trial) -> None:
    cases = [
        ([1, 2, -1], [2, 2, 0], 0.5, 0.0, 0.1, 1, [1, 0, 2]),
        ([1, -1, 2, 0, 1.5], [2, 0, 1, 1, 3], 0.0, 1.0, 0.05, 2, [4, 2, 0, 1, 3]),
        ([1, -1, 2, 0, 1.5], [2, 0, 1, 1, 3], 0.0, 1.0, 0.05, 5, [0, 1, 2, 3, 4]),
    ]
    for x, y, w, b, lr, batch_size, order in [*cases, *t.fresh(draw_sgd_pass)]:
        args = (np.array(x, dtype=float), np.array(y, dtype=float), w, b, lr, batch_size, np.array(order))
        got, expected = t.call(*args), sgd_pass(*args)
        t.several(got, 2, "must return the two numbers (w, b)", expected)
        t.close(got, expected, rtol=1e-9, what="the pair (w, b)")


HINTS = (
    "range(0, len(x), batch_size) gives the start of each batch; order[start : start + batch_size] its row numbers. "
    "A slice that goes past the end is simply shorter.",
    "Inside the loop: the errors of these rows with the present w and b, both slopes as means over these rows, then one update.",
    "Compute both slopes before you change w: w, b = w - lr * dw, b - lr * db does both at once.",
)
WRONG = (
    Wrong(
        sgd_without_two,
        "loses the factor 2: the slope of e ** 2 is 2 e, so each step is only half as long as it should be",
    ),
    Wrong(
        sgd_divides_by_n,
        "divides the sum over a batch by the number of all rows: each step is too short. Average over the rows of the batch",
    ),
    Wrong(sgd_drops_the_rest, "leaves out the last, shorter batch: those rows never teach anything"),
    Wrong(sgd_divides_by_batch_size, "divides by batch_size also in the last, shorter batch: divide by the rows it has"),
    Wrong(sgd_stale, "computes every gradient at the first w and b: use the values that the batch before has left"),
    Wrong(sgd_ignores_order, "takes the rows as they lie: use the row numbers in order"),
    Wrong(sgd_one_after_the_other, "changes w first and uses the new w for the slope of b: compute both slopes, then move"),
    Wrong(sgd_first_batch_only, "stops after the first batch: is the return inside the loop?"),
)
AFTER = "The cell below walks down on real text with it; every network of the course is trained by such passes."
EXERCISE = Exercise("1.6", "One pass of mini-batches", "stretch", sgd_pass, check_sgd_pass, HINTS, WRONG, points=3, after=AFTER)
