"""Beam search: follow the best few continuations side by side, and what its scores prefer.

A beam is a partial text with the sum of its log-probabilities. A sum prefers short texts, since every token costs something;
`length_penalty` divides it by length ** penalty: 0 leaves the sum, 1 is the mean per token. NumPy only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from helpers.models.language_model import LanguageModel, check_ids

__all__ = ["Beam", "Step", "beam_search"]


@dataclass(frozen=True)
class Beam:
    """A continuation. ids: without the prompt, the end id included where it ended. total: sum of log-probabilities (nats).

    >>> Beam((2, 5, 0), total=-0.9, ended=True, score=-0.3).ids
    (2, 5, 0)
    """

    ids: tuple[int, ...]
    total: float
    ended: bool
    score: float


@dataclass(frozen=True)
class Step:
    """One step of the search, for drawing it: the beams that went on, and those that ended at it.

    >>> Step(kept=(Beam((2,), -0.9, False, -0.9),), ended=()).kept[0].ids
    (2,)
    """

    kept: tuple[Beam, ...]
    ended: tuple[Beam, ...]


def beam_search(
    model: LanguageModel,
    prompt: Sequence[int] = (),
    *,
    width: int = 4,
    max_tokens: int = 30,
    end_id: int,
    length_penalty: float = 1.0,
    early_stopping: bool | Literal["never"] = False,
    steps: list[Step] | None = None,
) -> list[Beam]:
    """The best `width` continuations, best first.

    At each step every beam is continued by its likeliest tokens, and the best `width` of all go on. One that ends among the
    best `width` is set aside. At max_tokens the living ones are ranked with those set aside.

    early_stopping: when to stop before, once `width` texts are set aside. True: at once. False: when no living beam could enter
    with its score so far; a guess for length_penalty > 0, as a longer text divides by more. "never": when none could enter at
    any length, if its other tokens cost nothing; only then does stopping not change what is found.
    steps: a list that is filled with what happened. With width 1 and max_tokens reached it is the greedy choice.

    Raises ValueError for width < 1, max_tokens < 1, another early_stopping or ids out of range. Source: Graves 2012. All
    settings are those of transformers; the length penalty of Wu et al. 2016 is a little different.

    >>> from helpers.models import count_ngrams, ngram
    >>> texts = 3 * [[1, 3, 0]] + 3 * [[1, 4, 0]] + 4 * [[2, 5, 0]]  # "1" is likelier than "2", but then it is open what follows
    >>> model = ngram.maximum_likelihood(count_ngrams(texts, order=2, vocab_size=6))
    >>> for width in (1, 2):
    ...     best = beam_search(model, width=width, end_id=0)[0]
    ...     print(best.ids, round(np.exp(best.total).item(), 2))
    (1, 3, 0) 0.3
    (2, 5, 0) 0.4
    """
    if width < 1 or max_tokens < 1:
        raise ValueError(f"expected width and max_tokens of at least 1, got {width} and {max_tokens}")
    if not (isinstance(early_stopping, bool) or isinstance(early_stopping, str) and early_stopping == "never"):
        raise ValueError(f'expected early_stopping True, False or "never", got {early_stopping!r}')
    prompt = check_ids(prompt, model.vocab_size, "prompt").tolist()
    check_ids([end_id], model.vocab_size, "end_id")
    living: list[tuple[Beam, Any]] = [(Beam((), 0.0, False, 0.0), model.begin(prompt))]
    done: list[Beam] = []
    for length in range(1, max_tokens + 1):
        # 1. Every beam with every next token; twice as many as wanted, since some of them may end.
        rows = np.array([beam.total + np.asarray(state.log_probs) for beam, state in living])  # (beams, V)
        best = np.argsort(-rows, axis=None, kind="stable")[: 2 * width]
        # 2. Those that end among the best are set aside, the best of the others go on.
        kept: list[tuple[Beam, Any]] = []
        ended: list[Beam] = []
        for rank, place in enumerate(best):
            parent, id = divmod(int(place), rows.shape[1])
            total = float(rows[parent, id])
            if total == -np.inf:
                break
            beam = Beam((*living[parent][0].ids, id), total, id == end_id, total / length**length_penalty)
            if beam.ended and rank < width:
                ended.append(beam)
            elif not beam.ended and len(kept) < width:
                kept.append((beam, parent))
        done = sorted([*done, *ended], key=lambda b: -b.score)[:width]
        if steps is not None:
            steps.append(Step(tuple(b for b, _ in kept), tuple(ended)))
        # 3. Enough: the texts are as long as they may be, or nothing goes on, or nothing that does is waited for.
        if length == max_tokens:
            return sorted([*done, *(beam for beam, _ in kept)], key=lambda b: -b.score)[:width]
        best_length = max_tokens if early_stopping == "never" and length_penalty > 0 else length
        if (
            not kept
            or len(done) == width
            and (early_stopping is True or max(b.total for b, _ in kept) / best_length**length_penalty <= done[-1].score)
        ):
            break
        living = _advance(kept, [state for _, state in living])
    return done


def _advance(kept: list[tuple[Beam, int]], states: list[Any]) -> list[tuple[Beam, Any]]:
    """Give each beam a state of its own, moved on by its last token."""
    living = []
    for beam, parent in kept:
        state = states[parent].fork()
        state.advance(beam.ids[-1])
        living.append((beam, state))
    return living
