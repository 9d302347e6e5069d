"""Exercise 6.1, Counts with borders: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.exercises.ch06.shared import count_windows
from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def ngram_counts(sentences, n):
    """How often each n-gram occurs: a dictionary from tuples of n words to counts. sentences: lists of words."""
    counts = {}
    for words in sentences:
        row = ["<s>"] * (n - 1) + list(words) + ["</s>"]
        for i in range(len(row) - n + 1):
            gram = tuple(row[i : i + n])
            counts[gram] = counts.get(gram, 0) + 1
    return counts


def counts_without_end(sentences, n):
    return count_windows([["<s>"] * (n - 1) + list(words) for words in sentences], n)


def counts_without_start(sentences, n):
    return count_windows([list(words) + ["</s>"] for words in sentences], n)


def counts_one_start(sentences, n):
    return count_windows([["<s>"] + list(words) + ["</s>"] for words in sentences], n)


def counts_n_starts(sentences, n):
    return count_windows([["<s>"] * n + list(words) + ["</s>"] for words in sentences], n)


def counts_across(sentences, n):
    return count_windows([["<s>"] * (n - 1) + [w for words in sentences for w in [*words, "</s>"]]], n)


def counts_once_each(sentences, n):
    return dict.fromkeys(ngram_counts(sentences, n), 1)


def counts_joined(sentences, n):
    return count_windows([[w for words in sentences for w in [*["<s>"] * (n - 1), *words, "</s>"]]], n)


def draw_ngram_counts(rng: np.random.Generator) -> tuple:
    return [rng.choice(list("abc"), size=int(rng.integers(1, 6))).tolist() for _ in range(3)], int(rng.integers(1, 4))


def check_ngram_counts(t: Trial) -> None:
    toy = [["we", "count", "words", "daily"], ["today", "we", "count", "words"]]
    cases = [([["we", "count"]], 2), ([["a", "b"], ["a", "c"]], 2), (toy, 3), ([["a", "b", "a"]], 1)]
    for sentences, n in [*cases, *t.fresh(draw_ngram_counts)]:
        got, expected = t.call(sentences, n), ngram_counts(sentences, n)
        if isinstance(got, dict):
            tuples = all(isinstance(g, tuple) for g in got)
            t.true(tuples, "uses keys that are not tuples; tuple(row[i:i + n]) makes one", expected, got)
            got = dict(got)
        t.equal(got, expected, what="the counts")


HINTS = (
    'Build one row for each sentence: ["<s>"] * (n - 1) + words + ["</s>"].',
    "A row of length L has L - n + 1 windows of length n: row[i:i + n] for i in range(L - n + 1).",
    "counts[gram] = counts.get(gram, 0) + 1 counts in a dictionary; the key must be a tuple.",
)
WRONG = (
    Wrong(
        counts_without_end,
        'forgets the end symbol "</s>": the model would never learn where sentences stop, and '
        "its probabilities would "
        "sum to 1 for each length of sentence apart (or the loop stops one window early: there are len(row) - n + 1)",
    ),
    Wrong(
        counts_without_start,
        'forgets the start symbols: the first words of a sentence need a context as well, n - 1 times "<s>"',
    ),
    Wrong(
        counts_one_start,
        'puts exactly one "<s>" before each sentence: n - 1 are needed, so that the first word '
        "has a full context "
        "(and none for n = 1)",
    ),
    Wrong(
        counts_n_starts,
        'puts n start symbols before each sentence: then an n-gram of nothing but "<s>" is counted, as if it were predicted',
    ),
    Wrong(counts_across, "lets n-grams run from one sentence into the next: build and cut each sentence on its own"),
    Wrong(
        counts_joined,
        "pads every sentence, but joins them into one row: n-grams then run over the border, such as one from </s> to <s>",
    ),
    Wrong(counts_once_each, "counts every n-gram once at most: add 1 for each time it occurs"),
)
EXERCISE = Exercise("6.1", "Counts with borders", "warm-up", ngram_counts, check_ngram_counts, HINTS, WRONG, points=2)
