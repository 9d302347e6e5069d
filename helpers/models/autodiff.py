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
    """A number with a memory. After `result.backward()`, `x.grad` is d(result)/d(x) for every x it came from."""

    __slots__ = ("data", "grad", "label", "op", "parents", "slopes")

    def __init__(
        self,
        data: float,
        parents: tuple[Value, ...] = (),
        slopes: tuple[float, ...] = (),
        op: str = "",
        label: str = "",
    ) -> None:
        """Args: data, a real number; parents and slopes, equally many; op and label, for drawings only."""
        if isinstance(data, bool) or not isinstance(data, numbers.Real):
            raise TypeError(f"Value holds one real number; got {type(data).__name__}. For an array make one per entry.")
        if len(parents) != len(slopes):
            raise ValueError(f"parents and slopes must pair up; got {len(parents)} and {len(slopes)}.")
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
            raise TypeError("the exponent must be a plain number; got a Value. Write (log(x) * y).exp() for x ** y.")
        x = self.data
        if x < 0 and exponent != int(exponent):
            raise ValueError(f"a negative number has no real power {exponent}; got {x}. Keep the base above 0.")
        if x == 0 and exponent < 1 and exponent != 0:
            raise ValueError(f"x ** {exponent} has no slope at x = 0. Keep the base away from 0.")
        slope = exponent * x ** (exponent - 1) if exponent != 0 else 0.0
        return Value(x**exponent, (self,), (slope,), f"^{exponent:g}")

    def exp(self) -> Value:
        """e to the power of this value."""
        y = math.exp(self.data)
        return Value(y, (self,), (y,), "exp")

    def log(self) -> Value:
        """Natural logarithm; ValueError unless the value is above 0."""
        if self.data <= 0:
            raise ValueError(f"log needs a value above 0; got {self.data}. Check for a probability of exactly 0.")
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
