"""Where a network stands in a text, for writing: its memory, the logits of the next token, and the window that moves along."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from helpers.models.language_model import Ids, State, check_ids

__all__ = ["NeuralState", "evaluating"]


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Inside, dropout is off; afterwards the model is in the mode it was in.

    >>> layer = nn.Dropout(0.5)
    >>> with evaluating(layer):
    ...     print(layer.training)
    False
    >>> layer.training
    True
    """
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)


class NeuralState(State):
    """Where a network stands in a text; see `language_model.State`. What it remembers is the model's business.

    >>> from helpers.models.rnn import RecurrentLM
    >>> state = RecurrentLM(4).begin([1, 2])
    >>> before = state.log_probs
    >>> state.read_ahead([3, 1]).shape  # before the first, after each
    (3, 4)
    >>> state.rewind(2)
    >>> bool(np.allclose(state.log_probs, before))
    True
    """

    _log_probs: np.ndarray | None
    _ahead: tuple[Any, list[int]]

    def __init__(self, model: Any, row: list[int]):
        self.model, self._row = model, row
        limit = model.context_length
        if limit is not None and len(self._row) > limit:  # the window that `score` would use for the next token
            step = max(1, limit // 2)
            excess = len(self._row) - limit
            self._row = self._row[-(-excess // step) * step :]
        self._memory = model.begin_state(1)
        self._read(self._row)

    @torch.inference_mode()
    def _read(self, ids: list[int]) -> None:
        with evaluating(self.model):
            features, self._memory = self.model.features(torch.tensor([ids], device=self.model.device), self._memory)
            self.logits = self.model.logits(features[0, -1])  # (V,)
        self._log_probs, self._ahead = None, (None, [])

    @property
    def log_probs(self) -> np.ndarray:  # type: ignore[override]  # worked out when asked for
        """(V,) natural-log probabilities of the next id, float64."""
        if self._log_probs is None:
            self._log_probs = self.logits.double().log_softmax(-1).cpu().numpy()
        return self._log_probs

    def advance(self, id: int) -> None:
        """Move on by one token."""
        (id,) = check_ids([id], self.model.vocab_size).tolist()
        limit = self.model.context_length
        self._row.append(id)
        if limit is not None and len(self._row) > limit:
            self._row = self._row[max(1, limit // 2) :]
            self._memory = self.model.begin_state(1)
            self._read(self._row)
        else:
            self._read([id])

    def fork(self) -> NeuralState:
        """A copy that is advanced on its own."""
        other = copy.copy(self)
        other._row = list(self._row)
        other._memory, other._ahead = fork_memory(self._memory), (None, [])
        return other

    def read_ahead(self, ids: Ids) -> np.ndarray:
        """Logits (n + 1, V), as `State.read_ahead`; ids that fit into the context are read in one run, which saves the time."""
        ids, limit = check_ids(ids, self.model.vocab_size).tolist(), self.model.context_length
        if not ids or limit is not None and len(self._row) + len(ids) > limit:
            return super().read_ahead(ids)
        before = None if hasattr(self._memory, "truncate") else self.fork()
        with torch.inference_mode(), evaluating(self.model):
            features, self._memory = self.model.features(torch.tensor([ids], device=self.model.device), self._memory)
            rows = torch.cat([self.logits[None], self.model.logits(features[0])])  # (n + 1, V)
        self._row, self.logits, self._log_probs = [*self._row, *ids], rows[-1], None
        self._ahead = (rows if before is None else before), ids
        return rows.double().cpu().numpy()

    def rewind(self, n: int) -> None:
        """As `State.rewind`. A cache is cut; a recurrent state cannot be moved back, so it moves on again from where it was."""
        rows, ids = self._ahead
        left = len(ids) - n
        if not isinstance(rows, Tensor) or not 0 <= left <= len(ids):
            return super().rewind(n)
        self._row = self._row[: len(self._row) - n]
        self._memory.truncate(len(self._row))
        self.logits, self._log_probs, self._ahead = rows[left], None, (rows, ids[:left])


def fork_memory(memory: Any) -> Any:
    """A copy of what a model remembers: tensors are never changed in place, other objects know how to fork themselves."""
    if hasattr(memory, "fork"):
        return memory.fork()
    return memory
