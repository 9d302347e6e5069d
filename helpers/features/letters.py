"""Letter frequencies of a text: the features of the first regression (chapter 01)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from helpers.features.checks import text_list

__all__ = ["letter_frequencies"]


def letter_frequencies(texts: Sequence[str]) -> np.ndarray:
    """Share of each letter a to z among the letters of each text: (n, 26), each row sums to 1, or to 0 without a plain letter.

    Case is ignored; anything but the 26 plain letters (digits, accents, spaces) is skipped.
    Raises TypeError for one string instead of a list of strings, or an entry that is no string; ValueError for an empty list.

    >>> letter_frequencies(["Abba!", "42"])[:, :3].tolist()
    [[0.5, 0.5, 0.0], [0.0, 0.0, 0.0]]
    """
    texts = text_list(texts)
    counts = np.zeros((len(texts), 26))
    for row, text in enumerate(texts):
        codes = np.frombuffer(text.lower().encode("ascii", "ignore"), dtype=np.uint8)
        counts[row] = np.bincount(codes, minlength=128)[ord("a") : ord("z") + 1]
    totals = counts.sum(axis=1, keepdims=True)
    return counts / np.where(totals == 0, 1, totals)
