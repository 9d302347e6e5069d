"""From probabilities to text: the common ways to choose the next token, on every language model of the course.

A `Sampler` applies penalties, temperature, top-k, top-p, min-p and typical in this fixed order, since not all of them commute.
`generate_tokens` is the decoding loop for one text: it hands out each token as soon as it is written, `generate` collects them.
Both work on anything that offers `begin` (`language_model.LanguageModel`). NumPy only.

    sampler = Sampler(temperature=0.8, top_p=0.9)
    written = generate(model, tokenizer.encode("The river"), sampler, max_tokens=40, stop_ids=[end], rng=0)
    written.ids, written.reason          # reason: "stop id", "stop" or "length"
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from helpers.generation import filters
from helpers.models.language_model import LanguageModel, check_ids, scores_of

__all__ = ["GREEDY", "Generated", "Sampler", "Token", "cut_at", "generate", "generate_tokens", "scores_of", "stop_at"]


@dataclass(frozen=True)
class Sampler:
    """How to choose a token: settings whose defaults change nothing. Raises ValueError for settings out of range.

    temperature: 0 is the greedy choice. top_k: 0 keeps all. The penalties look at everything written and at the prompt.

    >>> Sampler(temperature=0.5, top_k=2).probs(np.log([0.5, 0.3, 0.2])).round(3).tolist()  # 0.25 and 0.09, made to sum to 1
    [0.735, 0.265, 0.0]
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
        if not 0 <= self.temperature < np.inf:
            raise ValueError(f"expected a finite temperature of 0 (greedy) or more, got {self.temperature}")
        if not np.isfinite([self.repetition, self.presence, self.frequency]).all():
            raise ValueError(f"expected finite penalties, got {self.repetition}, {self.presence} and {self.frequency}")
        if self.top_k < 0 or not 0 < self.top_p <= 1 or not 0 <= self.min_p <= 1 or not 0 < self.typical_p <= 1:
            raise ValueError(
                f"expected top_k >= 0, top_p, typical_p in (0, 1], min_p in [0, 1], got {self.top_k}, {self.top_p}, "
                f"{self.typical_p}, {self.min_p}"
            )
        if not self.repetition > 0:
            raise ValueError(f"expected a repetition penalty above 0 (1 changes nothing), got {self.repetition}")

    def scores(self, scores: np.ndarray, seen: Sequence[int] = ()) -> np.ndarray:
        """Scores (V,) after penalties, temperature and filters, in this order; what is ruled out is -inf."""
        scores = filters.numbers(scores)
        if len(seen) and self.repetition != 1:
            scores = filters.repetition_penalty(scores, seen, self.repetition)
        if len(seen) and self.presence:
            scores = filters.presence_penalty(scores, seen, self.presence)
        if len(seen) and self.frequency:
            scores = filters.frequency_penalty(scores, seen, self.frequency)
        if self.temperature == 0:
            return filters.keep(scores, np.array([int(np.argmax(scores))]))
        if self.temperature != 1:
            scores = filters.temperature(scores, self.temperature)
        choices: tuple[tuple[Callable, float, int], ...] = (
            (filters.top_k, self.top_k, 0),
            (filters.top_p, self.top_p, 1),
            (filters.min_p, self.min_p, 0),
            (filters.typical, self.typical_p, 1),
        )
        for filter_, setting, off in choices:
            if setting != off:
                scores = filter_(scores, setting)
        return scores

    def probs(self, scores: np.ndarray, seen: Sequence[int] = ()) -> np.ndarray:
        """The distribution (V,) that is drawn from."""
        return filters.probabilities(self.scores(scores, seen))

    def choose(self, scores: np.ndarray, seen: Sequence[int], rng: np.random.Generator) -> int:
        """One id, drawn from `probs`; without any randomness where only one is left."""
        p = self.probs(scores, seen)
        return int(np.argmax(p)) if self.temperature == 0 else int(rng.choice(len(p), p=p))


GREEDY = Sampler(temperature=0)


def cut_at(text: str, stops: Sequence[str]) -> str:
    """The text before the first of the stop strings; all of it where none occurs. Raises ValueError for an empty stop string.

    >>> cut_at("Yes. User: and", ["User:", "System:"])
    'Yes. '
    """
    if not all(stops):
        raise ValueError("expected stop strings that are not empty; an empty one would stop before anything is written")
    return text[: min([text.index(s) for s in stops if s in text], default=len(text))]


def stop_at(tokenizer: Any, stops: Sequence[str]) -> Callable[[list[int]], bool]:
    """A `stop` for `generate`: whether the text so far holds a stop string, which may begin in one token and end in another.

    What the last token brings beyond it must still be removed: `cut_at(tokenizer.decode(ids), stops)`.

    >>> from helpers.tokenizers.plain import ByteTokenizer
    >>> stop = stop_at(ByteTokenizer(), ["no"])
    >>> stop([*b"a n"]), stop([*b"a no"])
    (False, True)
    """
    cut_at("", stops)
    return lambda ids: any(s in tokenizer.decode(ids) for s in stops)


@dataclass
class Generated:
    """A text that was written. ids: without prompt and stop id. log_probs: natural-log probability of each id under the model
    itself, before any filter. reason: why it ended: "stop id", "stop" (the stop function said so) or "length".

    >>> Generated([3, 1], [-1.0, -2.0]).mean_log_prob
    -1.5
    """

    ids: list[int] = field(default_factory=list)
    log_probs: list[float] = field(default_factory=list)
    reason: str = "length"

    @property
    def mean_log_prob(self) -> float:
        """Mean log-probability of a token; 0 for an empty text."""
        return float(np.mean(self.log_probs)) if self.log_probs else 0.0


class Token(NamedTuple):
    """One token that was written, and its natural-log probability under the model itself, before any filter.

    >>> Token(id=3, log_prob=-0.5).id
    3
    """

    id: int
    log_prob: float


def generate_tokens(
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
) -> Generator[Token, None, str]:
    """The tokens that `generate` would write, each as soon as it is there (streaming); returns why the text ended.

    The arguments are those of `generate`. Nothing is computed, and nothing raised, before the first token is asked for.

    >>> from helpers.models import count_ngrams, ngram
    >>> model = ngram.maximum_likelihood(count_ngrams([[1, 2, 3, 0]], order=2, vocab_size=4))
    >>> [token.id for token in generate_tokens(model, [1], stop_ids=[0])]
    [2, 3]
    """
    if max_tokens < 0:
        raise ValueError(f"expected max_tokens of at least 0, got {max_tokens}")
    rng = np.random.default_rng(rng)
    seen = check_ids(prompt, model.vocab_size, "prompt").tolist()
    stop_ids = set(check_ids(sorted(stop_ids), model.vocab_size, "stop_ids").tolist())
    written: list[int] = []
    state = model.begin(seen, start=start)
    for number in range(max_tokens):
        # 1. Choose among the tokens that are allowed.
        scores = scores_of(state)
        if allowed is not None:
            scores = np.where(allowed.mask(), scores, -np.inf)
        id = sampler.choose(scores, seen, rng)
        if id in stop_ids:
            return "stop id"
        # 2. Hand it out.
        written.append(id)
        seen.append(id)
        if allowed is not None:
            allowed.advance(id)
        yield Token(id, float(state.log_probs[id]))
        # 3. Read it, where one more is wanted.
        if stop is not None and stop(written):
            return "stop"
        if number + 1 < max_tokens:
            state.advance(id)
    return "length"


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
    """Write up to `max_tokens` tokens after the prompt, with any language model.

    stop_ids: ends the text and is not part of it. stop: called with the ids so far after each token; True ends the text.
    allowed: a constraint with `mask() -> (V,) bool` and `advance(id)` (see `constrained`). rng: a generator or a seed.
    start: put the model's start symbol before the prompt; False for a chat template, which brings its own beginning (counts know
    a shorter context then, and a model without a start symbol takes no notice; see `LanguageModel.begin`).
    Raises ValueError for max_tokens < 0, ids out of range, or when a constraint leaves nothing to choose.

    >>> from helpers.models import count_ngrams, ngram
    >>> model = ngram.maximum_likelihood(count_ngrams([[1, 2, 3, 0]], order=2, vocab_size=4))
    >>> generate(model, [1], stop_ids=[0])
    Generated(ids=[2, 3], log_probs=[0.0, 0.0], reason='stop id')
    """
    out = Generated()

    def tokens():
        out.reason = yield from generate_tokens(
            model, prompt, sampler, max_tokens=max_tokens, stop_ids=stop_ids, stop=stop, allowed=allowed, start=start, rng=rng
        )

    for token in tokens():
        out.ids.append(token.id)
        out.log_probs.append(token.log_prob)
    return out
