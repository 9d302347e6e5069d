"""helpers.models.mlp: parameter counts, backpropagation against finite differences, collapse, XOR, bad input."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.models.logistic import LogisticRegression
from helpers.models.losses import logistic_loss, softmax_loss
from helpers.models.mlp import ACTIVATIONS, TwoLayerNetwork

XOR_X, XOR_Y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])


def data(n=25, D=3, K=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, D)), rng.integers(0, max(2, K), n)


@pytest.mark.parametrize("sizes, count", [((2, 100, 1), 401), ((26, 50, 3), 1503), ((26, 64, 11), 2443)])
def test_parameter_counts(sizes, count):
    net = TwoLayerNetwork(*sizes)
    assert net.n_parameters == count == (sizes[0] + 1) * sizes[1] + (sizes[1] + 1) * sizes[2]


def test_a_single_neuron_has_three_parameters():
    X, y = np.array([[1.0, 2], [2, 1], [0, 1], [1, 1]]), np.array([0, 1, 0, 1])
    assert LogisticRegression(l2=1).fit(X, y).n_parameters == 3


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(list(ACTIVATIONS)),
    st.integers(1, 4),
    st.integers(1, 5),
    st.sampled_from([1, 2, 3]),
    st.sampled_from([0.0, 0.2]),
    st.integers(0, 99),
)
def test_backpropagation_is_the_finite_difference(activation, D, H, K, l2, seed):
    X, y = data(D=D, K=K, seed=seed)
    net = TwoLayerNetwork(D, H, K, activation, seed)
    for name, gradient in net.gradients(X, y, l2)._asdict().items():
        p = getattr(net, name)
        assert gradient.shape == p.shape
        for i in np.ndindex(p.shape):
            old, h = p[i], 1e-6
            p[i] = old + h
            up = net.loss(X, y, l2)
            p[i] = old - h
            down = net.loss(X, y, l2)
            p[i] = old
            # a ReLU may have its bend within the step: then the two sides differ, which is no mistake
            assert gradient[i] == pytest.approx((up - down) / (2 * h), abs=1e-7) or activation == "relu"


def test_relu_gradient_away_from_the_bend():
    net = TwoLayerNetwork(2, 2, 1, "relu")
    net.W1[:], net.b1[:] = [[1, -1], [1, -1]], [0.5, -0.5]
    g = net.gradients(np.array([[1.0, 2.0]]), np.array([1]))
    assert g.W1[:, 1].tolist() == [0, 0] and g.b1[1] == 0  # the second unit is off: nothing flows back
    assert (g.W1[:, 0] != 0).all()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivatives(name):
    f, derivative, _ = ACTIVATIONS[name]
    a = np.array([-3.0, -1.1, -0.2, 0.3, 0.9, 2.5])
    assert derivative(a) == pytest.approx((f(a + 1e-6) - f(a - 1e-6)) / 2e-6, abs=1e-8)


def test_activation_values():
    a = np.array([-2.0, 0.0, 3.0])
    assert ACTIVATIONS["relu"].f(a).tolist() == [0, 0, 3]
    exact = 0.5 * a * (1 + np.array([math.erf(v / math.sqrt(2)) for v in a]))
    assert ACTIVATIONS["gelu"].f(a) == pytest.approx(exact, abs=5e-4)
    assert ACTIVATIONS["identity"].f(a) is a


@given(st.integers(1, 4), st.integers(1, 6), st.integers(1, 4), st.integers(0, 50))
def test_affine_of_affine_is_affine(D, H, K, seed):
    rng = np.random.default_rng(seed)
    net = TwoLayerNetwork(D, H, K, "identity", seed)
    net.b1[:], net.b2[:] = rng.normal(size=H), rng.normal(size=K)
    W, b = net.collapsed()
    X = rng.normal(size=(5, D))
    assert (W.shape, b.shape) == ((D, K), (K,))
    assert net.logits(X) == pytest.approx((X @ W + b)[:, 0] if K == 1 else X @ W + b, abs=1e-12)


def test_output_layer_gradient_is_that_of_softmax_regression():
    X, y = data()
    net = TwoLayerNetwork(3, 4, 3, "tanh")
    H = np.tanh(X @ net.W1 + net.b1)
    _, dW, db = softmax_loss(net.W2, net.b2, H, y)
    g = net.gradients(X, y)
    assert g.W2 == pytest.approx(dW, abs=1e-14) and g.b2 == pytest.approx(db, abs=1e-14)
    one = TwoLayerNetwork(3, 4, 1, "tanh")
    _, dw, db = logistic_loss(one.W2[:, 0], one.b2[0], np.tanh(X @ one.W1 + one.b1), np.minimum(y, 1))
    assert one.gradients(X, np.minimum(y, 1)).W2[:, 0] == pytest.approx(dw, abs=1e-14)


def test_xor_needs_the_bend():
    relu = [TwoLayerNetwork(2, 8, 1, "relu", s).fit(XOR_X, XOR_Y, rate=0.5, steps=1000) for s in range(5)]
    assert sum((net.predict(XOR_X) == XOR_Y).all() for net in relu) >= 4
    straight = TwoLayerNetwork(2, 8, 1, "identity").fit(XOR_X, XOR_Y, rate=0.5, steps=1000)
    assert straight.losses[-1] >= math.log(2) - 1e-9  # no line beats a constant 1/2 on XOR
    assert (straight.predict(XOR_X) == XOR_Y).mean() <= 0.75


def test_a_hand_made_xor_network():
    net = TwoLayerNetwork(2, 2, 1, "relu")
    net.W1[:], net.b1[:], net.W2[:], net.b2[:] = [[1, 1], [1, 1]], [0, -1], [[2], [-4]], [-1]
    assert net.logits(XOR_X).tolist() == [-1, 1, 1, -1]


def test_fit_is_repeatable_and_goes_on():
    X, y = data()
    a = TwoLayerNetwork(3, 5, 3, seed=4).fit(X, y, steps=20, batch_size=7, momentum=0.9, seed=1)
    b = TwoLayerNetwork(3, 5, 3, seed=4).fit(X, y, steps=20, batch_size=7, momentum=0.9, seed=1)
    assert a.losses == b.losses and (a.W1 == b.W1).all()
    full = TwoLayerNetwork(3, 5, 3, seed=4).fit(X, y, steps=10).fit(X, y, steps=10)
    assert full.losses == TwoLayerNetwork(3, 5, 3, seed=4).fit(X, y, steps=20).losses
    assert full.losses[-1] < full.losses[0]


def test_probabilities():
    X, y = data()
    P = TwoLayerNetwork(3, 5, 3).probabilities(X)
    assert P.shape == (25, 3) and P.sum(axis=1) == pytest.approx(np.ones(25))
    p = TwoLayerNetwork(3, 5, 1).probabilities(X)
    assert p.shape == (25,) and ((p > 0) & (p < 1)).all()


NET = TwoLayerNetwork(2, 3, 1)
NET3 = TwoLayerNetwork(2, 3, 3)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: TwoLayerNetwork(2, 0, 1), "sizes"),
        (lambda: TwoLayerNetwork(2, 3, 1, "sigmoidal"), "activation"),
        (lambda: NET.logits(np.ones(2)), "shape"),
        (lambda: NET.logits(np.ones((4, 3))), "shape"),
        (lambda: NET.logits(np.empty((0, 2))), "shape"),
        (lambda: NET.logits([[1.0, np.inf]]), "finite"),
        (lambda: NET.loss(XOR_X, [0, 1, 1]), "lost row"),
        (lambda: NET.loss(XOR_X, [0, 1, 2, 1]), "0..1"),
        (lambda: NET3.loss(XOR_X, [0, 1, 3, 1]), "0..2"),
        (lambda: NET3.loss(XOR_X, ["a", "b", "c", "a"]), "0..2"),
        (lambda: NET.fit(XOR_X, XOR_Y, rate=0), "rate"),
        (lambda: NET.fit(XOR_X, XOR_Y, momentum=1), "momentum"),
        (lambda: NET.fit(XOR_X, XOR_Y, l2=-0.1), "l2"),
        (lambda: NET.fit(XOR_X, XOR_Y, batch_size=5), "batch_size"),
        (lambda: NET.collapsed(), "identity"),
    ],
)
def test_bad_input_is_explained(call, words):
    with pytest.raises(ValueError, match=words) as error:
        call()
    assert "expected" in str(error.value) and "got" in str(error.value)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_diverging_run_says_so():
    with pytest.raises(ValueError, match="smaller rate"):
        TwoLayerNetwork(2, 8, 1, "identity").fit(XOR_X * 1e3, XOR_Y, rate=1e9, steps=500, l2=1.0)
