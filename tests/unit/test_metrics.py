"""helpers.evaluation.classification: worked numbers, properties, bad input."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from helpers.evaluation import classification as m
from helpers.evaluation import intervals


def labels(k: int, size: int = 30):
    return st.lists(st.integers(0, k - 1), min_size=1, max_size=size)


@st.composite
def scored(draw):
    """Binary labels with both classes, and scores with many ties."""
    n = draw(st.integers(2, 40))
    y = np.array(draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
    assume(0 < y.sum() < n)
    return y, np.array(draw(st.lists(st.integers(0, 8), min_size=n, max_size=n))) / 8


# ------------------------------------------------------------------------------------------ intervals and tests


def test_wilson_closed_form():
    k, n, z = 85, 100, 1.96
    p = k / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    assert intervals.wilson_interval(k, n) == pytest.approx((middle - half, middle + half), rel=1e-14)


def test_wilson_edges():
    z = 1.96
    assert intervals.wilson_interval(0, 10) == pytest.approx((0, z * z / (10 + z * z)), abs=1e-15)
    low, high = intervals.wilson_interval(10, 10)
    assert high == 1.0 and low == pytest.approx(10 / (10 + z * z))


@given(st.integers(1, 10**6), st.data(), st.floats(0.1, 5))
def test_wilson_is_inside_and_contains_the_share(n, data, z):
    k = data.draw(st.integers(0, n))
    low, high = intervals.wilson_interval(k, n, z)
    assert 0 <= low <= k / n <= high <= 1
    mirrored = intervals.wilson_interval(n - k, n, z)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-12)


def test_wilson_shrinks_with_n():
    widths = [np.diff(intervals.wilson_interval(n // 4, n))[0] for n in (8, 80, 800, 8000)]
    assert all(a > 2 * b for a, b in zip(widths, widths[1:], strict=False))


@pytest.mark.parametrize("k, n, z", [(1, 0, 1.96), (-1, 5, 1.96), (6, 5, 1.96), (1, 5, 0), (0.5, 0.9, 1.96)])
def test_wilson_bad_input(k, n, z):
    with pytest.raises(ValueError, match="expected"):
        intervals.wilson_interval(k, n, z)


@pytest.mark.parametrize("p, n, error", [(0.85, 1066, 0.0109), (0.94, 2000, 0.0053)])
def test_wilson_matches_the_standard_error_for_large_n(p, n, error):
    low, high = intervals.wilson_interval(round(p * n), n, z=1.0)
    assert (high - low) / 2 == pytest.approx(math.sqrt(p * (1 - p) / n), rel=0.01)
    assert (high - low) / 2 == pytest.approx(error, abs=6e-5)


def test_bootstrap_of_a_mean_agrees_with_theory_and_is_repeatable():
    x = np.random.default_rng(3).normal(size=400)
    low, high = intervals.bootstrap_interval(np.mean, x, seed=1)
    assert (low, high) == intervals.bootstrap_interval(np.mean, x, seed=1)
    assert (high - low) == pytest.approx(2 * 1.96 * x.std() / 20, rel=0.1)
    assert low < x.mean() < high


def test_bootstrap_keeps_rows_together():
    y = np.arange(50)
    assert intervals.bootstrap_interval(lambda a, b: float(np.abs(a - b).max()), y, y.copy(), n_resamples=50) == (0, 0)


def test_bootstrap_bad_input():
    for arrays, more in [
        ((), {}),
        (([],), {}),
        (([1], [1, 2]), {}),
        (([1, 2],), {"level": 1.0}),
        (([1, 2],), {"n_resamples": 0}),
    ]:
        with pytest.raises(ValueError, match="expected"):
            intervals.bootstrap_interval(np.mean, *arrays, **more)
    with pytest.raises(ValueError, match="every resample"):
        intervals.bootstrap_interval(lambda x: float("nan"), [1.0, 2.0], n_resamples=5)


def test_mcnemar_one_item_is_a_tie():
    y = np.zeros(2000, dtype=int)
    a, b = y.copy(), y.copy()
    a[:116], b[:117] = 1, 1  # 0.9420 against 0.9415: one item
    assert intervals.mcnemar(y, a, b) == (1, 0, 1.0)


def test_mcnemar_closed_form():
    y = np.zeros(12, dtype=int)
    a, b = y.copy(), y.copy()
    a[:1], b[1:10] = 1, 1  # A fails alone once, B fails alone nine times
    assert intervals.mcnemar(y, a, b) == pytest.approx((9, 1, 2 * (1 + 10) / 2**10))
    assert intervals.mcnemar(y, b, a).p_value == intervals.mcnemar(y, a, b).p_value
    assert intervals.mcnemar(y, a, a) == (0, 0, 1.0)


# ------------------------------------------------------------------------------------------------ counts, rates


def test_constant_positive_on_balanced_labels():
    y = np.array([0, 1] * 10)
    scores = m.precision_recall_f1(y, np.ones(20, dtype=int))
    assert (scores.precision[1], scores.recall[1], scores.f1[1]) == pytest.approx((1 / 2, 1, 2 / 3))
    assert m.accuracy(y, np.ones(20, dtype=int)) == 0.5


def f1(p, r):
    return 2 * p * r / (p + r)


def test_f1_from_printed_rates():
    """Two balanced classes of 100 with recalls .88 and .72: macro equals weighted."""
    y = np.repeat([0, 1], 100)
    y_hat = np.r_[np.zeros(88), np.ones(12), np.zeros(28), np.ones(72)].astype(int)
    scores = m.precision_recall_f1(y, y_hat)
    assert scores.recall == pytest.approx([0.88, 0.72])
    assert scores.precision == pytest.approx([88 / 116, 72 / 84])
    assert scores.precision == pytest.approx([0.76, 0.86], abs=0.005)
    assert scores.average("macro") == pytest.approx(scores.average("weighted"))
    assert f1(0.76, 0.88) == pytest.approx(0.815610, abs=5e-7)
    assert (f1(0.76, 0.88) + f1(0.86, 0.72)) / 2 == pytest.approx(0.799703, abs=1e-6)
    assert (f1(0.87, 0.97) + f1(0.96, 0.86)) / 2 == pytest.approx(0.912268, abs=1e-6)


def test_macro_and_weighted_differ_on_unbalanced_labels():
    y = np.array([0] * 9 + [1])
    scores = m.precision_recall_f1(y, np.zeros(10, dtype=int))
    f_zero = 2 * 0.9 * 1 / 1.9
    assert scores.average("macro")[2] == pytest.approx(f_zero / 2)
    assert scores.average("weighted")[2] == pytest.approx(0.9 * f_zero)
    with pytest.raises(ValueError, match="macro"):
        scores.average("mean")


@given(labels(4), st.randoms())
def test_confusion_and_rates(y, random):
    y = np.array(y)
    y_hat = np.array([random.randrange(4) for _ in y])
    counts = m.confusion_matrix(y, y_hat, 4)
    assert counts.shape == (4, 4) and counts.sum() == len(y)
    assert (counts.sum(axis=1) == np.bincount(y, minlength=4)).all()
    assert np.trace(counts) / len(y) == pytest.approx(m.accuracy(y, y_hat))
    scores = m.precision_recall_f1(y, y_hat, 4)
    for values in scores[:3]:
        assert ((values >= 0) & (values <= 1)).all()
    assert scores.average("weighted")[1] == pytest.approx(m.accuracy(y, y_hat))


def test_binary_counts():
    assert m.binary_counts([1, 1, 0, 0, 1], [1, 0, 1, 0, 1]) == m.BinaryCounts(tp=2, fp=1, fn=1, tn=1)
    assert m.binary_counts(np.array([True, False]), np.array([True, True])) == (1, 1, 0, 0)


# ------------------------------------------------------------------------------------------------------- curves


@given(scored())
def test_roc_area_is_the_rank_statistic(case):
    y, s = case
    gaps = s[y == 1][:, None] - s[y == 0][None, :]
    assert m.roc_auc(y, s) == pytest.approx(np.mean((gaps > 0) + 0.5 * (gaps == 0)), abs=1e-12)
    assert m.roc_auc(y, -s) == pytest.approx(1 - m.roc_auc(y, s), abs=1e-12)


@given(scored())
def test_curves_are_the_counts_at_each_threshold(case):
    y, s = case
    roc, pr = m.roc_curve(y, s), m.pr_curve(y, s)
    assert (roc.x[0], roc.y[0], roc.x[-1], roc.y[-1]) == (0, 0, 1, 1)
    assert (np.diff(roc.x) >= 0).all() and (np.diff(roc.y) >= 0).all() and (np.diff(pr.thresholds) < 0).all()
    for i, t in enumerate(pr.thresholds):
        counts = m.binary_counts(y, (s >= t).astype(int))
        assert pr.x[i] == pytest.approx(counts.tp / y.sum())
        assert pr.y[i] == pytest.approx(counts.tp / (counts.tp + counts.fp))
        assert roc.x[i + 1] == pytest.approx(counts.fp / (len(y) - y.sum()))
    assert 0 <= m.pr_auc(y, s) <= 1 + 1e-12


@given(scored(), st.floats(0, 10), st.floats(0.1, 10))
def test_cheapest_threshold_is_the_best_of_all(case, cost_fp, cost_fn):
    y, s = case
    threshold, cost = m.cheapest_threshold(y, s, cost_fp, cost_fn)
    assert m.expected_cost(y, s, threshold, cost_fp, cost_fn) == pytest.approx(cost)
    tried = [m.expected_cost(y, s, t, cost_fp, cost_fn) for t in (*np.unique(s), np.inf)]
    assert cost == pytest.approx(min(tried))


def test_perfect_and_useless_rankings():
    y = np.array([0, 0, 1, 1])
    assert m.roc_auc(y, [0.1, 0.2, 0.3, 0.4]) == m.pr_auc(y, [0.1, 0.2, 0.3, 0.4]) == 1
    assert m.roc_auc(y, [0.5] * 4) == 0.5 and m.pr_auc(y, [0.5] * 4) == 0.5
    assert m.roc_auc(y, [0, 0, np.inf, np.inf]) == 1


def test_unequal_costs_move_the_threshold():
    rng = np.random.default_rng(0)
    p = rng.random(20000)
    y = (rng.random(20000) < p).astype(int)  # calibrated by construction
    for cost_fp, cost_fn in [(1, 1), (9, 1), (1, 4)]:
        threshold, _ = m.cheapest_threshold(y, p, cost_fp, cost_fn)
        assert threshold == pytest.approx(cost_fp / (cost_fp + cost_fn), abs=0.07)


# -------------------------------------------------------------------------------------------------- calibration


def test_calibration_by_hand():
    y = np.array([0, 1, 1, 1])
    p = np.array([0.1, 0.15, 0.95, 1.0])
    bins = m.calibration_bins(y, p, n_bins=5)
    assert bins.confidence == pytest.approx([0.125, 0.975]) and bins.frequency == pytest.approx([0.5, 1.0])
    assert bins.count.tolist() == [2, 2]
    assert m.expected_calibration_error(y, p, n_bins=5) == pytest.approx((2 * 0.375 + 2 * 0.025) / 4)


@given(scored(), st.integers(1, 20))
def test_calibration_in_range(case, n_bins):
    y, p = case
    assert 0 <= m.expected_calibration_error(y, p, n_bins) <= 1
    assert m.calibration_bins(y, p, n_bins).count.sum() == len(y)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000))
def test_calibrated_probabilities_have_a_small_error(seed):
    rng = np.random.default_rng(seed)
    p = rng.random(5000)
    assert m.expected_calibration_error((rng.random(5000) < p).astype(int), p) < 0.04


# ---------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: m.accuracy([], []), "non-empty"),
        (lambda: m.accuracy([1, 0], [1]), "lost row"),
        (lambda: m.accuracy([0.2, 0.7], [0, 1]), "probabilities into classes"),
        (lambda: m.accuracy(["spam"], ["ham"]), "whole class numbers"),
        (lambda: m.accuracy([[1]], [[1]]), "shape"),
        (lambda: m.binary_counts([0, 2], [0, 1]), "only 0 and 1"),
        (lambda: m.confusion_matrix([0, 3], [0, 1], 3), "0..2"),
        (lambda: m.confusion_matrix([0, -1], [0, 1]), "from 0"),
        (lambda: m.roc_auc([1, 1], [0.2, 0.4]), "only class 1"),
        (lambda: m.roc_auc([0, 1], [0.2, np.nan]), "1 NaN"),
        (lambda: m.roc_auc([0, 1], [[0.2], [0.4]]), "one score per row"),
        (lambda: m.pr_curve([0, 1], [0.1, 0.2, 0.3]), "lost row"),
        (lambda: m.calibration_bins([0, 1], [-2.0, 3.0]), "logits"),
        (lambda: m.calibration_bins([0, 1], [0.2, 0.3], 0), "n_bins"),
        (lambda: m.expected_cost([0, 1], [0.2, 0.3], 0.5, -1, 1), "costs"),
        (lambda: m.cheapest_threshold([0, 1], [0.2, 0.3], 0, 0), "costs"),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words) as error:
        call()
    assert "expected" in str(error.value) and "got" in str(error.value)
