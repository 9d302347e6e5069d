"""The drawings of chapter 01: every corner of the widgets draws, with alt text that tells the numbers, and no warning."""

import numpy as np
import pytest

from helpers.lab import figures
from helpers.lab.drawings import ch01
from helpers.models.autodiff import Value

X, Y = np.array([150.0, 200.0, 260.0]), np.array([200.0, 600.0, 500.0])
pytestmark = pytest.mark.filterwarnings("error")


def drawn(pair):
    fig, alt = pair
    assert figures.png(fig)[:4] == b"\x89PNG" and len(alt) > 60
    return alt


@pytest.mark.parametrize("w, b", [(1, 100), (-2, -1000), (7, 1000), (235 / 91, -8350 / 91)])
def test_line_and_loss(w, b):
    assert f"{np.mean((w * X + b - Y) ** 2):,.0f}" in drawn(ch01.line_and_loss(X, Y, w, b))


@pytest.mark.parametrize(
    "lr, steps, scale, says",
    [
        (0.15, 150, "hundreds of words", "right: within 1 % of the least loss after 97 steps"),
        (0.005, 150, "hundreds of words", "too small"),
        (0.15, 40, "hundreds of words", "not there after 40 steps"),
        (0.2, 150, "hundreds of words", "diverging: the rate is 1.06 times the limit 0.189"),
        (0.5, 10, "standardized", "right: within 1 % of the least loss after 1 steps"),
        (2.0, 400, "standardized", "diverging"),
        (1e-6, 10, "words", "too small"),
        (2e-5, 400, "words", "not there"),
        (2.0, 400, "words", "diverging"),
    ],
)
def test_descent_says_what_the_rate_did(lr, steps, scale, says):
    assert says in drawn(ch01.descent(X, Y, lr, steps, scale))


def test_unknown_scale_is_refused():
    with pytest.raises(ValueError, match="hundreds of words"):
        ch01.descent(X, Y, 0.1, 10, "miles")


@pytest.mark.parametrize("degree, lam", [(1, 0.0), (15, 0.0), (15, 1e-3), (7, 1000.0)])
def test_degree_and_lambda(degree, lam):
    hours = np.linspace(0.5, 23.5, 20)
    reads = 3 + np.sin(hours)
    assert "training and" in drawn(ch01.degree_and_lambda((hours, reads), (hours + 0.3, reads), np.sin, degree, lam))


def test_graph_tells_values_and_gradients():
    w = Value(2 / 3, label="w")
    J = (w * 150 + 1 - 200) ** 2
    J.backward()
    assert "w has value 0.6667 and gradient -29,700" in drawn(ch01.graph(J))
