"""Exercise 7.3, Clip the gradient: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def clip_gradients(gradients, limit):
    """The same gradients, all scaled down by one factor so that their common norm is at most `limit`. A list of arrays."""
    norm = np.sqrt(sum(float((g**2).sum()) for g in gradients))
    factor = min(1.0, limit / max(norm, 1e-12))
    return [g * factor for g in gradients]


def clip_each_value(gradients, limit):
    return [np.clip(g, -limit, limit) for g in gradients]


def clip_each_array(gradients, limit):
    return [g * min(1.0, limit / max(float(np.sqrt((g**2).sum())), 1e-12)) for g in gradients]


def clip_always(gradients, limit):
    norm = np.sqrt(sum(float((g**2).sum()) for g in gradients))
    return [g * (limit / max(norm, 1e-12)) for g in gradients]


def clip_by_squared(gradients, limit):
    norm = sum(float((g**2).sum()) for g in gradients)
    return [g * min(1.0, limit / max(norm, 1e-12)) for g in gradients]


def clip_by_sum_of_norms(gradients, limit):
    norm = sum(float(np.sqrt((g**2).sum())) for g in gradients)
    return [g * min(1.0, limit / max(norm, 1e-12)) for g in gradients]


def clip_to_unit(gradients, limit):
    norm = np.sqrt(sum(float((g**2).sum()) for g in gradients))
    return [g / norm if norm > limit else g for g in gradients]


def draw_clip_gradients(rng: np.random.Generator) -> tuple:
    return [rng.normal(size=(2, 3)), rng.normal(size=4)], float(rng.uniform(0.5, 4))


def check_clip_gradients(t: Trial) -> None:
    rng = np.random.default_rng(0)
    cases = [
        ([np.array([3.0, 4.0]), np.array([12.0])], 6.5),
        ([np.array([3.0, 4.0]), np.array([12.0])], 2.0),
        ([np.array([0.3, 0.4])], 1.0),
        ([np.zeros(3), np.zeros((2, 2))], 1.0),
        ([rng.normal(size=(3, 2)), 5 * rng.normal(size=4)], 2.0),
        ([np.array([0.1, 0.2]), np.array([0.2])], 0.5),
    ]
    for gradients, limit in [*cases, *t.fresh(draw_clip_gradients)]:
        got, expected = t.call(gradients, limit), clip_gradients(gradients, limit)
        t.true(
            got is None or (isinstance(got, list | tuple) and len(got) == len(expected)),
            "must return a list with one array for each gradient",
            expected,
            got,
        )
        for number, e in enumerate(expected):
            t.close(None if got is None else got[number], e, rtol=1e-6, what=f"gradient number {number + 1}")


HINTS = (
    "One norm for all arrays together: the square root of the sum of all squares of all entries.",
    "If the norm is above the limit, multiply every array by limit / norm; else change nothing: factor = min(1, limit / norm).",
    "All zeros? Then the norm is 0: divide by max(norm, 1e-12).",
)
WRONG = (
    Wrong(clip_each_value, "cuts each number off: that changes the direction of the step. Scale all numbers by one factor"),
    Wrong(
        clip_each_array,
        "clips each array by its own norm: the arrays then change relative to each other. Take one norm over all",
    ),
    Wrong(clip_always, "scales small gradients up: below the limit nothing should change, factor = min(1, limit / norm)"),
    Wrong(clip_by_squared, "forgets the square root of the norm"),
    Wrong(
        clip_by_sum_of_norms,
        "adds up the norms of the arrays: the common norm is the square root of the sum of all squares",
    ),
    Wrong(clip_to_unit, "scales to length 1 in place of the limit"),
)
EXERCISE = Exercise("7.3", "Clip the gradient", "core", clip_gradients, check_clip_gradients, HINTS, WRONG, points=2)
