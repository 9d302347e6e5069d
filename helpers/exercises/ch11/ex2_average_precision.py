"""Exercise 11.2, Average precision: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.evaluation import ranking as ranking_measures
from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def average_precision(ranking, relevant):
    """Mean of the precision at the rank of each relevant document. ranking: numbers, best first; relevant: a set of numbers."""
    found, total = 0, 0.0
    for rank, document in enumerate(ranking, start=1):
        if document in relevant:
            found += 1
            total += found / rank
    return total / len(relevant)


def ap_only_found(ranking, relevant):
    n = sum(d in relevant for d in ranking)
    return average_precision(ranking, relevant) * len(relevant) / n if n else 0.0


def ap_all_ranks(ranking, relevant):
    hits = np.cumsum([d in relevant for d in ranking])
    return float(np.mean(hits / np.arange(1, len(ranking) + 1)))


def ap_reciprocal(ranking, relevant):
    return next((1 / rank for rank, d in enumerate(ranking, start=1) if d in relevant), 0.0)


def ap_sum_of_reciprocals(ranking, relevant):
    return sum(1 / rank for rank, d in enumerate(ranking, start=1) if d in relevant) / len(relevant)


def ap_from_zero(ranking, relevant):
    found, total = 0, 0.0
    for rank, document in enumerate(ranking):
        if document in relevant:
            total += found / max(rank, 1)
            found += 1
    return total / len(relevant)


def ap_over_length(ranking, relevant):
    return average_precision(ranking, relevant) * len(relevant) / len(ranking)


def ap_over_the_smaller(ranking, relevant):
    return average_precision(ranking, relevant) * len(relevant) / min(len(relevant), len(ranking))


def average_precision_of_the_course(ranking, relevant):
    return ranking_measures.average_precision(ranking, relevant)


def draw_average_precision(rng: np.random.Generator) -> tuple:
    return rng.permutation(8)[: int(rng.integers(4, 9))].tolist(), set(rng.permutation(8)[: int(rng.integers(1, 5))].tolist())


def check_ap(t: Trial) -> None:
    for ranking, relevant in (
        ([7, 2, 9, 4], {9}),
        ([7, 2, 9], {7, 9}),
        ([1, 2, 3, 4], {2, 3}),
        ([5, 6, 7, 8], {5, 7, 99}),
        ([1, 2], {3}),
        ([1, 2], {1, 2, 3}),
        *t.fresh(draw_average_precision),
    ):
        t.close(t.call(ranking, relevant), average_precision(ranking, relevant), what="the average precision")


HINTS = (
    "Go through the ranking with rank 1, 2, ...; at each relevant document add (how many were found so far) / rank.",
    "At the end divide by the number of ALL relevant documents, also those that were never found.",
)
WRONG = (
    Wrong(ap_only_found, "divides by the relevant documents that were found; one that was missed must cost something"),
    Wrong(ap_all_ranks, "averages the precision over every rank; only the ranks of relevant documents count"),
    Wrong(ap_reciprocal, "is the reciprocal rank: it stops at the first relevant document"),
    Wrong(ap_sum_of_reciprocals, "adds 1 / rank; the precision there is (found so far) / rank"),
    Wrong(ap_from_zero, "counts ranks from 0; the first place is rank 1"),
    Wrong(ap_over_length, "divides by the length of the ranking"),
    Wrong(
        ap_over_the_smaller,
        "divides by the length of the ranking where that is smaller: what a short ranking has no "
        "room for was missed, too. Divide by the number of ALL relevant documents",
    ),
)
AFTER = "It judges 600 rankings below."
EXERCISE = Exercise(
    "11.2",
    "Average precision",
    "core",
    average_precision,
    check_ap,
    HINTS,
    WRONG,
    points=2,
    course=average_precision_of_the_course,
    after=AFTER,
)
