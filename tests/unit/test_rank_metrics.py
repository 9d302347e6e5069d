"""Metrics of rankings: the worked numbers, and what they must refuse."""

import numpy as np
import pytest

from helpers.evaluation import ranking as rm


def test_average_precision_by_hand():
    """Relevant at rank 3 only: 1/3 (not 0.3); one that was never found counts 0."""
    assert rm.average_precision([5, 6, 7], {7}) == pytest.approx(1 / 3)
    assert rm.average_precision([7, 5, 8], {7, 8}) == pytest.approx(5 / 6)
    assert rm.average_precision([5, 7, 8], {7, 8}) == pytest.approx(7 / 12)
    assert rm.average_precision([7, 8, 5], {7, 8}) == 1
    assert rm.average_precision([7, 5, 8], {7, 8, 99}) == pytest.approx(5 / 9)
    assert np.mean([rm.average_precision([7], {7}), rm.average_precision([5, 6, 7], {7})]) == pytest.approx(2 / 3)  # MAP


def test_reciprocal_rank_counts_from_1():
    assert rm.reciprocal_rank([7, 5], {7}) == 1 and rm.reciprocal_rank([5, 6, 7], {7}) == pytest.approx(1 / 3)
    assert rm.reciprocal_rank([5], {7}) == 0 == rm.reciprocal_rank([], {7})


def test_recall_and_precision():
    assert rm.recall_at_k([1, 2, 3], {2, 9}, 2) == 0.5 and rm.recall_at_k([1, 2], {2}, 1) == 0
    assert rm.precision_at_k([1, 2, 3], {1, 3}, 3) == pytest.approx(2 / 3)
    assert rm.precision_at_k([1], {1}, 3) == pytest.approx(1 / 3)  # empty places hold nothing


def test_ndcg_by_hand():
    gains = [3, 2, 3, 0, 1, 2]
    assert rm.dcg(gains) == pytest.approx(6.8611, abs=5e-5) and rm.dcg(sorted(gains, reverse=True)) == pytest.approx(
        7.1410, abs=5e-5
    )
    assert rm.ndcg(range(6), dict(enumerate(gains)), 6) == pytest.approx(0.9608, abs=5e-5)
    assert rm.ndcg(range(6), dict(enumerate(gains)), 6, exponential=True) == pytest.approx(0.9488, abs=5e-5)
    assert rm.ndcg([9, 1], {1: 1.0}, 10) == pytest.approx(1 / np.log2(3))


def test_summary_and_paired_intervals():
    table = rm.summary([[1, 2], [2, 1]], [{1}, {1}], ks=(1, 2))
    assert table["recall@1"].mean == 0.5 and table["recall@2"].mean == 1 and table["MRR"].mean == 0.75 == table["MAP"].mean
    assert table["recall@1"].low <= 0.5 <= table["recall@1"].high
    gap = rm.mean_difference([1.0] * 50, [0.9] * 50)
    assert gap.mean == pytest.approx(0.1) and gap.low == pytest.approx(0.1)  # the same for every query: no spread at all


def test_bad_input():
    with pytest.raises(ValueError, match="at least one relevant"):
        rm.average_precision([1], set())
    with pytest.raises(ValueError, match="k of at least 1"):
        rm.recall_at_k([1], {1}, 0)
    with pytest.raises(ValueError, match="as many rankings"):
        rm.summary([[1]], [{1}, {2}])
    with pytest.raises(ValueError, match="one value of each"):
        rm.mean_difference([1, 2], [1])


def test_a_document_that_is_listed_twice_counts_once():
    assert rm.average_precision([1, 1], {1}) == 1 and rm.ndcg([1, 1], {1: 1.0}, 2) == pytest.approx(1)
