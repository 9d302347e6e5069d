"""Exercise 6.5, How many different words come before?: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def continuation_probabilities(C):
    """Kneser-Ney's unigrams, shape (V,). C[u, w]: how often word w followed word u, shape (V, V)."""
    pairs = C > 0
    return pairs.sum(axis=0) / pairs.sum()


def continuation_counts_tokens(C):
    return C.sum(axis=0) / C.sum()


def continuation_followers(C):
    pairs = C > 0
    return pairs.sum(axis=1) / pairs.sum()


def continuation_by_vocabulary(C):
    return (C > 0).sum(axis=0) / len(C)


def continuation_by_tokens(C):
    return (C > 0).sum(axis=0) / C.sum()


def continuation_not_divided(C):
    return (C > 0).sum(axis=0).astype(float)


def draw_continuation_probabilities(rng: np.random.Generator) -> list:
    return (rng.integers(0, 4, size=(4, 4)) + np.eye(4, dtype=int)).tolist()


def check_continuation(t: Trial) -> None:
    for C in (
        [[0, 3, 0], [1, 2, 1], [0, 3, 5]],
        [[0, 3], [1, 2]],
        [[0, 9, 0, 1], [0, 0, 4, 1], [2, 0, 0, 1], [0, 0, 0, 0]],
        *t.fresh(draw_continuation_probabilities),
    ):
        C = np.array(C)
        t.close(t.call(C), continuation_probabilities(C), rtol=1e-9, what="the probabilities")


HINTS = (
    "C > 0 is a table of true and false: which pairs occurred at all. True counts as 1 in a sum.",
    "The words before w are in column w: sum over axis 0. Divide by the number of all different pairs.",
)
WRONG = (
    Wrong(
        continuation_counts_tokens,
        "counts occurrences: that is the plain unigram. A pair that occurred nine times is still one pair",
    ),
    Wrong(continuation_followers, "counts the words that come after w: the words before it are in the column, axis=0"),
    Wrong(
        continuation_by_vocabulary,
        "divides by the size of the vocabulary: the sum is then not 1. Divide by the number of different pairs",
    ),
    Wrong(
        continuation_by_tokens,
        "divides different pairs by occurrences: above and below the line must count the same thing",
    ),
    Wrong(continuation_not_divided, "returns counts: divide by the number of different pairs to get probabilities"),
)
EXERCISE = Exercise(
    "6.5", "How many different words come before?", "core", continuation_probabilities, check_continuation, HINTS, WRONG, points=2
)
