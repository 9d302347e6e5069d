"""Exercise 2.1, A sigmoid that never overflows: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def stable_sigmoid(z):
    """Sigmoid of every entry of the array z, without taking exp of a large positive number."""
    e = np.exp(-np.abs(z))  # between 0 and 1, whatever z is
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e))


def sigmoid_textbook(z):
    with np.errstate(over=np.geterr()["over"] if np.geterr()["over"] == "raise" else "ignore"):
        return 1 / (1 + np.exp(-z))


def sigmoid_exp_over_exp(z):
    with np.errstate(over="ignore", invalid="ignore"):
        return np.exp(z) / (1 + np.exp(z))


def sigmoid_both_sides(z):
    with np.errstate(over=np.geterr()["over"] if np.geterr()["over"] == "raise" else "ignore", invalid="ignore"):
        return np.where(z >= 0, 1 / (1 + np.exp(-np.abs(z))), np.exp(z) / (1 + np.exp(z)))


def sigmoid_clipped(z):
    return 1 / (1 + np.exp(-np.clip(z, -30, 30)))


def sigmoid_flipped(z):
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, e / (1 + e), 1 / (1 + e))


def sigmoid_one_branch(z):
    return 1 / (1 + np.exp(-np.abs(z)))


def sigmoid_tanh_unscaled(z):
    return (1 + np.tanh(z)) / 2


OVERFLOW = (
    "takes exp of a large positive number: exp(-z) overflows for z = -1000. Let exp see only -|z|, and write the "
    "sigmoid "
    "as e / (1 + e) with e = exp(z) where z is negative"
)


BOTH_SIDES = (
    "takes exp of a large positive number when one array holds large scores of both signs. np.where works out both of its "
    "sides for every entry before it picks, so exp(1000) overflows all the same: let exp see only -|z|, on both sides"
)


def draw_stable_sigmoid(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(scale=4, size=int(rng.integers(3, 7)))


def check_sigmoid(t: Trial) -> None:
    def strict(f, z):
        with np.errstate(over="raise"):
            try:
                return f(z.copy())
            except FloatingPointError:
                return "overflow"

    for z in ([0.0], [1.0], [-2.0, 0.5, 3.0], [[-1.0, 1.0], [4.0, -4.0]], *t.fresh(draw_stable_sigmoid)):
        got = t.call(np.array(z))
        t.close(got, stable_sigmoid(np.array(z)), what="the probabilities")
    with np.errstate(over="ignore", invalid="ignore"):
        got = t.call(np.array([1000.0, 30.0]))
        t.close(got, stable_sigmoid(np.array([1000.0, 30.0])), what="the probabilities of large scores")
    z = np.array([-1000.0, -30.0])
    got = t.run(lambda f: strict(f, z), shown="stable_sigmoid(np.array([-1000.0, -30.0]))")
    if isinstance(got, str) and got == "overflow":
        t.fail(OVERFLOW)
    t.close(got, stable_sigmoid(z), what="the probabilities of very negative scores")
    mixed = np.array([1000.0, -1000.0, 0.5])
    got = t.run(lambda f: strict(f, mixed), shown="stable_sigmoid(np.array([1000.0, -1000.0, 0.5]))")
    if isinstance(got, str) and got == "overflow":
        t.fail(BOTH_SIDES)
    t.close(got, stable_sigmoid(mixed), what="the probabilities of large scores of both signs")
    got = t.call(np.array([-60.0]))
    t.close(got, stable_sigmoid(np.array([-60.0])), atol=1e-17, what="the probability of a score of -60")


HINTS = (
    "Let e = np.exp(-np.abs(z)). It lies between 0 and 1 for every z, so it cannot overflow.",
    "Where z >= 0, exp(-z) is e, and the sigmoid is 1 / (1 + e). Where z < 0, exp(z) is e: multiply numerator and "
    "denominator of 1 / (1 + exp(-z)) by it.",
    "np.where(condition, a, b) takes entries of a where the condition holds, else of b.",
)
WRONG = (
    Wrong(sigmoid_textbook, OVERFLOW),
    Wrong(
        sigmoid_exp_over_exp,
        "computes exp(z) / (1 + exp(z)), which is infinity divided by infinity (NaN) for z "
        "= 1000; use this form only where z is negative",
    ),
    Wrong(sigmoid_both_sides, BOTH_SIDES),
    Wrong(
        sigmoid_clipped,
        "clips the scores, so all scores below -30 get the same probability; nothing has to be cut off when exp sees only -|z|",
    ),
    Wrong(
        sigmoid_flipped,
        "has its two branches swapped: it falls where the sigmoid rises, so sigmoid(1) comes out as 0.27 and not as 0.73",
    ),
    Wrong(
        sigmoid_one_branch,
        "uses |z| in both branches, so a score of -2 gets the probability of +2; negative scores must come out below 1/2",
    ),
    Wrong(
        sigmoid_tanh_unscaled,
        "uses tanh(z) where tanh(z / 2) belongs: (1 + tanh(z / 2)) / 2 is the sigmoid, yours is twice as steep",
    ),
)
EXERCISE = Exercise("2.1", "A sigmoid that never overflows", "warm-up", stable_sigmoid, check_sigmoid, HINTS, WRONG)
