"""Exercise 4.1, The pairs of a text: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def skipgram_pairs(ids, window):
    """All pairs [center, context] of one text in reading order; ids is a list of word numbers. Returns a list of lists."""
    pairs = []
    for i, center in enumerate(ids):
        for j in range(max(0, i - window), min(len(ids), i + window + 1)):
            if j != i:
                pairs.append([center, ids[j]])
    return pairs


def pairs_with_itself(ids, window):
    return [[ids[i], ids[j]] for i in range(len(ids)) for j in range(max(0, i - window), min(len(ids), i + window + 1))]


def pairs_right_only(ids, window):
    return [[ids[i], ids[j]] for i in range(len(ids)) for j in range(i + 1, min(len(ids), i + window + 1))]


def pairs_short_on_the_right(ids, window):
    return [[ids[i], ids[j]] for i in range(len(ids)) for j in range(max(0, i - window), min(len(ids), i + window)) if j != i]


def pairs_around_the_end(ids, window):
    return [[ids[i], ids[j]] for i in range(len(ids)) for j in range(i - window, min(len(ids), i + window + 1)) if j != i]


def pairs_by_word(ids, window):
    return [[a, b] for a, b in pairs_with_itself(ids, window) if a != b]


def pairs_full_windows_only(ids, window):
    return [
        pair
        for i in range(window, len(ids) - window)
        for pair in [[ids[i], ids[j]] for j in range(i - window, i + window + 1) if j != i]
    ]


def pairs_turned(ids, window):
    return [[b, a] for a, b in skipgram_pairs(ids, window)]


def pairs_sorted(ids, window):
    return sorted(skipgram_pairs(ids, window))


def pairs_left_and_right_in_turn(ids, window):
    places = [(i, j) for i in range(len(ids)) for s in range(1, window + 1) for j in (i - s, i + s)]
    return [[ids[i], ids[j]] for i, j in places if 0 <= j < len(ids)]


def draw_skipgram_pairs(rng: np.random.Generator) -> tuple:
    return rng.integers(0, 9, size=int(rng.integers(4, 9))).tolist(), int(rng.integers(1, 4))


def check_pairs(t: Trial) -> None:
    for ids, window in (
        ([8, 7], 1),
        ([1, 2, 3], 1),
        ([3, 1, 5, 2, 4], 2),
        ([4, 4, 9], 1),
        ([6], 2),
        ([1, 2, 3], 5),
        *t.fresh(draw_skipgram_pairs),
    ):
        got = t.call(ids, window)
        if got is not None:
            t.true(isinstance(got, (list, tuple)), "must return a list of pairs", skipgram_pairs(ids, window), got)
            got = [[int(v) for v in pair] for pair in got]
        t.equal(got, skipgram_pairs(ids, window), what="the list of pairs")


HINTS = (
    "Two loops: i over all positions, j over the positions from i - window to i + window, without i itself.",
    "At the ends the window is cut off: j runs over range(max(0, i - window), min(len(ids), i + window + 1)).",
)
WRONG = (
    Wrong(pairs_with_itself, "pairs each position with itself; leave out j == i, a word is not its own context"),
    Wrong(pairs_turned, "puts the context first; each pair is [center, context]"),
    Wrong(pairs_sorted, "sorts the pairs by their numbers; they come in the order of the text"),
    Wrong(
        pairs_left_and_right_in_turn, "goes outward from the center; the contexts come in the order of the text, left to right"
    ),
    Wrong(pairs_right_only, "looks to the right only; the window reaches to both sides of the center"),
    Wrong(
        pairs_short_on_the_right,
        "stops one word early on the right: the end of range() is not included, so it must be i + window + 1",
    ),
    Wrong(
        pairs_around_the_end,
        "lets j become negative, and ids[-1] is the last word of the text: the window runs "
        "around "
        "the end. Start at max(0, i - window)",
    ),
    Wrong(
        pairs_by_word,
        "leaves out pairs of equal words; two different positions may hold the same word. Compare j with i, not the words",
    ),
    Wrong(
        pairs_full_windows_only,
        "takes only centers with a full window on both sides; near the ends the window is cut off, but the center stays",
    ),
)
EXERCISE = Exercise("4.1", "The pairs of a text", "warm-up", skipgram_pairs, check_pairs, HINTS, WRONG, points=1)
