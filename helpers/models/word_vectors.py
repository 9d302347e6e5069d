"""What finished word vectors are used for: neighbors, analogies, maps, averages (chapter 04)."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy import sparse

from helpers.features.checks import numbers

__all__ = ["Map", "Neighbor", "WordVectors", "average_vectors", "pca"]


class Neighbor(NamedTuple):
    """A word and the cosine of its vector with the query.

    >>> Neighbor("queen", 0.784).word
    'queen'
    """

    word: str
    cosine: float


class Map(NamedTuple):
    """Coordinates (n, k) and the share of the variance that each axis explains (k,).

    >>> pca([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]], k=1).explained.tolist()
    [1.0]
    """

    coordinates: np.ndarray
    explained: np.ndarray


class WordVectors:
    """Words and their vectors. words: list of V strings; table (V, d); unit (V, d): rows of length 1 (a zero row stays zero).

    >>> vectors = WordVectors(["man", "woman", "king", "queen"], np.array([[1, 0, 0], [1, 1, 0], [1, 0, 1], [1, 1, 1]]))
    >>> vectors.analogy("man", "woman", "king", k=1)[0].word, round(vectors.similarity("man", "woman"), 3)
    ('queen', 0.707)
    >>> vectors.neighbors("man", k=1)
    [Neighbor(word='woman', cosine=0.7071067811865475)]
    """

    def __init__(self, words: Sequence[str], table: np.ndarray) -> None:
        table = np.asarray(table)
        if table.ndim != 2 or len(table) != len(words) or len(words) == 0:
            raise ValueError(f"expected one vector for each of {len(words)} words (at least one), got shape {table.shape}")
        if not np.isfinite(table).all():
            raise ValueError("expected a table of finite numbers, got NaN or infinite ones")
        self.words, self.table = list(words), table
        self.ids = {word: i for i, word in enumerate(self.words)}
        if len(self.ids) != len(self.words):
            raise ValueError("expected each word once, got repeated words")
        norms = np.linalg.norm(table, axis=1, keepdims=True)
        self.unit = table / np.where(norms > 0, norms, 1)

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self.ids

    def id(self, word: str) -> int:
        """The row of a word. Raises ValueError for an unknown word, with words that are spelled alike."""
        if word in self.ids:
            return self.ids[word]
        close = difflib.get_close_matches(str(word), self.words, n=3)
        hint = f"close to it: {', '.join(close)}" if close else "words are lower-case here"
        raise ValueError(f"expected one of the {len(self)} known words, got {word!r}; {hint}")

    def __getitem__(self, word: str) -> np.ndarray:
        return self.table[self.id(word)]

    def similarity(self, a: str, b: str) -> float:
        """Cosine of the vectors of two words, from -1 to 1."""
        return float(self.unit[self.id(a)] @ self.unit[self.id(b)])

    def neighbors(self, query: str | np.ndarray, k: int = 10, exclude: Iterable[str] = ()) -> list[Neighbor]:
        """The k words with the largest cosine. query: a word (which is left out itself), or a vector (d,)."""
        if k < 1:
            raise ValueError(f"expected k >= 1 neighbors, got {k}")
        left_out = [self.id(word) for word in exclude]
        if isinstance(query, str):
            left_out.append(self.id(query))
            query = self.unit[self.id(query)]
        query = numbers(query, "query")
        if not np.isfinite(query).all():
            raise ValueError("expected a vector of finite numbers, got NaN or infinite ones")
        if query.shape != (self.table.shape[1],):
            raise ValueError(f"expected a word or a vector of {self.table.shape[1]} numbers, got shape {query.shape}")
        scores = self.unit @ (query / (np.linalg.norm(query) or 1.0))
        scores[left_out] = -np.inf
        best = np.argsort(-scores, kind="stable")[: min(k, len(self) - len(set(left_out)))]
        return [Neighbor(self.words[i], float(scores[i])) for i in best]

    def analogy(self, a: str, b: str, c: str, k: int = 5, exclude_query: bool = True) -> list[Neighbor]:
        """a is to b as c is to ...: the k words nearest to b - a + c (unit vectors).

        exclude_query: leave a, b and c out, as nearly everybody does. Without it c or b nearly always wins.
        Source: Mikolov, Yih, Zweig 2013, section 4.
        """
        va, vb, vc = (self.unit[self.id(word)] for word in (a, b, c))
        return self.neighbors(vb - va + vc, k, exclude=(a, b, c) if exclude_query else ())


def pca(X: np.ndarray, k: int = 2) -> Map:
    """Principal components: coordinates (n, k) of the centered rows on the k directions of largest variance.

    Signs: the largest entry of each direction is positive. Raises ValueError for k < 1, k > min(n, d) or NaN.

    >>> pca([[0.0, 0.0], [2.0, 2.0]], k=1).coordinates.round(6).tolist()
    [[-1.414214], [1.414214]]
    """
    X = numbers(X, "X")
    if X.ndim != 2 or not 1 <= k <= min(X.shape) or not np.isfinite(X).all():
        raise ValueError(f"expected finite X of shape (n, d) and 1 <= k <= min(n, d), got shape {X.shape} and k = {k}")
    centered = X - X.mean(axis=0)
    _, s, Vt = np.linalg.svd(centered, full_matrices=False)
    directions = Vt[:k] * np.where(Vt[np.arange(k), np.abs(Vt[:k]).argmax(axis=1)] < 0, -1, 1)[:, None]
    total = np.sum(s**2)
    return Map(centered @ directions.T, s[:k] ** 2 / total if total > 0 else np.zeros(k))


def average_vectors(
    texts: Iterable[Sequence[str]], vectors: WordVectors, weights: Mapping[str, float] | None = None
) -> np.ndarray:
    """One vector per tokenized text, (n, d): the (weighted) mean of the unit vectors of its known words; zeros without any.

    weights: word -> weight, say its IDF; words that are missing there are left out.

    >>> vectors = WordVectors(["north", "east"], np.eye(2))
    >>> average_vectors([["north", "east", "moon"], ["moon"]], vectors, {"north": 3.0, "east": 1.0}).tolist()
    [[0.75, 0.25], [0.0, 0.0]]
    """
    texts = list(texts)
    if any(isinstance(text, str) for text in texts):
        raise TypeError("expected tokenized texts (lists of words), got strings; use [tokenize(text) for text in texts]")
    known = [[vectors.ids[w] for w in text if w in vectors.ids and (weights is None or w in weights)] for text in texts]
    ids = np.fromiter((i for row in known for i in row), dtype=np.int32)
    weight = np.ones(len(ids)) if weights is None else np.array([weights[vectors.words[i]] for i in ids], dtype=float)
    ends = np.concatenate([[0], np.cumsum([len(row) for row in known])]).astype(np.int32)
    table = sparse.csr_matrix((weight, ids, ends), shape=(len(texts), len(vectors)))  # one row per text, as in chapter 03
    total = np.asarray(table.sum(axis=1)).reshape(-1, 1)
    return (table @ vectors.unit) / np.where(total > 0, total, 1)
