"""The n-gram language model: scoring, writing and drawing, whatever the smoothing; `ngram` says how it is made. NumPy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from helpers.models.language_model import Ids, State, check_ids
from helpers.models.ngram_counts import Located, NgramCounts

__all__ = ["NgramModel", "NgramState"]


@dataclass(frozen=True)
class NgramModel:
    """A smoothed n-gram model; it implements `language_model.LanguageModel`. Made by the functions of `ngram`.

    alphas[k - 1]: (G,) one number for each k-gram, or None where a length is not used. gammas[k - 1]: (C,) one for each of its
    contexts; 1 where the context was never followed by anything. base: the probability of each token below length 1.

    >>> from helpers.models.ngram import maximum_likelihood
    >>> from helpers.models.ngram_counts import count_ngrams
    >>> counts = count_ngrams([[0, 1], [0, 1], [0, 2]], order=2, vocab_size=3)
    >>> maximum_likelihood(counts).score([0, 1]).round(2).tolist()  # ln 1, ln 2/3
    [0.0, -0.41]
    """

    name: str
    counts: NgramCounts
    order: int
    alphas: tuple[np.ndarray | None, ...]
    gammas: tuple[np.ndarray | None, ...]
    base: float
    settings: tuple = ()

    @property
    def vocab_size(self) -> int:
        return self.counts.vocab_size

    @property
    def n_parameters(self) -> int:
        """How many numbers were learned: the k-grams that occurred, of all lengths in use, and their contexts."""
        used = [level for level, alpha in zip(self.counts.levels, self.alphas) if alpha is not None]
        return int(sum(np.count_nonzero(level.counts) + np.count_nonzero(np.diff(level.first)) for level in used))

    def score(self, ids: Ids) -> np.ndarray:
        """Natural-log probability (T,) of each id given all before it; -inf for probability 0. Raises for bad ids."""
        return self.score_batch([ids])[0]

    def score_batch(self, documents: Sequence[Ids]) -> list[np.ndarray]:
        """`score` of many documents in one go, far faster than one by one."""
        with np.errstate(divide="ignore"):
            log_probs = np.log(self.probabilities(self.counts.locate(documents)))
        return np.split(log_probs, np.cumsum([len(d) for d in documents])[:-1]) if len(documents) else []

    def probabilities(self, located: Located) -> np.ndarray:
        """The probability (T,) of each located token: the recursion of the module, from short contexts to long ones."""
        p = np.full(len(located.grams[0]), self.base)
        for k in range(self.order):
            alpha, gamma = self.alphas[k], self.gammas[k]
            if alpha is None or gamma is None:
                continue
            context, gram = located.contexts[k], located.grams[k]
            p = np.where(context >= 0, gamma[context] * p + np.where(gram >= 0, alpha[gram], 0.0), p)
        return p

    def begin(self, ids: Ids = (), *, start: bool = True) -> NgramState:
        """The state after `ids`; only the last order - 1 of them matter. start=False: no start symbols stand before them, so
        that fewer ids are a shorter context, as after a place within a text."""
        before = self.counts.start()[: self.order - 1] if start else ()
        return NgramState(self, before + tuple(check_ids(ids, self.vocab_size).tolist()))

    def path(self, context: Sequence[int]) -> list[tuple[int, float, float, np.ndarray]]:
        """How the next-token distribution comes about, shortest context first: for each length k in use and seen,
        (k, gamma, alpha mass, p_k over the vocabulary). `context` may hold start symbols (the id vocab_size)."""
        context = tuple(context)
        context = context[len(context) - min(len(context), self.order - 1) :]
        p, steps = np.full(self.vocab_size, self.base), []
        nodes = self.counts.nodes(context)
        for k in range(1, min(self.order, len(nodes)) + 1):
            alpha, gamma = self.alphas[k - 1], self.gammas[k - 1]
            if alpha is None or gamma is None:
                continue
            words, where = self.counts.following(k, nodes[k - 1])
            inside = words < self.vocab_size  # the start symbol is never predicted
            p = p * gamma[nodes[k - 1]]
            p[words[inside]] += alpha[where][inside]
            steps.append((k, float(gamma[nodes[k - 1]]), float(alpha[where][inside].sum()), p))
        return steps or [(0, 1.0, 0.0, p)]

    def sample_batch(self, n: int, *, end_id: int, max_tokens: int = 400, rng: np.random.Generator | int = 0) -> list[np.ndarray]:
        """n texts drawn from the model from the start symbol on, all at once; each without its `end_id`.

        Exact: going down from the longest context, stop at length k with probability (mass of alpha_k) and draw one of its
        k-grams by alpha, else go on to the shorter context. Needs a model whose distributions sum to 1.
        """
        check_ids([end_id], self.vocab_size)
        rng, base, V = np.random.default_rng(rng), self.vocab_size + 1, self.vocab_size
        sums = [None if a is None else np.concatenate([[0.0], np.cumsum(a)]) for a in self.alphas]
        history = np.full((n, self.order - 1 + max_tokens), V, dtype=np.int64)
        alive, lengths = np.arange(n), np.full(n, max_tokens)
        for step in range(max_tokens):
            here = self.order - 1 + step
            chosen, open_ = np.full(len(alive), -1), np.ones(len(alive), dtype=bool)
            for k in range(self.order, 0, -1):  # longest context first
                if (mass := sums[k - 1]) is None or not open_.any():
                    continue
                rows = np.flatnonzero(open_)
                node = np.zeros(len(rows), dtype=np.int64)
                for j in range(k - 1):  # walk down to the node of the last k - 1 symbols
                    node = self.counts._find(self.counts.levels[j], node, history[alive[rows], here - k + 1 + j])
                rows, node = rows[node >= 0], node[node >= 0]
                first, last = self.counts.levels[k - 1].first[node], self.counts.levels[k - 1].first[node + 1]
                low, u = mass[first], rng.random(len(rows))
                hit = u < mass[last] - low
                gram = np.searchsorted(mass, (low + u)[hit], side="right") - 1
                gram = np.clip(gram, first[hit], last[hit] - 1)
                chosen[rows[hit]] = self.counts.levels[k - 1].keys[gram] - node[hit] * base
                open_[rows[hit]] = False
            chosen[open_] = rng.integers(V, size=int(open_.sum()))
            history[alive, here] = chosen
            lengths[alive[chosen == end_id]] = step
            alive = alive[chosen != end_id]
            if len(alive) == 0:
                break
        return [history[i, self.order - 1 : self.order - 1 + lengths[i]].copy() for i in range(n)]


class NgramState(State):
    """Where an n-gram model stands: the last order - 1 ids, no more. log_probs: (V,), worked out when asked for.

    >>> from helpers.models.ngram import laplace
    >>> from helpers.models.ngram_counts import count_ngrams
    >>> counts = count_ngrams([[0, 1], [0, 1], [0, 2]], order=2, vocab_size=3)
    >>> state = laplace(counts).begin([2, 0])
    >>> state.advance(1)
    >>> state.context
    (1,)
    """

    def __init__(self, model: NgramModel, context: tuple[int, ...]):
        self.model, self.context = model, context[max(0, len(context) - (model.order - 1)) :]
        self._log_probs: np.ndarray | None = None

    @property
    def log_probs(self) -> np.ndarray:  # type: ignore[override]  # worked out when asked for
        if self._log_probs is None:
            with np.errstate(divide="ignore"):
                self._log_probs = np.log(self.model.path(self.context)[-1][3])
        return self._log_probs

    def advance(self, id: int) -> None:
        check_ids([id], self.model.vocab_size)
        context = (*self.context, int(id))
        self.context, self._log_probs = context[max(0, len(context) - (self.model.order - 1)) :], None

    def fork(self) -> NgramState:
        copy = NgramState(self.model, self.context)
        copy._log_probs = self._log_probs
        return copy
