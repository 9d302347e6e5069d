"""Training only the upper blocks of a Transformer (layer freezing): what the lower blocks put out is computed once for each text.

With the lowest trained block at two thirds of the depth, a step costs a third of that of the whole model, and many runs over
the same texts share the rest. Losses and replies are those of the whole model.

Shapes: B batch, T time, C channels.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import torch

from helpers.finetuning import lora
from helpers.generation.batched import decode_rows
from helpers.models.chunked_loss import chunked_cross_entropy
from helpers.models.neural import label_log_probs
from helpers.models.transformer import Transformer
from helpers.tokenizers.labels import IGNORE
from helpers.training.batches import collate
from helpers.training.schedule import optimize

__all__ = ["Prompts", "Upper"]


class Upper:
    """The blocks of a Transformer from `first` on, fed with the streams (B, T, C) that the blocks below have put out."""

    def __init__(self, model: Transformer, first: int):
        """Freezes the whole model. Raises ValueError when no block would be left above or below."""
        if not 0 < first < len(model.blocks):
            raise ValueError(f"expected first from 1 to {len(model.blocks) - 1}, got {first}")
        self.model, self.first, self.blocks = model, first, model.blocks[first:]
        model.requires_grad_(False)
        self.kept = {n: p.clone() for n, p in self.blocks.named_parameters()}

    def restore(self) -> None:
        """Take every adaptation out again."""
        lora.remove_lora(self.blocks)
        with torch.no_grad():
            for n, p in self.blocks.named_parameters():
                p.copy_(self.kept[n])
        self.model.requires_grad_(False)

    def stem(self, ids, cache=None):
        """(B, T) ids -> (B, T, C): the stream before block self.first."""
        with torch.inference_mode(False), torch.no_grad():
            x, rotary = self.model.embed(ids)
            for block in self.model.blocks[: self.first]:
                x = block(x, rotary, cache)
        return x

    def stems(self, examples, batch: int = 20) -> list:
        """The streams (T - 1, C) of each example's inputs."""
        out = []
        for at in range(0, len(examples), batch):
            some = examples[at : at + batch]
            out += [x[: len(e.ids) - 1] for x, e in zip(self.stem(collate(some).x), some)]
        return out

    def features(self, x, cache=None):
        """(B, T, C) -> (B, T, C) after the last norm."""
        _, rotary = self.model.embed(torch.zeros(1, x.shape[1], dtype=torch.long))
        for block in self.blocks:
            x = block(x, rotary, cache)
        return self.model.norm(x)

    def batch(self, streams, examples, rows):
        """Streams padded to one length, and targets (B, T)."""
        return (
            torch.nn.utils.rnn.pad_sequence([streams[i] for i in rows], batch_first=True),
            collate([examples[i] for i in rows]).y,
        )

    def fit(self, parameters, streams, examples, *, steps: int, batch: int, rate: float, seed: int = 0, loss=None) -> list[float]:
        """Train with AdamW; the rate falls in a straight line after 5 steps of warm-up. Returns the loss of each step."""
        rng, order = np.random.default_rng(seed), []

        def loss_of(step: int) -> torch.Tensor:
            nonlocal order
            if len(order) < batch:
                order = rng.permutation(len(examples)).tolist()
            rows, order = order[:batch], order[batch:]
            x, y = self.batch(streams, examples, rows)
            return self.loss(x, y) if loss is None else loss(x, y, rows)

        falling = lambda step: rate * min(step / 5, 1) * (1 - 0.9 * (step - 1) / steps)  # noqa: E731
        return [round(value, 3) for value in optimize(parameters, loss_of, steps, falling, betas=(0.9, 0.99))]

    def loss(self, x, y):
        kept = y != IGNORE
        return chunked_cross_entropy(self.features(x)[kept], self.model.output()[0], y[kept])

    def nats(self, streams, examples, batch: int = 25) -> tuple[np.ndarray, np.ndarray]:
        """Nats of the labels of each example, and their number."""
        sums, counts = np.zeros(len(examples)), np.zeros(len(examples))
        fed_with_streams = SimpleNamespace(features=lambda x: (self.features(x), None), logits=self.model.logits)
        with torch.no_grad():
            for at in range(0, len(examples), batch):
                rows = list(range(at, min(at + batch, len(examples))))
                x, y = self.batch(streams, examples, rows)
                sums[rows], counts[rows] = -label_log_probs(fed_with_streams, x, y), (y != IGNORE).sum(1)
        return sums, counts


class Prompts:
    """Prompts with their streams and the cached keys and values of the lower blocks, for greedy replies again and again."""

    def __init__(self, upper: Upper, prompts: Sequence[Sequence[int]]):
        self.upper, self.n, self.groups = upper, len(prompts), []
        for length in sorted({len(p) for p in prompts}):
            rows = [i for i, p in enumerate(prompts) if len(p) == length]
            cache = upper.model.begin_state(len(rows))
            stream = upper.stem(torch.tensor([list(prompts[i]) for i in rows]), cache)
            self.groups.append((rows, stream, cache))

    def replies(self, max_tokens: int, end_id: int) -> list[tuple[list[int], bool]]:
        """The greedy reply to each prompt, and whether it ended by itself within max_tokens."""
        model = self.upper.model
        out: list[list[int]] = [[] for _ in range(self.n)]
        ended = [False] * self.n
        with torch.no_grad():
            for rows, stream, cache in self.groups:
                cache = copy.deepcopy(cache)

                def choose(last, rows=rows):
                    ids = model.logits(last).argmax(-1).tolist()
                    for i, id in zip(rows, ids):
                        ended[i] = ended[i] or id == end_id
                        if not ended[i]:
                            out[i].append(id)
                    return {} if all(ended[i] for i in rows) else dict(enumerate(ids))

                decode_rows(model, self.upper.features(stream, cache)[:, -1], cache, choose, max_tokens)
        return list(zip(out, ended))
