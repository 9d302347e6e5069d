"""The key-value cache of a Transformer: what a new token need not compute again."""

from __future__ import annotations

from torch import Tensor

__all__ = ["KVCache"]


# ---------------------------------------------------------------------------------------------------------------- cache


class KVCache:
    """The keys and values of all tokens so far, for every layer, so that a new token needs only its own.

    Room is doubled when it runs out, up to `limit` positions. A fork copies what is filled.
    """

    def __init__(self, n_layers: int, limit: int):
        self.keys: list[Tensor | None] = [None] * n_layers  # (B, K, room, D) each
        self.values: list[Tensor | None] = [None] * n_layers
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
        other = KVCache(len(self.keys), self.limit)
        other.length = self.length
        other.keys = [None if k is None else k[:, :, : self.length].clone() for k in self.keys]
        other.values = [None if v is None else v[:, :, : self.length].clone() for v in self.values]
        return other

    @property
    def n_bytes(self) -> int:
        """Memory of the filled part: 2 * layers * K * D * length * bytes per number (times the batch)."""
        return sum(t[:, :, : self.length].numel() * t.element_size() for t in [*self.keys, *self.values] if t is not None)
