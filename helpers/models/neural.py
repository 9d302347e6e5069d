"""What the recurrent networks of chapter 07 and the Transformers of chapter 08 share: the decoding interface.

A `NeuralLM` is a torch module that turns ids (B, T) into features (B, T, C) and those into logits (B, T, V). From these two
steps this module makes everything else: the training loss, and `score`, `score_batch` and `begin` of
`language_model.LanguageModel`, so that one yardstick and one sampler serve counts and networks alike.

Shapes: B batch, T time (tokens), C channels (width of the model), V vocabulary.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from helpers.models.chunked_loss import chunked_cross_entropy
from helpers.models.fast_linear import linear
from helpers.models.language_model import State, check_ids
from helpers.tokenizers.labels import IGNORE

__all__ = ["NeuralLM", "NeuralState", "as_ids", "count_parameters", "evaluating", "label_log_probs", "pad"]


def pad(documents: Sequence[Sequence[int]], value: int) -> Tensor:
    """Documents of different lengths as one tensor (B, longest), filled up on the right with `value`."""
    rows = [torch.as_tensor(np.asarray(d, dtype=np.int64)) for d in documents]
    return nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=value)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Inside, dropout is off; afterwards the model is in the mode it was in."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)


def count_parameters(model: nn.Module, trainable: bool = False) -> int:
    """How many numbers the model holds, shared (tied) ones counted once; with `trainable` only those that are trained."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad or not trainable)


def label_log_probs(model: NeuralLM, x: Tensor, y: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """(B,) natural-log probability of each row's labels, summed: of the y (B, T) that are not IGNORE, y[b, t] being the token
    after x[b, :t + 1]. Differentiable; a row without labels gives 0.

    model: anything with `features` and `logits`. dtype: what log-softmax and sum are computed in.
    """
    kept = y != IGNORE
    features, _ = model.features(x)  # (B, T, C)
    log_probs = model.logits(features[kept]).to(dtype).log_softmax(-1)  # (kept, V): prompts need no logits
    chosen = log_probs.gather(1, y[kept][:, None]).squeeze(1)
    return chosen.new_zeros(len(x)).index_add(0, kept.nonzero()[:, 0], chosen)


def as_ids(
    ids: Tensor, vocab_size: int, context_length: int | None = None, *, past: int = 0, device: torch.device | None = None
) -> Tensor:
    """ids, checked: (B, T) whole numbers from 0 to vocab_size - 1, together with `past` tokens at most context_length.

    Raises TypeError for another dtype, ValueError for another shape or device, ids outside the vocabulary, no tokens or too many.
    """
    if not isinstance(ids, Tensor) or ids.dtype not in (torch.int64, torch.int32):
        got = f"a tensor of {ids.dtype}" if isinstance(ids, Tensor) else type(ids).__name__
        raise TypeError(
            f"expected token ids as a tensor of whole numbers (torch.int64), got {got}; "
            "write torch.tensor([tokenizer.encode(text)])"
        )
    if ids.ndim != 2:
        raise ValueError(f"expected ids of shape (batch, time), got {tuple(ids.shape)}; for one text write ids[None, :]")
    if ids.shape[1] == 0:
        raise ValueError("expected at least one token, got none; a text begins with the start symbol, so pass [[model.start_id]]")
    if context_length is not None and past + ids.shape[1] > context_length:
        got = f"{past + ids.shape[1]} ({past} of them in the cache)" if past else ids.shape[1]
        raise ValueError(
            f"expected at most context_length = {context_length} tokens, got {got}; shorten the text, or use score "
            "and begin, which move a window over it"
        )
    if device is not None and ids.device != device:
        raise ValueError(f"expected ids on {device}, where the model is, got them on {ids.device}; write ids.to(model.device)")
    if ids.shape[0] and (int(ids.min()) < 0 or int(ids.max()) >= vocab_size):
        wrong = int(ids.min()) if int(ids.min()) < 0 else int(ids.max())
        raise ValueError(f"expected ids from 0 to {vocab_size - 1}, got {wrong}; does the tokenizer belong to this model?")
    return ids


# ------------------------------------------------------------------------------------------------- the decoding interface


class NeuralLM(nn.Module):
    """A language model that is a torch module. A subclass gives `features` and `logits`; the rest follows from them.

    vocab_size: V. start_id: the id that stands before every text (the end-of-text id: after one text comes the next).
    context_length: the longest text it takes at once; None for any. A longer text is read through a window: when it is full,
    the older half is dropped, in `score` and in `begin` alike.
    """

    vocab_size: int
    start_id: int
    context_length: int | None = None

    def features(self, ids: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """(B, T) ids, and what is remembered of the tokens before them -> (B, T, C), and what to remember now."""
        raise NotImplementedError

    def output(self) -> tuple[Tensor, Tensor | None]:
        """Weight (V, C) and bias (V,) or None of the last layer, from features to logits."""
        raise NotImplementedError

    def begin_state(self, batch_size: int) -> Any:
        """What `features` takes as the memory of an empty text, ready to be moved on; None where nothing is remembered."""
        return None

    def logits(self, features: Tensor) -> Tensor:
        """(..., C) -> (..., V): unnormalised log-probabilities of the next token."""
        return linear(features, *self.output())

    def forward(self, ids: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Logits (B, T, V) of the token after each position, and the state after the last."""
        features, state = self.features(ids, state)
        return self.logits(features), state

    def loss(self, ids: Tensor, targets: Tensor, state: Any = None, *, chunk: int = 512) -> tuple[Tensor, Any]:
        """Mean cross-entropy in nats of the targets (B, T), positions marked IGNORE left out; and the state after the last."""
        features, state = self.features(ids, state)
        weight, bias = self.output()
        kept = targets != IGNORE
        if features.shape[:-1] == kept.shape and not bool(kept.all()):  # a prompt needs no logits: they are the expensive part
            features, targets = features[kept], targets[kept]
        return chunked_cross_entropy(features, weight, targets, bias, chunk=chunk), state

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    # --- judging

    def score(self, ids: Sequence[int]) -> np.ndarray:
        """Natural-log probability (T,), float64, of each id given all before it; the first given the start symbol."""
        return self.score_batch([ids])[0]

    @torch.inference_mode()
    def score_batch(self, documents: Sequence[Sequence[int]], batch_size: int = 16) -> list[np.ndarray]:
        """`score` of many documents, in batches of similar length; dropout is off meanwhile."""
        documents = [check_ids(d, self.vocab_size) for d in documents]
        results: list[np.ndarray] = [np.zeros(len(d)) for d in documents]
        windows = [w for n, d in enumerate(documents) for w in self._windows(n, len(d))]
        windows.sort(key=lambda w: w[2] - w[1])
        with evaluating(self):
            for at in range(0, len(windows), batch_size):
                part = windows[at : at + batch_size]
                inputs = [
                    [self.start_id, *documents[n][: last - 1]] if first == 0 else documents[n][first - 1 : last - 1]
                    for n, first, last, _ in part
                ]
                features, _ = self.features(pad(inputs, self.start_id).to(self.device))
                for row, (n, first, last, new) in zip(features, part):
                    for some in range(new, last, 128):  # not all logits at once: V may be large
                        end = min(some + 128, last)
                        targets = torch.as_tensor(documents[n][some:end], device=self.device)
                        log_probs = self.logits(row[some - first : end - first]).double().log_softmax(-1)  # (128, V)
                        results[n][some:end] = log_probs.gather(1, targets[:, None]).squeeze(1).cpu().numpy()
        return results

    def _windows(self, number: int, length: int) -> list[tuple[int, int, int, int]]:
        """How a document is read: (number, first, last, new); the tokens new:last are scored by what stands in first:last."""
        limit = self.context_length
        if length == 0:
            return []
        if limit is None or length <= limit:
            return [(number, 0, length, 0)]
        step = max(1, limit // 2)
        windows, first, new = [], 0, 0
        while new < length:
            last = min(first + limit, length)
            windows.append((number, first, last, new))
            first, new = first + step, last
        return windows

    # --- writing

    def begin(self, ids: Sequence[int] = (), *, start: bool = True) -> NeuralState:
        """The state after `ids`, counted from the start of a text.

        start: put the start symbol in front; False where the ids bring their own beginning, as those of a chat template do.
        Raises ValueError when nothing stands in the text then.
        """
        row = check_ids(ids, self.vocab_size).tolist()
        if not start and not row:
            raise ValueError("expected at least one id, got none; without a start symbol an empty text has no next token")
        return NeuralState(self, [self.start_id, *row] if start else row)


class NeuralState(State):
    """Where a network stands in a text; see `language_model.State`. What it remembers is the model's business."""

    def __init__(self, model: NeuralLM, row: list[int]):
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
    def log_probs(self) -> np.ndarray:
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

    def read_ahead(self, ids: Sequence[int]) -> np.ndarray:
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
