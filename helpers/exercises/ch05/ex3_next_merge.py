"""Exercise 5.3, The merge that depends on the order of the texts: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def next_merge(counts):
    """The pair of ids to merge next: the most frequent one; of equally frequent ones the smallest (left id, then right id)."""
    return min(counts, key=lambda pair: (-counts[pair], pair))


def next_merge_first_seen(counts):
    """The pair of ids to merge next: the most frequent one; of equally frequent ones the smallest (left id, then right id)."""
    return max(counts, key=counts.get)


def next_merge_greatest(counts):
    return max(counts, key=lambda pair: (counts[pair], pair))


def next_merge_last_seen(counts):
    return max(reversed(counts), key=counts.get)


def next_merge_right_first(counts):
    return min(counts, key=lambda pair: (-counts[pair], pair[::-1]))


def next_merge_rarest(counts):
    return min(counts, key=lambda pair: (counts[pair], pair))


def next_merge_by_sum(counts):
    return min(counts, key=lambda pair: (-counts[pair], sum(pair), pair))


def next_merge_by_text(counts):
    return min(counts, key=lambda pair: (-counts[pair], str(pair)))


def next_merge_packed(counts):
    return min(counts, key=lambda pair: (-counts[pair], pair[0] * 256 + pair[1]))


def draw_next_merge(rng: np.random.Generator) -> dict:
    pairs = rng.integers(0, 300, size=(60, 2)).tolist()
    return {(a, b): int(rng.integers(5, 7)) for a, b in pairs}


def check_next_merge(t: Trial) -> None:
    cases = [
        {(9, 9): 5},
        {(1, 2): 3, (5, 9): 4, (2, 2): 2},
        {(6, 9): 7, (9, 5): 7, (3, 8): 7, (7, 1): 7, (4, 2): 7, (8, 8): 7},
        {(3, 1): 5, (7, 7): 5, (2, 8): 5, (3, 9): 5},
        {(4, 4): 1, (4, 3): 1, (9, 0): 1},
        {(10, 2): 4, (9, 5): 4},
        {(10, 2): 4, (9, 300): 4},
    ]
    cases += t.fresh(draw_next_merge)
    for counts in cases:
        t.equal(t.call(counts), next_merge(counts), what="the pair")
    for counts in cases:
        turned = dict(reversed(counts.items()))
        t.equal(t.call(turned), next_merge(counts), what="the pair")


HINTS = (
    "What does max() return when several pairs have the same, largest count? Try a dictionary in two orders.",
    "Python compares tuples from left to right. min() with the key (-count, pair) puts large counts first and "
    "breaks ties by the smaller pair.",
)
WRONG = (
    Wrong(
        next_merge_first_seen,
        "takes the pair that was seen first among equals: another order of the texts gives another tokenizer",
    ),
    Wrong(next_merge_greatest, "takes the greatest pair among equals; a fine rule, but the docstring asks for the smallest"),
    Wrong(next_merge_last_seen, "takes the pair that was seen last among equals: the order of the texts still decides"),
    Wrong(next_merge_right_first, "compares the right ids first; the docstring says left id, then right id"),
    Wrong(next_merge_rarest, "takes the rarest pair; the most frequent one is to be merged"),
    Wrong(
        next_merge_by_sum,
        "breaks ties by the sum of the two ids; compare the left ids, and the right ones only if those are equal",
    ),
    Wrong(next_merge_by_text, 'compares the pairs as texts, where "10" comes before "9"; compare the numbers'),
    Wrong(
        next_merge_packed,
        "packs a pair into one number, as if every id were below 256; new tokens have larger ids. Compare the tuples",
    ),
)
EXERCISE = Exercise(
    "5.3",
    "The merge that depends on the order of the texts",
    "find the bug",
    next_merge,
    check_next_merge,
    HINTS,
    WRONG,
    points=2,
    start=next_merge_first_seen,
)
