"""What every language model of the course offers, and the one yardstick on which all of them are measured.

A language model gives, for every text so far, a probability for each possible next token. Counts, recurrent networks and
Transformers all offer the same small interface (`LanguageModel`): `score` for judging a text, `begin` with `advance` and
`fork` for writing one. `bits_per_byte` measures any of them on the same documents, whatever their tokenizer. NumPy only.

    documents = encode_documents(tokenizer, texts)      # ids, each document closed by the end-of-text id
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

__all__ = [
    "LanguageModel",
    "State",
    "Tokenizer",
    "Uniform",
    "check_ids",
    "encode_documents",
    "end_of_text",
    "score_documents",
    "scores_of",
]

END_OF_TEXT = "<|endoftext|>"
Ids = Sequence[int] | np.ndarray  # token ids (T,)


class State(Protocol):
    """Where a model stands in a text. log_probs: (V,) natural-log probabilities of the next id.

    A subclass gives log_probs, `advance` and `fork`; reading ahead and rewinding follow from them. Networks do both faster.
    """

    log_probs: np.ndarray
    _ahead: Any = ()  # a fork from before the last reading ahead, and the ids that were read

    def advance(self, id: int) -> None:
        """Move on by one token, in place."""

    def fork(self) -> State:
        """A cheap copy that can be advanced on its own (for trying several continuations)."""

    def read_ahead(self, ids: Ids) -> np.ndarray:
        """Move on by several ids. Scores (n + 1, V) of the next token: before the first of the n ids, and after each."""
        before, rows = self.fork(), [scores_of(self)]
        for id in ids:
            self.advance(id)
            rows.append(scores_of(self))
        vars(self)["_ahead"] = before, list(ids)
        return np.array(rows)

    def rewind(self, n: int) -> None:
        """Take back the last n of the ids that `read_ahead` has just read. Raises ValueError for more than these."""
        before, ids = self._ahead or (self, [])
        if not 0 <= n <= len(ids):
            raise ValueError(f"expected n from 0 to {len(ids)}, the number of ids just read ahead, got {n}")
        if n == 0:
            return
        vars(self).update(vars(before.fork()))
        for id in ids[: len(ids) - n]:
            self.advance(id)
        vars(self)["_ahead"] = before, ids[: len(ids) - n]


@runtime_checkable
class LanguageModel(Protocol):
    """A probability for each next token, given all tokens before it.

    A model may also offer `score_batch(documents) -> list of arrays`; `score_documents` uses it where it is there.
    """

    vocab_size: int

    def score(self, ids: Ids) -> np.ndarray:
        """Natural-log probability (T,), float64, of each id given all before it (the first given the start of a text)."""

    def begin(self, ids: Ids = (), *, start: bool = True) -> State:
        """The state after `ids`, counted from the start of a text; with start=False from somewhere within one.

        start=False leaves the start symbol out. Networks read the ids alone, as a chat template wants it that brings its own
        beginning; counts know a shorter context; a model without a start symbol takes no notice.
        """


class Tokenizer(Protocol):
    """Text to ids and back, without loss. The end of a text is `end_id`, or the special token "<|endoftext|>"."""

    vocab_size: int

    def encode(self, text: str) -> list[int]: ...

    def decode(self, ids: Sequence[int]) -> str: ...


def scores_of(state: State) -> np.ndarray:
    """The logits of a state where the model has some (networks), else its log-probabilities (counts): (V,) float64.

    >>> scores_of(Uniform(2).begin([0])).round(2).tolist()
    [-0.69, -0.69]
    """
    logits = getattr(state, "logits", None)
    return np.asarray(state.log_probs if logits is None else logits.double().cpu().numpy(), dtype=np.float64)


# ------------------------------------------------------------------------------------------------ ids and documents


def check_ids(ids: Ids, vocab_size: int, what: str = "ids") -> np.ndarray:
    """ids as an int64 array (T,). Raises TypeError unless they are whole numbers, ValueError unless 0 <= id < vocab_size.

    >>> check_ids([3, 0], vocab_size=4).tolist()
    [3, 0]
    """
    array = np.asarray(ids)
    if array.size == 0:
        return np.zeros(0, dtype=np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise TypeError(
            f"expected {what} as one flat sequence of whole numbers, got {array.dtype} of shape {array.shape}; "
            "pass tokenizer.encode(text)"
        )
    array = array.astype(np.int64, copy=False)
    low, high = int(array.min()), int(array.max())
    if low < 0 or high >= vocab_size:
        raise ValueError(
            f"expected {what} from 0 to {vocab_size - 1}, got {low if low < 0 else high}; "
            "does the tokenizer belong to this model?"
        )
    return array


def end_of_text(tokenizer: Tokenizer) -> int:
    """The id that closes a document: `tokenizer.end_id`, else that of the special token "<|endoftext|>".

    Raises ValueError when the tokenizer has neither.

    >>> from helpers.tokenizers.plain import ByteTokenizer
    >>> end_of_text(ByteTokenizer())
    256
    """
    if (end_id := getattr(tokenizer, "end_id", None)) is not None:
        return int(end_id)
    special = getattr(tokenizer, "special_tokens", None) or {}
    if END_OF_TEXT in special:
        return int(special[END_OF_TEXT])
    raise ValueError(f"expected a tokenizer with an end of text, got none; give it end_id, or the special token {END_OF_TEXT}")


def encode_documents(tokenizer: Tokenizer, texts: Sequence[str]) -> list[np.ndarray]:
    """The ids of each text, closed by the end-of-text id: what the models of this course are trained and judged on.

    Raises TypeError when `texts` is one string.

    >>> from helpers.tokenizers.plain import ByteTokenizer
    >>> [d.tolist() for d in encode_documents(ByteTokenizer(), ["hi"])]
    [[104, 105, 256]]
    """
    if isinstance(texts, str):
        raise TypeError("expected a list of texts, got one string; write [text]")
    end = end_of_text(tokenizer)
    return [np.array([*tokenizer.encode(text), end], dtype=np.int64) for text in texts]


def score_documents(model: LanguageModel, documents: Sequence[Ids]) -> list[np.ndarray]:
    """`model.score` of each document; all at once where the model offers `score_batch`.

    >>> [s.round(2).tolist() for s in score_documents(Uniform(2), [[0], [1, 1]])]
    [[-0.69], [-0.69, -0.69]]
    """
    if hasattr(model, "score_batch"):
        return list(model.score_batch(documents))
    return [model.score(ids) for ids in documents]


# ---------------------------------------------------------------------------------------------------- the simplest model


class Uniform(State):
    """Every token equally likely, always: the model that has learned nothing. log2(vocab_size) bits per token.

    >>> Uniform(4).score([0, 3]).round(3).tolist()  # -ln 4
    [-1.386, -1.386]
    """

    def __init__(self, vocab_size: int):
        if vocab_size < 1:
            raise ValueError(f"expected vocab_size >= 1, got {vocab_size}")
        self.vocab_size = vocab_size
        self.log_probs = np.full(vocab_size, -math.log(vocab_size))

    def score(self, ids: Ids) -> np.ndarray:
        return np.full(len(check_ids(ids, self.vocab_size)), -math.log(self.vocab_size))

    def begin(self, ids: Ids = (), *, start: bool = True) -> Uniform:
        check_ids(ids, self.vocab_size)
        return self

    def advance(self, id: int) -> None:
        check_ids([id], self.vocab_size)

    def fork(self) -> Uniform:
        return self  # nothing changes, so nothing needs copying
