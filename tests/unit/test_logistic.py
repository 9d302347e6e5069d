"""helpers.models.logistic: worked numbers, properties, bad input."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from helpers.models import logistic as lg
from helpers.models import losses

numbers = st.floats(-50, 50)
wild = st.floats(-1e6, 1e6)
TOY = np.array(
    [
        (22, 25, 0),
        (25, 35, 0),
        (47, 80, 1),
        (52, 95, 1),
        (46, 82, 1),
        (56, 90, 1),
        (23, 27, 0),
        (30, 50, 1),
        (40, 60, 1),
        (39, 57, 0),
        (53, 95, 1),
        (48, 88, 1),
    ],
    dtype=float,
)


def overlapping(n=200, D=3, K=2, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, D))
    Z = X @ rng.normal(size=(D, K)) + rng.gumbel(size=(n, K))
    return X, Z.argmax(axis=1)


def numeric(f, at, h=1e-6):
    out = np.empty_like(at)
    for i in np.ndindex(at.shape):
        up, down = at.copy(), at.copy()
        up[i] += h
        down[i] -= h
        out[i] = (f(up) - f(down)) / (2 * h)
    return out


# ---------------------------------------------------------------------------------------------- worked numbers


def test_softmax_worked():
    e = np.exp([2, 1, 0.5])
    assert losses.softmax([2, 1, 0.5]) == pytest.approx(e / e.sum(), rel=1e-14)
    assert losses.softmax([2, 1, 0.5]) == pytest.approx([0.628532, 0.231224, 0.140244], abs=5e-7)


def test_two_class_softmax_is_the_sigmoid():
    assert losses.softmax([1.0, 2.0])[1] == pytest.approx(losses.sigmoid(1.0), rel=1e-15)
    assert float(losses.sigmoid(1.0)) == pytest.approx(1 / (1 + math.exp(-1)), rel=1e-15)


@pytest.mark.parametrize(
    "p, loss", [(0.1, 2.302585), (0.05, 2.995732), (0.02, 3.912023), (0.34, 1.078810), (0.11, 2.207275), (0.77, 0.261365)]
)
def test_cross_entropy_of_the_true_class(p, loss):
    z = math.log(p / (1 - p))
    assert losses.binary_cross_entropy([1], [z]) == pytest.approx(-math.log(p), rel=1e-12)
    assert losses.cross_entropy([1], [[0.0, z]]) == pytest.approx(loss, abs=5e-7)


@given(st.lists(st.integers(0, 1), min_size=1, max_size=20))
def test_constant_one_half_costs_ln_2(y):
    assert losses.binary_cross_entropy(y, np.zeros(len(y))) == pytest.approx(math.log(2), rel=1e-15)
    assert losses.cross_entropy(y, np.zeros((len(y), 2))) == pytest.approx(math.log(2), rel=1e-15)


@given(numbers, st.integers(0, 1), st.floats(-5, 5), st.floats(-3, 3))
def test_gradient_of_one_example(x, y, w, b):
    p = float(losses.sigmoid(w * x + b))
    _, dw, db = losses.logistic_loss(np.array([w]), b, np.array([[x]]), np.array([y]))
    assert dw[0] == pytest.approx((p - y) * x, abs=1e-12)
    assert db == pytest.approx(p - y, abs=1e-12)


# ------------------------------------------------------------------------------------------------ no overflow


@given(arrays(float, array_shapes(max_dims=3, max_side=6), elements=wild))
def test_sigmoid_is_safe_and_symmetric(z):
    with np.errstate(all="raise", under="ignore"):
        p = losses.sigmoid(z)
        assert ((p >= 0) & (p <= 1)).all()
        assert p + losses.sigmoid(-z) == pytest.approx(np.ones_like(p), rel=1e-15)
        assert np.isfinite(losses.log_sigmoid(z)).all()
    inside = np.abs(z) < 30
    assert np.log(p[inside]) == pytest.approx(losses.log_sigmoid(z)[inside], abs=1e-12)


@given(arrays(float, array_shapes(min_dims=2, max_dims=2, max_side=6), elements=wild), wild)
def test_softmax_sums_to_one_and_ignores_a_shift(Z, shift):
    with np.errstate(all="raise", under="ignore"):
        P = losses.softmax(Z)
    assert P.sum(axis=1) == pytest.approx(np.ones(len(P)), rel=1e-12)
    assert (P >= 0).all()
    assert losses.softmax(Z + shift) == pytest.approx(P, abs=1e-8)


def test_softmax_shift_of_a_thousand():
    assert losses.softmax([1002.0, 1001.0, 1000.5]) == pytest.approx(losses.softmax([2.0, 1.0, 0.5]), rel=1e-12)


@given(arrays(float, (3, 5), elements=numbers))
def test_log_sum_exp_axis(Z):
    assert losses.log_sum_exp(Z, axis=0) == pytest.approx(np.log(np.exp(Z).sum(axis=0)), rel=1e-9, abs=1e-9)
    assert losses.log_sum_exp(Z, keepdims=True).shape == (3, 1)
    assert (losses.log_sum_exp(Z) >= Z.max(axis=1)).all()


def test_log_sum_exp_of_minus_infinity():
    assert losses.log_sum_exp([-np.inf, -np.inf]) == -np.inf
    assert losses.log_sum_exp([-np.inf, 2.0]) == 2.0
    assert losses.softmax([-np.inf, 2.0]).tolist() == [0.0, 1.0]


@given(st.integers(0, 1), wild)
def test_binary_loss_is_the_log_sigmoid(y, z):
    assert losses.binary_cross_entropy([y], [z]) == pytest.approx(-float(losses.log_sigmoid((2 * y - 1) * z)), rel=1e-9, abs=1e-9)


# ---------------------------------------------------------------------------------------------------- gradients


@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_logistic_gradient_is_the_finite_difference(l2):
    X, y = overlapping()
    w, b = np.array([0.3, -0.2, 0.5]), 0.1
    _, dw, db = losses.logistic_loss(w, b, X, y, l2)
    assert dw == pytest.approx(numeric(lambda v: losses.logistic_loss(v, b, X, y, l2)[0], w), abs=1e-8)
    assert db == pytest.approx(numeric(lambda v: losses.logistic_loss(w, v[0], X, y, l2)[0], np.array([b]))[0], abs=1e-8)


@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_softmax_gradient_is_the_finite_difference(l2):
    X, y = overlapping(K=4)
    rng = np.random.default_rng(1)
    W, b = rng.normal(size=(3, 4)), rng.normal(size=4)
    _, dW, db = losses.softmax_loss(W, b, X, y, l2)
    assert dW == pytest.approx(numeric(lambda v: losses.softmax_loss(v, b, X, y, l2)[0], W), abs=1e-8)
    assert db == pytest.approx(numeric(lambda v: losses.softmax_loss(W, v, X, y, l2)[0], b), abs=1e-8)
    assert db.sum() == pytest.approx(0, abs=1e-12)  # raising all scores alike changes nothing


def test_the_loss_is_convex_along_lines():
    X, y = overlapping()
    rng = np.random.default_rng(2)
    for _ in range(20):
        u, v = rng.normal(size=(2, 3)) * 3
        half = losses.logistic_loss((u + v) / 2, 0.0, X, y)[0]
        assert half <= (losses.logistic_loss(u, 0.0, X, y)[0] + losses.logistic_loss(v, 0.0, X, y)[0]) / 2 + 1e-12


# ------------------------------------------------------------------------------------------------------- fitting


def test_three_solvers_agree_and_newton_needs_few_steps():
    X, y = overlapping()
    fits = {
        s: lg.LogisticRegression(l2=0.01, solver=s, rate=1.0, steps=3000).fit(X, y)
        for s in ("newton", "lbfgs", "gradient descent")
    }
    for fit in fits.values():
        assert fit.weights == pytest.approx(fits["newton"].weights, abs=1e-6)
        assert fit.losses[-1] == pytest.approx(fits["newton"].losses[-1], abs=1e-12)
        assert all(b <= a + 1e-12 for a, b in zip(fit.losses, fit.losses[1:], strict=False))
    assert len(fits["newton"].losses) <= 9 < len(fits["gradient descent"].losses)
    _, dw, db = losses.logistic_loss(fits["newton"].weights, fits["newton"].bias, X, y, 0.01)
    assert max(np.abs(dw).max(), abs(db)) < 1e-9


def test_two_class_softmax_regression_is_logistic_regression():
    X, y = overlapping()
    binary = lg.LogisticRegression(l2=0.02).fit(X, y)
    both = lg.SoftmaxRegression(l2=0.04).fit(X, y)  # two halves of the weights carry half the penalty
    assert both.probabilities(X)[:, 1] == pytest.approx(binary.probabilities(X), abs=1e-6)
    descent = lg.SoftmaxRegression(l2=0.04, solver="gradient descent", steps=3000).fit(X, y)
    assert descent.weights == pytest.approx(both.weights, abs=1e-6)


def test_sparse_features_give_the_same_fit():
    sparse = pytest.importorskip("scipy.sparse")
    rng = np.random.default_rng(0)
    X = rng.poisson(0.3, size=(120, 6)).astype(float)
    y = (X[:, 0] + rng.normal(size=120) > 0.4).astype(int)
    for model in (lg.LogisticRegression, lg.SoftmaxRegression):
        dense, thin = model(l2=0.1).fit(X, y), model(l2=0.1).fit(sparse.csr_matrix(X), y)
        assert thin.weights == pytest.approx(dense.weights, abs=1e-7)
        assert (thin.predict(sparse.csr_matrix(X)) == dense.predict(X)).all()
    newton = lg.LogisticRegression(l2=0.1, solver="newton").fit(sparse.csr_matrix(X), y)
    assert newton.probabilities(X) == pytest.approx(lg.LogisticRegression(l2=0.1).fit(X, y).probabilities(X), abs=1e-6)


def test_predict_follows_the_threshold():
    X, y = overlapping()
    model = lg.LogisticRegression(l2=0.1).fit(X, y)
    p = model.probabilities(X)
    assert (model.predict(X, 0.9) == (p >= 0.9)).all() and model.predict(X).sum() > model.predict(X, 0.9).sum()
    assert model.n_parameters == 4 and lg.SoftmaxRegression(l2=0.1).fit(X, y).n_parameters == 8


def toy(standardized: bool):
    X, y = TOY[:, :2], TOY[:, 2]
    return (X - X.mean(axis=0)) / X.std(axis=0) if standardized else X, y


def descend(X, y, seed, rate, steps):
    rng = np.random.default_rng(seed)
    w, b = rng.uniform(-1, 1, 2) / math.sqrt(2), rng.uniform(-1, 1) / math.sqrt(2)
    first = losses.logistic_loss(w, b, X, y)[0]
    for _ in range(steps):
        _, dw, db = losses.logistic_loss(w, b, X, y)
        w, b = w - rate * dw, b - rate * db
    return first, float(np.mean((X @ w + b >= 0) == y))


def test_raw_features_depend_on_the_seed_standardized_ones_do_not():
    raw = [descend(*toy(False), seed, 0.001, 500)[1] for seed in range(10)]
    assert min(raw) < 1.0 and min(raw) >= 0.5
    scaled = [descend(*toy(True), seed, 1.0, 1000)[1] for seed in range(10)]
    assert scaled == [1.0] * 10


@pytest.mark.parametrize("solver", ["newton", "lbfgs"])
def test_separable_classes_without_l2_have_no_minimum(solver):
    X, y = toy(True)
    with pytest.raises(ValueError, match="separates perfectly"):
        lg.LogisticRegression(solver=solver).fit(X, y)
    fit = lg.LogisticRegression(l2=1e-5, solver=solver).fit(X, y)
    assert (fit.predict(X) == y).all()
    assert (lg.LogisticRegression(solver="gradient descent", steps=50).fit(X, y).predict(X) == y).mean() > 0.8
    with pytest.raises(ValueError, match="separates perfectly"):
        lg.SoftmaxRegression().fit(X, y.astype(int))


def test_more_l2_means_smaller_weights():
    X, y = toy(True)
    sizes = [np.linalg.norm(lg.LogisticRegression(l2=l2).fit(X, y).weights) for l2 in (1e-3, 1e-2, 1e-1, 1)]
    assert sizes == sorted(sizes, reverse=True)


# ----------------------------------------------------------------------------------------------------- bad input

X3, Y3 = np.array([[1.0], [2.0], [3.0]]), np.array([0, 1, 0])


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: lg.LogisticRegression().fit(X3, [0, 1, 2]), "labels 0 or 1"),
        (lambda: lg.LogisticRegression().fit(X3, ["ham", "spam", "ham"]), "labels 0 or 1"),
        (lambda: lg.LogisticRegression().fit(X3, [0, 1]), "lost row"),
        (lambda: lg.LogisticRegression().fit(X3, [1, 1, 1]), "only class 1"),
        (lambda: lg.LogisticRegression().fit(X3, []), "n >= 1"),
        (lambda: lg.LogisticRegression().fit(X3[:, 0], Y3), "shape"),
        (lambda: lg.LogisticRegression().fit(np.empty((0, 2)), Y3), "shape"),
        (lambda: lg.LogisticRegression().fit([[1.0], [np.nan], [3.0]], Y3), "NaN"),
        (lambda: lg.LogisticRegression(l2=-1), "l2 >= 0"),
        (lambda: lg.LogisticRegression(l2=float("nan")), "l2 >= 0"),
        (lambda: lg.LogisticRegression(solver="sgd"), "solver"),
        (lambda: lg.SoftmaxRegression(solver="newton"), "solver"),
        (lambda: lg.LogisticRegression(steps=0), "steps"),
        (lambda: lg.LogisticRegression().predict(X3), "fit"),
        (lambda: lg.LogisticRegression(l2=1).fit(X3, Y3).predict(np.ones((2, 4))), "1 columns"),
        (lambda: lg.SoftmaxRegression().fit(X3, [0, 1, 5], n_classes=3), "0..2"),
        (lambda: lg.SoftmaxRegression().fit(X3, [0, 1, -1]), "whole class numbers"),
        (lambda: lg.SoftmaxRegression().fit(X3, [0.0, 1.0, 2.0]), "whole class numbers"),
        (lambda: lg.SoftmaxRegression().fit(X3, [2, 2, 2]), "only class 2"),
        (lambda: losses.cross_entropy([0, 3], np.zeros((2, 3))), "0..2"),
        (lambda: losses.cross_entropy([0], np.zeros((2, 3))), "1 labels"),
        (lambda: losses.cross_entropy([0], np.zeros(3)), "logits of shape"),
        (lambda: losses.binary_cross_entropy([0, 1], np.zeros((2, 1))), "one logit per label"),
        (lambda: losses.logistic_loss(np.zeros(2), 0.0, X3, Y3), "weights of shape"),
        (lambda: losses.logistic_loss(np.zeros(1), 0.0, X3, Y3, l2=-1), "l2 >= 0"),
        (lambda: losses.softmax_loss(np.zeros((1, 2)), 0.0, X3, Y3), "bias of shape"),
        (lambda: losses.log_sum_exp(np.zeros((2, 0))), "at least one score"),
        (lambda: lg.steepest_descent(lambda t: (0.0, t), np.zeros(1), rate=0, steps=1), "rate > 0"),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words) as error:
        call()
    assert "expected" in str(error.value) and "got" in str(error.value)


def test_newton_stops_at_the_tolerance():
    X, y = overlapping()
    steps = [len(lg.LogisticRegression(l2=0.01, solver="newton", tolerance=t).fit(X, y).losses) for t in (1e-10, 1e-3, 10.0)]
    assert steps[0] > steps[1] > steps[2] == 1
