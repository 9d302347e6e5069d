"""Exercise 4.4, The noise distribution: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def noise(counts, power):
    """Probability of each word as a negative, from its count (V,): proportional to count ** power."""
    raised = counts**power
    return raised / raised.sum()


def noise_power_of_share_unnormalized(counts, power):
    return (counts / counts.sum()) ** power


def noise_without_power(counts, power):
    return counts / counts.sum()


def noise_by_largest(counts, power):
    raised = counts**power
    return raised / raised.max()


def noise_divides_by_count_sum(counts, power):
    return counts**power / counts.sum()


def noise_times_power(counts, power):
    return counts * power / counts.sum()


def draw_noise(rng: np.random.Generator) -> tuple:
    return rng.integers(1, 50, size=int(rng.integers(3, 7))).tolist(), float(rng.uniform(0.3, 1.2))


def check_noise(t: Trial) -> None:
    for counts, power in (
        ([16, 1], 0.75),
        ([16, 1], 0.5),
        ([5, 5, 5], 0.75),
        ([1000, 100, 10, 1], 0.75),
        ([9, 3], 0.0),
        *t.fresh(draw_noise),
    ):
        counts = np.array(counts, dtype=float)
        t.close(t.call(counts, power), noise(counts, power), rtol=1e-7, what="the distribution")


HINTS = (
    "First the power, then divide by the sum of the powers.",
    "What must the result sum to? Divide by whatever makes it so: after the power that is no longer the sum of the counts.",
)
WRONG = (
    Wrong(
        noise_power_of_share_unnormalized,
        "raises the shares to the power but does not divide again, so the result does not sum to 1",
    ),
    Wrong(noise_without_power, "ignores the power; frequent words come up as often as in the text"),
    Wrong(noise_by_largest, "divides by the largest value; probabilities must sum to 1, so divide by the sum"),
    Wrong(noise_divides_by_count_sum, "divides by the sum of the counts; after the power it must be the sum of the powers"),
    Wrong(noise_times_power, "multiplies by the power where it should raise to it: ** in Python"),
)
EXERCISE = Exercise("4.4", "The noise distribution", "core", noise, check_noise, HINTS, WRONG, points=1)
