"""Bag of words: tokens, vocabulary, count and TF-IDF vectors over words or characters, cosine (chapter 03).

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

from helpers.features.tfidf import IDF, document_frequency, idf, unit_rows

__all__ = ["CountVectorizer", "TfidfVectorizer", "Vocabulary", "ngrams", "tokenize"]

_words = re.compile(r"\w+").findall
_blanks = re.compile(r"\s+")


def tokenize(text: str) -> list[str]:
    """Lower-case words: runs of letters, digits and underscores of any script. "Don't!" gives ["don", "t"]."""
    if not isinstance(text, str):
        raise TypeError(f"expected one text (a string), got {type(text).__name__}; tokenize each text by itself")
    return _words(text.lower())


def ngrams(units: Sequence[str] | str, low: int, high: int, joint: str = " ") -> list[str]:
    """All n-grams with low <= n <= high: runs of n neighbors, joined by `joint`, the short ones first.

    ngrams(["a", "b", "c"], 1, 2) is ["a", "b", "c", "a b", "b c"]. With a string for units and joint="": characters.
    """
    low, high = _range((low, high))
    return [joint.join(units[i : i + n]) for n in range(low, high + 1) for i in range(len(units) - n + 1)]


class Vocabulary:
    """Numbers for words: the most frequent is 0; ties stand in alphabetical order.

    words: list, by number. ids: dict word -> number. counts: (V,) how often each was seen. Unknown words have no number,
    unless `unknown` names a word that stands for them all; it is put last, with the count of all words it replaced.
    """

    def __init__(self, words: Sequence[str], counts: Sequence[int], unknown: str | None = None) -> None:
        if len(words) != len(counts):
            raise ValueError(f"expected one count per word, got {len(words)} words and {len(counts)} counts")
        self.words, self.counts, self.unknown = list(words), np.asarray(counts, dtype=np.int64), unknown
        self.ids = {word: i for i, word in enumerate(self.words)}
        if len(self.ids) != len(self.words):
            raise ValueError("expected each word once, got repeated words; count them with Vocabulary.build")

    @classmethod
    def build(
        cls, texts: Iterable[Sequence[str]], *, min_count: int = 1, max_size: int | None = None, unknown: str | None = None
    ) -> Vocabulary:
        """Count the words of tokenized texts; keep those seen at least min_count times, max_size at most.

        Raises ValueError when no word is left, and TypeError for texts that are not tokenized.
        """
        texts = list(texts)
        if any(isinstance(tokens, str) for tokens in texts):
            raise TypeError("expected tokenized texts (lists of words), got strings; use [tokenize(text) for text in texts]")
        seen = Counter(chain.from_iterable(texts))
        seen.pop(unknown, None)
        ranked = sorted((item for item in seen.items() if item[1] >= min_count), key=lambda item: (-item[1], item[0]))
        if not ranked:
            raise ValueError(
                f"expected at least one word seen {min_count} times, got {len(texts)} texts with {len(seen)} "
                "different words; pass more text, or lower min_count"
            )
        kept = ranked[:max_size]
        words, counts = [word for word, _ in kept], [n for _, n in kept]
        if unknown is not None:
            words, counts = [*words, unknown], [*counts, sum(seen.values()) - sum(counts)]
        return cls(words, counts, unknown)

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self.ids

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """Numbers of the words; unknown words are left out, or get the number of `unknown` if there is one."""
        if isinstance(tokens, str):
            raise TypeError("expected a list of words, got one string; use encode(tokenize(text))")
        if self.unknown is not None:
            spare = self.ids[self.unknown]
            return [self.ids.get(token, spare) for token in tokens]
        return [self.ids[token] for token in tokens if token in self.ids]

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Words of the numbers. Raises ValueError for a number outside 0..V-1."""
        ids = list(ids)
        bad = [i for i in ids if not 0 <= i < len(self.words)]
        if bad:
            raise ValueError(f"expected numbers 0..{len(self.words) - 1}, got {bad[0]}; is it from another vocabulary?")
        return [self.words[i] for i in ids]


# ------------------------------------------------------------------------------------------------ texts to matrices


class CountVectorizer:
    """Texts to a matrix of counts (n, V), one column per n-gram seen in `fit`; others are ignored.

    Args:
        grams: (low, high), the sizes of n-grams that are counted; (1, 2) means words and pairs of neighbors.
        unit: "word", or "char" for n-grams of characters (lower-case, any run of blanks is one blank).
        stop_words: words that are dropped before n-grams are formed (unit "word" only).
        min_df, max_df: an n-gram must stand in at least min_df documents, and in at most the share max_df of them.
        max_features: keep only that many, the most frequent ones.
        binary: 1 for "occurs", whatever the count.
        tokenize: function from text to words.

    After `fit`: vocabulary (its words are the n-grams, in the order of the columns), df (V,), n_documents.
    Bad settings raise ValueError at once; so does `fit` on texts without a single n-gram left.
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
        if min_df != int(min_df) or min_df < 1 or not 0 < max_df <= 1:
            raise ValueError(f"expected a whole min_df >= 1 (documents) and 0 < max_df <= 1 (a share), got {min_df}, {max_df}")
        if max_features is not None and max_features < 1:
            raise ValueError(f"expected max_features >= 1, or None for no limit, got {max_features}")
        self.grams, self.unit, self.stop_words = _range(grams), unit, frozenset(stop_words)
        self.min_df, self.max_df, self.max_features, self.binary = min_df, max_df, max_features, binary
        self.tokenize = tokenize

    def units(self, text: str) -> list[str] | str:
        """What n-grams are made of: the words without stop words, or the characters."""
        if self.unit == "char":
            return _blanks.sub(" ", text.lower())
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
        texts = _texts(texts)
        units = [self.units(text) for text in texts]
        table = defaultdict(count().__next__)
        flat = np.fromiter(map(table.__getitem__, chain.from_iterable(units)), dtype=np.int64)
        names, lengths = list(table), np.array([len(row) for row in units])
        parts, makers, gram = [], [], flat  # gram: the number of the n-gram that starts at each place
        left = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        left = np.repeat(lengths, lengths) - left  # units from each place to the end of its text
        for n in range(1, self.grams[1] + 1):
            if n == 1:
                kinds, inside, first = len(names), left >= 1, None
            else:
                inside = left >= n
                key = gram[inside] * len(names) + flat[np.flatnonzero(inside) + n - 1]
                at, inverse = _distinct(key)
                kinds, first = len(at), np.flatnonzero(inside)[at]
                gram = np.zeros(len(flat), dtype=np.int64)
                gram[inside] = inverse
            if n >= self.grams[0]:
                indptr = np.r_[0, np.cumsum(np.maximum(lengths - n + 1, 0))]
                part = sparse.csr_matrix((np.ones(indptr[-1], dtype=np.int64), gram[inside], indptr), (len(texts), kinds))
                part.sum_duplicates()
                parts.append(part)
                makers.append((n, first))
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
        for text in _texts(texts):
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


# ----------------------------------------------------------------------------------------------------------- checks


def _distinct(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(place of the first of each different key, number of the key at each place), keys numbered in rising order.

    As np.unique does, but key and place are packed into one number: sorting plain numbers is several times faster.
    """
    bits = len(keys).bit_length()
    if len(keys) == 0 or int(keys.max()).bit_length() + bits > 62:
        _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        return first, inverse
    packed = np.sort(keys << bits | np.arange(len(keys)))
    place, key = packed & ((1 << bits) - 1), packed >> bits
    new = np.r_[True, key[1:] != key[:-1]]
    inverse = np.empty(len(keys), dtype=np.int64)
    inverse[place] = np.cumsum(new) - 1
    return place[new], inverse


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


def _range(grams: tuple[int, int]) -> tuple[int, int]:
    if not (isinstance(grams, (tuple, list)) and len(grams) == 2 and all(isinstance(n, (int, np.integer)) for n in grams)):
        raise TypeError(f"expected the n-gram range as two whole numbers (low, high), got {grams!r}; (1, 1) means single words")
    if not 1 <= grams[0] <= grams[1]:
        raise ValueError(f"expected an n-gram range with 1 <= low <= high, got {tuple(grams)}")
    return int(grams[0]), int(grams[1])


def _texts(texts: Sequence[str]) -> list[str]:
    if isinstance(texts, str):
        raise TypeError("expected a list of texts, got one string; for a single text write [text]")
    texts = list(texts)
    if not texts:
        raise ValueError("expected at least one text, got an empty list; check how it was filtered")
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"expected texts[{row}] to be a string, got {type(text).__name__}; convert or drop it")
    return texts
