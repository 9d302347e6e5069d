"""What the recurrent networks of chapter 07 and the Transformers of chapter 08 share: the decoding interface.

A `NeuralLM` is a torch module that turns ids (B, T) into features (B, T, C) and those into logits (B, T, V). From these two
steps this module makes everything else: the training loss, and `score`, `score_batch` and `begin` of
`language_model.LanguageModel`, so that one yardstick and one sampler serve counts and networks alike.

Shapes: B batch, T time (tokens), C channels (width of the model), V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from helpers.models.chunked_loss import chunked_cross_entropy
from helpers.models.fast_linear import linear
from helpers.models.language_model import Ids, check_ids
from helpers.models.neural_state import NeuralState, evaluating
from helpers.tokenizers.labels import IGNORE

__all__ = ["NeuralLM", "NeuralState", "as_ids", "count_parameters", "evaluating", "label_log_probs", "pad"]


def pad(documents: Sequence[Ids], value: int) -> Tensor:
    """Documents of different lengths as one tensor (B, longest), filled up on the right with `value`.

    >>> pad([[1, 2, 3], [4]], value=0).tolist()
    [[1, 2, 3], [4, 0, 0]]
    """
    rows = [torch.as_tensor(np.asarray(d, dtype=np.int64)) for d in documents]
    return nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=value)


def count_parameters(model: nn.Module, trainable: bool = False) -> int:
    """How many numbers the model holds, shared (tied) ones counted once; with `trainable` only those that are trained.

    >>> count_parameters(nn.Linear(2, 3))  # 3 * 2 weights and 3 biases
    9
    """
    return sum(p.numel() for p in model.parameters() if p.requires_grad or not trainable)


def label_log_probs(model: Any, x: Tensor, y: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """(B,) natural-log probability of each row's labels, summed: of the y (B, T) that are not IGNORE, y[b, t] being the token
    after x[b, :t + 1]. Differentiable; a row without labels gives 0.

    model: anything with `features` and `logits`. dtype: what log-softmax and sum are computed in.

    >>> from helpers.models.rnn import RecurrentLM
    >>> model = RecurrentLM(4)
    >>> _ = nn.init.zeros_(model.embedding.weight)  # every token has probability 1/4 now
    >>> y = torch.tensor([[IGNORE, 2, 3], [IGNORE, IGNORE, 1]])
    >>> [round(p, 2) for p in label_log_probs(model, torch.zeros(2, 3, dtype=torch.long), y).tolist()]
    [-2.77, -1.39]
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

    >>> as_ids(torch.tensor([[0, 3]]), vocab_size=4).tolist()
    [[0, 3]]
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

    >>> class Bigram(NeuralLM):
    ...     vocab_size, start_id = 2, 0
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.table = nn.Parameter(torch.zeros(2, 2))
    ...     def features(self, ids, state=None):
    ...         return nn.functional.one_hot(ids, 2).float(), None
    ...     def output(self):
    ...         return self.table.T, None
    >>> Bigram().score([1, 0]).round(2).tolist()
    [-0.69, -0.69]
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

    def score(self, ids: Ids) -> np.ndarray:
        """Natural-log probability (T,), float64, of each id given all before it; the first given the start symbol."""
        return self.score_batch([ids])[0]

    @torch.inference_mode()
    def score_batch(self, documents: Sequence[Ids], batch_size: int = 16) -> list[np.ndarray]:
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

    def begin(self, ids: Ids = (), *, start: bool = True) -> NeuralState:
        """The state after `ids`, counted from the start of a text.

        start: put the start symbol in front; False where the ids bring their own beginning, as those of a chat template do.
        Raises ValueError when nothing stands in the text then.
        """
        row = check_ids(ids, self.vocab_size).tolist()
        if not start and not row:
            raise ValueError("expected at least one id, got none; without a start symbol an empty text has no next token")
        return NeuralState(self, [self.start_id, *row] if start else row)
