"""Labels for tokens: the mark of what does not count, and labels of words moved to their subwords (chapter 05)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["IGNORE", "align_labels"]

IGNORE = -100  # the label that torch's cross-entropy leaves out


def align_labels(
    labels: Sequence[int],
    pieces_per_word: Sequence[int],
    start: bool = True,
    end: bool = True,
    inside: Mapping[int, int] | None = None,
) -> list[int]:
    """One label for each token from one label for each word.

    labels: a label a word. pieces_per_word: into how many tokens each word was split. start, end: whether a special token stands
    before and after; it gets IGNORE (-100). inside: label -> label of the later pieces of a word, for schemes that tell the
    beginning of a name from its inside (B-PER -> I-PER); others repeat their label.
    Raises ValueError for lengths that differ, or a word without pieces.

    >>> align_labels([0, 1, 0], [1, 3, 1], inside={1: 2})
    [-100, 0, 1, 2, 2, 0, -100]
    """
    if len(labels) != len(pieces_per_word):
        raise ValueError(f"expected a number of pieces for each label, got {len(labels)} labels, {len(pieces_per_word)} numbers")
    if any(n < 1 for n in pieces_per_word):
        raise ValueError("expected at least one piece a word, got 0; drop words that the tokenizer loses, with their labels")
    later = dict(inside or {})
    spread = [label if k == 0 else later.get(label, label) for label, n in zip(labels, pieces_per_word) for k in range(n)]
    return [IGNORE] * start + spread + [IGNORE] * end
