"""How sure a measured number is: Wilson and bootstrap intervals, and McNemar's test for two classifiers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from helpers.evaluation.checks import finite, same_length, whole_labels

__all__ = ["McNemar", "bootstrap_interval", "mcnemar", "wilson_interval"]


def wilson_interval(k: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Interval for a share of k successes in n trials; z = 1.96 gives 95 %.

    Unlike k/n +- z * standard error, it never leaves [0, 1] and still works for k = 0 and k = n.
    Raises ValueError unless n >= 1, 0 <= k <= n and z > 0. Source: Wilson 1927; Brown, Cai, DasGupta 2001, section 3.

    >>> [round(end, 4) for end in wilson_interval(8, 10)]
    [0.4902, 0.9433]
    """
    if not n >= 1:
        raise ValueError(f"expected n >= 1 trials, got n = {n}; an interval needs at least one observation")
    if not 0 <= k <= n:
        raise ValueError(f"expected 0 <= k <= n successes, got k = {k} with n = {n}; pass counts, not shares")
    if not z > 0:
        raise ValueError(f"expected z > 0, got {z}; use 1.96 for a 95 % interval")
    p = k / n
    center = p + z * z / (2 * n)
    spread = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = (center - spread) / (1 + z * z / n), (center + spread) / (1 + z * z / n)
    return max(0.0, min(low, p)), min(1.0, max(high, p))  # the clipping only removes rounding errors


def bootstrap_interval(
    statistic: Callable[..., float],
    *arrays: np.ndarray,
    n_resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile interval of statistic(*arrays) when the rows are drawn again with replacement.

    All arrays have the same first dimension n and are resampled together, so pairs stay pairs. Resamples on which the statistic
    is not a number (a resample without positives, say) are left out. Source: Efron, Tibshirani 1993, ch. 13.

    >>> bootstrap_interval(np.mean, np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    (1.8, 4.2)
    """
    if not arrays:
        raise ValueError("expected at least one array to resample, got none; pass bootstrap_interval(f, y, y_hat)")
    arrays = tuple(np.asarray(a) for a in arrays)
    for a in arrays:
        if a.dtype.kind == "f":
            finite(a, "arrays")
    n = len(arrays[0])
    if n == 0 or any(len(a) != n for a in arrays):
        raise ValueError(f"expected arrays of one common length >= 1, got lengths {[len(a) for a in arrays]}")
    if not 0 < level < 1:
        raise ValueError(f"expected a level between 0 and 1, got {level}; 0.95 is the usual choice")
    if n_resamples < 1:
        raise ValueError(f"expected n_resamples >= 1, got {n_resamples}; 1000 is the usual choice")
    rng = np.random.default_rng(seed)
    values = np.empty(n_resamples)
    for i in range(n_resamples):
        rows = rng.integers(0, n, size=n)
        values[i] = statistic(*(a[rows] for a in arrays))
    values = values[~np.isnan(values)]
    if len(values) == 0:
        raise ValueError("expected a number, got NaN on every resample; check the statistic on the full arrays first")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


class McNemar(NamedTuple):
    """Paired comparison of two classifiers: rows that only A, or only B, gets right, and the exact p-value.

    >>> McNemar(only_a=5, only_b=0, p_value=0.0625).p_value
    0.0625
    """

    only_a: int
    only_b: int
    p_value: float


def mcnemar(y: np.ndarray, y_hat_a: np.ndarray, y_hat_b: np.ndarray) -> McNemar:
    """Exact McNemar test: could the rows on which A and B differ in success be coin flips?

    Only rows where exactly one of the two is right carry information. Under "both are equally good" each such row is a fair coin;
    p_value is the two-sided binomial tail. No such row: p_value 1. Source: McNemar 1947; Dietterich 1998.

    >>> mcnemar([1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 1, 0], [0, 0, 0, 0, 0, 0])  # 2 / 2^5
    McNemar(only_a=5, only_b=0, p_value=0.0625)
    """
    y, a, b = whole_labels(y, "y"), whole_labels(y_hat_a, "y_hat_a"), whole_labels(y_hat_b, "y_hat_b")
    same_length(y=y, y_hat_a=a, y_hat_b=b)
    only_a = int(np.sum((a == y) & (b != y)))
    only_b = int(np.sum((a != y) & (b == y)))
    m, k = only_a + only_b, min(only_a, only_b)
    tail, term = 0, 1  # whole numbers: exact for any m
    for i in range(k + 1):
        tail += term
        term = term * (m - i) // (i + 1)  # the next binomial coefficient
    return McNemar(only_a, only_b, min(1.0, 2 * tail / 2**m))
