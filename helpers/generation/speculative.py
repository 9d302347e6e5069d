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
import torch

from helpers.generation.sampling import Sampler, scores_of
from helpers.models.language_model import LanguageModel, check_ids
from helpers.models.neural import NeuralState, evaluating

__all__ = ["PromptLookup", "Speculated", "accept", "speculate"]


def accept(p: np.ndarray, q: np.ndarray, guess: int, rng: np.random.Generator) -> tuple[bool, int]:
    """Check one guess, drawn from q, against p, (V,) each: (kept, token), the token being the guess or a new draw.

    Kept with probability min(1, p/q); otherwise drawn from max(p - q, 0), normalised. Together that is a draw from p.
    """
    if rng.random() * q[guess] < p[guess]:
        return True, guess
    rest = np.maximum(p - q, 0)
    return False, int(rng.choice(len(p), p=rest / rest.sum()))


@dataclass
class Speculated:
    """What was written. rounds: how often guesses were checked, for a Transformer one run each; proposed, accepted: guesses in
    all, and those that were kept."""

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
    """Write with `target`, `draft` guessing `n_guesses` tokens ahead each round; both share one vocabulary.

    The sampler changes both distributions in the same way; penalties are refused, since they change with every token.
    start: put the target's start symbol before the prompt; False for a chat template, which brings its own beginning.
    Raises ValueError for different vocabularies, n_guesses < 1 or a sampler with penalties.
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
    large, small = target.begin(prompt) if start else target.begin(prompt, start=False), draft.begin(prompt)
    pending: list[int] = []  # the last token written: the large model reads it together with the next guesses, in one run
    while len(out.ids) < max_tokens:
        guesses, q = [], []
        ahead = small.fork()
        for _ in range(min(n_guesses, max_tokens - len(out.ids) - 1)):  # the large model adds one more
            q.append(sampler.probs(scores_of(ahead)))
            guesses.append(int(rng.choice(len(q[-1]), p=q[-1])))
            ahead.advance(guesses[-1])
        rows, after = read_ahead(large, pending + guesses)
        before, rows = rows, rows[len(pending) :]
        out.rounds += 1
        out.proposed += len(guesses)
        kept: list[int] = []
        for number in range(len(guesses) + 1):
            p = sampler.probs(rows[number])
            if number == len(guesses):
                kept.append(int(rng.choice(len(p), p=p)))  # every guess was kept: one token for free
                break
            good, token = accept(p, q[number], guesses[number], rng)
            kept.append(token)
            out.accepted += good
            if not good or token in stop_ids:
                break
        for number, token in enumerate(kept):
            if token in stop_ids:
                out.reason = "stop id"
                out.ids += kept[:number]
                return out
        out.ids += kept
        if len(out.ids) < max_tokens:
            large = settle(large, after, pending + guesses, pending + kept[:-1], before)
            pending = kept[-1:]
            for token in kept:
                small.advance(token)
    return out


class PromptLookup:
    """A draft without any weights: where the last tokens stood before in this text, guess what followed them then.

    Good where a text repeats itself or copies from its prompt. Source: Saxena 2023, Prompt lookup decoding.
    """

    def __init__(self, fallback: LanguageModel, *, longest: int = 3, share: float = 0.9):
        """fallback: guesses where nothing was found. longest: how many last tokens are looked up, at first. share: probability of
        what was found; the rest is the fallback's. Raises ValueError unless longest >= 1 and 0 < share < 1."""
        if longest < 1 or not 0 < share < 1:
            raise ValueError(f"expected longest >= 1 and share between 0 and 1, got {longest} and {share}")
        self.fallback, self.longest, self.share = fallback, longest, share
        self.vocab_size = fallback.vocab_size

    def begin(self, ids: Sequence[int] = ()) -> LookupState:
        return LookupState(self, list(check_ids(ids, self.vocab_size)), self.fallback.begin(ids))

    def score(self, ids: Sequence[int]) -> np.ndarray:
        state, scores = self.begin(), []
        for id in check_ids(ids, self.vocab_size).tolist():
            scores.append(float(state.log_probs[id]))
            state.advance(id)
        return np.array(scores)


class LookupState:
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
    def log_probs(self) -> np.ndarray:
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


def read_ahead(state: Any, ids: Sequence[int]) -> tuple[list[np.ndarray], Any]:
    """Scores (V,) of the next token before the first id and after each of them, and the state after all; `state` is kept.

    A network reads all ids at once: that is where the time is saved. Other models go step by step.
    """
    rows, after = [scores_of(state)], state.fork()
    if not ids:
        return rows, after
    limit = getattr(getattr(state, "model", None), "context_length", None)
    if isinstance(state, NeuralState) and (limit is None or len(state._row) + len(ids) <= limit):
        model = state.model
        with torch.inference_mode(), evaluating(model):
            features, after._memory = model.features(torch.tensor([list(ids)], device=model.device), after._memory)
            logits = model.logits(features[0])  # (n, V)
        after._row, after.logits, after._log_probs = [*state._row, *ids], logits[-1], None
        return rows + list(logits.double().cpu().numpy()), after
    for id in ids:
        after.advance(id)
        rows.append(scores_of(after))
    return rows, after


def settle(before: Any, after: Any, read: Sequence[int], good: Sequence[int], rows: Sequence[np.ndarray]) -> Any:
    """The state after the ids that were right: `after` has read them all, and is moved back to the last good one where it can.

    rows: the scores that `read_ahead` gave for `read`; good: its first ids.
    """
    if len(good) == len(read):
        return after
    same_window = isinstance(after, NeuralState) and len(after._row) == len(before._row) + len(read)
    if same_window and hasattr(after._memory, "truncate"):
        after._row = after._row[: len(before._row) + len(good)]
        after._memory.truncate(len(after._row))
        after.logits, after._log_probs = torch.as_tensor(rows[len(good)]).to(after.logits), None
        return after
    state = before.fork()  # a recurrent state cannot be moved back, so it is moved on again
    for id in good:
        state.advance(id)
    return state
