"""Scalar reverse-mode automatic differentiation: a number that knows how it was computed (chapter 01).

Every `Value` keeps its number, the Values it was computed from (`parents`) and, for each parent, the local slope:
how much the result moves per unit of that parent. `backward` then needs one rule only, the chain rule:
parent.grad += slope * child.grad, from the last result back to the inputs.

Source: Linnainmaa, master's thesis, 1970; Wengert, A simple automatic derivative evaluation program, CACM 1964.
"""

from __future__ import annotations

import math
import numbers

__all__ = ["Value", "ordered"]


class Value:
    """A number with a memory. After `result.backward()`, `x.grad` is d(result)/d(x) for every x it came from.

    >>> w, b = Value(2.0), Value(-1.0)
    >>> loss = (w * 3.0 + b - 4.0) ** 2  # (6 - 1 - 4)^2
    >>> loss.backward()
    >>> loss.data, w.grad, b.grad  # 2 * 1 * 3 and 2 * 1
    (1.0, 6.0, 2.0)
    """

    __slots__ = ("data", "grad", "label", "op", "parents", "slopes")

    def __init__(
        self,
        data: float | numbers.Real,
        parents: tuple[Value, ...] = (),
        slopes: tuple[float, ...] = (),
        op: str = "",
        label: str = "",
    ) -> None:
        """data: a real number. parents, slopes: equally many. op, label: for drawings only."""
        if isinstance(data, bool) or not isinstance(data, numbers.Real):
            raise TypeError(f"expected one real number, got {type(data).__name__}; for an array make one Value per entry")
        if len(parents) != len(slopes):
            raise ValueError(f"expected parents and slopes that pair up, got {len(parents)} and {len(slopes)}")
        self.data, self.grad = float(data), 0.0
        self.parents, self.slopes, self.op, self.label = tuple(parents), tuple(slopes), op, label

    def __repr__(self) -> str:
        name = f"{self.label}: " if self.label else ""
        return f"Value({name}data={self.data:.6g}, grad={self.grad:.6g})"

    # -- operations with two parents

    def __add__(self, other: Value | float) -> Value:
        other = _lift(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0), "+")

    def __mul__(self, other: Value | float) -> Value:
        other = _lift(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data), "*")

    # -- operations with one parent

    def __pow__(self, exponent: float) -> Value:
        """self ** exponent for a plain number as the exponent. ValueError where power or slope does not exist."""
        if isinstance(exponent, Value):
            raise TypeError("expected a plain number as the exponent, got a Value; write (x.log() * y).exp() for x ** y")
        x = self.data
        if x < 0 and exponent != int(exponent):
            raise ValueError(f"expected a base above 0, got {x}, which has no real power {exponent}")
        if x == 0 and exponent < 1 and exponent != 0:
            raise ValueError(f"expected a base away from 0, got 0: x ** {exponent} has no slope at x = 0")
        slope = exponent * x ** (exponent - 1) if exponent != 0 else 0.0
        return Value(x**exponent, (self,), (slope,), f"^{exponent:g}")

    def exp(self) -> Value:
        """e to the power of this value."""
        y = math.exp(self.data)
        return Value(y, (self,), (y,), "exp")

    def log(self) -> Value:
        """Natural logarithm; ValueError unless the value is above 0."""
        if self.data <= 0:
            raise ValueError(f"expected a value above 0, got {self.data}; check for a probability of exactly 0")
        return Value(math.log(self.data), (self,), (1 / self.data,), "log")

    def tanh(self) -> Value:
        """Hyperbolic tangent, between -1 and 1."""
        y = math.tanh(self.data)
        return Value(y, (self,), (1 - y * y,), "tanh")

    def relu(self) -> Value:
        """max(0, value); the slope at exactly 0 is taken as 0."""
        on = self.data > 0
        return Value(self.data if on else 0.0, (self,), (1.0 if on else 0.0,), "relu")

    # -- the rest follows from those above

    def __neg__(self) -> Value:
        return self * -1.0

    def __sub__(self, other: Value | float) -> Value:
        return self + -_lift(other)

    def __rsub__(self, other: float) -> Value:
        return _lift(other) - self

    def __truediv__(self, other: Value | float) -> Value:
        return self * _lift(other) ** -1

    def __rtruediv__(self, other: float) -> Value:
        return _lift(other) / self

    __radd__, __rmul__ = __add__, __mul__

    def backward(self) -> None:
        """Fill `grad` of this value and of everything it came from with d(self)/d(that value).

        All gradients of the graph are set to 0 first, so that calling it twice gives the same answer.
        """
        order = ordered(self)
        for value in order:
            value.grad = 0.0
        self.grad = 1.0
        for value in reversed(order):
            for parent, slope in zip(value.parents, value.slopes, strict=True):
                parent.grad += slope * value.grad


def ordered(root: Value) -> list[Value]:
    """All Values that `root` came from, each once, parents before children, `root` last.

    Without recursion, so that a sum of 100,000 terms does not hit Python's recursion limit.

    >>> a, b = Value(1.0), Value(2.0)
    >>> [value.data for value in ordered(a * b + a)][-1]
    3.0
    """
    order, seen, stack = [], set(), [(root, False)]
    while stack:
        value, parents_done = stack.pop()
        if parents_done:
            order.append(value)
        elif id(value) not in seen:
            seen.add(id(value))
            stack.append((value, True))
            stack.extend((parent, False) for parent in value.parents)
    return order


def _lift(other: Value | float) -> Value:
    return other if isinstance(other, Value) else Value(other)
