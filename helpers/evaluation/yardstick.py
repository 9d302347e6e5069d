"""The yardstick of all language models: bits per byte, and perplexity with its unit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from helpers.evaluation import intervals
from helpers.features.checks import numbers
from helpers.models.language_model import Ids, LanguageModel, Tokenizer, encode_documents, score_documents

__all__ = ["BitsPerByte", "Perplexity", "bits_per_byte", "check_sums_to_one", "perplexity"]


@dataclass(frozen=True)
class BitsPerByte:
    """A measurement in bits per byte with its 95 % interval over documents.

    >>> print(BitsPerByte(1.62, 1.601, 1.64, n_documents=9, n_tokens=300, n_bytes=1200, bits=np.ones(9), bytes=np.ones(9)))
    1.620 [1.601, 1.640]
    """

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


def bits_per_byte(
    model: LanguageModel,
    tokenizer: Tokenizer,
    texts: Sequence[str],
    *,
    n_resamples: int = 1000,
    seed: int = 0,
    n_contexts: int = 20,
    tolerance: float = 1e-4,
) -> BitsPerByte:
    """How many bits a byte of text costs under the model: the lower, the better it predicts.

    The negative log2-probability of all tokens (end-of-text included) divided by the UTF-8 bytes of the raw texts. Unlike a
    perplexity it does not depend on how a text is cut into tokens. The interval is a bootstrap over documents.

    Refused with a ValueError, since the number would mean nothing: a model whose distribution does not sum to 1 (checked in
    `n_contexts` contexts of these texts) or whose `score` and `begin` disagree; a tokenizer that does not give the text
    back; no texts, or only empty ones. A token of probability 0 makes the result infinite: that is a true answer.

    >>> from helpers.models.language_model import Uniform
    >>> from helpers.tokenizers import ByteTokenizer
    >>> round(bits_per_byte(Uniform(257), ByteTokenizer(), ["abc"]).score, 6)  # 4 tokens, the end among them: 4/3 log2 257
    10.674166
    """
    # 1. What is measured: every byte of the texts, through a tokenizer that loses none, by a model whose distributions sum to 1.
    documents = encode_documents(tokenizer, texts)
    n_bytes = np.array([len(text.encode("utf-8")) for text in texts], dtype=float)
    if not n_bytes.sum() > 0:
        raise ValueError("expected at least one text with at least one byte, got none; bits per byte needs bytes")
    for text, ids in zip(texts, documents):
        if tokenizer.decode(ids[:-1].tolist()) != text:
            raise ValueError(
                f"expected a tokenizer that gives every text back, got another text for {text[:60]!r}; what it loses would not "
                "be paid for, so the number would flatter"
            )
    check_sums_to_one(model, documents, n_contexts=n_contexts, tolerance=tolerance, seed=seed)
    # 2. The bits of each document, and their sum over all bytes with its interval.
    scores = score_documents(model, documents)
    bits = np.array([-np.sum(s) for s in scores]) / math.log(2)
    if np.isnan(bits).any():
        raise ValueError(
            "expected log-probabilities, got NaN (not a number) for a token; look for log of a negative number or inf - inf"
        )
    score = float(bits.sum() / n_bytes.sum())
    low = high = score
    if math.isfinite(score):
        per_byte = lambda b, n: b.sum() / n.sum() if n.sum() else np.nan  # noqa: E731 (NaN: only empty texts were drawn)
        low, high = intervals.bootstrap_interval(per_byte, bits, n_bytes, n_resamples=n_resamples, seed=seed)
    return BitsPerByte(
        score,
        min(low, score),
        max(high, score),
        len(documents),
        sum(len(d) for d in documents),
        int(n_bytes.sum()),
        bits,
        n_bytes,
    )


def check_sums_to_one(
    model: LanguageModel,
    documents: Sequence[Ids],
    *,
    n_contexts: int = 20,
    tolerance: float = 1e-4,
    score_tolerance: float = 0.05,
    seed: int = 0,
) -> float:
    """The largest distance of a next-token sum from 1 over sampled contexts of the documents.

    Contexts are prefixes of documents, the empty one among them. Raises ValueError when a sum is off by more than
    `tolerance`, or when `score` differs from the log-probability that `begin` shows for the same token by more than
    `score_tolerance` nats (it would judge by other numbers than it writes with).

    >>> from helpers.models.language_model import Uniform
    >>> check_sums_to_one(Uniform(4), [[0, 3, 2]])
    0.0
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
            raise ValueError(
                f"after {cut} tokens {ids[max(0, cut - 4) : cut].tolist()} the probabilities of the next token sum to "
                f"{total:.6f}, expected 1: this is a score, not a language model, and no bits per byte or "
                "perplexity can be computed from it. Normalize the model"
            )
        worst = max(worst, abs(total - 1))
        scored = float(model.score(ids[: cut + 1])[-1])
        shown = float(log_probs[ids[cut]])
        if scored != shown and not abs(scored - shown) <= score_tolerance:
            raise ValueError(
                f"expected score and begin to be the same model, got {scored:.4f} and {shown:.4f} for token {int(ids[cut])} "
                f"after {cut} tokens"
            )
    return worst


@dataclass(frozen=True)
class Perplexity:
    """A perplexity with its unit. Two of them compare only when their unit is the same.

    >>> print(Perplexity(17.0, "word", n=200))
    17 per word
    """

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

    >>> print(perplexity(np.log([0.1, 0.2, 0.05, 0.5, 0.3, 0.4, 0.15, 0.25]), unit="word"))
    5.081 per word
    """
    values = numbers(log_probs, "log_probs").ravel()
    n = len(values) if n is None else n
    if len(values) == 0 or n < 1:
        raise ValueError(f"expected at least one log-probability and n >= 1, got {len(values)} and n = {n}")
    if not unit:
        raise ValueError('expected a unit such as "word" or "token": a perplexity without its unit has no meaning')
    if np.isnan(values).any() or values.max() > 1e-9:
        raise ValueError(f"expected natural-log probabilities, all <= 0, got {values.max()}; pass np.log(p)")
    mean = float(-values.sum() / n)
    return Perplexity(math.exp(mean) if mean < 700 else math.inf, unit, int(n))
