"""Exercise 11.5, Relevant, and new: the reference solution, wrong answers, the check."""

import math

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def pick_diverse(relevance, similarity, k, weight):
    """MMR: k positions, one by one with the largest weight * relevance - (1 - weight) * largest similarity to those picked.

    relevance: (n,), similarity: (n, n). The first pick has nothing to be similar to. Of equals, the smaller position. If there
    are fewer than k, all are picked.
    """
    picked = []
    while len(picked) < min(k, len(relevance)):
        best, value = None, -math.inf
        for i in range(len(relevance)):
            if i in picked:
                continue
            near = max((similarity[i][j] for j in picked), default=0.0)
            v = weight * relevance[i] - (1 - weight) * near
            if v > value:
                best, value = i, v
        picked.append(best)
    return picked


def _mmr(relevance, similarity, k, weight, near=max, novelty=1.0, first=None):
    picked = [] if first is None else [first]
    while len(picked) < min(k, len(relevance)):
        left = [i for i in range(len(relevance)) if i not in picked]
        value = [
            weight * relevance[i] - novelty * (1 - weight) * (near([similarity[i][j] for j in picked]) if picked else 0)
            for i in left
        ]
        picked.append(left[int(np.argmax(value))])
    return picked


def diverse_relevance_only(relevance, similarity, k, weight):
    return [int(i) for i in np.argsort(-np.asarray(relevance), kind="stable")[:k]]


def diverse_plus(relevance, similarity, k, weight):
    return _mmr(relevance, similarity, k, weight, novelty=-1.0)


def diverse_last_only(relevance, similarity, k, weight):
    return _mmr(relevance, similarity, k, weight, near=lambda s: s[-1])


def diverse_mean(relevance, similarity, k, weight):
    return _mmr(relevance, similarity, k, weight, near=lambda s: sum(s) / len(s))


def diverse_swapped(relevance, similarity, k, weight):
    return _mmr(relevance, similarity, k, 1 - weight)


def diverse_clamped(relevance, similarity, k, weight):
    return _mmr(relevance, similarity, k, weight, near=lambda s: max(0.0, *s))


def diverse_later_ties(relevance, similarity, k, weight):
    picked = []
    while len(picked) < min(k, len(relevance)):
        near = [max((similarity[i][j] for j in picked), default=0.0) for i in range(len(relevance))]
        value = [-math.inf if i in picked else weight * relevance[i] - (1 - weight) * near[i] for i in range(len(relevance))]
        best = [i for i, v in enumerate(value) if v == max(value)]
        picked.append(best[-1] if picked else best[0])
    return picked


def diverse_repeats(relevance, similarity, k, weight):
    return [int(np.argmax(relevance))] * min(k, len(relevance))


MMR_CASES = (
    (
        [0.6, 0.6, 0.5, 0.4, 0.6],
        [
            [1, 0.8, 0.4, 0.6, 0.2],
            [0.8, 1, 0.9, 0.4, 0.3],
            [0.4, 0.9, 1, 0.2, 0.4],
            [0.6, 0.4, 0.2, 1, 0.7],
            [0.2, 0.3, 0.4, 0.7, 1],
        ],
        4,
        0.6,
    ),
    ([0.9, 0.85, 0.8, 0.5], [[1, 0.99, 0.2, 0.1], [0.99, 1, 0.2, 0.1], [0.2, 0.2, 1, 0.1], [0.1, 0.1, 0.1, 1]], 3, 0.7),
    ([0.9, 0.8, 0.79, 0.75], [[1, 0.1, 0.9, 0.0], [0.1, 1, 0.5, 0.8], [0.9, 0.5, 1, 0.1], [0.0, 0.8, 0.1, 1]], 4, 0.5),
    ([0.6, 0.9, 0.3], [[1, 0.3, 0], [0.3, 1, 0.2], [0, 0.2, 1]], 5, 0.9),
    (
        [0.9, 0.7, 0.69, 0.68, 0.3],
        [[1, 0.9, 0.1, 0.8, 0], [0.9, 1, 0.1, 0.1, 0], [0.1, 0.1, 1, 0.6, 0], [0.8, 0.1, 0.6, 1, 0], [0, 0, 0, 0, 1]],
        4,
        0.6,
    ),
    ([0.9, 0.5, 0.45], [[1, -0.2, -0.8], [-0.2, 1, 0], [-0.8, 0, 1]], 2, 0.5),
    ([0.9, 0.5, 0.5], [[1, 0.2, 0.2], [0.2, 1, 0], [0.2, 0, 1]], 2, 0.5),
)


def draw_pick_diverse(rng: np.random.Generator) -> tuple:
    near = rng.random((5, 5)).round(2)
    return rng.random(5).round(2), (near + near.T) / 2, int(rng.integers(2, 5)), float(rng.uniform(0.2, 0.9))


def check_diverse(t: Trial) -> None:
    small = ([1.0, 0.8, 0.6], [[1, 1, 0], [1, 1, 0], [0, 0, 1]], 2, 0.5)
    for relevance, similarity, k, weight in [small, *MMR_CASES, *t.fresh(draw_pick_diverse)]:
        case = (np.array(relevance), np.array(similarity, dtype=float), k, weight)
        t.equal(t.call(*case), pick_diverse(*case), what="the picks")


HINTS = (
    "Loop until k are picked (or none is left). For each candidate compute weight * relevance - (1 - weight) * (largest "
    "similarity to a picked one).",
    "For the first pick the largest similarity is 0: max(..., default=0.0).",
)
WRONG = (
    Wrong(diverse_relevance_only, "sorts by relevance alone: two copies of one text are both taken"),
    Wrong(diverse_plus, "adds the similarity: it must be subtracted"),
    Wrong(diverse_last_only, "compares with the last pick only; a candidate must be unlike all of them"),
    Wrong(diverse_mean, "takes the mean similarity to the picks; one close copy is enough: take the largest"),
    Wrong(diverse_swapped, "has weight and 1 - weight the wrong way round"),
    Wrong(diverse_repeats, "picks the same candidate again and again"),
    Wrong(
        diverse_clamped,
        "takes a negative similarity for 0: what is the opposite of the picks is newer still, so let "
        "max run over the similarities alone (its default=0.0 is for the first pick)",
    ),
    Wrong(diverse_later_ties, "gives a tie after the first pick to the larger position; of equals, the smaller one"),
)
EXERCISE = Exercise("11.5", "Relevant, and new", "core", pick_diverse, check_diverse, HINTS, WRONG, points=2)
