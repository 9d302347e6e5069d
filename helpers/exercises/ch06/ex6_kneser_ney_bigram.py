"""Exercise 6.6, Kneser-Ney in four lines: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def kneser_ney_bigram(C, D):
    """P[u, w] of interpolated Kneser-Ney, shape (V, V). C[u, w]: how often w followed u; D: the discount."""
    pairs = C > 0
    lower = pairs.sum(axis=0) / pairs.sum()
    total = np.maximum(C.sum(axis=1, keepdims=True), 1)
    P = np.maximum(C - D, 0) / total + D * pairs.sum(axis=1, keepdims=True) / total * lower
    return np.where(C.sum(axis=1, keepdims=True) > 0, P, lower)


def _kn(C, D, lower=None, weight=None, unseen=None, keep=None):
    pairs = C > 0
    base = pairs.sum(axis=0) / pairs.sum()
    lower = base if lower is None else lower
    total = np.maximum(C.sum(axis=1, keepdims=True), 1)
    weight = D * pairs.sum(axis=1, keepdims=True) if weight is None else weight
    keep = np.maximum(C - D, 0) if keep is None else keep
    P = keep / total + weight / total * lower
    return np.where(C.sum(axis=1, keepdims=True) > 0, P, lower if unseen is None else unseen)


def kn_plain_unigrams(C, D):
    return _kn(C, D, lower=C.sum(axis=0) / C.sum())


def kn_uniform(C, D):
    return _kn(C, D, lower=np.full(len(C), 1 / len(C)))


def kn_weight_once(C, D):
    return _kn(C, D, weight=D)


def kn_below_zero(C, D):
    return _kn(C, D, keep=C - D)


def kn_keeps_counts(C, D):
    return _kn(C, D, keep=C)


def kn_unseen_uniform(C, D):
    return _kn(C, D, unseen=np.full(len(C), 1 / len(C)))


def kn_unseen_zero(C, D):
    return _kn(C, D, unseen=0.0)


def kn_backing_off(C, D):
    P = kneser_ney_bigram(C, D)
    total = np.maximum(C.sum(axis=1, keepdims=True), 1)
    return np.where(C > 0, (C - D) / total, P)


def kn_columns(C, D):
    return _kn(C, D, weight=D * (C > 0).sum(axis=0, keepdims=True) / np.maximum(C.sum(axis=1, keepdims=True), 1))


def draw_kneser_ney_bigram(rng: np.random.Generator) -> tuple:
    return (rng.integers(0, 4, size=(4, 4)) + np.eye(4, dtype=int)).tolist(), float(rng.uniform(0.2, 0.9))


def check_kneser_ney_bigram(t: Trial) -> None:
    for C, D in [
        ([[2, 1, 0], [0, 3, 0], [1, 0, 0]], 0.5),
        ([[2, 1], [0, 3]], 0.5),
        ([[0, 9, 0, 1], [0, 0, 4, 1], [2, 0, 0, 1], [1, 1, 0, 6]], 0.75),
        ([[0, 9, 0, 1], [0, 0, 4, 1], [2, 0, 0, 1], [0, 0, 0, 0]], 0.75),
        *t.fresh(draw_kneser_ney_bigram),
    ]:
        C = np.array(C)
        t.close(t.call(C, D), kneser_ney_bigram(C, D), rtol=1e-9, what="P")


HINTS = (
    "Work on whole rows: total = C.sum(axis=1, keepdims=True) has shape (V, 1), so C / total divides each row by its own total.",
    "What a row gives up is D for each word it was seen with: D * (C > 0).sum(axis=1, keepdims=True) / total. Times "
    "the continuation "
    "probabilities of exercise 6.5.",
    "A row of zeros is a word that nothing followed. There the answer is the continuation probabilities; "
    "np.where(total > 0, P, lower) puts "
    "them in. Divide by np.maximum(total, 1), so that nothing is divided by 0.",
)
WRONG = (
    Wrong(
        kn_backing_off, "uses what is handed down for unseen words only: seen ones get their part of it as well (interpolation)"
    ),
    Wrong(kn_columns, "counts the different words before w where it must count those after u: the sum runs along the rows"),
    Wrong(
        kn_plain_unigrams,
        "hands down plain unigrams (that is absolute discounting): Kneser-Ney counts different words before w",
    ),
    Wrong(kn_uniform, "hands the freed share down evenly to all words: use the continuation probabilities"),
    Wrong(kn_weight_once, "hands down D / total: the share set free is D times the number of different words seen after u"),
    Wrong(kn_below_zero, "subtracts D from counts of 0 as well: max(C - D, 0)"),
    Wrong(kn_keeps_counts, "does not subtract the discount: each row then sums to more than 1"),
    Wrong(
        kn_unseen_uniform,
        "gives all words the same probability after a word that nothing followed: use the continuation probabilities",
    ),
    Wrong(kn_unseen_zero, "gives 0 to all words after a word that nothing followed: such a row must sum to 1 as well"),
)
AFTER = "The cell below lets it read the letters of all leads."
EXERCISE = Exercise(
    "6.6", "Kneser-Ney in four lines", "stretch", kneser_ney_bigram, check_kneser_ney_bigram, HINTS, WRONG, points=3, after=AFTER
)
