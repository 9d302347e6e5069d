"""From documents and chats to training batches. A batch is a function of (seed, step), so training can stop and go on anywhere.

The documents stand one after the other in one long row of ids, each closed by the end-of-text id. A model reads x and is asked
for y, the same row shifted by one. `Windows` cuts at random places (Transformers); `Streams` reads on where the batch before
stopped, so that a recurrent network can carry its state. `collate` lays chat examples of different lengths side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from helpers.tokenizers.chat_template import Example
from helpers.tokenizers.labels import IGNORE

__all__ = ["Batch", "Batches", "PaddedBatch", "Streams", "Windows", "collate"]


class Batch(NamedTuple):
    """x, y: (B, T) ids, y one step ahead of x. fresh: whether a carried state must be thrown away before this batch."""

    x: Tensor
    y: Tensor
    fresh: bool


class Batches(Protocol):
    """Where a `trainer.Trainer` takes its batches from."""

    batch_size: int
    length: int

    def batch(self, step: int) -> Batch: ...


class Windows:
    """Batches of windows that begin anywhere in the row of all documents.

    A window may run over the end of a document; the end-of-text id in it tells the model so.
    """

    def __init__(self, documents: Sequence[np.ndarray], batch_size: int, length: int, seed: int = 0):
        """Raises ValueError when there are fewer than length + 1 ids."""
        self.row = _row(documents, length)
        self.batch_size, self.length, self.seed = batch_size, length, seed

    @property
    def steps_per_epoch(self) -> float:
        """How many batches hold as many tokens as the documents."""
        return len(self.row) / (self.batch_size * self.length)

    def batch(self, step: int) -> Batch:
        rng = np.random.default_rng([self.seed, step])
        starts = rng.integers(len(self.row) - self.length, size=self.batch_size)
        windows = self.row[starts[:, None] + np.arange(self.length + 1)]  # (B, T + 1)
        return Batch(windows[:, :-1], windows[:, 1:], True)


class Streams:
    """Batches that continue each other: row b of a batch goes on where row b of the batch before stopped.

    Each epoch the documents are shuffled, laid out as one row, and the row is cut into `batch_size` long pieces.
    """

    def __init__(self, documents: Sequence[np.ndarray], batch_size: int, length: int, seed: int = 0):
        """Raises ValueError when there are not enough ids for one batch."""
        self.documents = [np.asarray(d) for d in documents]
        self.batch_size, self.length, self.seed = batch_size, length, seed
        n = len(_row(documents, batch_size * length))
        self.steps_per_epoch = (n - 1) // (batch_size * length)
        self._epoch, self._pieces = -1, torch.empty(0)

    def batch(self, step: int) -> Batch:
        epoch, place = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            order = np.random.default_rng([self.seed, epoch]).permutation(len(self.documents))
            row = _row([self.documents[i] for i in order], self.length)
            size = self.steps_per_epoch * self.length
            starts = np.arange(self.batch_size) * size
            self._epoch, self._pieces = epoch, row[starts[:, None] + np.arange(size + 1)]  # (B, size + 1)
        part = self._pieces[:, place * self.length : (place + 1) * self.length + 1]
        return Batch(part[:, :-1], part[:, 1:], place == 0)


class PaddedBatch(NamedTuple):
    """x, y: (B, T) inputs and targets, y one step ahead and IGNORE where nothing is to be learned."""

    x: Tensor
    y: Tensor


def collate(examples: Sequence[Example], pad_id: int = 0) -> PaddedBatch:
    """Examples of different lengths as one batch, filled up on the right.

    Padding is marked by position, never by its id: where padding and end mark share an id, comparing ids would unlearn
    stopping. Under a causal mask what stands on the right changes nothing on the left, so no attention mask is needed.
    Raises ValueError for no examples.
    """
    if not examples:
        raise ValueError("expected at least one example, got none")
    longest = max(len(e.ids) for e in examples)
    x = torch.full((len(examples), longest - 1), pad_id, dtype=torch.long)
    y = torch.full((len(examples), longest - 1), IGNORE, dtype=torch.long)
    for row, e in enumerate(examples):
        x[row, : len(e.ids) - 1] = torch.tensor(e.ids[:-1])
        y[row, : len(e.ids) - 1] = torch.tensor(e.labels[1:])
    return PaddedBatch(x, y)


def _row(documents: Sequence[np.ndarray], at_least: int) -> Tensor:
    row = np.concatenate([np.asarray(d, dtype=np.int64) for d in documents]) if len(documents) else np.zeros(0, dtype=np.int64)
    if len(row) < at_least + 1:
        raise ValueError(
            f"expected at least {at_least + 1} ids to make one batch, got {len(row)}; use more documents, or a "
            "smaller batch_size or length"
        )
    return torch.from_numpy(row)
