"""Exercise 10.6, At least one: the reference solution, wrong answers, the check."""

import math

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def pass_at_k(n, c, k):
    """Chance that at least one of k answers is right, estimated from n sampled answers of which c are right (k <= n)."""
    if n - c < k:
        return 1.0
    return 1.0 - math.comb(n - c, k) / math.comb(n, k)


def pass_power(n, c, k):
    return 1.0 - (1.0 - c / n) ** k


def pass_times_k(n, c, k):
    return min(1.0, k * c / n)


def pass_share(n, c, k):
    return c / n


def pass_all(n, c, k):
    return math.comb(c, k) / math.comb(n, k)


def pass_none(n, c, k):
    return math.comb(n - c, k) / math.comb(n, k)


def pass_first(n, c, k):
    return 1.0 if c >= 1 else 0.0


def draw_pass_at_k(rng: np.random.Generator) -> tuple:
    n = int(rng.integers(5, 30))
    return n, int(rng.integers(0, n + 1)), int(rng.integers(1, n + 1))


def check_pass(t: Trial) -> None:
    for n, c, k in ((2, 1, 1), (4, 1, 2), (10, 3, 5), (10, 0, 5), (10, 8, 5), (64, 2, 8), (5, 5, 5), *t.fresh(draw_pass_at_k)):
        t.close(t.call(n, c, k), pass_at_k(n, c, k), what=f"the estimate for n = {n}, c = {c}, k = {k}")


HINTS = (
    "Draw k of the n answers without putting back. The only bad case: all k come from the n - c wrong ones.",
    "There are math.comb(n, k) ways to draw, and math.comb(n - c, k) bad ones.",
)
WRONG = (
    Wrong(pass_power, "draws with putting back, 1 - (1 - c/n)^k: from a finite number of answers that is too low"),
    Wrong(pass_times_k, "adds up the chances k times: they overlap, so the sum is too high"),
    Wrong(pass_share, "returns the share of right answers, whatever k is"),
    Wrong(pass_all, "computes the chance that ALL k answers are right"),
    Wrong(pass_none, "returns the chance that none is right; one minus that is wanted"),
    Wrong(pass_first, "returns 1 as soon as any answer is right; with k < n it may not be among those drawn"),
)
EXERCISE = Exercise("10.6", "At least one", "core", pass_at_k, check_pass, HINTS, WRONG)
