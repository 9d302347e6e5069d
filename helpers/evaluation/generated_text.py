"""Other judges of generated text: overlap with a reference (ROUGE), pairwise judgements (Elo), multiple choice by likelihood,
and how much of a text was copied from the training documents. Standard library and NumPy only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from helpers.models.language_model import LanguageModel, Tokenizer, score_documents

__all__ = [
    "Choice",
    "Elo",
    "Rouge",
    "SpanIndex",
    "choose",
    "elo_expected",
    "lcs_length",
    "longest_span_plainly",
    "rouge_l",
    "rouge_n",
]


# ------------------------------------------------------------------------------------------------------------- ROUGE


class Rouge(NamedTuple):
    """Overlap of a candidate with a reference: shared units / units of the candidate, / units of the reference, and F1.

    >>> rouge_n(["a", "b"], ["a", "c", "d", "e"]).recall
    0.25
    """

    precision: float
    recall: float
    f1: float


def rouge_n(candidate: Sequence[str], reference: Sequence[str], n: int = 1) -> Rouge:
    """Shared n-grams of two token lists, each counted at most as often as it stands in the other (clipped).

    All three numbers are 0 when one side has no n-gram. Raises TypeError for strings (split them first: the tokens are your
    choice, and scores with different tokens do not compare), ValueError for n < 1. Source: Lin 2004, section 2.

    >>> rouge_n("the the the cat".split(), "the cat sat".split())  # "the" counts once: 2 of 4, 2 of 3
    Rouge(precision=0.5, recall=0.6666666666666666, f1=0.5714285714285715)
    """
    _tokens(candidate, reference)
    if n < 1:
        raise ValueError(f"expected n >= 1, got {n}")
    a, b = (Counter(tuple(side[i : i + n]) for i in range(len(side) - n + 1)) for side in (candidate, reference))
    return _rouge(sum((a & b).values()), sum(a.values()), sum(b.values()))  # & keeps the smaller of two counts


def rouge_l(candidate: Sequence[str], reference: Sequence[str], beta: float = 1.0) -> Rouge:
    """Overlap by the longest common subsequence: same order, gaps allowed.

    beta: how many times recall weighs as much as precision in the last number, F-beta. Raises TypeError for strings, ValueError
    unless beta > 0. Source: Lin 2004, section 3.

    >>> rouge_l("the cat sat down".split(), "down the cat".split()).recall  # "the cat"
    0.6666666666666666
    """
    _tokens(candidate, reference)
    if not 0 < beta < float("inf"):
        raise ValueError(f"expected a finite beta above 0, got {beta}")
    return _rouge(int(lcs_length(candidate, reference)[-1, -1]), len(candidate), len(reference), beta)


def lcs_length(a: Sequence[str], b: Sequence[str]) -> np.ndarray:
    """(len(a) + 1, len(b) + 1) lengths of the longest common subsequence of the first i tokens of a and the first j of b.

    >>> lcs_length(["a", "b"], ["b", "a", "b"]).tolist()
    [[0, 0, 0, 0], [0, 0, 1, 1], [0, 1, 1, 2]]
    """
    table = np.zeros((len(a) + 1, len(b) + 1), dtype=int)
    for i, x in enumerate(a, start=1):
        for j, y in enumerate(b, start=1):
            table[i, j] = table[i - 1, j - 1] + 1 if x == y else max(table[i - 1, j], table[i, j - 1])
    return table


def _tokens(*sides: Sequence[str]) -> None:
    if any(isinstance(side, str) for side in sides):
        raise TypeError("expected lists of tokens, got a string; split it first, for example text.lower().split()")


def _rouge(shared: int, n_candidate: int, n_reference: int, beta: float = 1.0) -> Rouge:
    p = shared / n_candidate if n_candidate else 0.0
    r = shared / n_reference if n_reference else 0.0
    return Rouge(p, r, (1 + beta**2) * p * r / (r + beta**2 * p) if p + r else 0.0)


# --------------------------------------------------------------------------------------------------------------- Elo


def elo_expected(rating_a: float, rating_b: float, scale: float = 400.0) -> float:
    """The share of points that A is expected to take from B: 10/11 for `scale` points more. Source: Elo 1978.

    >>> round(elo_expected(1516, 1500), 6), round(elo_expected(1900, 1500), 6)
    (0.52301, 0.909091)
    """
    return 1 / (1 + 10 ** ((rating_b - rating_a) / scale))


class Elo:
    """Ratings from a sequence of pairwise judgements. What one player wins the other loses, so the sum never changes.

    >>> elo = Elo(["a", "b"])
    >>> elo.record("a", "b"), elo.ranking()
    (16.0, [('a', 1516.0), ('b', 1484.0)])
    """

    def __init__(self, players: Iterable[str], k: float = 32.0, start: float = 1500.0, scale: float = 400.0):
        """k: how far one judgement moves a rating, at most. Raises ValueError for fewer than two different players, or k <= 0."""
        self.ratings = {name: float(start) for name in players}
        if len(self.ratings) < 2 or not k > 0:
            raise ValueError(f"expected two or more different players and k > 0, got {list(self.ratings)} and k = {k}")
        self.k, self.scale = k, scale

    def record(self, a: str, b: str, result: float = 1.0) -> float:
        """One judgement: result 1 = a wins, 0 = b wins, 0.5 = draw. Returns how much a gained.

        Raises ValueError for unknown or equal players, or another result.
        """
        if a == b or a not in self.ratings or b not in self.ratings:
            raise ValueError(f"expected two different players of {list(self.ratings)}, got {a!r} and {b!r}")
        if result not in (0, 0.5, 1):
            raise ValueError(f"expected the result 1 (first wins), 0 (second wins) or 0.5 (draw), got {result!r}")
        gain = self.k * (result - elo_expected(self.ratings[a], self.ratings[b], self.scale))
        self.ratings[a] += gain
        self.ratings[b] -= gain
        return gain

    def ranking(self) -> list[tuple[str, float]]:
        """The players with their ratings, best first."""
        return sorted(self.ratings.items(), key=lambda item: -item[1])


# --------------------------------------------------------------------------------------------------- multiple choice


class Choice(NamedTuple):
    """What a model says about each option (K,): sum of log-probabilities, and the sum per token and per byte of the option.

    >>> Choice(np.array([-4.0, -6.0]), np.array([-2.0, -1.5]), np.array([-1.0, -0.5])).best("per_token")
    1
    """

    total: np.ndarray
    per_token: np.ndarray
    per_byte: np.ndarray

    def best(self, by: str = "total") -> int:
        """The option with the largest value, by "total", "per_token" or "per_byte"; of equals, the first."""
        if by not in self._fields:
            raise ValueError(f"expected one of {', '.join(self._fields)}, got {by!r}")
        return int(np.argmax(getattr(self, by)))


def choose(model: LanguageModel, tokenizer: Tokenizer, question: str, options: Sequence[str]) -> Choice:
    """Score each option as the continuation of the question: only its own tokens count, given the question before it.

    The total prefers short options, since every token costs something; per token and per byte are two cures. Question and
    option are tokenized apart, so that their border is a border of tokens. Raises ValueError for fewer than two options or
    an empty one.

    >>> from helpers.models.language_model import Uniform
    >>> from helpers.tokenizers import ByteTokenizer
    >>> choose(Uniform(256), ByteTokenizer(), "2 + 2 =", [" 4", " four"]).total.round(3).tolist()  # 2 ln 256, 5 ln 256
    [-11.09, -27.726]
    """
    if isinstance(options, str) or len(options) < 2 or not all(options):
        raise ValueError(f"expected two or more options, none of them empty, got {options!r}")
    before = list(tokenizer.encode(question))
    ids = [list(tokenizer.encode(option)) for option in options]
    scores = score_documents(model, [[*before, *own] for own in ids])
    totals = np.array([s[len(before) :].sum() for s in scores])
    return Choice(totals, totals / [len(own) for own in ids], totals / [len(option.encode("utf-8")) for option in options])


# --------------------------------------------------------------------------------------------------------- memorization


def longest_span_plainly(documents: Sequence[Sequence[int]], ids: Sequence[int]) -> tuple[int, int]:
    """(start, length) of the longest run of `ids` that stands in a document, the first of several: every run is looked for.

    >>> longest_span_plainly([[1, 2, 3], [3, 4]], [9, 2, 3, 4])
    (1, 2)
    """
    runs = [(i, n) for n in range(len(ids), 0, -1) for i in range(len(ids) - n + 1)]  # long ones first
    stands = lambda run: any(run == list(d[j : j + len(run)]) for d in documents for j in range(len(d)))  # noqa: E731
    return next(((i, n) for i, n in runs if stands(list(ids[i : i + n]))), (0, 0))


class SpanIndex:
    """Finds what `longest_span_plainly` finds, fast: what a text has in common with the training documents, token for token.

    >>> SpanIndex([[1, 2, 3], [3, 4]]).longest([9, 2, 3, 4])
    (1, 2)
    """

    def __init__(self, documents: Sequence[Sequence[int]]):
        """documents: sequences of ids. Spans never run from one document into the next. Raises ValueError when there are none."""
        filled = [np.asarray(d, dtype=np.int64) for d in documents if len(d)]
        if not filled:
            raise ValueError("expected at least one document with at least one token, got none")
        self._base = max(int(d.max()) for d in filled) + 1
        separator = np.array([self._base], dtype=np.int64)  # an id that no text has
        self._row = np.concatenate([part for d in filled for part in (d, separator)])
        self._known = np.unique(self._row[self._row < self._base])
        pairs = self._row[:-1] * (self._base + 2) + self._row[1:]
        self._places = np.argsort(pairs, kind="stable")
        self._pairs = pairs[self._places]

    def longest(self, ids: Sequence[int]) -> tuple[int, int]:
        """(start, length) of the longest run of `ids` that stands in a training document.

        The first of several; (0, 0) for none.
        """
        ids = np.asarray(ids, dtype=np.int64)
        ids = np.where((ids >= 0) & (ids < self._base), ids, self._base + 1)  # an id that the index does not have
        known = np.flatnonzero(np.isin(ids, self._known))
        best, start = (1, int(known[0])) if len(known) else (0, 0)
        for i in range(len(ids) - 1):
            if i + best >= len(ids):
                break
            pair = ids[i] * (self._base + 2) + ids[i + 1]
            left, right = np.searchsorted(self._pairs, [pair, pair + 1])
            places, length = self._places[left:right], 1  # places: of the last token but one
            while len(places):
                length += 1
                if i + length == len(ids):
                    break
                places = places + 1
                places = places[self._row[np.minimum(places + 1, len(self._row) - 1)] == ids[i + length]]
            if length > max(best, 1):
                best, start = length, i
        return start, best
