"""Byte-pair encoding of a very long word: the same merges in the same order, in n log n (chapter 05)."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

__all__ = ["merge_run"]


def merge_run(word: str, ranks: Mapping[str, int], steps: Sequence[tuple[str, str, int]]) -> list[str]:
    """The tokens of a word, each one character: the pair with the lowest rank is merged first, the leftmost place of equals.

    ranks: pair -> rank. steps: by rank, (pair, merged, ...). A heap gives the next place; neighbors are linked.

    >>> merge_run("aab", {"aa": 0}, [("aa", "A", -1)])
    ['A', 'b']
    """
    tokens, n = list(word), len(word)
    before, after = list(range(-1, n - 1)), list(range(1, n + 1))
    heap: list[tuple[int, int]] = []

    def note(i: int) -> None:
        rank = ranks.get(tokens[i] + tokens[after[i]]) if i >= 0 and after[i] < n else None
        if rank is not None:
            heapq.heappush(heap, (rank, i))

    for i in range(n):
        note(i)
    while heap:
        rank, i = heapq.heappop(heap)
        j = after[i]
        if not tokens[i] or j >= n or ranks.get(tokens[i] + tokens[j]) != rank:
            continue  # the place has changed since
        tokens[i], tokens[j], after[i] = steps[rank][1], "", after[j]
        if after[i] < n:
            before[after[i]] = i
        note(before[i])
        note(i)
    return [token for token in tokens if token]
