"""Exercise 1.4, Teach Value a new curve: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial
from helpers.models.autodiff import Value


def sigmoid(v):
    """The S-shaped curve 1 / (1 + e^-v) of a Value, as a Value whose slope is s (1 - s)."""
    s = 1 / (1 + np.exp(-v.data))
    return Value(s, (v,), (s * (1 - s),), "sigmoid")


def sigmoid_slope_of_input(v):
    s = 1 / (1 + np.exp(-v.data))
    return Value(s, (v,), (v.data * (1 - v.data),), "sigmoid")


def sigmoid_slope_plus(v):
    s = 1 / (1 + np.exp(-v.data))
    return Value(s, (v,), (s * (1 + s),), "sigmoid")


def sigmoid_cut_off(v):
    return Value(1 / (1 + np.exp(-v.data)))


def sigmoid_of_a_copy(v):
    s = 1 / (1 + np.exp(-v.data))
    return Value(s, (Value(v.data),), (s * (1 - s),), "sigmoid")


def sigmoid_chained_too_early(v):
    s = 1 / (1 + np.exp(-v.data))
    return Value(s, (v,), (s * (1 - s) * v.grad,), "sigmoid")


def sigmoid_falling(v):
    s = 1 / (1 + np.exp(v.data))
    return Value(s, (v,), (-s * (1 - s),), "sigmoid")


def sigmoid_slope_is_value(v):
    s = 1 / (1 + np.exp(-v.data))
    return Value(s, (v,), (s,), "sigmoid")


def draw_sigmoid(rng: np.random.Generator) -> float:
    return round(float(rng.normal(scale=2)), 3)


def check_sigmoid(t: Trial) -> None:
    def at(z):
        def steps(f):
            v = Value(z)
            out = f(v)
            if not hasattr(out, "backward"):
                return out
            out.backward()
            parents = "v" if any(p is v for p in out.parents) else "another Value" if out.parents else "none"
            return float(out.data), float(v.grad), parents  # the parents tell apart why no gradient came back

        return steps

    for z in (2.0, 0.0, -1.0, *t.fresh(draw_sigmoid)):
        got, expected = t.run(at(z), f"v = Value({z:g}); s = sigmoid(v); s.backward(); (s.data, v.grad)"), at(z)(sigmoid)
        t.true(isinstance(got, tuple), "must return a Value, with v as its parent", expected, got)
        t.close(got[:2], expected[:2], rtol=1e-6, what="(s.data, v.grad)")

    def in_a_loss(f):
        w, b = Value(0.5), Value(-1.0)
        loss = (f(w * 3 + b) - 1) ** 2
        loss.backward()
        return w.grad, b.grad

    t.close(
        t.run(in_a_loss, "w, b = Value(0.5), Value(-1.0); ((sigmoid(w * 3 + b) - 1) ** 2).backward(); (w.grad, b.grad)"),
        in_a_loss(sigmoid),
        rtol=1e-6,
        what="(w.grad, b.grad)",
    )


HINTS = (
    "A new Value needs three things: its number, its parents (here only v), and one local slope per parent.",
    "Compute s = 1 / (1 + np.exp(-v.data)) once. The slope s * (1 - s) uses this s, not v.data.",
    "The form is Value(s, (v,), (slope,)). The commas in (v,) and (slope,) make them tuples.",
)
WRONG = (
    Wrong(sigmoid_slope_of_input, "computes the slope from the input: in s (1 - s), s is the output of the curve"),
    Wrong(sigmoid_slope_plus, "uses s (1 + s) as slope: the curve flattens out as s comes near 1, so it is s (1 - s)"),
    Wrong(sigmoid_cut_off, "returns a Value without parents: no gradient can flow back to v. Pass (v,) and its slope"),
    Wrong(
        sigmoid_of_a_copy,
        "has a new Value as its parent: the gradient ends there and does not reach v. Pass v itself, as (v,)",
    ),
    Wrong(
        sigmoid_chained_too_early,
        "puts v.grad into the local slope: on the way forward it is still 0. backward does "
        "the chain rule; the local slope is s (1 - s) alone",
    ),
    Wrong(sigmoid_falling, "falls where it should rise: the exponent is minus v"),
    Wrong(sigmoid_slope_is_value, "takes the value itself as slope: that is right for e^v only. Here it is s (1 - s)"),
)
EXERCISE = Exercise("1.4", "Teach Value a new curve", "core", sigmoid, check_sigmoid, HINTS, WRONG, points=2)
