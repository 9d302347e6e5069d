"""Exercise 5.8, Labels for subwords: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def spread_labels(labels, word_ids):
    """A label for each token. word_ids: for each token the index of its word, or None for a special token (label -100).

    A word's later tokens repeat its label, but an odd label (the beginning of a name) goes on as label + 1 (its inside).
    """
    spread, last = [], None
    for word in word_ids:
        if word is None:
            spread.append(-100)
        elif word == last and labels[word] % 2 == 1:
            spread.append(labels[word] + 1)
        else:
            spread.append(labels[word])
        last = word
    return spread


def spread_labels_same(labels, word_ids):
    return [-100 if word is None else labels[word] for word in word_ids]


def spread_labels_first_only(labels, word_ids):
    return [-100 if word is None or (i and word_ids[i - 1] == word) else labels[word] for i, word in enumerate(word_ids)]


def spread_labels_zero(labels, word_ids):
    return [0 if label == -100 else label for label in spread_labels(labels, word_ids)]


def spread_labels_unmoved(labels, word_ids):
    padded = list(labels) + [0] * len(word_ids)
    return [-100 if word is None else padded[i] for i, word in enumerate(word_ids)]


def spread_labels_all_plus_one(labels, word_ids):
    later = [i > 0 and word_ids[i - 1] == word for i, word in enumerate(word_ids)]
    return [-100 if word is None else labels[word] + more for word, more in zip(word_ids, later)]


def draw_spread_labels(rng: np.random.Generator) -> tuple:
    n = int(rng.integers(3, 6))
    return rng.integers(0, 5, size=n).tolist(), [None, *sorted([*range(n), *rng.integers(0, n, size=3).tolist()]), None]


def check_spread_labels(t: Trial) -> None:
    split_fifth = [None, 0, 1, 2, 3, 4, 5, 5, 6, 7, 8, 9, None]
    cases = [
        ([1, 2], [0, 1]),
        ([3, 0], [None, 0, 1, None]),
        ([1], [0, 0, 0]),
        ([0, 2], [0, 0, 1, 1]),
        ([1, 1], [0, 0, 1]),
        ([1, 2, 0, 0, 0, 0, 0, 0, 3, 0], split_fifth),
        ([0, 3, 4], [None, 0, 0, 1, 1, 2, None]),
    ]
    for labels, word_ids in [*cases, *t.fresh(draw_spread_labels)]:
        got = t.call(labels, word_ids)
        t.equal(list(got) if isinstance(got, tuple) else got, spread_labels(labels, word_ids), what="the labels")


HINTS = (
    "word_ids tells for each token which word it came from; labels[word] is then the label to start from.",
    "A token is a later piece of its word when the token before has the same word id. Odd labels begin a name, and "
    "label + 1 goes on with it.",
)
WRONG = (
    Wrong(spread_labels_same, "repeats the beginning label: one name of three pieces becomes three names of one piece"),
    Wrong(
        spread_labels_first_only,
        "hides the later pieces with -100; some do that, but this docstring asks for their labels",
    ),
    Wrong(spread_labels_zero, "labels the special tokens with 0, a real class; -100 keeps them out of the loss"),
    Wrong(spread_labels_unmoved, "takes the labels by the place of the token and not of its word, so they slip"),
    Wrong(spread_labels_all_plus_one, "adds 1 to every later piece; only odd labels begin a name"),
)
EXERCISE = Exercise("5.8", "Labels for subwords", "core", spread_labels, check_spread_labels, HINTS, WRONG, points=2)
