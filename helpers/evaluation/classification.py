"""How a classifier is judged: counts, rates, curves, calibration, and how sure we may be of each number.

Everything here is NumPy only. Labels are integer arrays of shape (n,); a binary label is 0 or 1 and 1 is
"positive". The metrics of language models (perplexity, bits per byte) are in `language_model`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = [
    "BinaryCounts",
    "CalibrationBins",
    "ClassScores",
    "Curve",
    "accuracy",
    "average_precision",
    "binary_counts",
    "calibration_bins",
    "cheapest_threshold",
    "confusion_matrix",
    "expected_calibration_error",
    "expected_cost",
    "pr_curve",
    "precision_recall_f1",
    "roc_auc",
    "roc_curve",
]


# ------------------------------------------------------------------------------------------- counts and rates


class BinaryCounts(NamedTuple):
    """The four outcomes of a yes/no decision: true and false positives, false and true negatives."""

    tp: int
    fp: int
    fn: int
    tn: int


class ClassScores(NamedTuple):
    """Precision, recall, F1 and support (number of true rows) per class, each of shape (K,), and their
    averages."""

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    support: np.ndarray

    def average(self, how: str) -> tuple[float, float, float]:
        """(precision, recall, F1) averaged: "macro" counts each class once, "weighted" counts each row
        once."""
        if how not in ("macro", "weighted"):
            raise ValueError(f'expected "macro" or "weighted", got {how!r}')
        share = self.support / self.support.sum() if how == "weighted" else np.full(len(self.f1), 1 / len(self.f1))
        return tuple(float(values @ share) for values in (self.precision, self.recall, self.f1))


def accuracy(y: np.ndarray, y_hat: np.ndarray) -> float:
    """Share of rows, out of n, where the prediction y_hat equals the label y."""
    y, y_hat = _labels(y, "y"), _labels(y_hat, "y_hat")
    _same_length(y=y, y_hat=y_hat)
    return float(np.mean(y == y_hat))


def binary_counts(y: np.ndarray, y_hat: np.ndarray) -> BinaryCounts:
    """True positives, false positives, false negatives, true negatives of 0/1 predictions against 0/1
    labels."""
    y, y_hat = _binary(y, "y"), _binary(y_hat, "y_hat")
    _same_length(y=y, y_hat=y_hat)
    tp = int(np.sum((y == 1) & (y_hat == 1)))
    fp = int(np.sum((y == 0) & (y_hat == 1)))
    fn = int(np.sum((y == 1) & (y_hat == 0)))
    return BinaryCounts(tp, fp, fn, len(y) - tp - fp - fn)


def confusion_matrix(y: np.ndarray, y_hat: np.ndarray, n_classes: int | None = None) -> np.ndarray:
    """Counts of shape (K, K): row = true class, column = predicted class. K is n_classes or the largest label
    + 1."""
    y, y_hat = _labels(y, "y"), _labels(y_hat, "y_hat")
    _same_length(y=y, y_hat=y_hat)
    largest = int(max(y.max(), y_hat.max()))
    n_classes = largest + 1 if n_classes is None else n_classes
    if min(y.min(), y_hat.min()) < 0 or largest >= n_classes:
        raise ValueError(
            f"expected classes 0..{n_classes - 1}, got {min(y.min(), y_hat.min())}..{largest}; "
            "number the classes from 0, or raise n_classes"
        )
    counts = np.zeros((n_classes, n_classes), dtype=np.int64)
    np.add.at(counts, (y, y_hat), 1)
    return counts


def precision_recall_f1(y: np.ndarray, y_hat: np.ndarray, n_classes: int | None = None) -> ClassScores:
    """Precision, recall and F1 of every class. Where a rate is 0/0 (class never predicted, or absent) it is
    0.

    Precision: of the rows given class c, the share that is c. Recall: of the rows that are c, the share given
    c. F1: their harmonic mean 2PR / (P + R). Use `.average("macro")` or `.average("weighted")` on the result.
    """
    counts = confusion_matrix(y, y_hat, n_classes)
    hits, given, support = np.diag(counts), counts.sum(axis=0), counts.sum(axis=1)
    return ClassScores(_ratio(hits, given), _ratio(hits, support), _ratio(2 * hits, given + support), support)


# -------------------------------------------------------------------------------------- thresholds and curves


class Curve(NamedTuple):
    """A curve over thresholds: the point (x[i], y[i]) belongs to "positive if score >= thresholds[i]"."""

    x: np.ndarray
    y: np.ndarray
    thresholds: np.ndarray


def roc_curve(y: np.ndarray, scores: np.ndarray) -> Curve:
    """False positive rate (x) and true positive rate (y) at every distinct score, from (0, 0) to (1, 1)."""
    tp, fp, thresholds = _cumulative_counts(y, scores)
    x, y_rate = np.r_[0, fp] / fp[-1], np.r_[0, tp] / tp[-1]
    return Curve(x, y_rate, np.r_[np.inf, thresholds])


def roc_auc(y: np.ndarray, scores: np.ndarray) -> float:
    """Area under the ROC curve = probability that a random positive scores above a random negative (ties
    count half).

    Source: Hanley, McNeil 1982. Raises ValueError if only one class is present.
    """
    curve = roc_curve(y, scores)
    return float(np.sum(np.diff(curve.x) * (curve.y[1:] + curve.y[:-1]) / 2))


def pr_curve(y: np.ndarray, scores: np.ndarray) -> Curve:
    """Recall (x) and precision (y) at every distinct score, from the strictest threshold to the loosest."""
    tp, fp, thresholds = _cumulative_counts(y, scores)
    return Curve(tp / tp[-1], tp / (tp + fp), thresholds)


def average_precision(y: np.ndarray, scores: np.ndarray) -> float:
    """Area under the precision-recall curve as a step function: sum of (R_i - R_{i-1}) P_i. Chance level:
    share of 1s."""
    curve = pr_curve(y, scores)
    return float(np.sum(np.diff(np.r_[0, curve.x]) * curve.y))


def expected_cost(y: np.ndarray, p: np.ndarray, threshold: float, cost_fp: float = 1.0, cost_fn: float = 1.0) -> float:
    """Mean cost per row of "positive if p >= threshold" when a false alarm costs cost_fp and a miss costs
    cost_fn."""
    y, p = _scored(y, p)
    _costs(cost_fp, cost_fn)
    counts = binary_counts(y, (p >= threshold).astype(int))
    return (cost_fp * counts.fp + cost_fn * counts.fn) / len(y)


def cheapest_threshold(y: np.ndarray, p: np.ndarray, cost_fp: float = 1.0, cost_fn: float = 1.0) -> tuple[float, float]:
    """(threshold, mean cost) with the least cost on these rows; infinity means "never say positive".

    Among equally cheap thresholds the largest wins. Choose it on validation rows, never on the test rows.
    """
    y, p = _scored(y, p)
    _costs(cost_fp, cost_fn)
    tp, fp, thresholds = _cumulative_counts(y, p, both=False)
    costs = np.r_[cost_fn * y.sum(), cost_fp * fp + cost_fn * (y.sum() - tp)] / len(y)
    best = int(np.argmin(costs))
    return float(np.r_[np.inf, thresholds][best]), float(costs[best])


# ------------------------------------------------------------------------------------------------ calibration


class CalibrationBins(NamedTuple):
    """Rows grouped by predicted probability: mean prediction, share of positives and number of rows per
    filled bin."""

    confidence: np.ndarray
    frequency: np.ndarray
    count: np.ndarray


def calibration_bins(y: np.ndarray, p: np.ndarray, n_bins: int = 10) -> CalibrationBins:
    """Cut [0, 1] into n_bins equal bins and compare what was promised (mean p) with what came (share of
    1s)."""
    y, p = _scored(y, p)
    if p.min() < 0 or p.max() > 1:
        raise ValueError(
            f"expected probabilities in [0, 1], got {p.min():.3g}..{p.max():.3g}; these look like logits: apply the sigmoid first"
        )
    if n_bins < 1:
        raise ValueError(f"expected n_bins >= 1, got {n_bins}; 10 is the usual choice")
    bins = np.minimum((p * n_bins).astype(int), n_bins - 1)
    count = np.bincount(bins, minlength=n_bins)
    filled = count > 0
    confidence = np.bincount(bins, weights=p, minlength=n_bins)[filled] / count[filled]
    frequency = np.bincount(bins, weights=y, minlength=n_bins)[filled] / count[filled]
    return CalibrationBins(confidence, frequency, count[filled])


def expected_calibration_error(y: np.ndarray, p: np.ndarray, n_bins: int = 10) -> float:
    """Mean gap between promise and outcome over the bins, weighted by rows. Source: Naeini et al. 2015; Guo
    et al. 2017."""
    bins = calibration_bins(y, p, n_bins)
    return float(np.sum(bins.count * np.abs(bins.confidence - bins.frequency)) / np.sum(bins.count))


# ----------------------------------------------------------------------------------------------------- checks


def _labels(values: np.ndarray, name: str) -> np.ndarray:
    values = np.asarray(values)
    if values.ndim != 1 or len(values) == 0:
        raise ValueError(f"expected {name} as a non-empty array of shape (n,), got shape {values.shape}")
    if values.dtype == bool:
        return values.astype(np.int64)
    if values.dtype.kind not in "iuf" or not np.all(values == np.floor(values)):
        raise ValueError(
            f"expected {name} to hold whole class numbers, got {values.dtype} such as {values[0]!r}; "
            "turn probabilities into classes first (p >= threshold, or argmax)"
        )
    return values.astype(np.int64)


def _binary(values: np.ndarray, name: str) -> np.ndarray:
    values = _labels(values, name)
    if not np.all((values == 0) | (values == 1)):
        raise ValueError(f"expected {name} to hold only 0 and 1, got {np.unique(values)[:5].tolist()}; recode the labels")
    return values


def _same_length(**arrays: np.ndarray) -> None:
    lengths = {name: len(a) for name, a in arrays.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"expected one label per row, got lengths {lengths}; find the lost row before going on")


def _scored(y: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    y, scores = _binary(y, "y"), np.asarray(scores, dtype=np.float64)
    if scores.ndim != 1:
        raise ValueError(f"expected one score per row, shape (n,), got shape {scores.shape}; take one column")
    _same_length(y=y, scores=scores)
    if np.isnan(scores).any():
        raise ValueError(f"expected finite scores, got {int(np.isnan(scores).sum())} NaN; find out where they come from")
    return y, scores


def _costs(cost_fp: float, cost_fn: float) -> None:
    if not (cost_fp >= 0 and cost_fn >= 0 and cost_fp + cost_fn > 0):
        raise ValueError(f"expected costs >= 0, not both 0, got cost_fp = {cost_fp}, cost_fn = {cost_fn}")


def _cumulative_counts(y: np.ndarray, scores: np.ndarray, both: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True and false positives at each distinct score, from the highest score down, and those scores."""
    y, scores = _scored(y, scores)
    if both and y.min() == y.max():
        raise ValueError(f"expected both classes in y, got only class {y[0]}; a curve needs positives and negatives")
    order = np.argsort(-scores, kind="stable")
    y, scores = y[order], scores[order]
    last = np.r_[np.flatnonzero(scores[1:] != scores[:-1]), len(y) - 1]  # the last row of each group of equal scores
    tp = np.cumsum(y)[last]
    return tp, last + 1 - tp, scores[last]


def _ratio(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    return np.divide(top, bottom, out=np.zeros(len(top)), where=bottom > 0)
