"""Smoothing of n-gram language models: one way of counting, many ways of dealing with what was never counted.

Every smoothing here is of one form. For each length k and each context u that was seen,

    p_k(w | u) = alpha_k(u w) + gamma_k(u) * p_{k-1}(w | u without its first token)

and p_k = p_{k-1} for a context that was never seen; at the bottom stands the uniform distribution (or nothing at all). alpha
is what the counts say, gamma the share of probability that is handed down to the shorter context. So a smoothing is two
arrays per length, and all of them share the same code for scoring, for writing and for drawing samples. NumPy only.

    counts = count_ngrams(documents, order=5, vocab_size=V)    # documents: lists of ids, closed by the end-of-text id
    model = kneser_ney(counts)
    model.score(ids); model.begin(ids).log_probs; model.sample_batch(10, end_id=end)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from helpers.models.ngram_counts import NgramCounts
from helpers.models.ngram_model import NgramModel

__all__ = ["absolute_discounting", "add_k", "discounts_of", "interpolation", "kneser_ney", "laplace", "maximum_likelihood"]


def maximum_likelihood(counts: NgramCounts, order: int | None = None) -> NgramModel:
    """The share of the context's continuations: c(u w) / c(u). What was never seen gets 0.

    After a context that was never seen there is no distribution: all probabilities are 0, as in nltk.

    >>> from helpers.models.ngram_counts import count_ngrams
    >>> counts = count_ngrams([[0, 1], [0, 1], [0, 2]], order=2, vocab_size=3)
    >>> np.exp(maximum_likelihood(counts).begin([0]).log_probs).round(3).tolist()
    [0.0, 0.667, 0.333]
    """
    return _one_length("maximum likelihood", counts, order, 0.0)


def add_k(counts: NgramCounts, k: float, order: int | None = None) -> NgramModel:
    """(c(u w) + k) / (c(u) + k V): every token gets k occurrences as a present. Raises ValueError unless k > 0.

    Source: Lidstone 1920; Jeffreys 1946 for k = 1/2.

    >>> from helpers.models.ngram_counts import count_ngrams
    >>> counts = count_ngrams([[0, 1], [0, 1], [0, 2]], order=2, vocab_size=3)
    >>> np.exp(add_k(counts, 0.5).begin([0]).log_probs).round(3).tolist()
    [0.111, 0.556, 0.333]
    """
    if not k > 0:
        raise ValueError(f"expected k > 0, got {k}; k = 0 is maximum_likelihood")
    return _one_length(f"add-{k:g}", counts, order, float(k))


def laplace(counts: NgramCounts, order: int | None = None) -> NgramModel:
    """add_k with k = 1. Source: Laplace 1774.

    >>> from helpers.models.ngram_counts import count_ngrams
    >>> counts = count_ngrams([[0, 1], [0, 1], [0, 2]], order=2, vocab_size=3)
    >>> np.exp(laplace(counts).begin([0]).log_probs).round(3).tolist()
    [0.167, 0.5, 0.333]
    """
    return add_k(counts, 1.0, order)


def interpolation(counts: NgramCounts, weights: Sequence[float], order: int | None = None) -> NgramModel:
    """p_k = weights[k-1] * c(u w) / c(u) + (1 - weights[k-1]) * p_{k-1}, down to the uniform distribution.

    weights: one for each length from 1 to order, each from 0 to 1. Source: Jelinek, Mercer 1980.

    >>> from helpers.models.ngram_counts import count_ngrams
    >>> counts = count_ngrams([[0, 1], [0, 1], [0, 2]], order=2, vocab_size=3)
    >>> np.exp(interpolation(counts, [1.0, 0.5]).begin([0]).log_probs).round(3).tolist()
    [0.25, 0.5, 0.25]
    """
    order = _order(counts, order)
    weights = _per_length(weights, order, "weights", 1.0)
    alphas, gammas = [], []
    for level, weight in zip(counts.levels[:order], weights):
        totals = level.per_context(level.counts)
        alphas.append(weight * level.counts / _per_gram(np.maximum(totals, 1), level))
        gammas.append(np.where(totals > 0, 1.0 - weight, 1.0))
    return NgramModel("interpolation", counts, order, tuple(alphas), tuple(gammas), 1 / counts.vocab_size, tuple(weights))


def absolute_discounting(counts: NgramCounts, discount: float | Sequence[float] = 0.75, order: int | None = None) -> NgramModel:
    """Take `discount` off every count and hand what was taken down to the shorter context.

    discount: from 0 to 1, one for all lengths or one for each length from 1 to order. Source: Ney, Essen, Kneser 1994.

    >>> from helpers.models.ngram_counts import count_ngrams
    >>> counts = count_ngrams([[0, 1], [0, 1], [0, 2]], order=2, vocab_size=3)
    >>> np.exp(absolute_discounting(counts, [0.0, 0.5]).begin([0]).log_probs).round(3).tolist()
    [0.167, 0.611, 0.222]
    """
    order = _order(counts, order)
    discounts = _per_length(discount, order, "discount", 1.0)
    tables = [_discounted(level, level.counts, (d, d, d)) for level, d in zip(counts.levels, discounts)]
    return _recursive("absolute discounting", counts, order, tables, tuple(discounts))


def kneser_ney(counts: NgramCounts, discount: float | Sequence[float] | None = None, order: int | None = None) -> NgramModel:
    """Interpolated Kneser-Ney: absolute discounting whose shorter contexts count *different* left neighbors, not occurrences.

    discount: None for the modified form (three discounts per length, for counts of 1, 2 and 3 or more, estimated from the
    training counts), else from 0 to 1, one for all lengths or one for each. A start symbol counts as one left neighbor.
    Sources: Kneser, Ney 1995; Chen, Goodman 1998, section 3 (modified, interpolated).

    >>> from helpers.models.ngram_counts import count_ngrams
    >>> counts = count_ngrams([[0, 1], [0, 1], [0, 2]], order=2, vocab_size=3)
    >>> np.exp(kneser_ney(counts, [0.0, 0.5]).begin([0]).log_probs).round(3).tolist()
    [0.111, 0.611, 0.278]
    """
    order = _order(counts, order)
    given = None if discount is None else _per_length(discount, order, "discount", 1.0)
    tables, used = [], []
    for k, level in enumerate(counts.levels[:order], start=1):
        adjusted = level.counts if k == order else np.where(level.counts > 0, level.continuations, 0)
        d = discounts_of(adjusted) if given is None else (given[k - 1],) * 3
        tables.append(_discounted(level, adjusted, d))
        used.append(d)
    return _recursive("Kneser-Ney" if given is not None else "modified Kneser-Ney", counts, order, tables, tuple(used))


def discounts_of(counts: np.ndarray) -> tuple[float, float, float]:
    """The discounts for counts of 1, 2 and 3 or more, from how many k-grams have the counts 1, 2, 3 and 4.

    Where the estimate cannot be trusted it is (0.5, 1, 1.5), the fallback of KenLM: one of the four numbers is 0 (a tiny
    corpus), a discount is below 0 or above its count, or it grows by more than 1 from one count to the next (rare words were
    taken out of the vocabulary). Source: Chen, Goodman 1998, equation 26.

    >>> discounts_of(np.array([1, 1, 1, 1, 2, 2, 3, 4]))
    (0.5, 1.25, 1.0)
    """
    n1, n2, n3, n4 = (int(np.count_nonzero(counts == c)) for c in (1, 2, 3, 4))
    if min(n1, n2, n3, n4) > 0:
        y = n1 / (n1 + 2 * n2)
        d = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
        if all(0 <= x <= c for c, x in enumerate(d, start=1)) and d[1] - d[0] <= 1 and d[2] - d[1] <= 1:
            return d
    return 0.5, 1.0, 1.5


def _order(counts: NgramCounts, order: int | None) -> int:
    if order is None:
        return counts.order
    if not 1 <= order <= counts.order:
        raise ValueError(
            f"expected an order from 1 to {counts.order} (what was counted), got {order}; count again with a higher order"
        )
    return int(order)


def _per_length(values: Any, order: int, what: str, high: float) -> list[float]:
    listed = [float(values)] * order if np.ndim(values) == 0 else [float(v) for v in values]
    if len(listed) != order:
        raise ValueError(f"expected {order} {what}, one for each length from 1 to {order}, got {len(listed)}")
    if not all(0 <= v <= high for v in listed):
        raise ValueError(f"expected {what} from 0 to {high:g}, got {listed}")
    return listed


def _per_gram(per_context: np.ndarray, level) -> np.ndarray:
    return np.repeat(per_context, np.diff(level.first))


def _discounted(level, counts: np.ndarray, d: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """alpha = (c - D(c)) / total and gamma = (what was taken) / total; gamma = 1 for a context without continuations."""
    taken = np.minimum(np.array([0.0, *d])[np.minimum(counts, 3)], counts)
    totals = level.per_context(counts)
    safe = np.maximum(totals, 1)
    gamma = np.where(totals > 0, level.per_context(taken) / safe, 1.0)
    return (counts - taken) / _per_gram(safe, level), np.clip(gamma, 0.0, 1.0)


def _recursive(name: str, counts: NgramCounts, order: int, tables: list, settings: tuple) -> NgramModel:
    alphas, gammas = zip(*tables[:order])
    return NgramModel(name, counts, order, alphas, gammas, 1 / counts.vocab_size, settings)


def _one_length(name: str, counts: NgramCounts, order: int | None, k: float) -> NgramModel:
    """Maximum likelihood (k = 0) and add-k: only the longest context counts, and below it stands 1/V (or nothing)."""
    order, V = _order(counts, order), counts.vocab_size
    level = counts.levels[order - 1]
    totals = level.per_context(level.counts)
    below = np.maximum(totals + k * V, 1e-300)
    unused: tuple[None, ...] = (None,) * (order - 1)
    alpha, gamma = level.counts / _per_gram(below, level), np.where(totals > 0, k * V / below, 1.0)
    return NgramModel(name, counts, order, (*unused, alpha), (*unused, gamma), 1 / V if k else 0.0, (k,))
