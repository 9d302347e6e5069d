"""The reward model: how its pairs are made, its loss against scikit-learn, and what noise does."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from helpers.data import datasets
from helpers.finetuning import reward_model


def features(n, seed=0, width=6):
    rng = np.random.default_rng(seed)
    w = np.arange(1.0, width + 1)
    a, b = rng.normal(size=(2, n, width))
    first = (a - b) @ w > 0
    return np.where(first[:, None], a, b), np.where(first[:, None], b, a)


def test_pairs_say_what_is_wrong():
    leads, pairs = datasets.leads(), reward_model.make_pairs(60, seed=3)
    assert np.bincount(pairs.kinds).tolist() == [20, 20, 20]
    for row, better, worse, kind in zip(*pairs):
        assert better == leads[row].description and leads[row].split == "train" and better != worse
        if kind == 0:
            assert any(other.description == worse and other.topic == leads[row].topic for other in leads)
        elif kind == 1:
            assert sorted(better.split()) == sorted(worse.split())
        else:
            assert worse.startswith(f"{better}, also ")
    held_out = reward_model.make_pairs(30, train=False)
    assert all(leads[row].split != "train" for row in held_out.rows)


def test_the_fit_is_logistic_regression_on_differences():
    better, worse = features(80)
    D = better - worse
    X, y = np.vstack([D, -D]), np.r_[np.ones(80), np.zeros(80)]
    theirs = LogisticRegression(C=1 / (160 * 0.05), fit_intercept=False, tol=1e-10, max_iter=5_000).fit(X, y).coef_[0]
    assert np.allclose(reward_model.fit(better, worse, l2=0.05), theirs, atol=2e-3)


def test_only_differences_count():
    better, worse = features(40)
    shift = np.random.default_rng(1).normal(size=better.shape)
    assert np.allclose(reward_model.fit(better, worse), reward_model.fit(better + shift, worse + shift), atol=1e-3)


def test_noise_costs_accuracy():
    better, worse = features(200)
    held = features(500, seed=1)
    clean, noisy = (reward_model.accuracy(reward_model.fit(*reward_model.flip(better, worse, s)), *held)["all"] for s in (0, 0.5))
    assert clean > 0.95 and noisy < clean - 0.1


def test_flip_turns_exactly_its_share():
    better, worse = features(50)
    a, b = reward_model.flip(better, worse, 0.2, seed=4)
    turned = (a == worse).all(1)
    assert turned.sum() == 10 and (b[turned] == better[turned]).all() and (a[~turned] == better[~turned]).all()
    again, _ = reward_model.flip(better, worse, 0.2, seed=4)
    assert (a == again).all()


def test_features_hold_the_cosine():
    rng = np.random.default_rng(0)
    a, b = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in rng.normal(size=(2, 4, 16)))
    f = reward_model.features(a, b)
    assert np.allclose(f[:, :16].sum(1) / 4, (a * b).sum(1)) and np.allclose(f[:, 16:], b)


def test_accuracy_by_kind():
    better, worse = np.array([[1.0], [0.0], [2.0]]), np.array([[0.0], [1.0], [1.0]])
    assert reward_model.accuracy(np.ones(1), better, worse, [0, 1, 2]) == {
        "all": pytest.approx(2 / 3),
        "another article": 1.0,
        "shuffled words": 0.0,
        "too long": 1.0,
    }


def test_bad_input_is_refused():
    for call in (
        lambda: reward_model.fit(np.ones((2, 3)), np.ones((3, 2))),
        lambda: reward_model.flip(np.ones((2, 1)), np.ones((2, 1)), 1.5),
        lambda: reward_model.features(np.ones((2, 3)), np.ones((1, 3))),
    ):
        with pytest.raises(ValueError, match="expected"):
            call()


def test_there_are_only_so_many_pairs():
    with pytest.raises(ValueError, match="expected from 1 to"):
        reward_model.make_pairs(10_000)
