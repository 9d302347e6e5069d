"""Exercise 10.2, One token too few: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def nucleus(probs, p):
    """The smallest set of likeliest tokens that reaches probability p together, made to sum to 1; the rest 0. probs: (V,)."""
    order = np.argsort(-probs, kind="stable")
    before = np.cumsum(probs[order]) - probs[order]  # probability of all likelier tokens
    kept = order[before < p]
    out = np.zeros(len(probs))
    out[kept] = probs[kept]
    return out / out.sum()


def nucleus_off_by_one(probs, p):
    """The smallest set of likeliest tokens that reaches probability p together, made to sum to 1; the rest 0. probs: (V,)."""
    order = np.argsort(-probs, kind="stable")
    reached = np.cumsum(probs[order])
    kept = order[reached <= p]
    out = np.zeros(len(probs))
    out[kept] = probs[kept]
    return out / out.sum()


def _nucleus(probs, keep):
    out = np.zeros(len(probs))
    kept = keep(np.argsort(-probs, kind="stable"))
    out[kept] = probs[kept]
    return out / out.sum()


def nucleus_one_too_many(probs, p):
    return _nucleus(probs, lambda order: order[: np.sum(np.cumsum(probs[order]) < p) + 2])


def nucleus_exact_hit(probs, p):
    return _nucleus(probs, lambda order: order[np.cumsum(probs[order]) - probs[order] <= p])


def nucleus_by_value(probs, p):
    return np.where(probs >= p * probs.max(), probs, 0) / probs[probs >= p * probs.max()].sum()


def nucleus_not_normalized(probs, p):
    out = nucleus(probs, p)
    return np.where(out > 0, probs, 0)


def nucleus_unsorted(probs, p):
    before = np.cumsum(probs) - probs
    out = np.where(before < p, probs, 0)
    return out / out.sum()


def nucleus_keeps_one(probs, p):
    return _nucleus(probs, lambda order: order[: max(1, np.sum(np.cumsum(probs[order]) <= p))])


def nucleus_sorted_result(probs, p):
    return -np.sort(-nucleus(probs, p))


def draw_nucleus(rng: np.random.Generator) -> tuple:
    return rng.dirichlet(np.ones(6)), float(rng.uniform(0.3, 0.95))


def check_nucleus(t: Trial) -> None:
    probs = np.array([0.5, 0.25, 0.125, 0.0625, 0.0625])
    for p in (0.2, 0.8, 0.7, 0.75, 1.0):
        t.close(t.call(probs, p), nucleus(probs, p), what=f"the nucleus for p = {p}")
    mixed = np.array([0.125, 0.5, 0.0625, 0.25, 0.0625])
    t.close(t.call(mixed, 0.8), nucleus(mixed, 0.8), what="the nucleus of unsorted probabilities")
    for case in t.fresh(draw_nucleus):
        t.close(t.call(*case), nucleus(*case), what=f"the nucleus for p = {case[1]:.3f}")
    even = np.array([1 / 256, 2 / 256] * 64 + [64 / 256])  # many equals: of them, the first ones, on every processor
    t.close(t.call(even, 0.8), nucleus(even, 0.8), what="the nucleus of many equal probabilities")


HINTS = (
    "p = 0.8 with probabilities 0.5, 0.25, 0.125: after two tokens 0.75 is reached, after three 0.875. Which belong to it?",
    "A token belongs to the set when the tokens BEFORE it have not yet reached p. What happens for p = 0.3?",
)
WRONG = (
    Wrong(
        nucleus_off_by_one,
        "drops the token that crosses the threshold: the set must reach p, and at least one token stays",
    ),
    Wrong(nucleus_one_too_many, "keeps one token more than is needed to reach p"),
    Wrong(
        nucleus_exact_hit,
        "keeps one token more where p is reached exactly: 0.5 and 0.25 reach 0.75 already, so compare with < and not with <=",
    ),
    Wrong(nucleus_by_value, "compares each probability with p times the largest one: that is min-p"),
    Wrong(nucleus_not_normalized, "does not divide by the sum: what is left must sum to 1"),
    Wrong(nucleus_unsorted, "adds up in the order of the ids, not from the likeliest down"),
    Wrong(nucleus_keeps_one, "saves the case of a single token only, and drops the token that crosses in all others"),
    Wrong(nucleus_sorted_result, "returns the probabilities sorted: each must stay at the place of its own token"),
)
AFTER = "It cuts the tail in the chat that course.py mine writes."
EXERCISE = Exercise(
    "10.2", "One token too few", "find the bug", nucleus, check_nucleus, HINTS, WRONG, start=nucleus_off_by_one, after=AFTER
)
