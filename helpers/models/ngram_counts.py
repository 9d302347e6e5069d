"""Counting n-grams with sorted arrays: every k-gram of a corpus, for k = 1 to n, in a second per million tokens.

All k-grams of one length are kept in one sorted array of whole numbers. The number of a k-gram is

    key = (node of its first k - 1 tokens) * (vocab_size + 1) + (its last token)

where the *node* of a k-gram is its place in the array of that length. So the continuations of a context stand side by side,
and finding a k-gram is one binary search. Each document is preceded by n - 1 start symbols (the id vocab_size, which is only
ever a context and is never predicted). NumPy only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from helpers.features.checks import numbers
from helpers.features.sorting import distinct, sort_places
from helpers.models.language_model import Ids, check_ids

__all__ = ["Level", "Located", "NgramCounts", "count_ngrams"]


@dataclass(frozen=True)
class Level:
    """All k-grams of one length: G of them, following on C contexts (the (k-1)-grams).

    keys: (G,) sorted, see the module. counts: (G,) occurrences. continuations: (G,) number of different tokens seen before the
    k-gram (zeros at the longest length, where nothing is known of them). first: (C + 1,) the k-grams of context c are
    first[c] to first[c + 1] - 1.

    >>> counts = count_ngrams([[0, 1], [0, 1], [0, 2]], order=2, vocab_size=3)
    >>> counts.levels[0].counts.tolist()  # 0, 1, 2 and the start symbol, which is never counted
    [3, 2, 1, 0]
    """

    keys: np.ndarray
    counts: np.ndarray
    continuations: np.ndarray
    first: np.ndarray

    def per_context(self, values: np.ndarray) -> np.ndarray:
        """The sum of `values` (G,) over the k-grams of each context, (C,)."""
        padded = np.append(numbers(values, "values"), 0.0)  # so that an empty context at the end has a place
        return np.where(np.diff(self.first) > 0, np.add.reduceat(padded, self.first[:-1]), 0.0)


@dataclass(frozen=True)
class Located:
    """Where the tokens of some text stand in the counts: for each length k, contexts[k-1] and grams[k-1], both (T,).

    A context or k-gram that never occurred is -1. Finding them is the slow part of scoring, and it does not depend on the
    smoothing: locate once, then try many discounts.

    >>> counts = count_ngrams([[0, 1], [0, 1], [0, 2]], order=2, vocab_size=3)
    >>> counts.locate([[0, 2, 2]]).grams[1].tolist()  # the third token never followed its context
    [2, 1, -1]
    """

    contexts: list[np.ndarray]
    grams: list[np.ndarray]


@dataclass(frozen=True)
class NgramCounts:
    """The k-grams of a corpus for k = 1 to `order`; levels[k - 1] holds those of length k. Made by `count`.

    >>> counts = count_ngrams([[0, 1], [0, 1], [0, 2]], order=2, vocab_size=3)
    >>> counts.gram_count([0, 1]), counts.gram_count([1, 0])
    (2, 0)
    >>> counts.following(2, counts.nodes([0])[1])[0].tolist()
    [1, 2]
    """

    order: int
    vocab_size: int
    n_documents: int
    n_tokens: int
    levels: tuple[Level, ...]

    def locate(self, documents: Sequence[Ids]) -> Located:
        """Find every token of the documents, with its contexts of 0 to order - 1 tokens. Raises as `count` for bad ids."""
        symbols, place = _padded(documents, self.order, self.vocab_size)
        real = place >= self.order - 1
        node = np.zeros(len(symbols), dtype=np.int64)  # the node of the (k-1)-gram that ends here; for k = 1 the empty one
        contexts, grams = [], []
        for level in self.levels:
            before = np.concatenate([[0], node[:-1]]) if len(grams) else node
            node = self._find(level, before, symbols)
            contexts.append(before[real])
            grams.append(node[real])
        return Located(contexts, grams)

    def nodes(self, context: Sequence[int]) -> list[int]:
        """The node of the last 0, 1, 2, ... tokens of `context`, up to the first that never occurred. Start symbols included."""
        found = [0]
        for length in range(1, min(len(context), self.order - 1) + 1):
            node = 0
            for k, symbol in enumerate(context[len(context) - length :]):
                level = self.levels[k]
                key = node * (self.vocab_size + 1) + int(symbol)
                node = int(np.searchsorted(level.keys, key))
                if node == len(level.keys) or level.keys[node] != key:
                    return found
            found.append(node)
        return found

    def following(self, k: int, context: int) -> tuple[np.ndarray, slice]:
        """The tokens that end the k-grams of a context node, and the slice of those k-grams in levels[k - 1]."""
        level = self.levels[k - 1]
        where = slice(int(level.first[context]), int(level.first[context + 1]))
        return level.keys[where] - context * (self.vocab_size + 1), where

    def gram_count(self, ids: Ids) -> int:
        """How often these 1 to `order` tokens stand in a row in the corpus. Raises ValueError for another number of tokens."""
        ids = check_ids(ids, self.vocab_size + 1)
        if not 1 <= len(ids) <= self.order:
            raise ValueError(f"expected 1 to {self.order} tokens, got {len(ids)}; count with a higher order for longer ones")
        nodes = self.nodes(ids[:-1].tolist())
        if len(nodes) < len(ids):
            return 0
        words, where = self.following(len(ids), nodes[-1])
        hit = np.flatnonzero(words == ids[-1])
        return int(self.levels[len(ids) - 1].counts[where][hit[0]]) if len(hit) else 0

    def start(self) -> tuple[int, ...]:
        """The context in which every document begins: order - 1 start symbols."""
        return (self.vocab_size,) * (self.order - 1)

    def _find(self, level: Level, contexts: np.ndarray, symbols: np.ndarray) -> np.ndarray:
        """The nodes of the k-grams (context node, symbol), -1 where there is none."""
        keys = contexts * (self.vocab_size + 1) + symbols
        if len(keys) < 10_000:
            nodes = np.searchsorted(level.keys, keys)
        else:  # looking up in ascending order stays in the cache: ten times as fast, even with the sorting
            places, ascending = sort_places(np.maximum(keys, 0))
            nodes = np.empty(len(keys), dtype=np.int64)
            nodes[places] = np.searchsorted(level.keys, ascending)
        nodes[nodes == len(level.keys)] = 0
        return np.where((contexts >= 0) & (level.keys[nodes] == keys), nodes, -1)


def count_ngrams(documents: Sequence[Ids], order: int, vocab_size: int) -> NgramCounts:
    """Count the k-grams of the documents for k = 1 to `order`. A document is a sequence of ids, end-of-text id included.

    Raises ValueError for order < 1, vocab_size < 1, no documents, documents without a single token, or ids outside
    0..vocab_size-1; TypeError for ids that are no whole numbers. Empty documents among others count as nothing.

    >>> counts = count_ngrams([[0, 1], [0, 1], [0, 2]], order=2, vocab_size=3)
    >>> counts.n_tokens, counts.gram_count([0, 1])
    (6, 2)
    """
    if not isinstance(order, (int, np.integer)) or order < 1:
        raise ValueError(f"expected an order of 1 or more (1 = no context, 3 = two tokens of context), got {order!r}")
    if vocab_size < 1:
        raise ValueError(f"expected vocab_size >= 1, got {vocab_size}; pass tokenizer.vocab_size")
    symbols, place = _padded(documents, order, vocab_size)
    real = place >= order - 1
    if not real.any():
        raise ValueError("expected documents with at least one token, got an empty corpus; nothing can be counted")
    base = vocab_size + 1
    nodes, levels, parents = symbols, [], 1
    for k in range(1, order + 1):
        # 1. The different k-grams, and how often each occurs.
        if k == 1:
            keys, counts = np.arange(base, dtype=np.int64), np.bincount(symbols[real], minlength=base)
        else:
            ends = np.flatnonzero(place >= k - 1)  # where a window of k symbols, all of one document, ends
            keys, example, found = distinct(nodes[ends - 1] * base + symbols[ends])
            counts = np.bincount(found[real[ends]], minlength=len(keys))
            # 2. How many different tokens stand before each (k-1)-gram.
            without_first = nodes[ends[example]]  # the node of each k-gram's last k - 1 symbols
            continuations = np.bincount(without_first[counts > 0], minlength=parents)
            levels[-1] = replace(levels[-1], continuations=continuations.astype(np.int32))
            nodes = np.zeros(len(symbols), dtype=np.int64)
            nodes[ends] = found
        # 3. Where the continuations of each context begin.
        contexts = 1 if k == 1 else parents
        first = np.zeros(contexts + 1, dtype=np.int64)
        np.cumsum(np.bincount(keys // base if k > 1 else np.zeros(base, dtype=np.int64), minlength=contexts), out=first[1:])
        levels.append(Level(keys, counts.astype(np.int32), np.zeros(len(keys), dtype=np.int32), first))
        parents = len(keys)
    return NgramCounts(int(order), int(vocab_size), len(documents), int(real.sum()), tuple(levels))


def _padded(documents: Sequence[Ids], order: int, vocab_size: int) -> tuple[np.ndarray, np.ndarray]:
    """All documents in one row, each after order - 1 start symbols, and each symbol's place in its own document."""
    if isinstance(documents, (str, bytes)):
        raise TypeError("expected a list of id sequences, got text; pass encode_documents(tokenizer, texts)")
    if len(documents) and np.ndim(documents[0]) == 0:
        raise TypeError("expected a list of documents, each a sequence of ids, got one flat sequence; write [ids]")
    lengths = np.array([len(d) for d in documents], dtype=np.int64)
    total = int(lengths.sum())
    flat = np.concatenate([np.asarray(d) for d in documents if len(d)]) if total else np.zeros(0, dtype=np.int64)
    flat = check_ids(flat, vocab_size, "the ids of the documents")
    padded = lengths + order - 1
    begins = np.cumsum(padded) - padded
    place = (np.arange(int(padded.sum())) - np.repeat(begins, padded)).astype(np.int32)
    symbols = np.full(len(place), vocab_size, dtype=np.int64)
    symbols[place >= order - 1] = flat
    return symbols, place
