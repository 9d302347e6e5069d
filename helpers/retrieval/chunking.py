"""Cutting documents into chunks that can be found and fit into a prompt. Every chunk knows where it came from.

For each chunk, document[chunk.start:chunk.end] == chunk.text: offsets are what citations are checked with, so nothing is
stripped, joined or cleaned on the way. Three ways to cut: after a fixed number of words, at sentence ends, and either with an
overlap, so that what is cut in two here is whole there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import regex

__all__ = ["Chunk", "chunk_all", "fixed_chunks", "sentence_chunks", "sentences"]

# In a text with runs of a script without spaces (Thai to Khmer, Han, kana) each of its characters counts as a word. In any text
# so does each piece of a run that no language would call a word.
_NO_SPACES = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9d\U00020000-\U0003ffff"
_dense_words = re.compile(rf"[^\s{_NO_SPACES}]{{1,100}}|[{_NO_SPACES}]")
_dense = re.compile(rf"[{_NO_SPACES}]{{9}}")
_spaced_words = re.compile(r"\S{1,100}")
_ALONE = 90  # words of a sentence that may stand alone: a reader's share of a prompt, half of what the encoder sees
_STOPS = "\u3002\uff61\uff0e\uff1f\uff01\u061f\u06d4\u0964\u0965\u0589\u1362\u1367\u104b\u17d4\u17d5\u0f0e\u203c\u2047-\u2049"
_ends = regex.compile(
    r"[.!?\u2026][\"')\]\u2019\u201d\u00bb]*(?=\s+[\"'(\[\u2018\u201c\u00ab]*[\p{Lu}\p{Lt}\p{Lo}\p{N}])"
    rf"|[{_STOPS}]+[\"')\]\u2019\u201d\u300d\u300f\uff09]*|[\n\r\f\v\x85\u2028\u2029]+"
)
# Abbreviations and single initials that a full stop does not end; decimals have no space after their point.
_short = regex.compile(
    r"(?:(?:^|[\s.(])\p{Lu}"
    r"|\b(?:Mr|Mrs|Ms|Dr|St|Prof|Jr|Sr|vs|etc|e\.g|i\.e|ca|c|approx|No|Fig|Vol|Mt|Lt|Col|Gen))\.$"
)
_LONGEST = 8  # characters of such an abbreviation with what stands before it


class Chunk(NamedTuple):
    """A piece of a document. document: its number; start, end: half-open character offsets in it.

    >>> chunk = fixed_chunks("one two three", size=2)[0]
    >>> "one two three"[chunk.start : chunk.end] == chunk.text
    True
    """

    text: str
    document: int
    start: int
    end: int


def _checked(text: str, size: int, overlap: int, unit: str) -> None:
    if not isinstance(text, str):
        raise TypeError(f"expected one text (a string), got {type(text).__name__}; chunk_all takes a list of texts")
    if size < 1:
        raise ValueError(f"expected a size of at least 1 {unit}, got {size}")
    if not 0 <= overlap < size:
        raise ValueError(
            f"expected an overlap from 0 to size - 1 = {size - 1} {unit}, got {overlap}: with a larger one the next "
            "chunk would begin where this one did"
        )


def _words(text: str) -> re.Pattern[str]:
    """What a word is in this text."""
    return _dense_words if _dense.search(text) else _spaced_words


def _most(size: int) -> int:
    """Characters of a chunk of `size` words at most: more than twice as many as English has."""
    return 16 * size + 100


def fixed_chunks(text: str, size: int, overlap: int = 0, document: int = 0) -> list[Chunk]:
    """Chunks of `size` words; each begins `size - overlap` words after the one before. The last one may be shorter.

    No chunk has more than 16 size + 100 characters: where words are longer it holds fewer of them. In scripts without spaces a
    character is a word. A text without words has no chunk. Raises ValueError unless size >= 1 and 0 <= overlap < size.

    >>> [chunk.text for chunk in fixed_chunks("one two three four five", size=3, overlap=1)]
    ['one two three', 'three four five']
    """
    _checked(text, size, overlap, "words")
    words = [m.span() for m in _words(text).finditer(text)]
    chunks, first, last = [], 0, 0
    while last < len(words):
        start, last = words[first][0], min(first + size, len(words))
        while last > first + 1 and words[last - 1][1] - start > _most(size):
            last -= 1
        end = words[last - 1][1]
        chunks.append(Chunk(text[start:end], document, start, end))
        first = max(first + 1, last - overlap)
    return chunks


def sentences(text: str) -> list[tuple[int, int]]:
    """Half-open offsets of the sentences: full stop, space and capital end one; "3.14", "Dr. Who" and "J. S. Bach" do not.

    So does the full stop of any other script, and the end of a line (a list, a table or a poem has no other marks).

    >>> text = "Pi is 3.14. Dr. Who knows."
    >>> [text[start:end] for start, end in sentences(text)]
    ['Pi is 3.14.', 'Dr. Who knows.']
    """
    out, start = [], 0
    for match in _ends.finditer(text):
        end = match.end()
        if _short.search(text, max(start, end - _LONGEST), end):
            continue
        out.append((start, end))
        start = end
    out.append((start, len(text)))
    trimmed = ((a + len(text[a:b]) - len(text[a:b].lstrip()), b - (len(text[a:b]) - len(text[a:b].rstrip()))) for a, b in out)
    return [(a, b) for a, b in trimmed if a < b]


def sentence_chunks(text: str, max_words: int, overlap: int = 0, document: int = 0) -> list[Chunk]:
    """Whole sentences, as many as fit into `max_words`; a longer sentence stands alone. overlap: sentences that are repeated.

    A sentence of more than 90 words (or max_words) is cut. Words and the limit of characters are those of `fixed_chunks`.
    Raises ValueError unless max_words >= 1 and overlap >= 0.

    >>> [chunk.text for chunk in sentence_chunks("One two. Three four. Five six.", max_words=4, overlap=1)]
    ['One two. Three four.', 'Three four. Five six.']
    """
    _checked(text, max_words, 0, "words")
    if overlap < 0:
        raise ValueError(f"expected an overlap of 0 or more sentences, got {overlap}")
    most = max(max_words, _ALONE)
    words, spans, lengths = _words(text), [], []
    for a, b in sentences(text):
        pieces = [(a, b)]
        if b - a > most:  # as many words need more characters
            pieces = [(a + c.start, a + c.end) for c in fixed_chunks(text[a:b], most)]
        spans += pieces
        lengths += [len(words.findall(text, *piece)) for piece in pieces]
    chunks, first = [], 0
    while first < len(spans):
        last, total, start = first, 0, spans[first][0]
        while last < len(spans) and (
            last == first or (total + lengths[last] <= max_words and spans[last][1] - start <= _most(max_words))
        ):
            total += lengths[last]
            last += 1
        end = spans[last - 1][1]
        chunks.append(Chunk(text[start:end], document, start, end))
        if last == len(spans):
            break
        first = max(first + 1, last - overlap)
        while first < last and sum(lengths[first : last + 1]) > max_words:
            first += 1  # repeated sentences must leave room for a new one
    return chunks


def chunk_all(texts: Sequence[str], cut: Callable[..., list[Chunk]], *args, **kwargs) -> list[Chunk]:
    """The chunks of all texts, one after the other, each with the number of its text.

    >>> [(chunk.text, chunk.document) for chunk in chunk_all(["a b c", "d"], fixed_chunks, 2)]
    [('a b', 0), ('c', 0), ('d', 1)]
    """
    if isinstance(texts, str):
        raise TypeError("expected a list of texts, got one string; for a single text write [text]")
    return [chunk for number, text in enumerate(texts) for chunk in cut(text, *args, document=number, **kwargs)]
