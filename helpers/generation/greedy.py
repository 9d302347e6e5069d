"""Greedy writing for assistants: token by token, stoppable, and without reading the same beginning twice.

An assistant sends nearly the same prompt again and again: the rules, the worked examples, the chat so far. The key-value cache
of chapter 08 can be kept and cut back to what the new prompt shares with the old one. The text written is the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from helpers.generation.sampling import GREEDY, generate_tokens
from helpers.models.language_model import State
from helpers.models.neural import evaluating, label_log_probs
from helpers.models.transformer import Transformer
from helpers.tokenizers.labels import IGNORE

__all__ = ["Writer"]


class Writer:
    """Greedy writing with prefix caching: a model, its tokenizer, and the cache of the last prompt.

    Two threads may write: a lock lets one token at a time be read.

    tokenizer: anything with encode, decode and special_tokens (chapter 05's BPE with SmolLM2's vocabulary).

    >>> from types import SimpleNamespace
    >>> from helpers.models.transformer import Config
    >>> tokenizer = SimpleNamespace(special_tokens={"<|im_end|>": 0})
    >>> writer = Writer(Transformer(Config(vocab_size=9, hidden_dim=8, n_layers=1, n_heads=2)), tokenizer)
    >>> first, read = list(writer.write([1, 2, 3], max_tokens=1)), writer.tokens_read
    >>> list(writer.write([1, 2, 3], max_tokens=1)) == first, read, writer.tokens_read  # only the last token is read again
    (True, 3, 4)
    """

    def __init__(self, model: Transformer, tokenizer: Any, end: str = "<|im_end|>"):
        self.model, self.tokenizer, self.end_id = model, tokenizer, tokenizer.special_tokens[end]
        self._cache, self._read_ids = model.begin_state(1), []
        self._lock = threading.Lock()
        self.tokens_read = 0  # what went through the model, all prompts together; shared beginnings count once

    @property
    def vocab_size(self) -> int:
        return self.model.vocab_size

    def begin(self, ids: Sequence[int] = (), *, start: bool = True) -> _Place:
        """The state after `ids`, for `sampling.generate_tokens`."""
        return _Place(self, [self.model.start_id, *ids] if start else list(ids))

    def score(self, ids: Sequence[int]) -> np.ndarray:
        """Natural-log probability of each id, as `LanguageModel.score`; the cache is not touched."""
        return self.model.score(ids)

    @torch.inference_mode()
    def read(self, ids: Sequence[int]) -> torch.Tensor:
        """(V,) logits after these ids; what they share with the last ones is taken from the cache."""
        with self._lock, evaluating(self.model):
            return self._read_on(ids)

    def _read_on(self, ids: Sequence[int]) -> torch.Tensor:
        same = 0
        while same < min(len(ids) - 1, len(self._read_ids)) and ids[same] == self._read_ids[same]:
            same += 1
        self._cache.truncate(min(same, self._cache.length))
        new = list(ids[self._cache.length :])
        self._read_ids = []  # an interruption leaves the cache at an unknown length: then nothing of it is trusted
        features, _ = self.model.features(torch.tensor([new]), self._cache)
        self._read_ids = list(ids)
        self.tokens_read += len(new)
        return self.model.logits(features[0, -1])

    def write(
        self, ids: Sequence[int], max_tokens: int = 40, *, allowed: Any = None, stop: Callable[[], bool] | None = None
    ) -> Iterator[int]:
        """The likeliest next ids one by one, until the end mark (left out), max_tokens, or stop() is true.

        allowed: a constraint with mask() -> (V,) bool and advance(id), as in chapter 10; it decides about the end mark as well.
        Raises ValueError when prompt and answer do not fit into the model's context.
        """
        limit = self.model.context_length
        if len(ids) + max_tokens > limit:
            raise ValueError(
                f"expected prompt and answer within {limit} tokens, got {len(ids)} and {max_tokens}; use fewer or "
                "shorter sources, or forget a part of the chat"
            )
        if stop is not None and stop():
            return
        settings = dict(max_tokens=max_tokens, stop_ids=[self.end_id], allowed=allowed, start=False)
        for token in generate_tokens(self, ids, GREEDY, **settings):  # type: ignore[arg-type]  # it writes, but gives no scores
            yield token.id
            if stop is not None and stop():
                return

    def stream(self, ids: Sequence[int], max_tokens: int = 40, **settings: Any) -> Iterator[str]:
        """The text so far, after each token. A character that is still missing bytes is shown when it is whole."""
        written: list[int] = []
        for id in self.write(ids, max_tokens, **settings):
            written.append(id)
            yield self.tokenizer.decode(written).rstrip("\ufffd")

    def text(self, ids: Sequence[int], max_tokens: int = 40, **settings: Any) -> str:
        """The whole text."""
        return self.tokenizer.decode(list(self.write(ids, max_tokens, **settings)))

    @torch.inference_mode()
    def log_prob(self, before: Sequence[int], ids: Sequence[int]) -> float:
        """Natural-log probability of `ids` after `before`, summed. The cache is not touched. Raises ValueError for no ids."""
        if not before or not ids:
            raise ValueError("expected at least one id before and one to judge")
        x, y = torch.tensor([[*before, *ids[:-1]]]), torch.tensor([[IGNORE] * (len(before) - 1) + list(ids)])
        with evaluating(self.model):
            return float(label_log_probs(self.model, x, y, torch.float64))


class _Place(State):
    """A place in a text: only its ids. What the model makes of them the writer remembers, or reads again when they are asked for
    after another text."""

    def __init__(self, writer: Writer, row: list[int]):
        self._writer, self._row, self._logits = writer, row, None

    @property
    def logits(self) -> torch.Tensor:
        if self._logits is None:
            self._logits = self._writer.read(self._row)
        return self._logits

    @property
    def log_probs(self) -> np.ndarray:  # type: ignore[override]  # read only is enough
        return self.logits.double().log_softmax(-1).numpy()

    def advance(self, id: int) -> None:
        self._row, self._logits = [*self._row, id], None

    def fork(self) -> _Place:
        return _Place(self._writer, list(self._row))
