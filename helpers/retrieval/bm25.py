"""BM25: the TF-IDF of chapter 03, turned into a search engine.

The counts are those of `CountVectorizer`, the saturation and the idf those of `helpers.features.tfidf`. What is new is only how
a query is answered fast: the weights are stored by column, so that a query touches the documents that hold its words and no
others.

Source: Robertson and Zaragoza 2009, The Probabilistic Relevance Framework: BM25 and Beyond, section 3.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from helpers.features.bag_of_words import CountVectorizer
from helpers.features.tfidf import idf, saturate
from helpers.features.words import tokenize

__all__ = ["BM25", "Hit", "bm25_plainly", "top_hits"]


class Hit(NamedTuple):
    """One found document: its number in the index, and its score. Scores of different retrievers do not compare.

    >>> top_hits(np.array([0.1, 0.7]), k=1)[0].index
    1
    """

    index: int  # type: ignore[assignment]  # hides tuple.index
    score: float


def top_hits(scores: np.ndarray, k: int) -> list[Hit]:
    """The k largest of the scores (n,), largest first, ties by index. A score of -inf is never returned, so fewer may come.

    Works without sorting all n: find the k-th largest, keep what is not below it, sort that.
    Raises ValueError for k < 1. A k beyond n gives all.

    >>> top_hits(np.array([1.0, 3.0, -np.inf, 3.0]), k=2)
    [Hit(index=1, score=3.0), Hit(index=3, score=3.0)]
    """
    if k < 1:
        raise ValueError(f"expected k of at least 1, got {k}")
    scores = np.asarray(scores)
    if np.isnan(scores).any():
        raise ValueError("expected scores that are numbers, got NaN among them")
    if k < len(scores):
        bar = np.partition(scores, len(scores) - k)[len(scores) - k]
        kept = np.flatnonzero((scores >= bar) & (scores > -np.inf))
    else:
        kept = np.flatnonzero(scores > -np.inf)
    kept = kept[np.argsort(-scores[kept], kind="stable")][:k]  # kept is in rising order, so of equals the first stays first
    return [Hit(int(i), float(scores[i])) for i in kept]


def bm25_plainly(query: str, texts: Sequence[str], k1: float = 1.2, b: float = 0.75) -> list[float]:
    """The score of every text, as the formula reads: the sum over the words of the query of idf times saturated tf.

    >>> texts = ["the otter", "the bank of the river", "the river"]
    >>> [round(score, 3) for score in bm25_plainly("otter river", texts)]
    [1.136, 0.369, 0.544]
    """
    documents = [tokenize(text) for text in texts]
    n, mean = len(documents), sum(map(len, documents)) / len(documents)

    def weight(word: str, document: list[str]) -> float:
        tf, df = document.count(word), sum(word in d for d in documents)
        idf = math.log(1 + (n - df + 0.5) / (df + 0.5))
        return idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * len(document) / mean)) if tf else 0.0

    return [sum(weight(word, document) for word in tokenize(query)) for document in documents]


class BM25:
    """Lexical search with the scores of `bm25_plainly`, fast: a document that holds no word of the query is never returned.

    Its score 0 says "nothing", not "last". k1: how fast repetitions of a word saturate (0: not counted at all). b: how much long
    documents are marked down, 0 to 1. idf_kind: "okapi positive" (never negative), or "okapi", which turns negative for words
    in over half of the documents. floor: with "okapi", negative idf values become floor times the mean idf, as rank_bm25 does
    (0.25 there). tokenize: function from text to words.

    >>> index = BM25().fit(["the otter", "the bank of the river", "the river"])
    >>> [(hit.index, round(hit.score, 3)) for hit in index.search("otter river")]
    [(0, 1.136), (2, 0.544), (1, 0.369)]
    """

    def __init__(
        self,
        k1: float = 1.2,
        b: float = 0.75,
        *,
        idf_kind: str = "okapi positive",
        floor: float | None = None,
        tokenize: Callable[[str], list[str]] = tokenize,
    ) -> None:
        if k1 < 0 or not 0 <= b <= 1:
            raise ValueError(f"expected k1 >= 0 and 0 <= b <= 1, got k1 = {k1}, b = {b}")
        self.k1, self.b, self.idf_kind, self.floor, self.tokenize = k1, b, idf_kind, floor, tokenize

    def fit(self, texts: Sequence[str]) -> BM25:
        """Index the texts. Returns itself. Raises ValueError for no texts, or texts without a single word."""
        vectorizer = CountVectorizer(tokenize=self.tokenize)
        self.counts = vectorizer.fit_transform(texts)  # (n, V)
        self.vocabulary, self.df = vectorizer.vocabulary, vectorizer.df
        return self.weigh(self.k1, self.b)

    def weigh(self, k1: float, b: float) -> BM25:
        """Weigh the counts for other settings, without reading the texts again. Returns itself."""
        self.k1, self.b = k1, b
        self.idf = idf(self.df, self.counts.shape[0], self.idf_kind)
        if self.floor is not None:
            self.idf = np.where(self.idf < 0, self.floor * self.idf.mean(), self.idf)
        weights = saturate(self.counts, k1, b)
        weights.data *= self.idf[weights.indices]
        self.columns = weights.tocsc()  # for each word: who holds it, and how much that counts
        return self

    def __len__(self) -> int:
        return self.columns.shape[0]

    def known(self, query: str) -> list[str]:
        """The words of the query that stand in the index."""
        return [word for word in self.tokenize(query) if word in self.vocabulary.ids]

    def scores(self, query: str) -> np.ndarray:
        """(n,) the score of every document; -inf for those that hold no word of the query. A repeated word counts twice."""
        words = Counter(self.vocabulary.encode(self.tokenize(query)))
        ptr, rows, data = self.columns.indptr, self.columns.indices, self.columns.data
        parts = [slice(ptr[j], ptr[j + 1]) for j in words]
        if not parts:
            return np.full(len(self), -np.inf)
        where = np.concatenate([rows[part] for part in parts])
        what = np.concatenate([data[part] * times for part, times in zip(parts, words.values())])
        total = np.bincount(where, weights=what, minlength=len(self))
        seen = np.zeros(len(self), dtype=bool)
        seen[where] = True
        total[~seen] = -np.inf
        return total

    def search(self, query: str, k: int = 10) -> list[Hit]:
        """The k best documents, best first, ties by number; fewer, or none, when fewer hold a word of the query."""
        return top_hits(self.scores(query), k)

    def explain(self, query: str, index: int) -> list[tuple[str, float]]:
        """What each known word of the query adds to the score of a document, largest first."""
        row = self.columns[index].toarray().ravel()
        words = Counter(self.known(query))  # a word that is asked twice counts twice
        return sorted(((w, n * float(row[self.vocabulary.ids[w]])) for w, n in words.items()), key=lambda p: -p[1])
