"""What the recurrent networks of chapter 07 and the Transformers of chapter 08 share: a loss, and the decoding interface.

A `NeuralLM` is a torch module that turns ids (B, T) into features (B, T, C) and those into logits (B, T, V). From these two
steps this module makes everything else: the training loss, and `score`, `score_batch` and `begin` of
`language_model.LanguageModel`, so that one yardstick and one sampler serve counts and networks alike.

Shapes: B batch, T time (tokens), C channels (width of the model), V vocabulary.
"""

from __future__ import annotations

import copy
import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .language_model import check_ids

__all__ = ["IGNORE", "Linear", "NeuralLM", "NeuralState", "as_ids", "chunked_cross_entropy", "count_parameters", "evaluating",
           "linear", "pad"]

IGNORE = -100  # a target that does not count: padding, and from chapter 09 on the prompt


# ------------------------------------------------------------------------------------------------------------- the loss


class _LinearCrossEntropy(torch.autograd.Function):
    """Cross-entropy of softmax(features @ weight.T + bias), a few rows at a time, gradients computed on the way."""

    @staticmethod
    def forward(ctx, features, weight, bias, targets, chunk):
        kept = targets != IGNORE
        n = kept.sum().clamp(min=1)
        total = torch.zeros((), dtype=torch.float32, device=features.device)
        trained = ctx.needs_input_grad[1]  # a frozen output layer needs no gradient: a third of the work saved
        d_features = torch.empty_like(features)
        d_weight = torch.zeros_like(weight, dtype=torch.float32) if trained else None
        d_bias = None if bias is None else torch.zeros_like(bias, dtype=torch.float32)
        for start in range(0, len(features), chunk):
            part, keep = features[start : start + chunk], kept[start : start + chunk]  # (chunk, C), (chunk,)
            y = targets[start : start + chunk].clamp(min=0)[:, None]  # (chunk, 1)
            logits = F.linear(part, weight, bias).float()  # (chunk, V)
            log_z = torch.logsumexp(logits, dim=-1, keepdim=True)
            total += ((log_z - logits.gather(1, y)).squeeze(1) * keep).sum()
            p = logits.sub_(log_z).exp_()  # softmax, in place: this is the largest array of the whole model
            p.scatter_add_(1, y, torch.full_like(y, -1, dtype=p.dtype))  # the gradient p - y of chapter 02
            p *= (keep / n)[:, None]
            p = p.to(part.dtype)
            torch.mm(p, weight.to(part.dtype), out=d_features[start : start + chunk])
            if trained:
                d_weight += p.T @ part
            if d_bias is not None:
                d_bias += p.sum(0)
        ctx.save_for_backward(d_features, d_weight, d_bias)
        return total / n

    @staticmethod
    def backward(ctx, grad):
        d_features, d_weight, d_bias = ctx.saved_tensors
        times = lambda d: None if d is None else grad * d  # noqa: E731
        return grad * d_features, times(d_weight), times(d_bias), None, None


def chunked_cross_entropy(features: Tensor, weight: Tensor, targets: Tensor, bias: Tensor | None = None, *,
                          chunk: int = 512) -> Tensor:
    """Mean cross-entropy in nats of the next-token logits `features @ weight.T + bias`, without storing all the logits.

    features: (..., C); weight: (V, C); targets: (...) ids, IGNORE where a position does not count. Loss and gradients equal
    those of F.cross_entropy on the full logits. chunk: how many positions at a time. Raises ValueError when shapes or devices do
    not fit, an id is out of range or chunk < 1, TypeError for targets that are no ids.
    """
    if chunk < 1:
        raise ValueError(f"expected a chunk of at least 1, got {chunk}")
    if weight.ndim != 2 or weight.shape[1] != features.shape[-1]:
        raise ValueError(f"expected weights of shape (V, {features.shape[-1]}), got {tuple(weight.shape)}")
    if targets.shape != features.shape[:-1]:
        raise ValueError(f"expected one target for each position, {tuple(features.shape[:-1])}, got {tuple(targets.shape)}")
    if targets.dtype != torch.int64:
        raise TypeError(f"expected targets as ids, a tensor of torch.int64, got {targets.dtype}")
    if targets.device != features.device:
        raise ValueError(f"expected targets on {features.device}, where the model is, got them on {targets.device}; write "
                         "targets.to(model.device)")
    flat = targets.reshape(-1)
    if flat.numel() and (int(flat.max()) >= len(weight) or int(flat.min()) < 0 and not bool((flat[flat < 0] == IGNORE).all())):
        raise ValueError(f"expected targets from 0 to {len(weight) - 1}, or {IGNORE} for positions that do not count; got "
                         f"{int(flat.min())} to {int(flat.max())}")
    if torch.is_autocast_enabled(features.device.type):
        dtype = torch.get_autocast_dtype(features.device.type)
        features, weight = features.to(dtype), weight.to(dtype)
    bias = None if bias is None else bias.to(features.dtype)
    return _LinearCrossEntropy.apply(features.reshape(-1, features.shape[-1]), weight, bias, flat, chunk)


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


def as_ids(ids: Tensor, vocab_size: int, context_length: int | None = None, *, past: int = 0,
           device: torch.device | None = None) -> Tensor:
    """ids, checked: (B, T) whole numbers from 0 to vocab_size - 1, together with `past` tokens at most context_length.

    Raises TypeError for another dtype, ValueError for another shape or device, ids outside the vocabulary, no tokens or too many.
    """
    if not isinstance(ids, Tensor) or ids.dtype not in (torch.int64, torch.int32):
        got = f"a tensor of {ids.dtype}" if isinstance(ids, Tensor) else type(ids).__name__
        raise TypeError(f"expected token ids as a tensor of whole numbers (torch.int64), got {got}; "
                        "write torch.tensor([tokenizer.encode(text)])")
    if ids.ndim != 2:
        raise ValueError(f"expected ids of shape (batch, time), got {tuple(ids.shape)}; for one text write ids[None, :]")
    if ids.shape[1] == 0:
        raise ValueError("expected at least one token, got none; a text begins with the start symbol, so pass [[model.start_id]]")
    if context_length is not None and past + ids.shape[1] > context_length:
        got = f"{past + ids.shape[1]} ({past} of them in the cache)" if past else ids.shape[1]
        raise ValueError(f"expected at most context_length = {context_length} tokens, got {got}; shorten the text, or use score "
                         "and begin, which move a window over it")
    if device is not None and ids.device != device:
        raise ValueError(f"expected ids on {device}, where the model is, got them on {ids.device}; write ids.to(model.device)")
    if ids.shape[0] and (int(ids.min()) < 0 or int(ids.max()) >= vocab_size):
        wrong = int(ids.min()) if int(ids.min()) < 0 else int(ids.max())
        raise ValueError(f"expected ids from 0 to {vocab_size - 1}, got {wrong}; does the tokenizer belong to this model?")
    return ids


@cache
def _amd() -> bool:
    """Is this an AMD processor? MKL, torch's matrix library on x86, treats it otherwise than Intel's."""
    cpuinfo = Path("/proc/cpuinfo")
    return "AuthenticAMD" in (cpuinfo.read_text() if cpuinfo.exists() else platform.processor())


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x @ weight.T + bias, as F.linear; but a single row on a CPU takes the way on which all threads read the matrix.

    While writing, each token is a product of every matrix with one vector, and its time is that of reading the matrix. Measured
    with torch 2.13 and two threads: on AMD a batch of equal parts of the matrix was twice as fast as F.linear; on Intel it has
    half the speed, and `mv` is as fast as F.linear, for the large output matrix twice as fast. Others take `mv`, unmeasured.
    """
    (V, C), parts = weight.shape, max(2, torch.get_num_threads())
    if x.numel() != C or x.device.type != "cpu" or x.dtype != weight.dtype or torch.is_grad_enabled():
        return F.linear(x, weight, bias)
    if not _amd():
        y = torch.mv(weight, x.reshape(C)).view(*x.shape[:-1], V)
    elif V % parts == 0:
        y = torch.bmm(weight.view(parts, V // parts, C), x.reshape(1, 1, C).mT.expand(parts, C, 1)).view(*x.shape[:-1], V)
    else:
        return F.linear(x, weight, bias)
    return y if bias is None else y + bias


class Linear(nn.Linear):
    """nn.Linear by way of `linear`: the same weights, faster for a single token."""

    def forward(self, x: Tensor) -> Tensor:
        return linear(x, self.weight, self.bias)


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
        if features.shape[:-1] == kept.shape and not bool(kept.all()):  # a prompt needs no logits: they are the dear part
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
                inputs = [[self.start_id, *documents[n][:last - 1]] if first == 0 else documents[n][first - 1 : last - 1]
                          for n, first, last, _ in part]
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


class NeuralState:
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
        self._log_probs = None

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
        other._memory = fork_memory(self._memory)
        return other


def fork_memory(memory: Any) -> Any:
    """A copy of what a model remembers: tensors are never changed in place, other objects know how to fork themselves."""
    if hasattr(memory, "fork"):
        return memory.fork()
    return memory
