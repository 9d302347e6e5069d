"""Chat examples of different lengths as one batch (chapter 09)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from helpers.tokenizers.chat_template import Example
from helpers.tokenizers.labels import IGNORE

__all__ = ["PaddedBatch", "collate"]


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
