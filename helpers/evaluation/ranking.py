"""How good is a ranking? Recall, precision, reciprocal rank, average precision, nDCG, each for one query and checkable by hand.

A ranking is a list of document numbers, best first; `relevant` the set of numbers that should be found. The mean over queries
gives recall@k, MRR, MAP and nDCG@k; `summary` adds bootstrap intervals over the queries, `mean_difference` that of a difference.
Sources: Voorhees and Harman 2005 (TREC); Järvelin and Kekäläinen 2002 (nDCG).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from helpers.evaluation.checks import finite
from helpers.evaluation.intervals import bootstrap_interval

__all__ = [
    "Mean",
    "average_precision",
    "dcg",
    "mean_difference",
    "mean_interval",
    "ndcg",
    "precision_at_k",
    "recall_at_k",
    "reciprocal_rank",
    "summary",
]


def _checked(relevant: Collection[int], k: int | None = None) -> set[int]:
    if not relevant:
        raise ValueError("expected at least one relevant document, got none; leave such queries out, and count them apart")
    if k is not None and k < 1:
        raise ValueError(f"expected k of at least 1, got {k}")
    return set(relevant)


def _once(ranking: Sequence) -> list:
    """The ranking without repetitions: a document counts at its first place only, everywhere here."""
    return list(dict.fromkeys(ranking))


def recall_at_k(ranking: Sequence, relevant: Collection, k: int) -> float:
    """The share of all relevant documents that stand among the first k. Raises ValueError for none relevant, or k < 1.

    >>> recall_at_k([7, 3, 9], {3, 5}, k=2)
    0.5
    """
    wanted = _checked(relevant, k)
    return len(wanted & set(_once(ranking)[:k])) / len(wanted)


def precision_at_k(ranking: Sequence, relevant: Collection, k: int) -> float:
    """The share of the first k places that hold a relevant document; a place that is empty holds none.

    >>> precision_at_k([7, 3, 5], {3, 5}, k=3), precision_at_k([3], {3, 5}, k=2)
    (0.6666666666666666, 0.5)
    """
    return len(_checked(relevant, k) & set(_once(ranking)[:k])) / k


def reciprocal_rank(ranking: Sequence[int], relevant: Collection[int]) -> float:
    """1 / rank of the first relevant document, ranks counted from 1; 0 when there is none.

    >>> reciprocal_rank([7, 3, 5], {3, 5})
    0.5
    """
    wanted = _checked(relevant)
    for rank, document in enumerate(_once(ranking), start=1):
        if document in wanted:
            return 1 / rank
    return 0.0


def average_precision(ranking: Sequence[int], relevant: Collection[int]) -> float:
    """The mean, over ALL relevant documents, of the precision at the rank of each; one that was never found counts 0.

    >>> average_precision([1, 9, 2], {1, 2}), average_precision([1, 9, 2], {1, 2, 3})  # (1 + 2/3) / 2, / 3
    (0.8333333333333333, 0.5555555555555555)
    """
    wanted = _checked(relevant)
    found, total = 0, 0.0
    for rank, document in enumerate(_once(ranking), start=1):
        if document in wanted:
            found += 1
            total += found / rank
    return total / len(wanted)


def dcg(gains: Sequence[float], exponential: bool = False) -> float:
    """Sum of gain / log2(rank + 1), ranks from 1: a gain counts less further down. exponential: 2^gain - 1 for the gain.

    >>> round(dcg([3, 2, 3, 0, 1, 2]), 4)
    6.8611
    """
    gains = finite(gains, "gains").tolist()
    return sum(((2**g - 1) if exponential else g) / math.log2(rank + 1) for rank, g in enumerate(gains, start=1))


def ndcg(ranking: Sequence[int], gains: Mapping[int, float], k: int, exponential: bool = False) -> float:
    """DCG of the first k, divided by that of the best possible order. gains: document -> how relevant it is (absent: 0).

    Raises ValueError when no document has a gain above 0.

    >>> round(ndcg([0, 1, 2, 3, 4, 5], dict(enumerate([3, 2, 3, 0, 1, 2])), k=6), 4)
    0.9608
    """
    _checked([d for d, g in gains.items() if g > 0], k)
    best = sorted(gains.values(), reverse=True)[:k]
    return dcg([gains.get(d, 0.0) for d in _once(ranking)[:k]], exponential) / dcg(best, exponential)


class Mean(NamedTuple):
    """A mean over queries with its 95 % bootstrap interval.

    >>> print(Mean(0.5, 0.25, 0.75))
    0.500 [0.250, 0.750]
    """

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


def mean_interval(values: Sequence[float], seed: int = 0) -> Mean:
    """The mean of one number per query, with the interval when the queries are drawn again.

    >>> print(mean_interval([0, 0, 1, 1]))
    0.500 [0.000, 1.000]
    """
    values = finite(values, "values")
    low, high = bootstrap_interval(np.mean, values, n_resamples=1000, seed=seed)
    return Mean(float(values.mean()), low, high)


def summary(
    rankings: Sequence[Sequence[int]], relevant: Sequence[Collection[int]], ks: Sequence[int] = (1, 5, 10), seed: int = 0
) -> dict[str, Mean]:
    """recall@k for each k, MRR, MAP and nDCG at the largest k (every relevant document has gain 1), with intervals.

    Raises ValueError when rankings and relevant sets differ in number.

    >>> table = summary([[1, 2], [4, 3]], [{1}, {3}], ks=(1, 2))
    >>> {name: row.mean for name, row in table.items() if name != "nDCG@2"}
    {'recall@1': 0.5, 'recall@2': 1.0, 'MRR': 0.75, 'MAP': 0.75}
    """
    if len(rankings) != len(relevant) or not len(rankings):
        raise ValueError(
            f"expected as many rankings as sets of relevant documents, at least one; got {len(rankings)} and {len(relevant)}"
        )
    pairs = list(zip(rankings, relevant))
    table = {f"recall@{k}": mean_interval([recall_at_k(r, w, k) for r, w in pairs], seed) for k in ks}
    table["MRR"] = mean_interval([reciprocal_rank(r, w) for r, w in pairs], seed)
    table["MAP"] = mean_interval([average_precision(r, w) for r, w in pairs], seed)
    table[f"nDCG@{max(ks)}"] = mean_interval([ndcg(r, dict.fromkeys(w, 1.0), max(ks)) for r, w in pairs], seed)
    return table


def mean_difference(a: Sequence[float], b: Sequence[float], seed: int = 0) -> Mean:
    """Mean of a - b with its interval (paired bootstrap), both measured on the same queries: narrower than two side by side.

    >>> print(mean_difference([0.9, 0.5, 0.4], [0.8, 0.4, 0.3]))
    0.100 [0.100, 0.100]
    """
    a, b = finite(a, "a"), finite(b, "b")
    if a.shape != b.shape:
        raise ValueError(f"expected one value of each for every query, got {a.shape} and {b.shape}")
    return mean_interval(a - b, seed)
