"""Two tokenizers without loss that need no training of merges: bytes, and words with bytes for the words it does not know.

Both give every text back exactly, so a model over their tokens is a distribution over all texts, and bits per byte can be
measured with them. Standard library only.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from helpers.tokenizers.checks import checked_text, utf8

__all__ = ["ByteTokenizer", "WordTokenizer", "pieces"]

N_BYTES = 256
_PIECE = re.compile(r" ?\w+| ?[^\w\s]|\s+")


def pieces(text: str) -> list[str]:
    """Cut a text into words, punctuation marks and white space; joined together they are the text again.

    A single space belongs to the word or mark after it: " the" is one piece. Raises TypeError when `text` is no string.

    >>> pieces("Stop! By  the sea.")
    ['Stop', '!', ' By', '  ', 'the', ' sea', '.']
    """
    return _PIECE.findall(checked_text(text))


class ByteTokenizer:
    """Every byte of the UTF-8 text is a token: ids 0 to 255, and 256 for the end of a text.

    >>> ByteTokenizer().encode("né"), ByteTokenizer().decode([110, 195, 169])
    ([110, 195, 169], 'né')
    """

    end_id = N_BYTES
    vocab_size = N_BYTES + 1

    def encode(self, text: str) -> list[int]:
        """The bytes of a text. Raises TypeError when it is no string, ValueError for half of a surrogate pair."""
        return list(utf8(checked_text(text)))

    def decode(self, ids: Sequence[int]) -> str:
        """The text again; the end of a text becomes nothing, bytes that are no valid UTF-8 become the sign U+FFFD."""
        return _decode(ids, self.token_bytes)

    def token_bytes(self, id: int) -> bytes:
        """The bytes that a token stands for. Raises ValueError for an id out of range."""
        _check(id, self.vocab_size)
        return bytes([id]) if id < N_BYTES else b""


class WordTokenizer:
    """Words, marks and white space as tokens; a word that is not in the vocabulary is spelled out in bytes.

    Ids 0 to 255 are the bytes, 256 is the end of a text, then come the words by falling count, ties in order of code points.
    Trained with `min_count=2`, the words that occur once in the training texts are spelled out there as well, and so teach a
    model when to expect an unknown word and how such words look.

    >>> tokenizer = WordTokenizer.train(["to be or not to be"])
    >>> tokenizer.words, tokenizer.encode("to be to")
    ([' be'], [116, 111, 257, 32, 116, 111])
    """

    end_id = N_BYTES

    def __init__(self, words: Iterable[str]):
        """words: the vocabulary, in the order of their ids. Raises ValueError when one is there twice."""
        self.words = list(words)
        self._ids = {word: number for number, word in enumerate(self.words, start=N_BYTES + 1)}
        if len(self._ids) != len(self.words):
            raise ValueError("expected every word once in the vocabulary, got some twice")
        self.vocab_size = N_BYTES + 1 + len(self.words)

    @classmethod
    def train(cls, texts: Iterable[str], min_count: int = 2, max_words: int | None = None) -> WordTokenizer:
        """The vocabulary of the texts: the pieces that occur at least `min_count` times, at most `max_words` of them.

        Raises TypeError when `texts` is one string, ValueError for min_count < 1.
        """
        if isinstance(texts, str):
            raise TypeError("expected a list of texts, got one string; write [text]")
        if min_count < 1:
            raise ValueError(f"expected min_count >= 1, got {min_count}")
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(pieces(text))
        kept = sorted((w for w, n in counts.items() if n >= min_count), key=lambda w: (-counts[w], w))
        return cls(kept[:max_words])

    def encode(self, text: str) -> list[int]:
        """The ids of a text, without an end-of-text id."""
        ids: list[int] = []
        for piece in pieces(text):
            known = self._ids.get(piece)
            if known is None:
                ids.extend(utf8(piece))
            else:
                ids.append(known)
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """The text again; the end of a text becomes nothing, bytes that are no valid UTF-8 become the sign U+FFFD."""
        return _decode(ids, self.token_bytes)

    def token_bytes(self, id: int) -> bytes:
        """The bytes that a token stands for. Raises ValueError for an id out of range."""
        _check(id, self.vocab_size)
        return bytes([id]) if id < N_BYTES else b"" if id == self.end_id else self.words[id - N_BYTES - 1].encode("utf-8")

    def knows(self, piece: str) -> bool:
        """Whether a piece (with its space, as " the") is a token of its own."""
        return piece in self._ids


def _check(id: int, vocab_size: int) -> None:
    if not 0 <= id < vocab_size:
        raise ValueError(f"expected an id from 0 to {vocab_size - 1}, got {id}; was it made by another tokenizer?")


def _decode(ids: Sequence[int], token_bytes) -> str:
    return b"".join(token_bytes(int(id)) for id in ids).decode("utf-8", errors="replace")
