"""How a classifier is judged: counts, rates, curves, calibration.

Labels are integer arrays of shape (n,); a binary label is 0 or 1 and 1 is "positive". How sure each number is, is in
`intervals`; the metrics of language models (perplexity, bits per byte) are in `yardstick`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from helpers.evaluation.checks import same_length, whole_labels, zero_or_one
from helpers.features.checks import MOST_CLASSES, numbers

__all__ = [
    "BinaryCounts",
    "CalibrationBins",
    "ClassScores",
    "Curve",
    "accuracy",
    "binary_counts",
    "calibration_bins",
    "cheapest_threshold",
    "confusion_matrix",
    "expected_calibration_error",
    "expected_cost",
    "pr_auc",
    "pr_curve",
    "precision_recall_f1",
    "roc_auc",
    "roc_curve",
]


# ------------------------------------------------------------------------------------------- counts and rates


class BinaryCounts(NamedTuple):
    """The four outcomes of a yes/no decision: true and false positives, false and true negatives.

    >>> binary_counts([1, 1, 0, 0], [1, 0, 0, 1]).tp
    1
    """

    tp: int
    fp: int
    fn: int
    tn: int


class ClassScores(NamedTuple):
    """Precision, recall, F1 and support (number of true rows) per class, each of shape (K,), and their averages.

    >>> precision_recall_f1([0, 0, 0, 1], [0, 0, 0, 0]).average("weighted")
    (0.5625, 0.75, 0.6428571428571428)
    """

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    support: np.ndarray

    def average(self, how: str) -> tuple[float, float, float]:
        """(precision, recall, F1) averaged: "macro" counts each class once, "weighted" counts each row once."""
        if how not in ("macro", "weighted"):
            raise ValueError(f'expected "macro" or "weighted", got {how!r}')
        share = self.support / self.support.sum() if how == "weighted" else np.full(len(self.f1), 1 / len(self.f1))
        return float(self.precision @ share), float(self.recall @ share), float(self.f1 @ share)


def accuracy(y: np.ndarray, y_hat: np.ndarray) -> float:
    """Share of rows, out of n, where the prediction y_hat equals the label y.

    >>> accuracy([0, 1, 1, 0], [0, 1, 0, 0])
    0.75
    """
    y, y_hat = whole_labels(y, "y"), whole_labels(y_hat, "y_hat")
    same_length(y=y, y_hat=y_hat)
    return float(np.mean(y == y_hat))


def binary_counts(y: np.ndarray, y_hat: np.ndarray) -> BinaryCounts:
    """True positives, false positives, false negatives, true negatives of 0/1 predictions against 0/1 labels.

    >>> binary_counts([1, 1, 0, 0, 0], [1, 0, 0, 1, 0])
    BinaryCounts(tp=1, fp=1, fn=1, tn=2)
    """
    y, y_hat = zero_or_one(y, "y"), zero_or_one(y_hat, "y_hat")
    same_length(y=y, y_hat=y_hat)
    tp = int(np.sum((y == 1) & (y_hat == 1)))
    fp = int(np.sum((y == 0) & (y_hat == 1)))
    fn = int(np.sum((y == 1) & (y_hat == 0)))
    return BinaryCounts(tp, fp, fn, len(y) - tp - fp - fn)


def confusion_matrix(y: np.ndarray, y_hat: np.ndarray, n_classes: int | None = None) -> np.ndarray:
    """Counts of shape (K, K): row = true class, column = predicted class. K is n_classes or the largest label + 1.

    >>> confusion_matrix([0, 0, 1, 2], [0, 1, 1, 1]).tolist()
    [[1, 1, 0], [0, 1, 0], [0, 1, 0]]
    """
    y, y_hat = whole_labels(y, "y"), whole_labels(y_hat, "y_hat")
    same_length(y=y, y_hat=y_hat)
    largest = int(max(y.max(), y_hat.max()))
    n_classes = largest + 1 if n_classes is None else n_classes
    if min(y.min(), y_hat.min()) < 0 or largest >= n_classes or n_classes > MOST_CLASSES:
        raise ValueError(
            f"expected classes 0..{n_classes - 1}, at most {MOST_CLASSES}, got {min(y.min(), y_hat.min())}..{largest}; "
            "number the classes from 0 without gaps, or raise n_classes"
        )
    counts = np.zeros((n_classes, n_classes), dtype=np.int64)
    np.add.at(counts, (y, y_hat), 1)
    return counts


def precision_recall_f1(y: np.ndarray, y_hat: np.ndarray, n_classes: int | None = None) -> ClassScores:
    """Precision, recall and F1 of every class. Where a rate is 0/0 (class never predicted, or absent) it is 0.

    Precision: of the rows given class c, the share that is c. Recall: of the rows that are c, the share given c. F1: their
    harmonic mean 2PR / (P + R). Use `.average("macro")` or `.average("weighted")` on the result.

    >>> scores = precision_recall_f1([0, 0, 1, 1], [1, 1, 1, 1])  # always "positive", half of the rows are
    >>> scores.precision.tolist(), scores.recall.tolist(), scores.f1.round(6).tolist()
    ([0.0, 0.5], [0.0, 1.0], [0.0, 0.666667])
    """
    counts = confusion_matrix(y, y_hat, n_classes)
    hits, given, support = np.diag(counts), counts.sum(axis=0), counts.sum(axis=1)
    return ClassScores(_ratio(hits, given), _ratio(hits, support), _ratio(2 * hits, given + support), support)


# -------------------------------------------------------------------------------------- thresholds and curves


class Curve(NamedTuple):
    """A curve over thresholds: the point (x[i], y[i]) belongs to "positive if score >= thresholds[i]".

    >>> pr_curve([0, 1, 1], [0.2, 0.6, 0.9]).thresholds.tolist()
    [0.9, 0.6, 0.2]
    """

    x: np.ndarray
    y: np.ndarray
    thresholds: np.ndarray


def roc_curve(y: np.ndarray, scores: np.ndarray) -> Curve:
    """False positive rate (x) and true positive rate (y) at every distinct score, from (0, 0) to (1, 1).

    >>> curve = roc_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> curve.x.tolist(), curve.y.tolist()
    ([0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 1.0, 1.0])
    """
    tp, fp, thresholds = _cumulative_counts(y, scores)
    x, y_rate = np.r_[0, fp] / fp[-1], np.r_[0, tp] / tp[-1]
    return Curve(x, y_rate, np.r_[np.inf, thresholds])


def roc_auc(y: np.ndarray, scores: np.ndarray) -> float:
    """Area under the ROC curve = probability that a random positive scores above a random negative (ties count half).

    Source: Hanley, McNeil 1982. Raises ValueError if only one class is present.

    >>> roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])  # 3 of the 4 pairs stand in the right order
    0.75
    """
    curve = roc_curve(y, scores)
    return float(np.sum(np.diff(curve.x) * (curve.y[1:] + curve.y[:-1]) / 2))


def pr_curve(y: np.ndarray, scores: np.ndarray) -> Curve:
    """Recall (x) and precision (y) at every distinct score, from the strictest threshold to the loosest.

    >>> curve = pr_curve([0, 1, 1], [0.2, 0.9, 0.6])
    >>> curve.x.tolist(), curve.y.round(3).tolist()
    ([0.5, 1.0, 1.0], [1.0, 1.0, 0.667])
    """
    tp, fp, thresholds = _cumulative_counts(y, scores)
    return Curve(tp / tp[-1], tp / (tp + fp), thresholds)


def pr_auc(y: np.ndarray, scores: np.ndarray) -> float:
    """Area under the precision-recall curve as a step function: sum of (R_i - R_{i-1}) P_i.

    scikit-learn calls it average_precision_score (that of one ranking is in `ranking`). The chance level is the share of 1s.

    >>> round(pr_auc([1, 0, 1], [0.9, 0.6, 0.2]), 6)  # 1/2 * 1 + 1/2 * 2/3
    0.833333
    """
    curve = pr_curve(y, scores)
    return float(np.sum(np.diff(np.r_[0, curve.x]) * curve.y))


def expected_cost(y: np.ndarray, p: np.ndarray, threshold: float, cost_fp: float = 1.0, cost_fn: float = 1.0) -> float:
    """Mean cost per row of "positive if p >= threshold" when a false alarm costs cost_fp and a miss costs cost_fn.

    >>> expected_cost([1, 0, 0, 1], [0.9, 0.7, 0.1, 0.2], threshold=0.5, cost_fp=1, cost_fn=10)  # (1 + 10) / 4
    2.75
    """
    y, p = _scored(y, p)
    _costs(cost_fp, cost_fn)
    counts = binary_counts(y, (p >= threshold).astype(int))
    return (cost_fp * counts.fp + cost_fn * counts.fn) / len(y)


def cheapest_threshold(y: np.ndarray, p: np.ndarray, cost_fp: float = 1.0, cost_fn: float = 1.0) -> tuple[float, float]:
    """(threshold, mean cost) with the least cost on these rows; infinity means "never say positive".

    Among equally cheap thresholds the largest wins. Choose it on validation rows, never on the test rows.

    >>> cheapest_threshold([1, 0, 0, 1], [0.9, 0.7, 0.1, 0.2], cost_fp=1, cost_fn=10)  # one false alarm, no miss
    (0.2, 0.25)
    """
    y, p = _scored(y, p)
    _costs(cost_fp, cost_fn)
    tp, fp, thresholds = _cumulative_counts(y, p, both=False)
    costs = np.r_[cost_fn * y.sum(), cost_fp * fp + cost_fn * (y.sum() - tp)] / len(y)
    best = int(np.argmin(costs))
    return float(np.r_[np.inf, thresholds][best]), float(costs[best])


# ------------------------------------------------------------------------------------------------ calibration


class CalibrationBins(NamedTuple):
    """Rows grouped by predicted probability: mean prediction, share of positives and number of rows per filled bin.

    >>> calibration_bins([0, 1], [0.1, 0.2], n_bins=2).count.tolist()
    [2]
    """

    confidence: np.ndarray
    frequency: np.ndarray
    count: np.ndarray  # type: ignore[assignment]  # hides tuple.count


def calibration_bins(y: np.ndarray, p: np.ndarray, n_bins: int = 10) -> CalibrationBins:
    """Cut [0, 1] into n_bins equal bins and compare what was promised (mean p) with what came (share of 1s).

    >>> bins = calibration_bins([0, 1, 1, 1], [0.25, 0.25, 0.75, 1.0], n_bins=2)
    >>> bins.confidence.tolist(), bins.frequency.tolist()
    ([0.25, 0.875], [0.5, 1.0])
    """
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
    """Mean gap between promise and outcome over the bins, weighted by rows. Source: Naeini et al. 2015; Guo et al. 2017.

    >>> expected_calibration_error([0, 1, 1, 1], [0.25, 0.25, 0.75, 1.0], n_bins=2)  # (2 * 0.25 + 2 * 0.125) / 4
    0.1875
    """
    bins = calibration_bins(y, p, n_bins)
    return float(np.sum(bins.count * np.abs(bins.confidence - bins.frequency)) / np.sum(bins.count))


# ---------------------------------------------------------------------------------------------- inner workings


def _scored(y: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    y, scores = zero_or_one(y, "y"), numbers(scores, "scores")
    if scores.ndim != 1:
        raise ValueError(f"expected one score per row, shape (n,), got shape {scores.shape}; take one column")
    same_length(y=y, scores=scores)
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
