"""Exercise 2.8, Backpropagation through the hidden layer: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def backward(X, y, W1, b1, W2, b2):
    """Gradients (dW1, db1, dW2, db2) of the mean cross-entropy of a network with one ReLU layer and one output.

    X (n, d), y (n,) in {0, 1}, W1 (d, m), b1 (m,), W2 (m, 1), b2 (1,). Each gradient has the shape of its parameter.
    """
    A = X @ W1 + b1  # (n, m)
    H = np.maximum(0, A)  # (n, m)
    p = 1 / (1 + np.exp(-(H @ W2 + b2)))  # (n, 1)
    dZ = (p - y[:, None]) / len(y)  # (n, 1)
    dW2, db2 = H.T @ dZ, dZ.sum(axis=0)
    dA = (dZ @ W2.T) * (A > 0)  # (n, m)
    dW1, db1 = X.T @ dA, dA.sum(axis=0)
    return dW1, db1, dW2, db2


def _backward(X, y, W1, b1, W2, b2, gate=lambda A: A > 0, mean=True, through=True, raw=False):
    A = X @ W1 + b1
    H = np.maximum(0, A)
    dZ = (1 / (1 + np.exp(-(H @ W2 + b2))) - y[:, None]) / (len(y) if mean else 1)
    dA = dZ @ W2.T if through else np.repeat(dZ, W1.shape[1], axis=1)
    dA = dA * gate(A)
    inner = A if raw else H
    return X.T @ dA, dA.sum(axis=0), inner.T @ dZ, dZ.sum(axis=0)


def backward_no_gate(X, y, W1, b1, W2, b2):
    return _backward(X, y, W1, b1, W2, b2, gate=np.ones_like)


def backward_sum(X, y, W1, b1, W2, b2):
    return _backward(X, y, W1, b1, W2, b2, mean=False)


def backward_not_through(X, y, W1, b1, W2, b2):
    return _backward(X, y, W1, b1, W2, b2, through=False)


def backward_flipped_gate(X, y, W1, b1, W2, b2):
    return _backward(X, y, W1, b1, W2, b2, gate=lambda A: A <= 0)


def backward_open_at_zero(X, y, W1, b1, W2, b2):
    return _backward(X, y, W1, b1, W2, b2, gate=lambda A: A >= 0)


def backward_times_values(X, y, W1, b1, W2, b2):
    return _backward(X, y, W1, b1, W2, b2, gate=lambda A: np.maximum(0, A))


def backward_raw(X, y, W1, b1, W2, b2):
    return _backward(X, y, W1, b1, W2, b2, raw=True)


def backward_sign(X, y, W1, b1, W2, b2):
    return tuple(-g for g in backward(X, y, W1, b1, W2, b2))


def backward_mean_of_biases(X, y, W1, b1, W2, b2):
    dW1, db1, dW2, db2 = backward(X, y, W1, b1, W2, b2)
    return dW1, db1 / len(y), dW2, db2 / len(y)


def draw_backward(rng: np.random.Generator) -> tuple:
    n, d, m = int(rng.integers(3, 6)), int(rng.integers(2, 4)), int(rng.integers(2, 5))
    return rng.normal(size=(n, d)), rng.integers(0, 2, n), *(rng.normal(size=s) for s in ((d, m), (m,), (m, 1), (1,)))


def check_backward(t: Trial) -> None:
    rng, cases = np.random.default_rng(8), []
    for n, d, H, bias in [(1, 2, 2, 1.0), (4, 2, 3, None), (6, 3, 5, None), (1, 2, 2, 3.0)]:
        X, y = np.round(rng.normal(size=(n, d)), 2), rng.integers(0, 2, n)
        W1, b1, W2, b2 = (np.round(rng.normal(size=s), 2) for s in ((d, H), (H,), (H, 1), (1,)))
        if n == 1:  # one unit on, one off (at the end exactly 0): small enough to do by hand
            X, W1 = np.array([[1.0, 2.0]]), np.array([[2.0, -1.0], [1.0, -1.0]])
            b1, W2, b2 = np.array([0.0, bias]), np.array([[2.0], [3.0]]), np.array([-7.0])
        cases.append((X, y, W1, b1, W2, b2))
    for case in [*cases, *t.fresh(draw_backward)]:
        got, expected = t.call(*case), backward(*case)
        t.several(got, 4, "must give four gradients back, in this order: return dW1, db1, dW2, db2", expected)
        for i, name in ((2, "dW2"), (3, "db2"), (0, "dW1"), (1, "db1")):  # in the order in which they are computed
            t.close(got[i], expected[i], what=name)


HINTS = (
    "Do the forward pass first and keep A (n, m), H (n, m) and p (n, 1). Then dZ = (p - y) / n as a column (n, 1).",
    "The output layer is logistic regression with H in place of X: dW2 = H.T @ dZ, db2 = dZ.sum(axis=0).",
    "Back through W2: dH = dZ @ W2.T (n, m). Back through the ReLU: keep dH where A > 0, else 0. Then as before with X.",
)
WRONG = (
    Wrong(
        backward_no_gate,
        "sends the error through units that were switched off: multiply by the slope of the ReLU, 1 where A > 0 and 0 elsewhere",
    ),
    Wrong(backward_sum, "sums over the rows where the mean is wanted: divide p - y by n once, at the start"),
    Wrong(backward_mean_of_biases, "averages for the biases although the error is divided by n already; sum over the rows"),
    Wrong(
        backward_not_through,
        "gives each hidden unit the full error of the output; its share is the error times its weight in W2",
    ),
    Wrong(
        backward_flipped_gate,
        "has the gate of the ReLU upside down: it passes the error where A <= 0 and blocks it where A > 0",
    ),
    Wrong(
        backward_open_at_zero,
        "lets the error through where A is exactly 0; this exercise takes the slope 0 there: A > 0, not A >= 0",
    ),
    Wrong(
        backward_times_values,
        "multiplies the error by H; the chain rule asks for the slope of the ReLU, which is 1 where A > 0",
    ),
    Wrong(backward_raw, "uses the values before the ReLU (A) for dW2; the output layer saw H"),
    Wrong(backward_sign, "has every sign turned round: the error at the output is p - y, not y - p"),
)
AFTER = "The cell below trains a network on nothing but these gradients."
EXERCISE = Exercise(
    "2.8", "Backpropagation through the hidden layer", "core", backward, check_backward, HINTS, WRONG, points=3, after=AFTER
)
