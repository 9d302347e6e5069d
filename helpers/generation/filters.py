"""Filters and penalties: small functions on the scores (V,) of the next token, logits or log-probabilities.

What a filter rules out becomes -inf, the rest stays. `sampling.Sampler` applies them in one fixed order. NumPy only.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from helpers.models.losses import softmax

__all__ = [
    "frequency_penalty",
    "keep",
    "min_p",
    "numbers",
    "presence_penalty",
    "probabilities",
    "repetition_penalty",
    "temperature",
    "top_k",
    "top_p",
    "typical",
]


def probabilities(scores: np.ndarray) -> np.ndarray:
    """The softmax (V,) of scores; -inf gives exactly 0. Raises ValueError when every score is -inf.

    >>> probabilities(np.log([1.0, 3.0])).round(2).tolist()
    [0.25, 0.75]
    """
    if not np.isfinite(np.max(scores)):
        raise ValueError("no token is left to choose from: every score is -inf, or one is NaN; loosen the filters")
    return softmax(scores)


def temperature(scores: np.ndarray, T: float) -> np.ndarray:
    """scores / T: below 1 the favorites gain, above 1 they lose; no token is ruled out.

    Raises ValueError unless T > 0: the limit T = 0 is the greedy choice and has its own branch (`Sampler(temperature=0)`).

    >>> temperature(np.array([1.0, 2.0]), 0.5).tolist()
    [2.0, 4.0]
    """
    if not 0 < T < np.inf:
        raise ValueError(f"expected a finite temperature above 0, got {T}; for the greedy choice use Sampler(temperature=0)")
    scores = numbers(scores)
    with np.errstate(over="ignore"):
        hot = scores / T
    if np.isinf(hot).sum() > np.isinf(scores).sum():  # T is so small that scores overflow: the largest becomes 0
        with np.errstate(over="ignore"):
            hot = (scores - scores.max()) / T
    return hot


def top_k(scores: np.ndarray, k: int) -> np.ndarray:
    """Keep the k largest scores, exactly k also where scores are equal (of equals, the smaller id). Fan et al. 2018.

    Raises ValueError for k < 1. A k beyond V keeps all.

    >>> scores = np.log([0.5, 0.3, 0.2])
    >>> probabilities(top_k(scores, 2)).round(3).tolist()
    [0.625, 0.375, 0.0]
    """
    if k < 1:
        raise ValueError(f"expected k of at least 1, got {k}; leave top-k out with top_k=0 in Sampler")
    scores = numbers(scores)
    return keep(scores, _by_size(scores)[:k])


def top_p(scores: np.ndarray, p: float) -> np.ndarray:
    """Keep the smallest set of likeliest tokens that together reach the probability p (the nucleus). Holtzman et al. 2020.

    The token that crosses the threshold belongs to the set, so at least one stays. Raises ValueError unless 0 < p <= 1.

    >>> scores = np.log([0.5, 0.3, 0.2])
    >>> probabilities(top_p(scores, 0.6)).round(3).tolist()  # 0.5 is not enough, so 0.3 stays too
    [0.625, 0.375, 0.0]
    """
    if not 0 < p <= 1:
        raise ValueError(f"expected top-p in (0, 1], got {p}; p = 1 keeps every token")
    scores = numbers(scores)
    if p == 1:  # rounding in the sum must not cost a rare token
        return scores
    return _until(p, scores, _by_size(scores), probabilities(scores))


def min_p(scores: np.ndarray, p: float) -> np.ndarray:
    """Keep the tokens with at least p times the probability of the likeliest one. Nguyen et al. 2024.

    So the floor moves: many survive where the model is unsure, few where it is sure. Raises ValueError unless 0 <= p <= 1.

    >>> scores = np.log([0.5, 0.3, 0.2])
    >>> probabilities(min_p(scores, 0.5)).round(3).tolist()  # at least half of 0.5
    [0.625, 0.375, 0.0]
    """
    if not 0 <= p <= 1:
        raise ValueError(f"expected min-p in [0, 1], got {p}")
    scores = numbers(scores)
    probs = probabilities(scores)
    return np.where(probs >= p * probs.max(), scores, -np.inf)


def typical(scores: np.ndarray, p: float) -> np.ndarray:
    """Keep the tokens whose surprise -ln p is closest to the expected surprise (the entropy), until they reach p together.

    Raises ValueError unless 0 < p <= 1. Source: Meister et al. 2023, Locally typical sampling.

    >>> scores = np.log([0.5, 0.3, 0.2])
    >>> probabilities(typical(scores, 0.2)).round(3).tolist()  # surprises 0.69, 1.2 and 1.61; their mean is 1.03
    [0.0, 1.0, 0.0]
    """
    if not 0 < p <= 1:
        raise ValueError(f"expected typical p in (0, 1], got {p}; p = 1 keeps every token")
    scores = numbers(scores)
    if p == 1:
        return scores
    probs = probabilities(scores)
    with np.errstate(divide="ignore", invalid="ignore"):
        surprise = -np.log(probs)
        entropy = np.nansum(probs * np.where(probs > 0, surprise, 0))
    return _until(p, scores, np.argsort(np.abs(surprise - entropy), kind="stable"), probs)


def _until(p: float, scores: np.ndarray, order: np.ndarray, probs: np.ndarray) -> np.ndarray:
    """Keep tokens in this order until they reach the probability p together; the first stays however small p is."""
    before = np.cumsum(probs[order]) - probs[order]  # probability of all that come first
    before[0] = -1
    return keep(scores, order[before < p - 1e-12])


def numbers(scores: np.ndarray) -> np.ndarray:
    """The scores as float64. Raises ValueError for NaN, which no filter may hide.

    >>> numbers([1, 2]).tolist()
    [1.0, 2.0]
    """
    scores = np.asarray(scores, dtype=np.float64)
    if np.isnan(scores).any():
        raise ValueError(
            f"expected scores that are numbers, got NaN for {int(np.isnan(scores).sum())} tokens; where does it come from?"
        )
    return scores


def _by_size(scores: np.ndarray) -> np.ndarray:
    return np.argsort(-scores, kind="stable")


def keep(scores: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """The scores at the places `kept`, -inf elsewhere.

    >>> keep(np.array([1.0, 2.0, 3.0]), np.array([0, 2])).tolist()
    [1.0, -inf, 3.0]
    """
    out = np.full_like(scores, -np.inf)
    out[kept] = scores[kept]
    return out


# ------------------------------------------------------------------------------------------------------------ penalties


def repetition_penalty(scores: np.ndarray, seen: Collection[int], penalty: float) -> np.ndarray:
    """Make each token that was seen less likely: positive scores are divided by the penalty, negative ones multiplied.

    It needs logits: where scores are log-probabilities, all are negative and the effect is another one.
    Raises ValueError unless penalty > 0; 1 changes nothing. Source: Keskar et al. 2019, CTRL.

    >>> repetition_penalty(np.array([2.0, -1.0, 0.5]), [0, 1, 1], 2.0).tolist()
    [1.0, -2.0, 0.5]
    """
    if not penalty > 0:
        raise ValueError(f"expected a repetition penalty above 0, got {penalty}; 1 changes nothing")
    out = np.array(scores, dtype=np.float64)
    ids = np.fromiter(set(seen), dtype=np.int64)
    out[ids] = np.where(out[ids] > 0, out[ids] / penalty, out[ids] * penalty)
    return out


def presence_penalty(scores: np.ndarray, seen: Collection[int], penalty: float) -> np.ndarray:
    """Subtract the penalty, once, from each token that was seen.

    >>> presence_penalty(np.array([2.0, -1.0, 0.5]), [1, 1], 0.5).tolist()
    [2.0, -1.5, 0.5]
    """
    out = np.array(scores, dtype=np.float64)
    out[np.fromiter(set(seen), dtype=np.int64)] -= penalty
    return out


def frequency_penalty(scores: np.ndarray, seen: Sequence[int], penalty: float) -> np.ndarray:
    """Subtract the penalty from each token as often as it was seen.

    >>> frequency_penalty(np.array([2.0, -1.0, 0.5]), [1, 1], 0.5).tolist()
    [2.0, -2.0, 0.5]
    """
    out = np.array(scores, dtype=np.float64)
    np.subtract.at(out, np.asarray(list(seen), dtype=np.int64), penalty)
    return out
