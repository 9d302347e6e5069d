"""Letter frequencies of a text: the features of the first regression (chapter 01)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["letter_frequencies"]


def letter_frequencies(texts: Sequence[str]) -> np.ndarray:
    """Share of each letter a to z among the letters of each text.

    Args:
        texts: n strings. Case is ignored; anything but the 26 plain letters (digits, accents, blanks) is skipped.

    Returns:
        (n, 26) float64; each row sums to 1, or to 0 where a text holds no plain letter.

    Raises:
        TypeError: one string instead of a list of strings, or an entry that is not a string.
        ValueError: an empty list.
    """
    if isinstance(texts, str):
        raise TypeError("texts must be a list of strings; got one string. Write letter_frequencies([text]).")
    texts = list(texts)
    if not texts:
        raise ValueError("texts must hold at least one string; got an empty list. Check how it was filtered.")
    counts = np.zeros((len(texts), 26))
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"texts[{row}] must be a string; got {type(text).__name__}. Convert it with str().")
        codes = np.frombuffer(text.lower().encode("ascii", "ignore"), dtype=np.uint8)
        counts[row] = np.bincount(codes, minlength=128)[ord("a") : ord("z") + 1]
    totals = counts.sum(axis=1, keepdims=True)
    return counts / np.where(totals == 0, 1, totals)
