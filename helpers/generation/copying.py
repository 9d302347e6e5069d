"""Answers that are copied: a constraint that lets a model write only what stands, word for word, in a source.

Chapter 10's masks with another grammar. After each token the constraint knows at which places of the sources the text so far
ends; allowed is what follows at one of them, and, where a word ends, the end mark. Such an answer cannot be invented, and its
citation is the span it was copied from. It can still be the wrong span.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["SpanConstraint"]


class SpanConstraint:
    """Masks for answers that are a span of words of one of the sources.

    Each source is tokenized word by word with the space before it, so that spans begin and end where words do.
    max_words: the longest span. lead: the answer begins after a space (" word") or at the very start of a text ("word").

    >>> from helpers.tokenizers.plain import ByteTokenizer
    >>> allowed = SpanConstraint(ByteTokenizer(), ["the river"], end_id=256, lead="")
    >>> bytes(np.flatnonzero(allowed.mask()).tolist())  # an answer begins where a word does
    b'rt'
    """

    def __init__(self, tokenizer: Any, sources: Sequence[str], end_id: int, max_words: int = 12, lead: str = " "):
        self.vocab_size, self.end_id, self.max_words = tokenizer.vocab_size, end_id, max_words
        self.rows: list[list[list[int]]] = [[tokenizer.encode(" " + w) for w in text.split()] for text in sources]
        if not any(self.rows):
            raise ValueError("expected at least one source with a word, got none; there is nothing to copy")
        bare = (lambda w: w) if lead == " " else (lambda w: tokenizer.encode(tokenizer.decode(w)[1:]))
        first = [(s, w, bare(ids)) for s, row in enumerate(self.rows) for w, ids in enumerate(row)]
        self._places = [(s, w, 0, w, ids) for s, w, ids in first]  # source, word, token in it, first word, the word's tokens
        self.spans: list[tuple[int, int, int]] = []  # (source, first word, last word + 1) that equal the text so far

    def mask(self) -> np.ndarray:
        """(V,) True where the next id may be: what follows at one of the places, and the end mark where a word is complete."""
        out = np.zeros(self.vocab_size, dtype=bool)
        out[[ids[t] for _, _, t, _, ids in self._places]] = True
        out[self.end_id] = bool(self.spans)
        if not out.any():  # nothing follows and no word is complete: cannot happen on the way, but never mask everything
            out[self.end_id] = True
        return out

    def advance(self, id: int) -> None:
        """Take the next id. Raises ValueError for one that the mask forbids."""
        kept, self.spans = [], []
        for s, w, t, first, ids in self._places:
            if ids[t] != id:
                continue
            if t + 1 < len(ids):
                kept.append((s, w, t + 1, first, ids))
                continue
            self.spans.append((s, first, w + 1))
            if w + 1 < len(self.rows[s]) and w + 1 - first < self.max_words:
                kept.append((s, w + 1, 0, first, self.rows[s][w + 1]))
        if not kept and not self.spans:
            raise ValueError(f"expected an id that follows in a source, got {id}; ask mask() first")
        self._places = kept
