"""Feature hashing: vectors of words without a vocabulary (chapter 03).

A hash function sends every word to one of a fixed number of columns, also words that nobody has seen before. Two words may
share a column (a collision); a second bit of the hash decides the sign with which a word counts, so that collisions cancel on
average instead of adding up. Source: Weinberger et al. 2009; the hash is MurmurHash3 (32 bit), as in scikit-learn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from scipy import sparse

from helpers.features.bag_of_words import CountVectorizer, _texts, ngrams, tokenize
from helpers.features.tfidf import unit_rows

__all__ = ["HashingVectorizer", "bucket", "collision_share", "murmur3"]

_ALL = 0xFFFFFFFF  # 32 bits


def murmur3(data: bytes | str, seed: int = 0) -> int:
    """MurmurHash3 of the bytes (a string counts as its UTF-8 bytes): a whole number from -2^31 to 2^31 - 1.

    Unlike Python's hash(), the same on every machine and in every run. Source: Appleby 2011, MurmurHash3_x86_32.
    """
    data = data.encode("utf-8") if isinstance(data, str) else data
    h, cut = seed & _ALL, len(data) & ~3
    for i in range(0, cut, 4):
        h ^= _scramble(int.from_bytes(data[i : i + 4], "little"))
        h = (h << 13 | h >> 19) & _ALL
        h = (h * 5 + 0xE6546B64) & _ALL
    if len(data) > cut:
        h ^= _scramble(int.from_bytes(data[cut:], "little"))
    h ^= len(data)
    h = ((h ^ h >> 16) * 0x85EBCA6B) & _ALL
    h = ((h ^ h >> 13) * 0xC2B2AE35) & _ALL
    h ^= h >> 16
    return h - (1 << 32) if h >> 31 else h


def _scramble(k: int) -> int:
    k = (k * 0xCC9E2D51) & _ALL
    k = (k << 15 | k >> 17) & _ALL
    return (k * 0x1B873593) & _ALL


def bucket(term: str, n_features: int) -> tuple[int, int]:
    """Column 0..n_features-1 and sign (+1 or -1) of a term."""
    h = murmur3(term)
    column = (2**31 - 1 - (n_features - 1)) % n_features if h == -(2**31) else abs(h) % n_features
    return column, 1 if h >= 0 else -1


def collision_share(terms: Iterable[str], n_features: int) -> float:
    """Share of the different terms that share their column with at least one other term."""
    columns = np.array([bucket(term, n_features)[0] for term in set(terms)])
    if not len(columns):
        raise ValueError("expected at least one term, got none")
    load = np.bincount(columns, minlength=n_features)
    return float(np.mean(load[columns] > 1))


class HashingVectorizer:
    """Texts to rows (n, n_features) of hashed n-grams; nothing is learned, so there is no `fit`.

    Args:
        n_features: number of columns; a power of two spreads well.
        signed: count with the sign of the hash (see the top of this module), else with +1.
        unit_length: divide each row by its length; a row without n-grams stays zero.
        grams, unit, stop_words, tokenize: as in CountVectorizer.
    """

    def __init__(
        self,
        n_features: int = 2**18,
        *,
        signed: bool = True,
        unit_length: bool = True,
        grams: tuple[int, int] = (1, 1),
        unit: str = "word",
        stop_words: Iterable[str] = (),
        tokenize: Callable[[str], list[str]] = tokenize,
    ) -> None:
        if n_features < 1:
            raise ValueError(f"expected n_features >= 1, got {n_features}; 2**18 is a usual choice")
        self.n_features, self.signed, self.unit_length = n_features, signed, unit_length
        self._splitter = CountVectorizer(grams=grams, unit=unit, stop_words=stop_words, tokenize=tokenize)

    def transform(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Rows of hashed n-grams. TypeError or ValueError for anything but a non-empty list of strings."""
        splitter, known, columns, values, indptr = self._splitter, {}, [], [], [0]
        joint = "" if splitter.unit == "char" else " "
        for text in _texts(texts):
            for term in ngrams(splitter.units(text), *splitter.grams, joint):
                if term not in known:  # each different term is hashed once
                    known[term] = bucket(term, self.n_features)
                column, sign = known[term]
                columns.append(column)
                values.append(sign if self.signed else 1)
            indptr.append(len(columns))
        shape = (len(indptr) - 1, self.n_features)
        X = sparse.csr_matrix((np.array(values, dtype=np.float64), np.array(columns, dtype=np.int64), indptr), shape)
        X.sum_duplicates()
        return unit_rows(X) if self.unit_length else X
