"""Exercise 2.7, Softmax over rows: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial
from helpers.models.losses import softmax


def stable_softmax(Z):
    """Softmax of each row of Z (n, K), without overflow: shape (n, K), each row sums to 1."""
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


def softmax_naive(Z):
    with np.errstate(over="ignore", invalid="ignore"):
        return np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)


def softmax_columns(Z):
    E = np.exp(Z - Z.max(axis=0, keepdims=True))
    return E / E.sum(axis=0, keepdims=True)


def softmax_all(Z):
    E = np.exp(Z - Z.max())
    return E / E.sum()


def softmax_global_max(Z):
    with np.errstate(invalid="ignore"):
        E = np.exp(Z - Z.max())
        return E / E.sum(axis=1, keepdims=True)


def softmax_not_exp(Z):
    return Z / Z.sum(axis=1, keepdims=True)


def softmax_mean(Z):
    with np.errstate(over="ignore", invalid="ignore"):
        E = np.exp(Z - Z.mean(axis=1, keepdims=True))
        return E / E.sum(axis=1, keepdims=True)


def softmax_clipped(Z):
    E = np.exp(np.clip(Z, -700, 700))
    return E / E.sum(axis=1, keepdims=True)


def stable_softmax_of_the_course(Z):
    return softmax(Z, axis=1)


def draw_stable_softmax(rng: np.random.Generator) -> list:
    return (rng.normal(size=(int(rng.integers(2, 5)), 3)) * 3).tolist()


def check_softmax(t: Trial) -> None:
    small = [[[1.0, 0.0, 0.0]], [[2.0, 1.0, 0.5]], [[1.0, 2.0], [0.5, -1.0], [3.0, 3.0]]]
    for Z in (*small, [[1000.0, 1001.0], [0.0, 2.0]], [[2000.0, 0.0], [0.0, 1.0]], *t.fresh(draw_stable_softmax)):
        Z = np.array(Z)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            t.close(t.call(Z), stable_softmax(Z), what="the probabilities")


HINTS = (
    "Subtract from each row its own largest entry, then take exp: no exponent is above 0.",
    "Z.max(axis=1, keepdims=True) has shape (n, 1), so it can be subtracted from Z (n, K) row by row.",
)
WRONG = (
    Wrong(
        softmax_naive,
        "takes exp of the raw scores: exp(1000) is infinite, and infinity over infinity is NaN; "
        "subtract the largest score of the row first",
    ),
    Wrong(softmax_columns, "works down the columns (axis=0): each row is one example, so each row must sum to 1"),
    Wrong(softmax_all, "divides by the sum over the whole matrix, so all rows together sum to 1, not each of them"),
    Wrong(
        softmax_global_max,
        "subtracts the largest entry of the whole matrix: a row far below it underflows to 0 / 0; take the maximum of each row",
    ),
    Wrong(
        softmax_not_exp,
        "divides the scores by their sum without exp; negative scores would become negative probabilities",
    ),
    Wrong(softmax_clipped, "clips the scores, so large ones become equal; subtract the maximum of the row and nothing is lost"),
    Wrong(softmax_mean, "subtracts the mean of the row: a score far above the mean still overflows; subtract the maximum"),
)
AFTER = (
    "It turns scores into probabilities for the second rung below, in every language model from chapter 06 on, and in attention."
)
EXERCISE = Exercise(
    "2.7",
    "Softmax over rows",
    "core",
    stable_softmax,
    check_softmax,
    HINTS,
    WRONG,
    points=2,
    course=stable_softmax_of_the_course,
    after=AFTER,
)
