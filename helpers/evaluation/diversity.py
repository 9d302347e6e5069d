"""How varied and how repetitive texts are: distinct n-grams, repeated n-grams, loops. Standard library and NumPy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np

__all__ = ["distinct_n", "loop_length", "repetition"]

Texts = Sequence[Sequence[Hashable]]


def distinct_n(texts: Texts, n: int = 2) -> float:
    """Different n-grams / all n-grams over all the texts together, from nearly 0 (all the same) to 1.

    It falls with the amount of text, so compare equal amounts only. Raises ValueError for n < 1, or when no text has n tokens;
    TypeError for a string. Source: Li et al. 2016.

    >>> distinct_n([["a", "b", "a", "b"]], n=2)  # ab, ba, ab
    0.6666666666666666
    """
    _check(texts, n)
    grams = [tuple(t[i : i + n]) for t in texts for i in range(len(t) - n + 1)]
    if not grams:
        raise ValueError(f"expected a text of at least {n} tokens, got none")
    return len(set(grams)) / len(grams)


def repetition(texts: Texts, n: int = 4) -> float:
    """The mean share of a text's n-grams that stood in the same text before: 0 for none, near 1 for a loop.

    A text shorter than n tokens repeats nothing. Source: Welleck et al. 2020 (seq-rep-n).
    Raises TypeError for strings, ValueError for n < 1 or no texts.

    >>> repetition([["a", "b", "a", "b"], ["a", "b"]], n=2)  # (1/3 + 0) / 2
    0.16666666666666669
    """
    _check(texts, n)
    shares = []
    for t in texts:
        grams = Counter(tuple(t[i : i + n]) for i in range(len(t) - n + 1))
        total = sum(grams.values())
        shares.append(1 - len(grams) / total if total else 0.0)
    if not shares:
        raise ValueError("expected at least one text, got none")
    return float(np.mean(shares))


def loop_length(text: Sequence[Hashable], times: int = 3) -> int:
    """The length of the shortest piece that the text ends with `times` times in a row; 0 when it does not end in a loop.

    >>> loop_length(list("so: abababab")), loop_length(list("no loop"))
    (2, 0)
    """
    if times < 2:
        raise ValueError(f"expected times of at least 2, got {times}")
    t = list(text)
    for length in range(1, len(t) // times + 1):
        piece = t[-length:]
        if all(t[len(t) - (k + 1) * length : len(t) - k * length] == piece for k in range(times)):
            return length
    return 0


def _check(texts: Texts, n: int) -> None:
    if isinstance(texts, str) or any(isinstance(t, str) for t in texts):
        raise TypeError("expected lists of tokens, got a string; split or encode it first")
    if n < 1:
        raise ValueError(f"expected n of at least 1, got {n}")
