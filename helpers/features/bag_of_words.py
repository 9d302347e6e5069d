"""Bag of words: texts as rows of counts or TF-IDF weights, over words or characters (chapter 03).

A text becomes a row of numbers, one column per known n-gram, and forgets the order of its words. Matrices are
scipy.sparse CSR: only what is not zero is stored (the chapter builds such a matrix by hand). Columns are ordered by falling
count, ties alphabetically, so that the first k columns are always the k most frequent n-grams.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, count

import numpy as np
from scipy import sparse

from helpers.features.checks import gram_range, text_list, word_set
from helpers.features.sorting import distinct
from helpers.features.tfidf import IDF, document_frequency, idf, unit_rows
from helpers.features.words import Vocabulary, ngrams, tokenize

__all__ = ["CountVectorizer", "TfidfVectorizer", "count_plainly"]

_spaces = re.compile(r"\s+")


def count_plainly(texts: Sequence[str], low: int = 1, high: int = 1) -> tuple[list[str], np.ndarray]:
    """The n-grams of the texts, and how often each stands in each text (n, V), as the definition reads.

    >>> words, counts = count_plainly(["to be or not to be", "to do"])
    >>> words, counts.tolist()
    (['to', 'be', 'do', 'not', 'or'], [[2, 2, 0, 1, 1], [1, 0, 1, 0, 0]])
    """
    rows = [Counter(ngrams(tokenize(text), low, high)) for text in texts]
    total = sum(rows, Counter())
    columns = sorted(total, key=lambda gram: (-total[gram], gram))
    return columns, np.array([[row[gram] for gram in columns] for row in rows])


class CountVectorizer:
    """The counts of `count_plainly`, fast and sparse (n, V): one column per n-gram seen in `fit`; others are ignored.

    grams: (low, high), the sizes of n-grams that are counted; (1, 2) means words and pairs of neighbors. unit: "word", or "char"
    for n-grams of characters (lower-case, any run of white space is one space). stop_words: words that are dropped before
    n-grams are formed (unit "word" only). min_df, max_df: an n-gram must stand in at least min_df documents, and in at most the
    share max_df of them. max_features: keep only that many, the most frequent ones. binary: 1 for "occurs", whatever the count.
    tokenize: function from text to words.

    After `fit`: vocabulary (its words are the n-grams, in the order of the columns), df (V,), n_documents.
    Bad settings raise ValueError at once; so does `fit` on texts without a single n-gram left.

    >>> counter = CountVectorizer()
    >>> counter.fit_transform(["to be or not to be", "to do"]).toarray().tolist(), counter.vocabulary.words
    ([[2, 2, 0, 1, 1], [1, 0, 1, 0, 0]], ['to', 'be', 'do', 'not', 'or'])
    >>> counter.transform(["do be do"]).toarray().tolist(), counter.df.tolist()
    ([[0, 1, 2, 0, 0]], [2, 1, 1, 1, 1])
    """

    vocabulary: Vocabulary
    df: np.ndarray
    n_documents: int

    def __init__(
        self,
        *,
        grams: tuple[int, int] = (1, 1),
        unit: str = "word",
        stop_words: Iterable[str] = (),
        min_df: int = 1,
        max_df: float = 1.0,
        max_features: int | None = None,
        binary: bool = False,
        tokenize: Callable[[str], list[str]] = tokenize,
    ) -> None:
        if unit not in ("word", "char"):
            raise ValueError(f'expected unit "word" or "char", got {unit!r}')
        numbers = {"min_df": min_df, "max_df": max_df, "max_features": 1 if max_features is None else max_features}
        wrong = [name for name, n in numbers.items() if isinstance(n, bool) or not isinstance(n, (int, float, np.number))]
        if wrong:
            raise TypeError(f"expected {wrong[0]} as a number, got {numbers[wrong[0]]!r}")
        if min_df != int(min_df) or min_df < 1 or not 0 < max_df <= 1:
            raise ValueError(f"expected a whole min_df >= 1 (documents) and 0 < max_df <= 1 (a share), got {min_df}, {max_df}")
        if max_features is not None and (max_features < 1 or max_features != int(max_features)):
            raise ValueError(f"expected a whole max_features >= 1, or None for no limit, got {max_features}")
        self.grams, self.unit, self.stop_words = gram_range(grams), unit, word_set(stop_words, "stop_words")
        self.min_df, self.max_df, self.max_features, self.binary = min_df, max_df, max_features, binary
        self.tokenize = tokenize

    def units(self, text: str) -> list[str] | str:
        """What n-grams are made of: the words without stop words, or the characters."""
        if self.unit == "char":
            return _spaces.sub(" ", text.lower())
        words = self.tokenize(text)
        return [word for word in words if word not in self.stop_words] if self.stop_words else words

    def fit(self, texts: Sequence[str]) -> CountVectorizer:
        """Learn the vocabulary from texts. Returns itself."""
        self.fit_transform(texts)
        return self

    def fit_transform(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Learn the vocabulary from texts and return their counts (n, V).

        Works on numbers in place of strings: every unit gets a number, and an n-gram is a pair (its first n - 1 units, its
        last unit). Strings are made only for the n-grams that are kept.
        """
        texts = text_list(texts)
        # 1. Units become numbers, all texts in one row.
        units = [self.units(text) for text in texts]
        table = defaultdict(count().__next__)
        flat = np.fromiter(map(table.__getitem__, chain.from_iterable(units)), dtype=np.int64)
        names, lengths = list(table), np.array([len(row) for row in units])
        # 2. For each length n: number the n-grams that fit into their text, and count them by text.
        parts, makers, gram = [], [], flat  # gram: the number of the n-gram that starts at each place
        left = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        left = np.repeat(lengths, lengths) - left  # units from each place to the end of its text
        for n in range(1, self.grams[1] + 1):
            if n == 1:
                kinds, inside, first = len(names), left >= 1, None
            else:
                inside = left >= n
                key = gram[inside] * len(names) + flat[np.flatnonzero(inside) + n - 1]
                _, at, inverse = distinct(key)
                kinds, first = len(at), np.flatnonzero(inside)[at]
                gram = np.zeros(len(flat), dtype=np.int64)
                gram[inside] = inverse
            if n >= self.grams[0]:
                indptr = np.r_[0, np.cumsum(np.maximum(lengths - n + 1, 0))]
                part = sparse.csr_matrix((np.ones(indptr[-1], dtype=np.int64), gram[inside], indptr), (len(texts), kinds))
                part.sum_duplicates()
                parts.append(part)
                makers.append((n, first))
        # 3. Keep the n-grams within the limits, spell them out and put the frequent ones first.
        X = sparse.hstack(parts, format="csr") if len(parts) > 1 else parts[0]
        df, total = document_frequency(X), np.bincount(X.indices, weights=X.data, minlength=X.shape[1]).astype(np.int64)
        kept = np.flatnonzero((df >= self.min_df) & (df <= self.max_df * len(texts)))
        if not len(kept):
            raise ValueError(
                f"expected at least one n-gram of {self.grams} {self.unit}s that is no stop word and stands in {self.min_df} to "
                f"{self.max_df:.0%} of the texts, got none in {len(texts)} texts; pass other texts or wider limits"
            )
        strings = self._strings(kept, parts, makers, names, flat)
        order = np.array(sorted(range(len(kept)), key=strings.__getitem__))
        order = order[np.argsort(-total[kept[order]], kind="stable")][: self.max_features]
        self.vocabulary = Vocabulary([strings[i] for i in order], total[kept[order]])
        self.df, self.n_documents = df[kept[order]], len(texts)
        return self._weigh(_columns(X, kept[order]))

    def _strings(self, kept: np.ndarray, parts: list, makers: list, names: list[str], flat: np.ndarray) -> list[str]:
        """The n-grams behind the columns `kept`, spelled out from the place where each first stands."""
        joint, strings, begin = "" if self.unit == "char" else " ", [], 0
        for part, (n, first) in zip(parts, makers):
            here = kept[(kept >= begin) & (kept < begin + part.shape[1])] - begin
            if n == 1:
                strings += [names[i] for i in here]
            else:
                rows = flat[first[here][:, None] + np.arange(n)].tolist()
                strings += [joint.join([names[i] for i in row]) for row in rows]
            begin += part.shape[1]
        return strings

    def transform(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Counts (n, V) of texts over the columns of `fit`. A text of unknown n-grams only gives a row of zeros."""
        if not hasattr(self, "vocabulary"):
            raise ValueError("expected a fitted vectorizer, got a new one; call fit(texts) on the training texts first")
        joint, find = "" if self.unit == "char" else " ", self.vocabulary.ids.get
        columns, indptr = [], [0]
        for text in text_list(texts):
            columns += [j for j in map(find, ngrams(self.units(text), *self.grams, joint)) if j is not None]
            indptr.append(len(columns))
        shape = (len(indptr) - 1, len(self.vocabulary))
        X = sparse.csr_matrix((np.ones(len(columns), dtype=np.int64), np.array(columns, dtype=np.int64), indptr), shape)
        X.sum_duplicates()
        return self._weigh(X)

    def _weigh(self, X: sparse.csr_matrix) -> sparse.csr_matrix:
        if self.binary:
            X.data[:] = 1
        return X


class TfidfVectorizer(CountVectorizer):
    """Texts to TF-IDF rows of length 1: (count, or 1 + ln count) times idf, divided by the row's length.

    sublinear: take 1 + ln(count) for the count. idf_kind: see `idf`. Other arguments as in CountVectorizer. A text
    without a known n-gram gives a row of zeros. After `fit`: idf (V,). Source: Salton, Buckley 1988; same as scikit-learn.

    >>> weights = TfidfVectorizer(idf_kind="plain").fit_transform(["to be or not to be", "to do"])
    >>> weights.toarray().round(3).tolist()  # "to" stands in both: ln(2/2) = 0
    [[0.0, 0.816, 0.0, 0.408, 0.408], [0.0, 0.0, 1.0, 0.0, 0.0]]
    """

    idf: np.ndarray

    def __init__(self, *, sublinear: bool = False, idf_kind: str = "smooth", **settings) -> None:
        if idf_kind not in IDF:
            raise ValueError(f"expected idf_kind to be one of {IDF}, got {idf_kind!r}")
        super().__init__(**settings)
        self.sublinear, self.idf_kind = sublinear, idf_kind

    def _weigh(self, X: sparse.csr_matrix) -> sparse.csr_matrix:
        self.idf = idf(self.df, self.n_documents, self.idf_kind)
        X = super()._weigh(X).astype(np.float64)
        if self.sublinear:
            X.data = 1 + np.log(X.data)
        X.data *= self.idf[X.indices]
        return unit_rows(X)


def _columns(X: sparse.csr_matrix, wanted: np.ndarray) -> sparse.csr_matrix:
    """The columns `wanted` of X, in that order (faster than X[:, wanted], as each is wanted once)."""
    place = np.full(X.shape[1], -1)
    place[wanted] = np.arange(len(wanted))
    new = place[X.indices]
    kept = new >= 0
    indptr = np.r_[0, np.cumsum(kept)][X.indptr]
    out = sparse.csr_matrix((X.data[kept], new[kept], indptr), (X.shape[0], len(wanted)))
    out.sort_indices()
    return out
