"""Exercise 1.3, The gradient that forgets: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial
from helpers.models.autodiff import Value, ordered


def backward(root):
    """Set grad of root and of every Value it came from to d(root)/d(that Value)."""
    order = ordered(root)
    for value in order:
        value.grad = 0.0
    root.grad = 1.0
    for value in reversed(order):
        for parent, slope in zip(value.parents, value.slopes):
            parent.grad += slope * value.grad


def backward_overwrites(root):
    """Set grad of root and of every Value it came from to d(root)/d(that Value)."""
    order = ordered(root)
    for value in order:
        value.grad = 0.0
    root.grad = 1.0
    for value in reversed(order):
        for parent, slope in zip(value.parents, value.slopes):
            parent.grad = slope * value.grad


def backward_in_forward_order(root):
    order = ordered(root)
    for value in order:
        value.grad = 0.0
    root.grad = 1.0
    for value in order:
        for parent, slope in zip(value.parents, value.slopes):
            parent.grad += slope * value.grad


def backward_adds_local_slopes(root):
    order = ordered(root)
    for value in order:
        value.grad = 0.0
    root.grad = 1.0
    for value in reversed(order):
        for parent, slope in zip(value.parents, value.slopes):
            parent.grad += slope


def backward_by_recursion(root):
    for value in ordered(root):
        value.grad = 0.0
    root.grad = 1.0

    def visit(value):
        for parent, slope in zip(value.parents, value.slopes):
            parent.grad += slope * value.grad
            visit(parent)

    visit(root)


def backward_without_reset(root):
    root.grad = 1.0
    for value in reversed(ordered(root)):
        for parent, slope in zip(value.parents, value.slopes):
            parent.grad += slope * value.grad


def backward_without_seed(root):
    order = ordered(root)
    for value in order:
        value.grad = 0.0
    root.grad = root.data
    for value in reversed(order):
        for parent, slope in zip(value.parents, value.slopes):
            parent.grad += slope * value.grad


def draw_backward(rng: np.random.Generator) -> tuple:
    return tuple(float(v) for v in rng.uniform(1, 4, size=3).round(2))


def check_backward(t: Trial) -> None:
    def slope_of(build, at=3.0, times=1):
        def steps(f):
            x = Value(at)
            root = build(x)
            for _ in range(times):
                f(root)
            return x.grad

        return steps

    graphs = [
        (lambda x: x * 2, "x = Value(3.0); backward(x * 2); x.grad", 2.0, 1),
        (lambda x: x * 2 * 5, "x = Value(3.0); backward(x * 2 * 5); x.grad", 10.0, 1),
        (lambda x: x * x, "x = Value(3.0); backward(x * x); x.grad", 6.0, 1),
        (lambda x: x * x, "x = Value(3.0); root = x * x; backward(root); backward(root); x.grad", 6.0, 2),
    ]
    for build, shown, expected, times in graphs:
        t.close(t.run(slope_of(build, times=times), shown), expected, what="x.grad")

    def shared(f):
        x = Value(2.0)
        s = x * 3
        root = s * s + s
        f(root)
        f(root)  # s, too, must forget what the first call left in it
        return x.grad

    t.close(
        t.run(shared, "x = Value(2.0); s = x * 3; root = s * s + s; backward(root); backward(root); x.grad"), 39.0, what="x.grad"
    )
    for a, b, at in t.fresh(draw_backward):  # d/dx (a x^2 + b x) = 2 a x + b
        steps = slope_of(lambda x, a=a, b=b: x * x * a + x * b, at)
        t.close(t.run(steps, f"x = Value({at}); backward(x * x * {a} + x * {b}); x.grad"), 2 * a * at + b, what="x.grad")


HINTS = (
    "Try it on x * x at x = 3 with pencil and paper. x is the parent of the product twice. What should happen to the "
    "two contributions?",
    "Look at what the innermost line does when a parent already has a gradient.",
)
WRONG = (
    Wrong(
        backward_overwrites,
        "overwrites a gradient that is already there: when a value is used twice, both uses "
        "count, so the contributions must be added up (+=)",
    ),
    Wrong(
        backward_in_forward_order,
        "walks from the inputs to the result: a value then passes its gradient on before "
        "it has received it. Walk from the result back",
    ),
    Wrong(
        backward_adds_local_slopes,
        "adds the local slope alone: the chain rule multiplies it by the gradient of the value that comes after",
    ),
    Wrong(
        backward_by_recursion,
        "passes a gradient on before all of it has arrived: a shared value is visited once per "
        "use and counts too much. Go through the ordered list once",
    ),
    Wrong(backward_without_reset, "keeps the gradients of an earlier call: set them to 0 before you add"),
    Wrong(backward_without_seed, "starts from the number in root: d(root)/d(root) is 1"),
)
EXERCISE = Exercise(
    "1.3",
    "The gradient that forgets",
    "find the bug",
    backward,
    check_backward,
    HINTS,
    WRONG,
    points=2,
    start=backward_overwrites,
)
