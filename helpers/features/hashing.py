"""Feature hashing: vectors of words without a vocabulary (chapter 03).

A hash function sends every word to one of a fixed number of columns, also words that nobody has seen before. Two words may
share a column (a collision); a second bit of the hash decides the sign with which a word counts, so that collisions cancel on
average instead of adding up. The hash is MurmurHash3 (32 bit): unlike Python's hash(), the same on every machine and in every
run. Source: Weinberger et al. 2009.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from scipy import sparse

from helpers.features.bag_of_words import CountVectorizer
from helpers.features.checks import text_list
from helpers.features.tfidf import unit_rows
from helpers.features.words import ngrams, tokenize

__all__ = ["HashingVectorizer", "bucket", "collision_share"]


def bucket(term: str, n_features: int) -> tuple[int, int]:
    """Column 0..n_features-1 and sign (+1 or -1) of a term.

    >>> bucket("otter", 1024), bucket("river", 1024)
    ((943, 1), (602, -1))
    """
    from sklearn.utils import murmurhash3_32  # on first use: it takes longer to load than all features together

    h = murmurhash3_32(term)
    column = (2**31 - 1 - (n_features - 1)) % n_features if h == -(2**31) else abs(h) % n_features
    return column, 1 if h >= 0 else -1


def collision_share(terms: Iterable[str], n_features: int) -> float:
    """Share of the different terms that share their column with at least one other term.

    >>> collision_share(["a", "b", "a"], 2**20), collision_share(["a", "b", "a"], 1)
    (0.0, 1.0)
    """
    columns = np.array([bucket(term, n_features)[0] for term in set(terms)])
    if not len(columns):
        raise ValueError("expected at least one term, got none")
    load = np.bincount(columns, minlength=n_features)
    return float(np.mean(load[columns] > 1))


class HashingVectorizer:
    """Texts to rows (n, n_features) of hashed n-grams; nothing is learned, so there is no `fit`.

    n_features: number of columns; a power of two spreads well. signed: count with the sign of the hash (see the top of this
    module), else with +1. unit_length: divide each row by its length; a row without n-grams stays zero. grams, unit,
    stop_words, tokenize: as in CountVectorizer.

    >>> HashingVectorizer(8, unit_length=False).transform(["otter river otter"]).toarray().tolist()
    [[0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 2.0]]
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
        for text in text_list(texts):
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
