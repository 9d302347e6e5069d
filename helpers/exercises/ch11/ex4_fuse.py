"""Exercise 11.4, Two rankings become one: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def fuse(rankings, k=60):
    """Fused scores, document -> sum over the rankings of 1 / (k + rank), ranks counted from 1."""
    scores = {}
    for ranking in rankings:
        for rank, document in enumerate(ranking, start=1):
            scores[document] = scores.get(document, 0.0) + 1 / (k + rank)
    return scores


def fuse_from_zero(rankings, k=60):
    return {d: sum(1 / (k + r.index(d)) if k + r.index(d) else 1.0 for r in rankings if d in r) for d in fuse(rankings)}


def fuse_without_k(rankings, k=60):
    return fuse(rankings, 0)


def fuse_mean(rankings, k=60):
    return {d: s / len(rankings) for d, s in fuse(rankings, k).items()}


def fuse_last_wins(rankings, k=60):
    return {d: 1 / (k + rank) for ranking in rankings for rank, d in enumerate(ranking, start=1)}


def fuse_both_only(rankings, k=60):
    return {d: s for d, s in fuse(rankings, k).items() if all(d in r for r in rankings)}


def fuse_ranks(rankings, k=60):
    return {d: float(sum(k + r.index(d) + 1 for r in rankings if d in r)) for d in fuse(rankings)}


def draw_fuse(rng: np.random.Generator) -> tuple:
    return [rng.permutation(7)[: int(n)].tolist() for n in rng.integers(2, 6, size=3)], int(rng.integers(1, 80))


def check_fuse(t: Trial) -> None:
    for rankings, k in (
        ([[4, 7, 2], [2, 9, 4]], 60),
        ([[1, 2], [2, 1], [3, 2]], 60),
        ([[5], [6, 5]], 2),
        *t.fresh(draw_fuse),
    ):
        got = t.call(rankings, k)
        t.true(isinstance(got, dict), "must return a dictionary from document to score", fuse(rankings, k), got)
        t.equal(sorted(got), sorted(fuse(rankings, k)), what="the set of fused documents")
        t.close([got[d] for d in sorted(got)], [fuse(rankings, k)[d] for d in sorted(got)], what="the fused scores")


HINTS = (
    "For each ranking and each document in it, add 1 / (k + rank) to the document's score; enumerate(ranking, start=1).",
    "A document that stands in one ranking only gets that one term: scores.get(document, 0.0).",
)
WRONG = (
    Wrong(fuse_from_zero, "counts ranks from 0: the first place must give 1 / (k + 1)"),
    Wrong(fuse_without_k, "leaves k out: then first places outweigh everything"),
    Wrong(fuse_mean, "divides by the number of rankings; the sum is asked for"),
    Wrong(fuse_last_wins, "overwrites the score of a document that stands in several rankings; add them up"),
    Wrong(fuse_both_only, "keeps only documents that stand in all rankings"),
    Wrong(fuse_ranks, "adds k + rank, not 1 / (k + rank): so bad ranks give high scores"),
)
EXERCISE = Exercise("11.4", "Two rankings become one", "core", fuse, check_fuse, HINTS, WRONG, points=2)
