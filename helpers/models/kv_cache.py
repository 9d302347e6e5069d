"""The key-value cache of a Transformer: what a new token need not compute again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

__all__ = ["KVCache", "keep_rows", "repeat_rows"]


class KVCache:
    """The keys and values of all tokens so far, for every layer, so that a new token needs only its own.

    Room is doubled when it runs out, up to `limit` positions. A fork copies what is filled.

    >>> cache = KVCache(n_layers=1, limit=8)
    >>> k = torch.zeros(1, 2, 3, 4)  # one text, two heads, three tokens
    >>> cache.append(0, k, k)[0].shape[2], cache.append(0, k, k)[0].shape[2]
    (3, 6)
    >>> cache.truncate(4)
    >>> cache.length, cache.n_bytes  # 2 * 2 * 4 * 4 numbers of 4 bytes
    (4, 256)
    """

    def __init__(self, n_layers: int, limit: int):
        self.keys: list[Any] = [None] * n_layers  # (B, K, room, D) each, None before the first token
        self.values: list[Any] = [None] * n_layers
        self.length, self.limit = 0, limit

    def append(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Store (B, K, T, D) behind what is there; returns all keys and values so far (B, K, S, D).

        `length` moves on when the last layer has stored its part. Raises ValueError when the limit is
        passed or the number of rows changes.
        """
        start, end = self.length, self.length + k.shape[2]
        if end > self.limit:
            raise ValueError(f"expected at most {self.limit} positions in the cache, got {end}; the model's context is full")
        held = self.keys[layer]
        if held is not None and held.shape[0] != k.shape[0]:
            raise ValueError(f"expected {held.shape[0]} rows, as many as the cache holds, got {k.shape[0]}; begin a new cache")
        if held is None or held.shape[2] < end:
            room = min(self.limit, max(64, 2 * end))
            for store, new in ((self.keys, k), (self.values, v)):
                grown = new.new_empty(new.shape[0], new.shape[1], room, new.shape[3])
                if held is not None:
                    grown[:, :, :start] = store[layer][:, :, :start]
                store[layer] = grown
        self.keys[layer][:, :, start:end] = k
        self.values[layer][:, :, start:end] = v
        if layer == len(self.keys) - 1:
            self.length = end
        return self.keys[layer][:, :, :end], self.values[layer][:, :, :end]

    def truncate(self, length: int) -> None:
        """Forget everything from position `length` on. Raises ValueError for more than there is."""
        if not 0 <= length <= self.length:
            raise ValueError(f"expected a length from 0 to {self.length}, got {length}")
        self.length = length

    def fork(self) -> KVCache:
        """A copy that goes its own way."""
        return self._changed(lambda t: t[:, :, : self.length].clone())

    def repeat_rows(self, n: int) -> KVCache:
        """A cache in which each row stands n times side by side. Raises ValueError for an empty one."""
        if any(k is None for k in self.keys):
            raise ValueError("expected a cache that holds a text, got an empty one; read the prompt first")
        return self._changed(lambda t: t[:, :, : self.length].repeat_interleave(n, dim=0))  # (B * n, K, T, D)

    def keep_rows(self, rows: list[int]) -> KVCache:
        """A cache of these rows alone."""
        return self._changed(lambda t: t[rows])

    def _changed(self, change: Callable[[Tensor], Tensor]) -> KVCache:
        other = KVCache(len(self.keys), self.limit)
        other.length = self.length
        other.keys, other.values = ([None if t is None else change(t) for t in store] for store in (self.keys, self.values))
        return other

    @property
    def n_bytes(self) -> int:
        """Memory of the filled part: 2 * layers * K * D * length * bytes per number (times the batch)."""
        return sum(t[:, :, : self.length].numel() * t.element_size() for t in [*self.keys, *self.values] if t is not None)


# --------------------------------------------------------------------------- the same for what recurrent networks remember


def repeat_rows(memory: Any, n: int) -> Any:
    """What a model remembers, n times side by side: a cache, a tensor (the batch is its last axis but one), a tuple or list.

    >>> repeat_rows(torch.tensor([[1], [2]]), 2).flatten().tolist()
    [1, 1, 2, 2]
    """
    if isinstance(memory, KVCache):
        return memory.repeat_rows(n)
    if isinstance(memory, Tensor):
        return memory.repeat_interleave(n, dim=-2)
    if isinstance(memory, tuple | list):
        return type(memory)(repeat_rows(part, n) for part in memory)
    raise TypeError(f"expected a cache or tensors, got {type(memory).__name__}")


def keep_rows(memory: Any, rows: list[int]) -> Any:
    """Only these rows of what is remembered: texts that have ended cost nothing more.

    >>> keep_rows(torch.tensor([[1], [2], [3]]), [0, 2]).flatten().tolist()
    [1, 3]
    """
    if isinstance(memory, KVCache):
        return memory.keep_rows(rows)
    if isinstance(memory, Tensor):
        return memory.index_select(-2, torch.tensor(rows, device=memory.device))
    return type(memory)(keep_rows(part, rows) for part in memory)
