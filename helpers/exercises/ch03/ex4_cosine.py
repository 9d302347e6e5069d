"""Exercise 3.4, The angle between two texts: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def cosine(a, b):
    """Cosine of the angle between two vectors of the same length; 0 when one of them is all zeros."""
    length = np.sqrt(a @ a) * np.sqrt(b @ b)
    return float(a @ b / length) if length > 0 else 0.0


def cosine_without_lengths(a, b):
    return float(a @ b)


def cosine_squared_lengths(a, b):
    length = (a @ a) * (b @ b)
    return float(a @ b / length) if length > 0 else 0.0


def cosine_one_length(a, b):
    return float(a @ b / (a @ a)) if a @ a > 0 else 0.0


def cosine_of_sums(a, b):
    return float(a @ b / (a.sum() * b.sum())) if a.any() and b.any() else 0.0


def cosine_of_centered(a, b):
    return cosine(a - a.mean(), b - b.mean())


def cosine_zero_is_nan(a, b):
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.float64(a @ b) / (np.sqrt(a @ a) * np.sqrt(b @ b)))


def cosine_zero_is_one(a, b):
    return cosine(a, b) if a.any() and b.any() else 1.0


def cosine_angle(a, b):
    return float(np.arccos(np.clip(cosine(a, b), -1, 1)))


def cosine_absolute(a, b):
    return abs(cosine(a, b))


def cosine_not_below_zero(a, b):
    return max(0.0, cosine(a, b))


def draw_cosine(rng: np.random.Generator) -> tuple:
    n = int(rng.integers(2, 6))
    return rng.normal(size=n), rng.normal(size=n)


def check_cosine(t: Trial) -> None:
    for a, b in (
        ([3, 0], [1, 1]),
        ([2, 0, 0], [4, 0, 0]),
        ([3, 4, 0], [0, 4, 3]),
        ([1, 0, 2], [0, 5, 0]),
        ([1, 2], [0, 0]),
        ([0, 0], [0, 0]),
        ([1, -2], [2, 0.5]),
        ([1, 2, 0], [-3, 1, 1]),  # more than a right angle
        *t.fresh(draw_cosine),
    ):
        a, b = np.array(a, dtype=float), np.array(b, dtype=float)
        t.close(t.call(a, b), cosine(a, b), what="the cosine")


HINTS = (
    "The length of a vector is the root of its dot product with itself: np.sqrt(a @ a).",
    "Divide a @ b by the product of both lengths; ask first whether that product is zero.",
)
WRONG = (
    Wrong(cosine_angle, "gives the angle itself: its cosine is wanted, without arccos"),
    Wrong(cosine_absolute, "loses the sign: vectors that point away from each other have a negative cosine"),
    Wrong(cosine_not_below_zero, "gives 0 where the cosine is negative: past a right angle it lies between 0 and -1"),
    Wrong(cosine_without_lengths, "gives the dot product; divide by both lengths, or long texts win"),
    Wrong(cosine_squared_lengths, "divides by the squared lengths; the root is missing"),
    Wrong(cosine_one_length, "divides by the squared length of the first vector only, so the order of the two would matter"),
    Wrong(cosine_of_sums, "divides by the sums of the counts; the length of a vector is the root of the sum of its squares"),
    Wrong(cosine_of_centered, "subtracts the mean first: that is Pearson's correlation"),
    Wrong(cosine_zero_is_nan, "divides 0 by 0 for a text without known words; return 0.0 when a length is zero"),
    Wrong(cosine_zero_is_one, "gives 1 for a text without known words; it has no direction, and 0.0 is agreed on"),
)
EXERCISE = Exercise("3.4", "The angle between two texts", "core", cosine, check_cosine, HINTS, WRONG, points=2)
