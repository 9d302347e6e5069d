"""Word vectors judged: analogies, agreement with people's ratings (Spearman)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from helpers.evaluation.checks import finite
from helpers.evaluation.intervals import bootstrap_interval
from helpers.models.word_vectors import WordVectors

__all__ = ["AnalogyScore", "PairScore", "analogy_accuracy", "evaluate_pairs", "spearman"]


class PairScore(NamedTuple):
    """Rank correlation with human scores and its 95 % bootstrap interval; used of total pairs have both words.

    >>> PairScore(rho=0.7, low=0.6, high=0.8, used=340, total=353).used
    340
    """

    rho: float
    low: float
    high: float
    used: int
    total: int


class AnalogyScore(NamedTuple):
    """Of `known` questions (all four words in the vocabulary, of `total`) so many were `right`.

    >>> AnalogyScore(right=3, known=4, total=9).known
    4
    """

    right: int
    known: int
    total: int


def analogy_accuracy(vectors: WordVectors, questions: Iterable, *, exclude_query: bool = True) -> dict[str, AnalogyScore]:
    """Score questions with fields a, b, c, d, section (helpers.data.datasets.analogies), per section and as "all".

    Words are taken in lower case. Questions with an unknown word are counted in `total` only; quote `known` with the score.

    >>> from helpers.data.records import Analogy
    >>> vectors = WordVectors(["man", "woman", "king", "queen"], np.array([[1, 0, 0], [1, 1, 0], [1, 0, 1], [1, 1, 1]]))
    >>> analogy_accuracy(vectors, [Analogy("man", "woman", "king", "queen", "family")])["all"]
    AnalogyScore(right=1, known=1, total=1)
    """
    rows: dict[str, list] = {}
    totals: dict[str, int] = {}
    for q in questions:
        words = [w.lower() for w in (q.a, q.b, q.c, q.d)]
        totals[q.section] = totals.get(q.section, 0) + 1
        if all(w in vectors for w in words):
            rows.setdefault(q.section, []).append([vectors.ids[w] for w in words])
    scores = {}
    for section, total in totals.items():
        ids = np.array(rows.get(section, []), dtype=np.int64).reshape(-1, 4)
        right = 0
        for start in range(0, len(ids), 256):
            a, b, c, d = ids[start : start + 256].T
            found = (vectors.unit[b] - vectors.unit[a] + vectors.unit[c]) @ vectors.unit.T  # (256, V)
            if exclude_query:
                for left_out in (a, b, c):
                    found[np.arange(len(a)), left_out] = -np.inf
            right += int(np.sum(found.argmax(axis=1) == d))
        scores[section] = AnalogyScore(right, len(ids), total)
    scores["all"] = AnalogyScore(*(sum(s[i] for s in scores.values()) for i in range(3)))
    return scores


def spearman(x: np.ndarray, y: np.ndarray) -> float:
    """Spearman's rank correlation: the cosine of the centered ranks, from -1 to 1; NaN when x or y is constant.

    Only the order counts: any strictly rising function of x leaves it unchanged. Equal numbers share the mean of their ranks.
    Source: Spearman 1904.

    >>> spearman([1, 2, 3, 4], [1, 10, 100, 50]), spearman([1, 2, 3], [-1, -8, -27])
    (0.8, -1.0)
    """
    from scipy.stats import rankdata  # on first use: it takes seconds to load

    x, y = finite(x, "x"), finite(y, "y")
    if x.shape != y.shape or x.ndim != 1 or len(x) < 2:
        raise ValueError(f"expected two arrays of one length >= 2, got shapes {x.shape} and {y.shape}")
    a, b = rankdata(x) - (len(x) + 1) / 2, rankdata(y) - (len(y) + 1) / 2
    length = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / length) if length > 0 else float("nan")


def evaluate_pairs(vectors: WordVectors, pairs: Iterable, *, n_resamples: int = 1000, seed: int = 0) -> PairScore:
    """Spearman's rho of cosines and human scores, over pairs (first, second, score) whose words are both known.

    Raises ValueError when fewer than two pairs are known.

    >>> from helpers.data.records import WordPair
    >>> vectors = WordVectors(["cat", "dog", "car"], np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]]))
    >>> evaluate_pairs(vectors, [WordPair("cat", "dog", 9.0), WordPair("dog", "car", 2.0), WordPair("cat", "car", 1.0)]).rho
    1.0
    """
    pairs = list(pairs)
    lower = [(p.first.lower(), p.second.lower(), p.score) for p in pairs]
    known = [pair for pair in lower if pair[0] in vectors and pair[1] in vectors]
    if len(known) < 2:
        raise ValueError(f"expected at least two pairs of known words, got {len(known)} of {len(pairs)}")
    cosines = np.array([vectors.similarity(a, b) for a, b, _ in known])
    people = np.array([score for _, _, score in known])
    low, high = bootstrap_interval(spearman, cosines, people, n_resamples=n_resamples, seed=seed)
    return PairScore(spearman(cosines, people), low, high, len(known), len(pairs))
