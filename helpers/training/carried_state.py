"""What a recurrent network carries from batch to batch, tensors in lists and tuples: without its gradient, and as a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import Tensor

__all__ = ["detached", "filled", "leaves", "skeleton"]


def detached(state: Any) -> Any:
    """The state without its gradient: truncated backpropagation through time. A cache is not carried from batch to batch."""
    if isinstance(state, Tensor):
        return state.detach()
    if isinstance(state, list | tuple):
        return type(state)(detached(s) for s in state)
    return None


def leaves(state: Any) -> list[Tensor]:
    """The tensors of a state, in order."""
    if isinstance(state, Tensor):
        return [state]
    return [t for s in state for t in leaves(s)] if isinstance(state, list | tuple) else []


def skeleton(state: Any) -> Any:
    """The nesting of a state as JSON: [] for a list, {"tuple": [...]} for a tuple, "tensor" for a tensor."""
    if isinstance(state, Tensor):
        return "tensor"
    if isinstance(state, tuple):
        return {"tuple": [skeleton(s) for s in state]}
    return [skeleton(s) for s in state] if isinstance(state, list) else None


def filled(nesting: Any, tensors: Iterator[Tensor]) -> Any:
    """The state again, from its nesting and its tensors in order."""
    if nesting == "tensor":
        return next(tensors)
    if isinstance(nesting, dict):
        return tuple(filled(s, tensors) for s in nesting["tuple"])
    return [filled(s, tensors) for s in nesting] if isinstance(nesting, list) else None
