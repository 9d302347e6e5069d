"""Speculative decoding: a small model guesses some tokens ahead, the large one checks all of them in one go.

A guess that the large model likes as much is kept; else it is kept with the probability ratio, and where it is not, the token is
drawn from what the large model has more of. The text is then distributed exactly as if the large model had written alone,
whatever the small one guesses: a bad guesser costs time, never quality. Source: Leviathan et al. 2023; Chen et al. 2023.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from helpers.generation.sampling import Sampler
from helpers.models.language_model import Ids, LanguageModel, State, check_ids, scores_of

__all__ = ["PromptLookup", "Speculated", "accept", "speculate"]


def accept(p: np.ndarray, q: np.ndarray, guess: int, rng: np.random.Generator) -> tuple[bool, int]:
    """Check one guess, drawn from q, against p, (V,) each: (kept, token), the token being the guess or a new draw.

    Kept with probability min(1, p/q); otherwise drawn from max(p - q, 0), normalised. Together that is a draw from p.

    >>> accept(np.array([0.0, 1.0]), np.array([1.0, 0.0]), guess=0, rng=np.random.default_rng(0))  # impossible under p
    (False, 1)
    >>> accept(np.array([0.5, 0.5]), np.array([0.5, 0.5]), guess=0, rng=np.random.default_rng(0))
    (True, 0)
    """
    if rng.random() * q[guess] < p[guess]:
        return True, guess
    rest = np.maximum(p - q, 0)
    return False, int(rng.choice(len(p), p=rest / rest.sum()))


@dataclass
class Speculated:
    """What was written. rounds: how often guesses were checked, for a Transformer one run each; proposed, accepted: guesses in
    all, and those that were kept.

    >>> Speculated([1, 2, 3], rounds=1, proposed=4, accepted=2).acceptance
    0.5
    """

    ids: list[int] = field(default_factory=list)
    rounds: int = 0
    proposed: int = 0
    accepted: int = 0
    reason: str = "length"

    @property
    def acceptance(self) -> float:
        """The share of guesses that were kept."""
        return self.accepted / self.proposed if self.proposed else 0.0


def speculate(
    target: LanguageModel,
    draft: LanguageModel,
    prompt: Sequence[int] = (),
    sampler: Sampler | None = None,
    *,
    n_guesses: int = 4,
    max_tokens: int = 50,
    stop_ids: Collection[int] = (),
    start: bool = True,
    rng: np.random.Generator | int = 0,
) -> Speculated:
    """Write with `target`; `draft` guesses `n_guesses` tokens ahead each round (the draft length k). Both share one vocabulary.

    The sampler changes both distributions in the same way; penalties are refused, since they change with every token.
    start: put the start symbol before the prompt; False for a chat template, which brings its own beginning.
    Raises ValueError for different vocabularies, n_guesses < 1 or a sampler with penalties.

    >>> from helpers.models import count_ngrams, ngram
    >>> model = ngram.maximum_likelihood(count_ngrams([[1, 2, 3, 0]], order=2, vocab_size=4))
    >>> out = speculate(model, model, [1], max_tokens=2)  # a draft that is the target is always right
    >>> out.ids, out.rounds, out.acceptance
    ([2, 3], 1, 1.0)
    """
    sampler = sampler or Sampler()
    if target.vocab_size != draft.vocab_size:
        raise ValueError(
            f"expected one vocabulary, got {target.vocab_size} and {draft.vocab_size} tokens; a draft model must use the "
            "tokenizer of the target"
        )
    if n_guesses < 1 or max_tokens < 0:
        raise ValueError(f"expected n_guesses >= 1 and max_tokens >= 0, got {n_guesses} and {max_tokens}")
    if sampler.repetition != 1 or sampler.presence or sampler.frequency:
        raise ValueError("expected a sampler without penalties: they depend on each token before")
    rng = np.random.default_rng(rng)
    prompt, stop_ids = check_ids(prompt, target.vocab_size, "prompt").tolist(), set(stop_ids)
    out = Speculated()
    large, small = target.begin(prompt, start=start), draft.begin(prompt, start=start)
    pending: list[int] = []  # the last token written: the large model reads it together with the next guesses, in one run
    while len(out.ids) < max_tokens:
        # 1. The small model guesses; the large one adds a token of its own, so one guess less is wanted at the end.
        guesses, q = [], []
        ahead = small.fork()
        for _ in range(min(n_guesses, max_tokens - len(out.ids) - 1)):
            q.append(sampler.probs(scores_of(ahead)))
            guesses.append(int(rng.choice(len(q[-1]), p=q[-1])))
            ahead.advance(guesses[-1])
        # 2. The large model reads all guesses in one run.
        rows = large.read_ahead(pending + guesses)[len(pending) :]  # (guesses + 1, V)
        out.rounds += 1
        out.proposed += len(guesses)
        # 3. Check them in order, until one is refused or ends the text.
        kept: list[int] = []
        for guess, scores, q_guess in zip(guesses, rows, q):
            good, token = accept(sampler.probs(scores), q_guess, guess, rng)
            kept.append(token)
            out.accepted += good
            if not good or token in stop_ids:
                break
        else:  # every guess was kept: one token for free
            p = sampler.probs(rows[-1])
            kept.append(int(rng.choice(len(p), p=p)))
        # 4. The end?
        for number, token in enumerate(kept):
            if token in stop_ids:
                out.reason = "stop id"
                out.ids += kept[:number]
                return out
        out.ids += kept
        # 5. Take back what was read in vain. The last token that was written is read with the next guesses.
        if len(out.ids) < max_tokens:
            large.rewind(len(guesses) - (len(kept) - 1))
            pending = kept[-1:]
            for token in kept:
                small.advance(token)
    return out


class PromptLookup:
    """A draft without any weights: where the last tokens stood before in this text, guess what followed them then.

    Good where a text repeats itself or copies from its prompt. Source: Saxena 2023, Prompt lookup decoding.

    >>> from helpers.models.language_model import Uniform
    >>> state = PromptLookup(Uniform(9), share=0.9).begin([1, 2, 3, 5, 1, 2])
    >>> int(np.argmax(state.log_probs)), round(np.exp(state.log_probs[3]).item(), 3)  # 0.9 and a ninth of 0.1
    (3, 0.911)
    """

    def __init__(self, fallback: LanguageModel, *, longest: int = 3, share: float = 0.9):
        """fallback: guesses where nothing was found. longest: how many last tokens are looked up, at first. share: probability of
        what was found; the rest is the fallback's. Raises ValueError unless longest >= 1 and 0 < share < 1."""
        if longest < 1 or not 0 < share < 1:
            raise ValueError(f"expected longest >= 1 and share between 0 and 1, got {longest} and {share}")
        self.fallback, self.longest, self.share = fallback, longest, share
        self.vocab_size = fallback.vocab_size

    def begin(self, ids: Ids = (), *, start: bool = True) -> LookupState:
        return LookupState(self, check_ids(ids, self.vocab_size).tolist(), self.fallback.begin(ids, start=start))

    def score(self, ids: Ids) -> np.ndarray:
        state, scores = self.begin(), []
        for id in check_ids(ids, self.vocab_size).tolist():
            scores.append(float(state.log_probs[id]))
            state.advance(id)
        return np.array(scores)


class LookupState(State):
    """Where a `PromptLookup` stands: all tokens so far, and the fallback's state."""

    def __init__(self, model: PromptLookup, row: list[int], inner: Any):
        self.model, self._row, self._inner = model, row, inner

    def found(self) -> int | None:
        """The token that followed the last tokens when they stood in the text before, the longest match and the latest place."""
        row = self._row
        for n in range(min(self.model.longest, len(row) - 1), 0, -1):
            last = row[-n:]
            for at in range(len(row) - n - 1, -1, -1):
                if row[at : at + n] == last:
                    return int(row[at + n])
        return None

    @property
    def log_probs(self) -> np.ndarray:  # type: ignore[override]  # worked out when asked for
        guess, rest = self.found(), np.asarray(self._inner.log_probs)
        if guess is None:
            return rest
        p = (1 - self.model.share) * np.exp(rest)
        p[guess] += self.model.share
        with np.errstate(divide="ignore"):
            return np.log(p)

    def advance(self, id: int) -> None:
        self._inner.advance(id)
        self._row.append(int(id))

    def fork(self) -> LookupState:
        return LookupState(self.model, list(self._row), self._inner.fork())
