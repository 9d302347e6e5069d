"""What every language model of the course offers, and the one yardstick on which all of them are measured.

A language model gives, for every text so far, a probability for each possible next token. Counts, recurrent networks and
Transformers all offer the same small interface (`LanguageModel`): `score` for judging a text, `begin` with `advance` and
`fork` for writing one. `bits_per_byte` measures any of them on the same documents, whatever their tokenizer. NumPy only.

    documents = encode_documents(tokenizer, texts)      # ids, each document closed by the end-of-text id
    result = bits_per_byte(model, tokenizer, texts)     # result.score, result.low, result.high
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from . import metrics

__all__ = ["BitsPerByte", "LanguageModel", "Perplexity", "State", "Tokenizer", "Uniform", "bits_per_byte", "check_ids",
           "check_sums_to_one", "encode_documents", "end_of_text", "perplexity", "sample", "score_documents"]  # fmt: skip

END_OF_TEXT = "<|endoftext|>"


class State(Protocol):
    """Where a model stands in a text. log_probs: (V,) natural-log probabilities of the next id."""

    log_probs: np.ndarray

    def advance(self, id: int) -> None:
        """Move on by one token, in place."""

    def fork(self) -> State:
        """A cheap copy that can be advanced on its own (for trying several continuations)."""


@runtime_checkable
class LanguageModel(Protocol):
    """A probability for each next token, given all tokens before it.

    A model may also offer `score_batch(documents) -> list of arrays`; `score_documents` uses it where it is there.
    """

    vocab_size: int

    def score(self, ids: Sequence[int]) -> np.ndarray:
        """Natural-log probability (T,), float64, of each id given all before it (the first given the start of a text)."""

    def begin(self, ids: Sequence[int] = ()) -> State:
        """The state after `ids`, counted from the start of a text."""


class Tokenizer(Protocol):
    """Text to ids and back, without loss. The end of a text is `end_id`, or the special token "<|endoftext|>"."""

    vocab_size: int

    def encode(self, text: str) -> list[int]: ...

    def decode(self, ids: Sequence[int]) -> str: ...


# ------------------------------------------------------------------------------------------------ ids and documents


def check_ids(ids: Sequence[int], vocab_size: int, what: str = "ids") -> np.ndarray:
    """ids as an int64 array (T,). Raises TypeError unless they are whole numbers, ValueError unless 0 <= id < vocab_size."""
    array = np.asarray(ids)
    if array.size == 0:
        return np.zeros(0, dtype=np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise TypeError(f"expected {what} as one flat sequence of whole numbers, got {array.dtype} of shape {array.shape}; "
                        "pass tokenizer.encode(text)")
    array = array.astype(np.int64, copy=False)
    low, high = int(array.min()), int(array.max())
    if low < 0 or high >= vocab_size:
        raise ValueError(f"expected {what} from 0 to {vocab_size - 1}, got {low if low < 0 else high}; "
                         "does the tokenizer belong to this model?")
    return array


def end_of_text(tokenizer: Tokenizer) -> int:
    """The id that closes a document: `tokenizer.end_id`, else that of the special token "<|endoftext|>".

    Raises ValueError when the tokenizer has neither.
    """
    if getattr(tokenizer, "end_id", None) is not None:
        return int(tokenizer.end_id)
    special = getattr(tokenizer, "special_tokens", None) or {}
    if END_OF_TEXT in special:
        return int(special[END_OF_TEXT])
    raise ValueError(f"the tokenizer has no end of text: give it an attribute end_id, or the special token {END_OF_TEXT}")


def encode_documents(tokenizer: Tokenizer, texts: Sequence[str]) -> list[np.ndarray]:
    """The ids of each text, closed by the end-of-text id: what the models of this course are trained and judged on.

    Raises TypeError when `texts` is one string.
    """
    if isinstance(texts, str):
        raise TypeError("expected a list of texts, got one string; write [text]")
    end = end_of_text(tokenizer)
    return [np.array([*tokenizer.encode(text), end], dtype=np.int64) for text in texts]


def score_documents(model: LanguageModel, documents: Sequence[Sequence[int]]) -> list[np.ndarray]:
    """`model.score` of each document; all at once where the model offers `score_batch`."""
    if hasattr(model, "score_batch"):
        return list(model.score_batch(documents))
    return [model.score(ids) for ids in documents]


# ----------------------------------------------------------------------------------------------------- the yardstick


@dataclass(frozen=True)
class BitsPerByte:
    """A measurement in bits per byte with its 95 % interval over documents. It reads as "1.620 [1.601, 1.640]"."""

    score: float
    low: float
    high: float
    n_documents: int
    n_tokens: int
    n_bytes: int
    bits: np.ndarray = field(repr=False, compare=False)  # (n_documents,) bits that each document costs
    bytes: np.ndarray = field(repr=False, compare=False)  # (n_documents,) its length in UTF-8

    @property
    def bytes_per_token(self) -> float:
        """How much text a token covers on average, the end-of-text tokens included."""
        return self.n_bytes / self.n_tokens

    @property
    def perplexity(self) -> Perplexity:
        """The same measurement as a perplexity: 2 ** (bits per byte * bytes per token). Its unit tells the length of a token."""
        unit = f"token of {self.bytes_per_token:.2f} bytes"
        return Perplexity(2.0 ** (self.score * self.bytes_per_token), unit, self.n_tokens)

    def __str__(self) -> str:
        return f"{self.score:.3f} [{self.low:.3f}, {self.high:.3f}]"


def bits_per_byte(model: LanguageModel, tokenizer: Tokenizer, texts: Sequence[str], *, n_resamples: int = 1000, seed: int = 0,
                  n_contexts: int = 20, tolerance: float = 1e-4) -> BitsPerByte:
    """How many bits a byte of text costs under the model: the lower, the better it predicts.

    The negative log2-probability of all tokens (end-of-text included) divided by the UTF-8 bytes of the raw texts. Unlike a
    perplexity it does not depend on how a text is cut into tokens. The interval is a bootstrap over documents.

    Refused with a ValueError, since the number would mean nothing: a model whose distribution does not sum to 1 (checked in
    `n_contexts` contexts of these texts) or whose `score` and `begin` disagree; a tokenizer that does not give the text
    back; no texts, or only empty ones. A token of probability 0 makes the result infinite: that is a true answer.
    """
    documents = encode_documents(tokenizer, texts)
    n_bytes = np.array([len(text.encode("utf-8")) for text in texts], dtype=float)
    if not n_bytes.sum() > 0:
        raise ValueError("expected at least one text with at least one byte, got none; bits per byte needs bytes")
    for text, ids in zip(texts, documents):
        if tokenizer.decode(ids[:-1].tolist()) != text:
            raise ValueError(f"the tokenizer does not give this text back: {text[:60]!r}; what it loses would not be paid for, "
                             "so the number would flatter")
    check_sums_to_one(model, documents, n_contexts=n_contexts, tolerance=tolerance, seed=seed)
    scores = score_documents(model, documents)
    bits = np.array([-np.sum(s) for s in scores]) / math.log(2)
    if np.isnan(bits).any():
        raise ValueError("the model scored a token with NaN (not a number); look for log of a negative number or inf - inf")
    score = float(bits.sum() / n_bytes.sum())
    low = high = score
    if math.isfinite(score):
        per_byte = lambda b, n: b.sum() / n.sum() if n.sum() else np.nan  # noqa: E731 (NaN: only empty texts were drawn)
        low, high = metrics.bootstrap_interval(per_byte, bits, n_bytes, n_resamples=n_resamples, seed=seed)
    return BitsPerByte(score, min(low, score), max(high, score), len(documents), sum(len(d) for d in documents),
                       int(n_bytes.sum()), bits, n_bytes)


def check_sums_to_one(model: LanguageModel, documents: Sequence[Sequence[int]], *, n_contexts: int = 20,
                      tolerance: float = 1e-4, score_tolerance: float = 0.05, seed: int = 0) -> float:
    """The largest distance of a next-token sum from 1 over sampled contexts of the documents.

    Contexts are prefixes of documents, the empty one among them. Raises ValueError when a sum is off by more than
    `tolerance`, or when `score` differs from the log-probability that `begin` shows for the same token by more than
    `score_tolerance` nats (it would judge by other numbers than it writes with).
    """
    rng = np.random.default_rng(seed)
    filled = [np.asarray(d) for d in documents if len(d)]
    if not filled:
        raise ValueError("expected at least one document with at least one token, got none")
    worst = 0.0
    for number in range(n_contexts):
        ids = filled[int(rng.integers(len(filled)))]
        cut = 0 if number == 0 else int(rng.integers(len(ids)))
        log_probs = np.asarray(model.begin(ids[:cut]).log_probs, dtype=np.float64)
        total = float(np.exp(log_probs).sum())
        if not abs(total - 1) <= tolerance:
            raise ValueError(f"after {cut} tokens {ids[max(0, cut - 4):cut].tolist()} the probabilities of the next token sum to "
                             f"{total:.6f}, expected 1: this is a score, not a language model, and no bits per byte or "
                             "perplexity can be computed from it. Normalize the model")
        worst = max(worst, abs(total - 1))
        scored = float(model.score(ids[:cut + 1])[-1])
        shown = float(log_probs[ids[cut]])
        if scored != shown and not abs(scored - shown) <= score_tolerance:
            raise ValueError(f"score says {scored:.4f} for token {int(ids[cut])} after {cut} tokens, begin(...).log_probs says "
                             f"{shown:.4f}: the two must be the same model")
    return worst


@dataclass(frozen=True)
class Perplexity:
    """A perplexity with its unit. Two of them compare only when their unit is the same."""

    value: float
    unit: str
    n: int

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        return f"{self.value:.4g} per {self.unit}"

    def __lt__(self, other: Perplexity) -> bool:
        if self.unit != other.unit:
            raise ValueError(f"a perplexity per {self.unit} and one per {other.unit} cannot be compared; use bits per byte")
        return self.value < other.value


def perplexity(log_probs: np.ndarray, *, unit: str, n: int | None = None) -> Perplexity:
    """exp of the mean negative log-probability: the model is as unsure as among that many equally likely tokens.

    log_probs: natural logs, any shape. unit: what one of them stands for ("word", "token", "byte"); it must be named. n: over
    how many units to average, if not one per log-probability (subword scores reported per word, say). Raises ValueError for
    no log-probabilities, positive ones or NaN. Source: Jelinek, Mercer, Bahl, Baker 1977.
    """
    values = np.asarray(log_probs, dtype=np.float64).ravel()
    n = len(values) if n is None else n
    if len(values) == 0 or n < 1:
        raise ValueError(f"expected at least one log-probability and n >= 1, got {len(values)} and n = {n}")
    if not unit:
        raise ValueError('expected a unit such as "word" or "token": a perplexity without its unit has no meaning')
    if np.isnan(values).any() or values.max() > 1e-9:
        raise ValueError(f"expected natural-log probabilities, all <= 0, got {values.max()}; pass np.log(p)")
    mean = float(-values.sum() / n)
    return Perplexity(math.exp(mean) if mean < 700 else math.inf, unit, int(n))


# ----------------------------------------------------------------------------------------- the simplest model, sampling


class Uniform:
    """Every token equally likely, always: the model that has learned nothing. log2(vocab_size) bits per token."""

    def __init__(self, vocab_size: int):
        if vocab_size < 1:
            raise ValueError(f"expected vocab_size >= 1, got {vocab_size}")
        self.vocab_size = vocab_size
        self.log_probs = np.full(vocab_size, -math.log(vocab_size))

    def score(self, ids: Sequence[int]) -> np.ndarray:
        return np.full(len(check_ids(ids, self.vocab_size)), -math.log(self.vocab_size))

    def begin(self, ids: Sequence[int] = ()) -> Uniform:
        check_ids(ids, self.vocab_size)
        return self

    def advance(self, id: int) -> None:
        check_ids([id], self.vocab_size)

    def fork(self) -> Uniform:
        return self  # nothing changes, so nothing needs copying


def sample(model: LanguageModel, ids: Sequence[int] = (), *, max_tokens: int = 100, end_id: int | None = None,
           rng: np.random.Generator | int = 0) -> list[int]:
    """Write: draw each next token from the model's own distribution, until `end_id` (not returned) or `max_tokens`.

    ids: the prompt, not returned. rng: a NumPy generator or a seed. Chapter 10 has the other ways to choose a token.
    """
    rng = np.random.default_rng(rng)
    state, written = model.begin(ids), []
    for _ in range(max_tokens):
        p = np.exp(state.log_probs)
        chosen = int(rng.choice(len(p), p=p / p.sum()))
        if chosen == end_id:
            break
        written.append(chosen)
        state.advance(chosen)
    return written
