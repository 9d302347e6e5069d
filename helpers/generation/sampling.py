"""From probabilities to text: the common ways to choose the next token, on every language model of the course.

Each filter is a small function on scores (V,), logits or log-probabilities: what it rules out becomes -inf, the rest stays.
A `Sampler` applies them in one fixed order - penalties, temperature, top-k, top-p, min-p, typical - since not all of them
commute. `generate` writes with a sampler on anything that offers `begin` (`language_model.LanguageModel`). NumPy only.

    sampler = Sampler(temperature=0.8, top_p=0.9)
    written = generate(model, tokenizer.encode("The river"), sampler, max_tokens=40, stop_ids=[end], rng=0)
    written.ids, written.reason          # reason: "stop id", "stop" or "length"
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from helpers.models.language_model import LanguageModel, check_ids

__all__ = [
    "Generated",
    "GREEDY",
    "Sampler",
    "cut_at",
    "frequency_penalty",
    "generate",
    "min_p",
    "presence_penalty",
    "repetition_penalty",
    "scores_of",
    "softmax",
    "stop_at",
    "temperature",
    "top_k",
    "top_p",
    "typical",
]


def softmax(scores: np.ndarray) -> np.ndarray:
    """Probabilities (..., V) of scores; -inf gives exactly 0. Raises ValueError when every score of a row is -inf."""
    scores = np.asarray(scores, dtype=np.float64)
    largest = scores.max(-1, keepdims=True)
    if not np.isfinite(largest).all():
        raise ValueError("no token is left to choose from: every score is -inf, or one is NaN; loosen the filters")
    e = np.exp(scores - largest)
    return e / e.sum(-1, keepdims=True)


# -------------------------------------------------------------------------------------------------------------- filters


def temperature(scores: np.ndarray, T: float) -> np.ndarray:
    """scores / T: below 1 the favorites gain, above 1 they lose; no token is ruled out.

    Raises ValueError unless T > 0: the limit T = 0 is the greedy choice and has its own branch (`Sampler(temperature=0)`).
    """
    if not T > 0:
        raise ValueError(f"expected a temperature above 0, got {T}; for the greedy choice use Sampler(temperature=0)")
    return np.asarray(scores, dtype=np.float64) / T


def top_k(scores: np.ndarray, k: int) -> np.ndarray:
    """Keep the k largest scores, exactly k also where scores are equal (of equals, the smaller id). Fan et al. 2018.

    Raises ValueError for k < 1. A k beyond V keeps all.
    """
    if k < 1:
        raise ValueError(f"expected k of at least 1, got {k}; leave top-k out with top_k=0 in Sampler")
    scores = np.asarray(scores, dtype=np.float64)
    return _keep(scores, _by_size(scores)[:k])


def top_p(scores: np.ndarray, p: float) -> np.ndarray:
    """Keep the smallest set of likeliest tokens that together reach the probability p (the nucleus). Holtzman et al. 2020.

    The token that crosses the threshold belongs to the set, so at least one stays. Raises ValueError unless 0 < p <= 1.
    """
    if not 0 < p <= 1:
        raise ValueError(f"expected top-p in (0, 1], got {p}; p = 1 keeps every token")
    scores = np.asarray(scores, dtype=np.float64)
    if p == 1:  # rounding in the sum must not cost a rare token
        return scores
    order = _by_size(scores)
    before = np.cumsum(softmax(scores)[order]) - softmax(scores)[order]  # probability of all likelier tokens
    return _keep(scores, order[before < p - 1e-12])


def min_p(scores: np.ndarray, p: float) -> np.ndarray:
    """Keep the tokens with at least p times the probability of the likeliest one. Nguyen et al. 2024.

    So the floor moves: many survive where the model is unsure, few where it is sure. Raises ValueError unless 0 <= p <= 1.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"expected min-p in [0, 1], got {p}")
    scores = np.asarray(scores, dtype=np.float64)
    probs = softmax(scores)
    return np.where(probs >= p * probs.max(), scores, -np.inf)


def typical(scores: np.ndarray, p: float) -> np.ndarray:
    """Keep the tokens whose surprise -ln p is closest to the expected surprise (the entropy), until they reach p together.

    Raises ValueError unless 0 < p <= 1. Source: Meister et al. 2023, Locally typical sampling.
    """
    if not 0 < p <= 1:
        raise ValueError(f"expected typical p in (0, 1], got {p}; p = 1 keeps every token")
    scores = np.asarray(scores, dtype=np.float64)
    if p == 1:
        return scores
    probs = softmax(scores)
    with np.errstate(divide="ignore", invalid="ignore"):
        surprise = -np.log(probs)
        entropy = np.nansum(probs * np.where(probs > 0, surprise, 0))
    order = np.argsort(np.abs(surprise - entropy), kind="stable")
    before = np.cumsum(probs[order]) - probs[order]
    return _keep(scores, order[before < p - 1e-12])


def _by_size(scores: np.ndarray) -> np.ndarray:
    return np.argsort(-scores, kind="stable")


def _keep(scores: np.ndarray, kept: np.ndarray) -> np.ndarray:
    out = np.full_like(scores, -np.inf)
    out[kept] = scores[kept]
    return out


# ------------------------------------------------------------------------------------------------------------ penalties


def repetition_penalty(scores: np.ndarray, seen: Collection[int], penalty: float) -> np.ndarray:
    """Make each token that was seen less likely: positive scores are divided by the penalty, negative ones multiplied.

    It needs logits: where scores are log-probabilities, all are negative and the effect is another one.
    Raises ValueError unless penalty > 0; 1 changes nothing. Source: Keskar et al. 2019, CTRL.
    """
    if not penalty > 0:
        raise ValueError(f"expected a repetition penalty above 0, got {penalty}; 1 changes nothing")
    out = np.array(scores, dtype=np.float64)
    ids = np.fromiter(set(seen), dtype=np.int64)
    out[ids] = np.where(out[ids] > 0, out[ids] / penalty, out[ids] * penalty)
    return out


def presence_penalty(scores: np.ndarray, seen: Collection[int], penalty: float) -> np.ndarray:
    """Subtract the penalty, once, from each token that was seen."""
    out = np.array(scores, dtype=np.float64)
    out[np.fromiter(set(seen), dtype=np.int64)] -= penalty
    return out


def frequency_penalty(scores: np.ndarray, seen: Sequence[int], penalty: float) -> np.ndarray:
    """Subtract the penalty from each token as often as it was seen."""
    out = np.array(scores, dtype=np.float64)
    np.subtract.at(out, np.asarray(list(seen), dtype=np.int64), penalty)
    return out


# -------------------------------------------------------------------------------------------------------------- sampler


@dataclass(frozen=True)
class Sampler:
    """How to choose a token: settings whose defaults change nothing. Raises ValueError for settings out of range.

    temperature: 0 is the greedy choice. top_k: 0 keeps all. The penalties look at everything written and at the prompt.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    typical_p: float = 1.0
    repetition: float = 1.0
    presence: float = 0.0
    frequency: float = 0.0

    def __post_init__(self):
        if not self.temperature >= 0:
            raise ValueError(f"expected a temperature of 0 (greedy) or more, got {self.temperature}")
        if self.top_k < 0 or not 0 < self.top_p <= 1 or not 0 <= self.min_p <= 1 or not 0 < self.typical_p <= 1:
            raise ValueError(
                f"expected top_k >= 0, top_p, typical_p in (0, 1], min_p in [0, 1], got {self.top_k}, {self.top_p}, "
                f"{self.typical_p}, {self.min_p}"
            )
        if not self.repetition > 0:
            raise ValueError(f"expected a repetition penalty above 0 (1 changes nothing), got {self.repetition}")

    def scores(self, scores: np.ndarray, seen: Sequence[int] = ()) -> np.ndarray:
        """Scores (V,) after penalties, temperature and filters, in this order; what is ruled out is -inf."""
        scores = np.asarray(scores, dtype=np.float64)
        if len(seen) and self.repetition != 1:
            scores = repetition_penalty(scores, seen, self.repetition)
        if len(seen) and self.presence:
            scores = presence_penalty(scores, seen, self.presence)
        if len(seen) and self.frequency:
            scores = frequency_penalty(scores, seen, self.frequency)
        if self.temperature == 0:
            return _keep(scores, np.array([int(np.argmax(scores))]))
        if self.temperature != 1:
            scores = temperature(scores, self.temperature)
        for filter_, setting, off in (
            (top_k, self.top_k, 0),
            (top_p, self.top_p, 1),
            (min_p, self.min_p, 0),
            (typical, self.typical_p, 1),
        ):
            if setting != off:
                scores = filter_(scores, setting)
        return scores

    def probs(self, scores: np.ndarray, seen: Sequence[int] = ()) -> np.ndarray:
        """The distribution (V,) that is drawn from."""
        return softmax(self.scores(scores, seen))

    def choose(self, scores: np.ndarray, seen: Sequence[int], rng: np.random.Generator) -> int:
        """One id, drawn from `probs`; without any randomness where only one is left."""
        p = self.probs(scores, seen)
        return int(np.argmax(p)) if self.temperature == 0 else int(rng.choice(len(p), p=p))


GREEDY = Sampler(temperature=0)


def scores_of(state: Any) -> np.ndarray:
    """The logits of a state where the model has some (networks), else its log-probabilities (counts): (V,) float64."""
    logits = getattr(state, "logits", None)
    return np.asarray(state.log_probs if logits is None else logits.double().cpu().numpy(), dtype=np.float64)


def cut_at(text: str, stops: Sequence[str]) -> str:
    """The text before the first of the stop strings; all of it where none occurs. Raises ValueError for an empty stop string."""
    if not all(stops):
        raise ValueError("expected stop strings that are not empty; an empty one would stop before anything is written")
    return text[: min([text.index(s) for s in stops if s in text], default=len(text))]


def stop_at(tokenizer: Any, stops: Sequence[str]) -> Callable[[list[int]], bool]:
    """A `stop` for `generate`: whether the text so far holds a stop string, which may begin in one token and end in another.

    What the last token brings beyond it must still be removed: `cut_at(tokenizer.decode(ids), stops)`.
    """
    cut_at("", stops)
    return lambda ids: any(s in tokenizer.decode(ids) for s in stops)


@dataclass
class Generated:
    """A text that was written. ids: without prompt and stop id. log_probs: natural-log probability of each id under the model
    itself, before any filter. reason: why it ended: "stop id", "stop" (the stop function said so) or "length"."""

    ids: list[int] = field(default_factory=list)
    log_probs: list[float] = field(default_factory=list)
    reason: str = "length"

    @property
    def mean_log_prob(self) -> float:
        """Mean log-probability of a token; 0 for an empty text."""
        return float(np.mean(self.log_probs)) if self.log_probs else 0.0


def generate(
    model: LanguageModel,
    prompt: Sequence[int] = (),
    sampler: Sampler = Sampler(),
    *,
    max_tokens: int = 50,
    stop_ids: Collection[int] = (),
    stop: Callable[[list[int]], bool] | None = None,
    allowed: Any = None,
    start: bool = True,
    rng: np.random.Generator | int = 0,
) -> Generated:
    """Write up to `max_tokens` tokens after the prompt.

    stop_ids: ends the text and is not part of it. stop: called with the ids so far after each token; True ends the text.
    start: put the model's start symbol before the prompt; False for a chat template, which brings its own beginning.
    allowed: a constraint with `mask() -> (V,) bool` and `advance(id)` (see `constrained`). rng: a generator or a seed.
    Raises ValueError for max_tokens < 0, ids out of range, or when a constraint leaves nothing to choose.
    """
    if max_tokens < 0:
        raise ValueError(f"expected max_tokens of at least 0, got {max_tokens}")
    rng = np.random.default_rng(rng)
    seen = check_ids(prompt, model.vocab_size, "prompt").tolist()
    stop_ids = set(check_ids(sorted(stop_ids), model.vocab_size, "stop_ids").tolist())
    out, state = Generated(), model.begin(seen) if start else model.begin(seen, start=False)
    for number in range(max_tokens):
        scores = scores_of(state)
        if allowed is not None:
            scores = np.where(allowed.mask(), scores, -np.inf)
        id = sampler.choose(scores, seen, rng)
        if id in stop_ids:
            out.reason = "stop id"
            break
        out.ids.append(id)
        out.log_probs.append(float(state.log_probs[id]))
        seen.append(id)
        if allowed is not None:
            allowed.advance(id)
        if stop is not None and stop(out.ids):
            out.reason = "stop"
            break
        if number + 1 < max_tokens:
            state.advance(id)
    return out
