"""A famous mistake, kept apart as a warning: backoff without discount and without weights. It is not a language model.

The share of the longest n-gram that was seen, c(u w) / c(u), else that of a shorter one, else add-one unigrams
(c(w) + 1) / (N + V). What unseen words get from the shorter contexts comes on top of what the seen ones already have, so the
numbers sum to more than 1 (23/13 on the toy of chapter 06), and any "perplexity" computed from them flatters. As a ranking
it is usable: "stupid backoff" (Brants and others 2007) does not claim to be more. `language_model.bits_per_byte` refuses it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from helpers.models.language_model import Ids, State, check_ids
from helpers.models.ngram_counts import NgramCounts

__all__ = ["BrokenBackoff"]


class BrokenBackoff:
    """Scores in the shape of a language model; they do not sum to 1. Use `ngram.kneser_ney` for a model that does.

    >>> from helpers.models.ngram_counts import count_ngrams
    >>> model = BrokenBackoff(count_ngrams([[0, 1, 2, 3], [4, 0, 1, 2]], order=2, vocab_size=5))
    >>> round(np.exp(model.begin([0]).log_probs).sum().item(), 3)  # 23 / 13, not 1
    1.769
    """

    def __init__(self, counts: NgramCounts, order: int | None = None):
        """counts: from `ngram_counts.count_ngrams`. Raises ValueError for an order that was not counted."""
        order = counts.order if order is None else order
        if not 1 <= order <= counts.order:
            raise ValueError(f"expected an order from 1 to {counts.order} (what was counted), got {order}")
        self.counts, self.order, self.vocab_size = counts, order, counts.vocab_size
        self._unigrams = (counts.levels[0].counts[:-1] + 1) / (counts.n_tokens + counts.vocab_size)

    def score(self, ids: Ids) -> np.ndarray:
        return self.score_batch([ids])[0]

    def score_batch(self, documents: Sequence[Ids]) -> list[np.ndarray]:
        """The logarithm of each token's score, per document. Not log-probabilities: they are too high."""
        located = self.counts.locate(documents)
        scores = self._unigrams[located.grams[0]]
        for k in range(1, self.order):
            level, context, gram = self.counts.levels[k], located.contexts[k], located.grams[k]
            totals, seen = level.per_context(level.counts), (gram >= 0) & (level.counts[gram] > 0)
            scores = np.where(seen, level.counts[gram] / np.maximum(totals[context], 1), scores)
        return np.split(np.log(scores), np.cumsum([len(d) for d in documents])[:-1]) if len(documents) else []

    def begin(self, ids: Ids = (), *, start: bool = True) -> _State:
        before = self.counts.start()[: self.order - 1] if start else ()
        return _State(self, before + tuple(check_ids(ids, self.vocab_size).tolist()))


class _State(State):
    def __init__(self, model: BrokenBackoff, context: tuple[int, ...]):
        self.model, self.context = model, context[max(0, len(context) - (model.order - 1)) :]

    @property
    def log_probs(self) -> np.ndarray:  # type: ignore[override]  # worked out when asked for
        counts, scores = self.model.counts, self.model._unigrams.copy()
        for k, node in enumerate(counts.nodes(self.context)[: self.model.order]):
            if k == 0:
                continue
            words, where = counts.following(k + 1, node)
            c = counts.levels[k].counts[where]
            keep = (words < counts.vocab_size) & (c > 0)
            scores[words[keep]] = c[keep] / max(c.sum(), 1)
        return np.log(scores)

    def advance(self, id: int) -> None:
        check_ids([id], self.model.vocab_size)
        context = (*self.context, int(id))
        self.context = context[max(0, len(context) - (self.model.order - 1)) :]

    def fork(self) -> _State:
        return _State(self.model, self.context)
