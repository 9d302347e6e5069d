"""Exercise 2.2, Cross-entropy straight from the logits: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def bce_from_logits(y, z):
    """Mean binary cross-entropy in nats: labels y (n,) in {0, 1}, logits z (n,). No clipping anywhere."""
    return float(np.mean(np.logaddexp(0, z) - y * z))


def bce_clipped(y, z):
    p = np.clip(1 / (1 + np.exp(-np.clip(z, -700, 700))), 1e-7, 1 - 1e-7)
    return float(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))


def bce_summed(y, z):
    return float(np.sum(np.logaddexp(0, z) - y * z))


def bce_positives_only(y, z):
    return float(np.mean(y * np.logaddexp(0, -z)))


def bce_labels_swapped(y, z):
    return float(np.mean(np.logaddexp(0, z) - (1 - y) * z))


def bce_bits(y, z):
    return float(np.mean(np.logaddexp(0, z) - y * z) / np.log(2))


def bce_naive(y, z):
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        p = 1 / (1 + np.exp(-z))
        return float(-np.mean(np.where(y == 1, np.log(p), np.log(1 - p))))


def bce_logits_as_probabilities(y, z):
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(-np.mean(np.where(y == 1, np.log(z), np.log(1 - z))))


def bce_clipped_late(y, z):
    with np.errstate(over="ignore"):
        p = np.clip(1 / (1 + np.exp(-z)), 1e-15, 1 - 1e-15)
    return float(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))


def bce_a_little_added(y, z):
    with np.errstate(over="ignore"):
        p = 1 / (1 + np.exp(-z))
    return float(-np.mean(y * np.log(p + 1e-12) + (1 - y) * np.log(1 - p + 1e-12)))


def draw_bce_from_logits(rng: np.random.Generator) -> tuple:
    n = int(rng.integers(3, 9))
    return rng.integers(0, 2, size=n), rng.normal(scale=2, size=n)


def check_bce(t: Trial) -> None:
    cases = [([1], [0.0]), ([1], [2.0]), ([0], [2.0]), ([1, 0, 0], [0.5, -1.0, 2.0])]
    for y, z in [*cases, *t.fresh(draw_bce_from_logits)]:
        y, z = np.array(y), np.array(z)
        t.close(t.call(y, z), bce_from_logits(y, z), what="the loss")
    for y, z in [([1, 0], [-100.0, -1.0]), ([0, 1, 1], [800.0, -800.0, 3.0])]:
        y, z = np.array(y), np.array(z)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            t.close(t.call(y, z), bce_from_logits(y, z), what="the loss of a model that is sure and wrong")


HINTS = (
    "For y = 1 the loss is -ln sigmoid(z) = ln(1 + exp(-z)); for y = 0 it is ln(1 + exp(z)).",
    "Check on paper that ln(1 + exp(-z)) = ln(1 + exp(z)) - z. So one formula serves both labels: ln(1 + exp(z)) - y z.",
    "np.logaddexp(0, z) is ln(exp(0) + exp(z)) = ln(1 + exp(z)), without overflow.",
)
WRONG = (
    Wrong(
        bce_clipped,
        "clips the probability, so the loss can never exceed about 16 and a model that is sure and "
        "wrong is let off; work on the logits and nothing has to be clipped",
    ),
    Wrong(bce_clipped_late, "clips the probability at 1e-15, so no row can cost more than 35, however wrong; work on the logits"),
    Wrong(bce_a_little_added, "adds a small number inside the logarithm, so no row can cost more than 28; work on the logits"),
    Wrong(
        bce_naive,
        "takes the logarithm of a probability that was rounded to 0, which is infinite; "
        "np.logaddexp(0, z) gives ln(1 + exp(z)) for every z",
    ),
    Wrong(bce_summed, "adds the losses up but does not divide by their number n; the mean is wanted"),
    Wrong(bce_positives_only, "counts the rows with y = 1 only; a row with y = 0 costs -ln(1 - p)"),
    Wrong(
        bce_labels_swapped,
        "has the labels swapped: a confident right answer costs much and a confident wrong one nothing",
    ),
    Wrong(bce_bits, "measures in bits (logarithm to base 2); this chapter measures in nats (natural logarithm)"),
    Wrong(
        bce_logits_as_probabilities,
        "treats the logit z as if it were the probability; the sigmoid has to stand between them",
    ),
)
EXERCISE = Exercise("2.2", "Cross-entropy straight from the logits", "core", bce_from_logits, check_bce, HINTS, WRONG, points=2)
