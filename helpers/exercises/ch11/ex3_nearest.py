"""Exercise 11.3, The nearest are not in order: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def nearest(vectors, query, k):
    """Numbers of the k rows with the largest dot product with the query, nearest first; of equals, the smaller number first."""
    scores = vectors @ query
    order = np.argsort(-scores, kind="stable")
    return [int(i) for i in order[:k]]


def nearest_unsorted(vectors, query, k):
    """Numbers of the k rows with the largest dot product with the query, nearest first; of equals, the smaller number first."""
    scores = vectors @ query
    found = np.argpartition(scores, len(scores) - k)[len(scores) - k :]
    return [int(i) for i in found]


def nearest_ascending(vectors, query, k):
    return [int(i) for i in np.argsort(vectors @ query, kind="stable")[:k]]


def nearest_k_reversed(vectors, query, k):
    return [int(i) for i in np.argsort(vectors @ query, kind="stable")[::-1][:k]]


def nearest_border(vectors, query, k):
    scores = vectors @ query
    found = np.argsort(scores, kind="stable")[::-1][:k]  # of equals at the border argpartition takes any; here: the larger number
    return [int(i) for i in sorted(found, key=lambda i: (-scores[i], i))]


def nearest_cosine(vectors, query, k):
    return nearest(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), query, k)


def nearest_euclidean(vectors, query, k):
    return [int(i) for i in np.argsort(((vectors - query) ** 2).sum(axis=1), kind="stable")[:k]]


def nearest_by_distance_sign(vectors, query, k):
    return [int(i) for i in np.argsort(-np.abs(vectors @ query), kind="stable")[:k]]


def nearest_scores(vectors, query, k):
    return [float(s) for s in np.sort(-(vectors @ query))[:k] * -1]


def nearest_best_only(vectors, query, k):
    return [int(np.argmax(vectors @ query))]


def draw_nearest(rng: np.random.Generator) -> tuple:
    return rng.normal(size=(int(rng.integers(6, 10)), 3)), rng.normal(size=3), int(rng.integers(2, 6))


def check_nearest(t: Trial) -> None:
    vectors = np.array([[0.0, 1.0], [0.6, 0.8], [1.0, 0.0], [-1.0, 0.0], [0.8, 0.6], [0.6, -0.8]])
    longer = np.concatenate([vectors, [[2.0, 2.0]]])
    for rows, query, k in (
        (vectors, [1.0, 0.0], 4),
        (vectors, [1.0, 0.0], 3),
        (vectors, [0.0, 1.0], 4),
        (vectors, [0.6, 0.8], 2),
        (vectors, [1.0, 0.0], 6),
        (longer, [1.0, 0.0], 3),
        (longer, [-1.0, 0.0], 3),
        (np.arange(120)[:, None] % 3 * [1.0, 0.0], [1.0, 0.0], 50),  # many equals, on every processor in order
        *t.fresh(draw_nearest),
    ):
        case = (rows, np.array(query), k)
        t.equal(t.call(*case), nearest(*case), what="the ranking")


HINTS = (
    "Print the scores of what is returned. np.argpartition puts the k largest together; in which order?",
    "Sorting what it found is not enough: of equals at the border of the k it has taken any, not those with the smaller "
    "numbers. For so few documents sort all: np.argsort(-scores, kind='stable')[:k].",
)
WRONG = (
    Wrong(
        nearest_unsorted,
        "gives the k in no order: argpartition does not sort, and of equals at the border it takes any. Sort all scores",
    ),
    Wrong(nearest_ascending, "sorts the wrong way: the smallest dot products come first"),
    Wrong(
        nearest_border,
        "sorts what argpartition found, but argpartition has already chosen among equals at the "
        "border; sort all with np.argsort(-scores, kind='stable')",
    ),
    Wrong(nearest_cosine, "divides by the lengths of the rows: that is the cosine; the dot product is asked for"),
    Wrong(
        nearest_euclidean,
        "takes the smallest distances; the largest dot products are asked for, and for rows whose length is not 1 these differ",
    ),
    Wrong(
        nearest_k_reversed,
        "turns a rising order round, and with it the order of equals: the smaller number must come first",
    ),
    Wrong(nearest_by_distance_sign, "takes the absolute value: the opposite direction is not near"),
    Wrong(nearest_scores, "returns the scores; the numbers of the rows were asked for"),
    Wrong(nearest_best_only, "returns one row, not k"),
)
EXERCISE = Exercise(
    "11.3", "The nearest are not in order", "find the bug", nearest, check_nearest, HINTS, WRONG, points=2, start=nearest_unsorted
)
