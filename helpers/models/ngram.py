"""n-gram language models: one way of counting, many ways of dealing with what was never counted.

Every smoothing here is of one form. For each length k and each context u that was seen,

    p_k(w | u) = alpha_k(u w) + gamma_k(u) * p_{k-1}(w | u without its first token)

and p_k = p_{k-1} for a context that was never seen; at the bottom stands the uniform distribution (or nothing at all). alpha
is what the counts say, gamma the share of probability that is handed down to the shorter context. So a smoothing is two
arrays per length, and all of them share the same code for scoring, for writing and for drawing samples. NumPy only.

    counts = count_ngrams(documents, order=5, vocab_size=V)    # documents: lists of ids, closed by the end-of-text id
    model = kneser_ney(counts)
    model.score(ids); model.begin(ids).log_probs; model.sample_batch(10, end_id=end)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from helpers.models.language_model import check_ids
from helpers.models.ngram_counts import Located, NgramCounts

__all__ = [
    "NgramModel",
    "NgramState",
    "absolute_discounting",
    "add_k",
    "discounts_of",
    "interpolation",
    "kneser_ney",
    "laplace",
    "maximum_likelihood",
]


@dataclass(frozen=True)
class NgramModel:
    """A smoothed n-gram model; it implements `language_model.LanguageModel`. Made by the functions below.

    alphas[k - 1]: (G,) one number for each k-gram, or None where a length is not used. gammas[k - 1]: (C,) one for each of its
    contexts; 1 where the context was never followed by anything. base: the probability of each token below length 1.
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

    def score(self, ids: Sequence[int]) -> np.ndarray:
        """Natural-log probability (T,) of each id given all before it; -inf for probability 0. Raises for bad ids."""
        return self.score_batch([ids])[0]

    def score_batch(self, documents: Sequence[Sequence[int]]) -> list[np.ndarray]:
        """`score` of many documents in one go, far faster than one by one."""
        with np.errstate(divide="ignore"):
            log_probs = np.log(self.probabilities(self.counts.locate(documents)))
        return np.split(log_probs, np.cumsum([len(d) for d in documents])[:-1]) if len(documents) else []

    def probabilities(self, located: Located) -> np.ndarray:
        """The probability (T,) of each located token: the recursion of the module, from short contexts to long ones."""
        p = np.full(len(located.grams[0]), self.base)
        for k in range(self.order):
            alpha, gamma = self.alphas[k], self.gammas[k]
            if alpha is None:
                continue
            context, gram = located.contexts[k], located.grams[k]
            p = np.where(context >= 0, gamma[context] * p + np.where(gram >= 0, alpha[gram], 0.0), p)
        return p

    def begin(self, ids: Sequence[int] = ()) -> NgramState:
        """The state after `ids`, counted from the start of a text. Only the last order - 1 of them matter."""
        ids = check_ids(ids, self.vocab_size).tolist()
        return NgramState(self, self.counts.start()[: self.order - 1] + tuple(ids))

    def path(self, context: Sequence[int]) -> list[tuple[int, float, float, np.ndarray]]:
        """How the next-token distribution comes about, shortest context first: for each length k in use and seen,
        (k, gamma, alpha mass, p_k over the vocabulary). `context` may hold start symbols (the id vocab_size)."""
        context = tuple(context)
        context = context[len(context) - min(len(context), self.order - 1) :]
        p, steps = np.full(self.vocab_size, self.base), []
        nodes = self.counts.nodes(context)
        for k in range(1, min(self.order, len(nodes)) + 1):
            alpha, gamma = self.alphas[k - 1], self.gammas[k - 1]
            if alpha is None:
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
                if sums[k - 1] is None or not open_.any():
                    continue
                rows = np.flatnonzero(open_)
                node = np.zeros(len(rows), dtype=np.int64)
                for j in range(k - 1):  # walk down to the node of the last k - 1 symbols
                    node = self.counts._find(self.counts.levels[j], node, history[alive[rows], here - k + 1 + j])
                rows, node = rows[node >= 0], node[node >= 0]
                first, last = self.counts.levels[k - 1].first[node], self.counts.levels[k - 1].first[node + 1]
                low, u = sums[k - 1][first], rng.random(len(rows))
                hit = u < sums[k - 1][last] - low
                gram = np.searchsorted(sums[k - 1], (low + u)[hit], side="right") - 1
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


class NgramState:
    """Where an n-gram model stands: the last order - 1 ids, no more. log_probs: (V,), worked out when asked for."""

    def __init__(self, model: NgramModel, context: tuple[int, ...]):
        self.model, self.context = model, context[len(context) - (model.order - 1) :]
        self._log_probs: np.ndarray | None = None

    @property
    def log_probs(self) -> np.ndarray:
        if self._log_probs is None:
            with np.errstate(divide="ignore"):
                self._log_probs = np.log(self.model.path(self.context)[-1][3])
        return self._log_probs

    def advance(self, id: int) -> None:
        check_ids([id], self.model.vocab_size)
        context = (*self.context, int(id))
        self.context, self._log_probs = context[len(context) - (self.model.order - 1) :], None

    def fork(self) -> NgramState:
        copy = NgramState(self.model, self.context)
        copy._log_probs = self._log_probs
        return copy


# ------------------------------------------------------------------------------------------------------ the smoothings


def maximum_likelihood(counts: NgramCounts, order: int | None = None) -> NgramModel:
    """The share of the context's continuations: c(u w) / c(u). What was never seen gets 0.

    After a context that was never seen there is no distribution: all probabilities are 0, as in nltk.
    """
    return _one_length("maximum likelihood", counts, order, 0.0)


def add_k(counts: NgramCounts, k: float, order: int | None = None) -> NgramModel:
    """(c(u w) + k) / (c(u) + k V): every token gets k occurrences as a present. Raises ValueError unless k > 0.

    Source: Lidstone 1920; Jeffreys 1946 for k = 1/2.
    """
    if not k > 0:
        raise ValueError(f"expected k > 0, got {k}; k = 0 is maximum_likelihood")
    return _one_length(f"add-{k:g}", counts, order, float(k))


def laplace(counts: NgramCounts, order: int | None = None) -> NgramModel:
    """add_k with k = 1. Source: Laplace 1774."""
    return add_k(counts, 1.0, order)


def interpolation(counts: NgramCounts, weights: Sequence[float], order: int | None = None) -> NgramModel:
    """p_k = weights[k-1] * c(u w) / c(u) + (1 - weights[k-1]) * p_{k-1}, down to the uniform distribution.

    weights: one for each length from 1 to order, each from 0 to 1. Source: Jelinek, Mercer 1980.
    """
    order = _order(counts, order)
    weights = _per_length(weights, order, "weights", 1.0)
    alphas, gammas = [], []
    for level, weight in zip(counts.levels[:order], weights):
        totals = level.per_context(level.counts)
        alphas.append(weight * level.counts / _per_gram(np.maximum(totals, 1), level))
        gammas.append(np.where(totals > 0, 1.0 - weight, 1.0))
    return NgramModel("interpolation", counts, order, tuple(alphas), tuple(gammas), 1 / counts.vocab_size, tuple(weights))


def absolute_discounting(counts: NgramCounts, discount: float | Sequence[float] = 0.75, order: int | None = None) -> NgramModel:
    """Take `discount` off every count and hand what was taken down to the shorter context.

    discount: from 0 to 1, one for all lengths or one for each length from 1 to order. Source: Ney, Essen, Kneser 1994.
    """
    order = _order(counts, order)
    discounts = _per_length(discount, order, "discount", 1.0)
    tables = [_discounted(level, level.counts, (d, d, d)) for level, d in zip(counts.levels, discounts)]
    return _recursive("absolute discounting", counts, order, tables, tuple(discounts))


def kneser_ney(counts: NgramCounts, discount: float | Sequence[float] | None = None, order: int | None = None) -> NgramModel:
    """Interpolated Kneser-Ney: absolute discounting whose shorter contexts count *different* left neighbors, not occurrences.

    discount: None for the modified form (three discounts per length, for counts of 1, 2 and 3 or more, estimated from the
    training counts), else from 0 to 1, one for all lengths or one for each. A start symbol counts as one left neighbor.
    Sources: Kneser, Ney 1995; Chen, Goodman 1998, section 3 (modified, interpolated).
    """
    order = _order(counts, order)
    given = None if discount is None else _per_length(discount, order, "discount", 1.0)
    tables, used = [], []
    for k, level in enumerate(counts.levels[:order], start=1):
        adjusted = level.counts if k == order else np.where(level.counts > 0, level.continuations, 0)
        d = discounts_of(adjusted) if given is None else (given[k - 1],) * 3
        tables.append(_discounted(level, adjusted, d))
        used.append(d)
    return _recursive("Kneser-Ney" if given is not None else "modified Kneser-Ney", counts, order, tables, tuple(used))


def discounts_of(counts: np.ndarray) -> tuple[float, float, float]:
    """The discounts for counts of 1, 2 and 3 or more, from how many k-grams have the counts 1, 2, 3 and 4.

    Where the estimate cannot be trusted it is (0.5, 1, 1.5), the fallback of KenLM: one of the four numbers is 0 (a tiny
    corpus), a discount is below 0 or above its count, or it grows by more than 1 from one count to the next (rare words were
    taken out of the vocabulary). Source: Chen, Goodman 1998, equation 26.
    """
    n1, n2, n3, n4 = (int(np.count_nonzero(counts == c)) for c in (1, 2, 3, 4))
    if min(n1, n2, n3, n4) > 0:
        y = n1 / (n1 + 2 * n2)
        d = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
        if all(0 <= x <= c for c, x in enumerate(d, start=1)) and d[1] - d[0] <= 1 and d[2] - d[1] <= 1:
            return d
    return 0.5, 1.0, 1.5


def _order(counts: NgramCounts, order: int | None) -> int:
    if order is None:
        return counts.order
    if not 1 <= order <= counts.order:
        raise ValueError(
            f"expected an order from 1 to {counts.order} (what was counted), got {order}; count again with a higher order"
        )
    return int(order)


def _per_length(values: float | Sequence[float], order: int, what: str, high: float) -> list[float]:
    listed = [float(values)] * order if np.ndim(values) == 0 else [float(v) for v in values]
    if len(listed) != order:
        raise ValueError(f"expected {order} {what}, one for each length from 1 to {order}, got {len(listed)}")
    if not all(0 <= v <= high for v in listed):
        raise ValueError(f"expected {what} from 0 to {high:g}, got {listed}")
    return listed


def _per_gram(per_context: np.ndarray, level) -> np.ndarray:
    return np.repeat(per_context, np.diff(level.first))


def _discounted(level, counts: np.ndarray, d: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """alpha = (c - D(c)) / total and gamma = (what was taken) / total; gamma = 1 for a context without continuations."""
    taken = np.minimum(np.array([0.0, *d])[np.minimum(counts, 3)], counts)
    totals = level.per_context(counts)
    safe = np.maximum(totals, 1)
    gamma = np.where(totals > 0, level.per_context(taken) / safe, 1.0)
    return (counts - taken) / _per_gram(safe, level), np.clip(gamma, 0.0, 1.0)


def _recursive(name: str, counts: NgramCounts, order: int, tables: list, settings: tuple) -> NgramModel:
    alphas, gammas = zip(*tables[:order])
    return NgramModel(name, counts, order, alphas, gammas, 1 / counts.vocab_size, settings)


def _one_length(name: str, counts: NgramCounts, order: int | None, k: float) -> NgramModel:
    """Maximum likelihood (k = 0) and add-k: only the longest context counts, and below it stands 1/V (or nothing)."""
    order, V = _order(counts, order), counts.vocab_size
    level = counts.levels[order - 1]
    totals = level.per_context(level.counts)
    below = np.maximum(totals + k * V, 1e-300)
    unused: tuple[None, ...] = (None,) * (order - 1)
    alpha, gamma = level.counts / _per_gram(below, level), np.where(totals > 0, k * V / below, 1.0)
    return NgramModel(name, counts, order, (*unused, alpha), (*unused, gamma), 1 / V if k else 0.0, (k,))
