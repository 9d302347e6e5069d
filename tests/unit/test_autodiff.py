"""helpers.models.autodiff: exact gradients, finite differences on random expressions, shared nodes, bad input."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.models.autodiff import Value, ordered


def test_gradient_of_the_three_posts_is_exact():
    w, b = Value(2 / 3), Value(1.0)
    errors = [w * x + b - y for x, y in [(150, 200), (200, 600), (260, 500)]]
    J = sum(e**2 for e in errors) / 3
    J.backward()
    assert J.data == pytest.approx(2994347 / 27, rel=1e-14)
    assert w.grad == pytest.approx(-1155940 / 9, rel=1e-14)
    assert b.grad == pytest.approx(-5342 / 9, rel=1e-14)


def test_a_value_used_twice_collects_both_slopes():
    x = Value(3.0)
    (x * x + x).backward()
    assert x.grad == 7  # 2x + 1


def test_a_shared_node_is_passed_once():
    x = Value(2.0)
    s = x * 3  # used by two children
    y = s * s + s
    y.backward()
    assert (s.grad, x.grad) == (13, 39)


def test_backward_twice_gives_the_same():
    x = Value(3.0)
    y = x**3
    y.backward()
    y.backward()
    assert x.grad == 27 and y.grad == 1


OPERATIONS = [
    (lambda x: x + 2, 1.0),
    (lambda x: 2 + x, 1.0),
    (lambda x: x - 5, 1.0),
    (lambda x: 5 - x, -1.0),
    (lambda x: 3 * x, 3.0),
    (lambda x: -x, -1.0),
    (lambda x: x / 4, 0.25),
    (lambda x: 4 / x, -4 / 0.49),
    (lambda x: x**3, 3 * 0.49),
    (lambda x: x**-2, -2 * 0.7**-3),
    (lambda x: x**0.5, 0.5 / math.sqrt(0.7)),
    (lambda x: x**0, 0.0),
    (lambda x: x.exp(), math.exp(0.7)),
    (lambda x: x.log(), 1 / 0.7),
    (lambda x: x.tanh(), 1 - math.tanh(0.7) ** 2),
    (lambda x: x.relu(), 1.0),
    (lambda x: (-x).relu(), 0.0),
]


@pytest.mark.parametrize("f, slope", OPERATIONS)
def test_each_operation(f, slope):
    x = Value(0.7)
    y = f(x)
    y.backward()
    assert x.grad == pytest.approx(slope, rel=1e-13)


def expression(seed, leaves):
    """A random smooth expression: leaves are numbers or Values."""
    rng, pool = random.Random(seed), list(leaves)
    for _ in range(12):
        a, b = rng.choice(pool), rng.choice(pool)
        pick = rng.randrange(6)
        if pick == 0:
            new = a + b * 0.5
        elif pick == 1:
            new = a * b
        elif pick == 2:
            new = 1.5 - a
        elif pick == 3:
            new = a / (b**2 + 1.0)
        elif pick == 4:
            new = tanh(a) ** 3
        else:
            new = tanh(a * 0.5) + b
        pool.append(new)
    return sum(pool[-4:], pool[-5])


def tanh(x):
    return x.tanh() if isinstance(x, Value) else math.tanh(x)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9), st.lists(st.floats(-1.5, 1.5), min_size=3, max_size=3))
def test_random_expressions_agree_with_finite_differences(seed, point):
    leaves = [Value(p) for p in point]
    root = expression(seed, leaves)
    root.backward()
    assert root.data == pytest.approx(expression(seed, point), rel=1e-12, abs=1e-12)
    h = 1e-5
    for i, leaf in enumerate(leaves):
        up, down = (expression(seed, [p + s * h * (j == i) for j, p in enumerate(point)]) for s in (1, -1))
        numeric = (up - down) / (2 * h)
        assert leaf.grad == pytest.approx(numeric, rel=1e-4, abs=1e-5 * (1 + abs(root.data)))


def test_a_long_chain_needs_no_recursion():
    x = Value(1.0)
    y = x
    for _ in range(20_000):
        y = y + x
    y.backward()
    assert x.grad == 20_001


def test_order_has_parents_first_and_each_once():
    x = Value(2.0)
    s = x * x
    root = s + s * x
    order = ordered(root)
    place = {id(v): i for i, v in enumerate(order)}
    assert len(place) == len(order) == 4 and order[-1] is root
    assert all(place[id(p)] < place[id(v)] for v in order for p in v.parents)


@pytest.mark.parametrize(
    "call, error, says",
    [
        (lambda: Value("3"), TypeError, "one real number, got str"),
        (lambda: Value([1, 2]), TypeError, "one Value per entry"),
        (lambda: Value(True), TypeError, "got bool"),
        (lambda: Value(1.0) + "1", TypeError, "got str"),
        (lambda: Value(1.0, (Value(1.0),), ()), ValueError, "pair up, got 1 and 0"),
        (lambda: Value(-1.0).log(), ValueError, "above 0, got -1"),
        (lambda: Value(0.0).log(), ValueError, "above 0"),
        (lambda: Value(-1.0) ** 0.5, ValueError, "no real power"),
        (lambda: Value(0.0) ** 0.5, ValueError, "no slope at x = 0"),
        (lambda: 1 / Value(0.0), ValueError, "x = 0"),
        (lambda: Value(2.0) ** Value(2.0), TypeError, "plain number"),
    ],
)
def test_bad_input_is_refused_with_advice(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_text_shows_label_value_and_slope():
    w = Value(2.0, label="w")
    (w * w).backward()
    assert repr(w) == "Value(w: data=2, grad=4)"
