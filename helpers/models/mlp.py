"""A neural network with one hidden layer, its gradients written out by hand (backpropagation), NumPy only.

Letters: X (n, D) inputs, A = X W1 + b1 (n, M) before and H = f(A) (n, M) after the activation f, Z = H W2 + b2 (n, K) logits.
K = 1 means two classes and a sigmoid (labels 0/1); K >= 2 means a softmax (labels 0..K-1).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from helpers.features.checks import numbers
from helpers.models.losses import log_softmax, sigmoid, softmax

__all__ = ["ACTIVATIONS", "Activation", "Gradients", "TwoLayerNetwork"]


class Activation(NamedTuple):
    """A function applied to every entry on its own, its derivative, and the gain that keeps the signal's size.

    >>> ACTIVATIONS["relu"].f(np.array([-2.0, 3.0])).tolist(), ACTIVATIONS["relu"].derivative(np.array([-2.0, 3.0])).tolist()
    ([0.0, 3.0], [0.0, 1.0])
    """

    f: Callable[[np.ndarray], np.ndarray]
    derivative: Callable[[np.ndarray], np.ndarray]
    gain: float


_SQRT_2_PI = math.sqrt(2.0 / math.pi)


def _gelu(a: np.ndarray) -> np.ndarray:
    return 0.5 * a * (1.0 + np.tanh(_SQRT_2_PI * (a + 0.044715 * a * a * a)))


def _gelu_derivative(a: np.ndarray) -> np.ndarray:
    t = np.tanh(_SQRT_2_PI * (a + 0.044715 * a * a * a))
    return 0.5 * (1.0 + t) + 0.5 * a * (1.0 - t * t) * _SQRT_2_PI * (1.0 + 3 * 0.044715 * a * a)


#: gelu is the tanh form of Hendrycks, Gimpel 2016, as in GPT-2; identity is no non-linearity at all.
ACTIVATIONS: dict[str, Activation] = {
    "relu": Activation(lambda a: np.maximum(0.0, a), lambda a: (a > 0).astype(np.float64), math.sqrt(2.0)),
    "gelu": Activation(_gelu, _gelu_derivative, math.sqrt(2.0)),
    "tanh": Activation(np.tanh, lambda a: 1.0 - np.tanh(a) ** 2, 1.0),
    "identity": Activation(lambda a: a, np.ones_like, 1.0),
}


class Gradients(NamedTuple):
    """Derivatives of the loss, each with the shape of its parameter.

    >>> [g.shape for g in TwoLayerNetwork(2, 3).gradients(np.ones((5, 2)), np.ones(5, dtype=int))]
    [(2, 3), (3,), (3, 1), (1,)]
    """

    W1: np.ndarray
    b1: np.ndarray
    W2: np.ndarray
    b2: np.ndarray


class TwoLayerNetwork:
    """inputs (D) -> hidden (M) -> activation -> outputs (K); parameters W1 (D, M), b1 (M,), W2 (M, K), b2 (K,).

    Weights start as normal numbers with standard deviation gain / sqrt(incoming), biases at zero (He et al. 2015 for ReLU).
    Raises ValueError for sizes below 1 or an unknown activation.

    >>> TwoLayerNetwork(2, 100).n_parameters, TwoLayerNetwork(26, 50, 3).n_parameters
    (401, 1503)
    >>> X, y = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([0, 1, 1, 0])  # exclusive or
    >>> TwoLayerNetwork(2, 8, activation="tanh").fit(X, y, rate=1.0, steps=500).predict(X).tolist()
    [0, 1, 1, 0]
    """

    def __init__(self, n_inputs: int, n_hidden: int, n_outputs: int = 1, activation: str = "relu", seed: int = 0) -> None:
        if min(n_inputs, n_hidden, n_outputs) < 1:
            raise ValueError(f"expected sizes >= 1, got inputs {n_inputs}, hidden {n_hidden}, outputs {n_outputs}")
        if activation not in ACTIVATIONS:
            raise ValueError(f"expected an activation out of {list(ACTIVATIONS)}, got {activation!r}")
        rng = np.random.default_rng(seed)
        self.activation = activation
        self.W1 = rng.normal(0.0, ACTIVATIONS[activation].gain / math.sqrt(n_inputs), (n_inputs, n_hidden))
        self.b1 = np.zeros(n_hidden)
        self.W2 = rng.normal(0.0, 1.0 / math.sqrt(n_hidden), (n_hidden, n_outputs))
        self.b2 = np.zeros(n_outputs)
        self.losses: list[float] = []

    @property
    def n_parameters(self) -> int:
        """All weights and biases: (D + 1) M + (M + 1) K."""
        return self.W1.size + self.b1.size + self.W2.size + self.b2.size

    def logits(self, X: np.ndarray) -> np.ndarray:
        """Forward pass for X (n, D): logits of shape (n, K), or (n,) if K = 1."""
        Z = self._forward(self._inputs(X))[2]
        return Z[:, 0] if Z.shape[1] == 1 else Z

    def probabilities(self, X: np.ndarray) -> np.ndarray:
        """p(y = 1 | x), shape (n,), if K = 1; else p(y = k | x), shape (n, K)."""
        Z = self.logits(X)
        return sigmoid(Z) if Z.ndim == 1 else softmax(Z)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Most probable class of each row of X (n, D), shape (n,)."""
        Z = self.logits(X)
        return (Z >= 0).astype(np.int64) if Z.ndim == 1 else np.argmax(Z, axis=1)

    def loss(self, X: np.ndarray, y: np.ndarray, l2: float = 0.0) -> float:
        """Mean cross-entropy (nats) of labels y (n,), plus l2/2 times the sum of squared weights."""
        X = self._inputs(X)
        y = self._targets(X, y)
        return self._loss(self._forward(X)[2], y, l2)

    def gradients(self, X: np.ndarray, y: np.ndarray, l2: float = 0.0) -> Gradients:
        """Gradient of `loss` by backpropagation. Source: Rumelhart, Hinton, Williams 1986; Goodfellow et al. 2016, 6.5."""
        X = self._inputs(X)
        return self._backward(X, self._targets(X, y), l2)[1]

    def fit(
        self,
        X: np.ndarray,
        y: np.ndarray,
        rate: float = 0.1,
        steps: int = 1000,
        batch_size: int | None = None,
        momentum: float = 0.0,
        l2: float = 0.0,
        seed: int = 0,
    ) -> TwoLayerNetwork:
        """Gradient descent on X (n, D), y (n,): all rows at each step, or random batches of `batch_size` rows.

        momentum in [0, 1) keeps that share of the last step (Polyak 1964). Appends the loss of each step's rows to `losses`;
        calling fit again goes on from here. Returns itself. Raises ValueError for bad input or a diverging loss.
        """
        X = self._inputs(X)
        y = self._targets(X, y)
        if not rate > 0 or steps < 1 or not 0 <= momentum < 1 or not l2 >= 0:
            raise ValueError(
                "expected rate > 0, steps >= 1, 0 <= momentum < 1 and l2 >= 0, "
                f"got rate = {rate}, steps = {steps}, momentum = {momentum}, l2 = {l2}"
            )
        n = len(X)
        if batch_size is not None and not 1 <= batch_size <= n:
            raise ValueError(f"expected 1 <= batch_size <= {n} rows, got {batch_size}; None means all rows")
        rng = np.random.default_rng(seed)
        parameters = (self.W1, self.b1, self.W2, self.b2)
        velocity = [np.zeros_like(p) for p in parameters]
        order = np.empty(0, dtype=np.int64)
        for _ in range(steps):
            # 1. The rows of this step.
            if batch_size is None:
                rows = slice(None)
            else:
                if len(order) < batch_size:  # one pass is over: shuffle again
                    order = rng.permutation(n)
                rows, order = order[:batch_size], order[batch_size:]
            # 2. Loss and gradients, forward and back.
            loss, gradients = self._backward(X[rows], y[rows], l2)
            if not math.isfinite(loss):
                raise ValueError(
                    f"expected a finite loss, got {loss} after {len(self.losses)} steps; use a smaller rate than {rate}"
                )
            self.losses.append(loss)
            # 3. One step downhill, with a share of the last one.
            for p, v, g in zip(parameters, velocity, gradients, strict=True):
                v *= momentum
                v -= rate * g
                p += v
        return self

    def collapsed(self) -> tuple[np.ndarray, np.ndarray]:
        """The one affine map (W (D, K), b (K,)) that equals this network. Exists for the identity activation only."""
        if self.activation != "identity":
            raise ValueError(
                f"expected the identity activation, got {self.activation!r}: with a bend between them "
                "two layers do not collapse into one"
            )
        return self.W1 @ self.W2, self.b1 @ self.W2 + self.b2

    # ----------------------------------------------------------------------------------------- inner workings

    def _forward(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        A = X @ self.W1 + self.b1  # (n, M)
        H = ACTIVATIONS[self.activation].f(A)  # (n, M)
        return A, H, H @ self.W2 + self.b2  # logits (n, K)

    def _backward(self, X: np.ndarray, y: np.ndarray, l2: float) -> tuple[float, Gradients]:
        A, H, Z = self._forward(X)
        n = len(X)
        if Z.shape[1] == 1:
            dZ = (sigmoid(Z) - y[:, None]) / n  # p - y
        else:
            dZ = softmax(Z)
            dZ[np.arange(n), y] -= 1.0  # P - Y
            dZ /= n
        dW2, db2 = H.T @ dZ + l2 * self.W2, dZ.sum(axis=0)  # as in softmax regression, with H for X
        dH = dZ @ self.W2.T  # (n, M): each hidden value gets blame through its weights
        dA = dH * ACTIVATIONS[self.activation].derivative(A)  # (n, M): the chain rule through f
        dW1, db1 = X.T @ dA + l2 * self.W1, dA.sum(axis=0)  # and the same formula once more
        return self._loss(Z, y, l2), Gradients(dW1, db1, dW2, db2)

    def _loss(self, Z: np.ndarray, y: np.ndarray, l2: float) -> float:
        if Z.shape[1] == 1:  # the formulas of helpers.models.logistic, without its checks: this runs at every step
            data = float(np.mean(np.logaddexp(0.0, Z[:, 0]) - y * Z[:, 0]))
        else:
            data = -float(log_softmax(Z)[np.arange(len(y)), y].mean())
        return data + 0.5 * l2 * float(np.sum(self.W1**2) + np.sum(self.W2**2)) if l2 else data

    def _inputs(self, X: np.ndarray) -> np.ndarray:
        X = numbers(X, "X")
        if X.ndim != 2 or len(X) == 0 or X.shape[1] != len(self.W1):
            raise ValueError(f"expected inputs of shape (n, {len(self.W1)}) with n >= 1, got {X.shape}")
        if not np.isfinite(X).all():
            raise ValueError("expected finite inputs, got NaN or infinity; remove or repair these rows first")
        return X

    def _targets(self, X: np.ndarray, y: np.ndarray) -> np.ndarray:
        y = np.asarray(y)
        if y.shape != (len(X),):
            raise ValueError(f"expected one label per row, shape ({len(X)},), got {y.shape}; find the lost row first")
        classes = max(2, len(self.b2))
        if y.dtype.kind not in "biuf" or not np.isin(y, np.arange(classes)).all():
            raise ValueError(f"expected labels 0..{classes - 1}, got {np.unique(y)[:5].tolist()}; number them")
        return y.astype(np.int64)
