"""Exercise 3.1, A text as counts: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def count_vector(tokens, ids):
    """Counts of the known words: an array of len(ids) numbers. ids: word -> column. Unknown words are left out."""
    v = np.zeros(len(ids))
    for token in tokens:
        if token in ids:
            v[ids[token]] += 1
    return v


def count_vector_binary(tokens, ids):
    return np.minimum(count_vector(tokens, ids), 1)


def count_vector_one_by_one(tokens, ids):
    return np.array([float(tokens.count(token)) for token in tokens if token in ids])


def count_vector_in_the_order_of_ids(tokens, ids):
    return np.array([float(tokens.count(word)) for word in ids])


def count_vector_inside_words(tokens, ids):
    v = np.zeros(len(ids))
    for word, column in ids.items():
        v[column] = " ".join(tokens).count(word)
    return v


def count_vector_unknown_last(tokens, ids):
    v = np.zeros(len(ids))
    for token in tokens:
        v[ids.get(token, -1)] += 1
    return v


def count_vector_extra_column(tokens, ids):
    return np.append(count_vector(tokens, ids), sum(token not in ids for token in tokens))


def count_vector_share(tokens, ids):
    return count_vector(tokens, ids) / max(len(tokens), 1)


def count_vector_one_short(tokens, ids):
    return count_vector(tokens, ids)[:-1]


def count_vector_alphabetical(tokens, ids):
    return count_vector(tokens, {word: column for column, word in enumerate(sorted(ids))})


def draw_count_vector(rng: np.random.Generator) -> list:
    return rng.choice(["the", "cat", "sat", "mat", "dog", "cats"], size=int(rng.integers(6, 15))).tolist()


def check_count_vector(t: Trial) -> None:
    ids = {"the": 0, "cat": 1, "sat": 2, "mat": 3}
    for tokens in (
        ["cat"],
        ["the", "cat", "the"],
        ["dog", "cat"],
        ["dog", "saw", "the", "unicorn"],
        ["unicorn"],
        [],
        ["there", "sat", "cats"],
        ["cat"] * 300,  # more than the smallest kinds of number hold
        *t.fresh(draw_count_vector),
    ):
        t.close(t.call(tokens, ids), count_vector(tokens, ids), what="the vector")
    turned = {"sat": 1, "the": 0, "cat": 2}  # a dictionary need not list its words in the order of their columns
    t.close(t.call(["cat", "the"], turned), count_vector(["cat", "the"], turned), what="the vector")


HINTS = (
    "Start with np.zeros(len(ids)): one place for every known word, also for those that do not occur.",
    "`if token in ids:` skips the unknown words; ids[token] is the place to add 1 to.",
)
WRONG = (
    Wrong(count_vector_binary, "notes only that a word occurs; a word that stands twice must count 2"),
    Wrong(count_vector_one_by_one, "has one entry per word of the text; it needs one entry per word of the vocabulary"),
    Wrong(
        count_vector_in_the_order_of_ids,
        "puts the counts in the order in which ids lists its words; the number behind a word says its column",
    ),
    Wrong(count_vector_alphabetical, "orders the columns by the alphabet; the number behind a word in ids says its column"),
    Wrong(count_vector_inside_words, "finds words inside other words, such as the in there; compare whole tokens"),
    Wrong(count_vector_unknown_last, "adds unknown words to the last known word: index -1 is the last place of an array"),
    Wrong(count_vector_extra_column, "adds a column for unknown words; here they are left out, so the length is len(ids)"),
    Wrong(count_vector_share, "divides by the length of the text; counts are wanted here, not shares"),
    Wrong(count_vector_one_short, "is one entry short: the length must be the size of the vocabulary, len(ids)"),
)
EXERCISE = Exercise("3.1", "A text as counts", "warm-up", count_vector, check_count_vector, HINTS, WRONG, points=1)
