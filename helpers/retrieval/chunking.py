"""Cutting documents into chunks that can be found and fit into a prompt. Every chunk knows where it came from.

For each chunk, document[chunk.start:chunk.end] == chunk.text: offsets are what citations are checked with, so nothing is
stripped, joined or cleaned on the way. Three ways to cut: after a fixed number of words, at sentence ends, and either with an
overlap, so that what is cut in two here is whole there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

__all__ = ["Chunk", "chunk_all", "fixed_chunks", "sentence_chunks", "sentences"]

_words = re.compile(r"\S+")
_ends = re.compile(r"[.!?][\"')\]\u2019\u201d]*(?=\s+[\"'(\[\u2018\u201c]*[A-Z0-9\u00c0-\u00de])|\n\s*\n")
# Abbreviations and single initials that a full stop does not end; decimals have no space after their point.
_short = re.compile(
    r"(?:(?:^|[\s.(])[A-Z]"
    r"|\b(?:Mr|Mrs|Ms|Dr|St|Prof|Jr|Sr|vs|etc|e\.g|i\.e|ca|c|approx|No|Fig|Vol|Mt|Lt|Col|Gen))\.$"
)


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


def fixed_chunks(text: str, size: int, overlap: int = 0, document: int = 0) -> list[Chunk]:
    """Chunks of `size` words; each begins `size - overlap` words after the one before. The last one may be shorter.

    A text without words has no chunk. Raises ValueError unless size >= 1 and 0 <= overlap < size.

    >>> [chunk.text for chunk in fixed_chunks("one two three four five", size=3, overlap=1)]
    ['one two three', 'three four five']
    """
    _checked(text, size, overlap, "words")
    words = [m.span() for m in _words.finditer(text)]
    chunks = []
    for first in range(0, len(words), size - overlap):
        last = min(first + size, len(words))
        start, end = words[first][0], words[last - 1][1]
        chunks.append(Chunk(text[start:end], document, start, end))
        if last == len(words):
            break  # what would follow lies wholly inside this chunk
    return chunks


def sentences(text: str) -> list[tuple[int, int]]:
    """Half-open offsets of the sentences: full stop, space and capital end one; "3.14", "Dr. Who" and "J. S. Bach" do not.

    >>> text = "Pi is 3.14. Dr. Who knows."
    >>> [text[start:end] for start, end in sentences(text)]
    ['Pi is 3.14.', 'Dr. Who knows.']
    """
    out, start = [], 0
    for match in _ends.finditer(text):
        if _short.search(text[start : match.end()]):
            continue
        out.append((start, match.end()))
        start = match.end()
    out.append((start, len(text)))
    trimmed = ((a + len(text[a:b]) - len(text[a:b].lstrip()), b - (len(text[a:b]) - len(text[a:b].rstrip()))) for a, b in out)
    return [(a, b) for a, b in trimmed if a < b]


def sentence_chunks(text: str, max_words: int, overlap: int = 0, document: int = 0) -> list[Chunk]:
    """Whole sentences, as many as fit into `max_words`; a longer sentence stands alone. overlap: sentences that are repeated.

    Raises ValueError unless max_words >= 1 and overlap >= 0.

    >>> [chunk.text for chunk in sentence_chunks("One two. Three four. Five six.", max_words=4, overlap=1)]
    ['One two. Three four.', 'Three four. Five six.']
    """
    _checked(text, max_words, 0, "words")
    if overlap < 0:
        raise ValueError(f"expected an overlap of 0 or more sentences, got {overlap}")
    spans = sentences(text)
    lengths = [len(_words.findall(text[a:b])) for a, b in spans]
    chunks, first = [], 0
    while first < len(spans):
        last, total = first, 0
        while last < len(spans) and (last == first or total + lengths[last] <= max_words):
            total += lengths[last]
            last += 1
        start, end = spans[first][0], spans[last - 1][1]
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
