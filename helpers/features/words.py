"""Words of a text, their n-grams, and numbers for them (chapter 03)."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np
import regex

from helpers.features.checks import gram_range

__all__ = ["Vocabulary", "ngrams", "tokenize"]

_plain_words = re.compile(
    r"\w+"
).findall  # three times as fast, but takes marks for no part of a word, and cuts Hindi into pieces
_words = regex.compile(r"[\p{L}\p{N}_][\w\p{N}]*").findall
_without_marks = re.compile(
    r"[\0-\u012f\u0131-\u02ff\u0370-\u0482\u048a-\u0590\u1e00-\u200b\u200e-\u20cf\u2100-\u2cee\u3400-\u9fff]*"
).fullmatch


def tokenize(text: str) -> list[str]:
    """Lower-case words: runs of letters with their marks, digits and underscores of any script, in one normal form (NFC).

    >>> tokenize("Don't stop, 2 Cafés!")
    ['don', 't', 'stop', '2', 'cafés']
    """
    if not isinstance(text, str):
        raise TypeError(f"expected one text (a string), got {type(text).__name__}; tokenize each text by itself")
    if _without_marks(text):
        return _plain_words(text.lower())
    return _words(unicodedata.normalize("NFC", text).lower().replace("i\u0307", "i"))  # the dot of \u0130, Istanbul's


def ngrams(units: Sequence[str] | str, low: int, high: int, joint: str = " ") -> list[str]:
    """All n-grams with low <= n <= high: runs of n neighbors, joined by `joint`, the short ones first.

    >>> ngrams(["a", "b", "c"], 1, 2), ngrams("abc", 2, 3, joint="")
    (['a', 'b', 'c', 'a b', 'b c'], ['ab', 'bc', 'abc'])
    """
    low, high = gram_range((low, high))
    return [joint.join(units[i : i + n]) for n in range(low, min(high, len(units)) + 1) for i in range(len(units) - n + 1)]


class Vocabulary:
    """Numbers for words: the most frequent is 0; ties stand in alphabetical order.

    words: list, by number. ids: dict word -> number. counts: (V,) how often each was seen. Unknown words have no number,
    unless `unknown` names a word that stands for them all; it is put last, with the count of all words it replaced.

    >>> vocabulary = Vocabulary.build([["b", "a", "b"], ["c"]], max_size=2, unknown="?")
    >>> vocabulary.words, vocabulary.counts.tolist(), vocabulary.encode(["c", "a", "b"])
    (['b', 'a', '?'], [2, 1, 1], [2, 1, 0])
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
        if unknown is not None:
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
