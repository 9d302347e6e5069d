"""Exercise 5.1, Count the pairs: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.exercises.ch05.shared import TOY
from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def count_pairs(words):
    """How often each pair of neighbors stands in words: {tuple of symbols: count of the word} -> {pair: count}."""
    pairs = {}
    for symbols, n in words.items():
        for pair in zip(symbols, symbols[1:]):
            pairs[pair] = pairs.get(pair, 0) + n
    return pairs


def count_pairs_of_types(words):
    return count_pairs({symbols: 1 for symbols in words})


def count_pairs_once_a_word(words):
    pairs = {}
    for symbols, n in words.items():
        for pair in set(zip(symbols, symbols[1:])):
            pairs[pair] = pairs.get(pair, 0) + n
    return pairs


def count_pairs_unordered(words):
    pairs = {}
    for pair, n in count_pairs(words).items():
        pair = tuple(sorted(pair))
        pairs[pair] = pairs.get(pair, 0) + n
    return pairs


def count_pairs_across_words(words):
    stream = [symbol for symbols, n in words.items() for _ in range(n) for symbol in symbols]
    return count_pairs({tuple(stream): 1})


def count_pairs_side_by_side(words):
    pairs = {}
    for symbols, n in words.items():
        for i in range(0, len(symbols) - 1, 2):
            pairs[symbols[i : i + 2]] = pairs.get(symbols[i : i + 2], 0) + n
    return pairs


def count_pairs_without_overlap(words):
    pairs = {}
    for symbols, n in words.items():
        i = 0
        while i + 1 < len(symbols):
            pair = symbols[i], symbols[i + 1]
            pairs[pair] = pairs.get(pair, 0) + n
            i += 2 if pair == symbols[i + 1 : i + 3] else 1
    return pairs


def draw_count_pairs(rng: np.random.Generator) -> dict:
    return {tuple(rng.choice(list("abc"), size=int(rng.integers(2, 6))).tolist()): int(rng.integers(1, 9)) for _ in range(4)}


def check_count_pairs(t: Trial) -> None:
    cases = [
        {("h", "e", "y"): 1},
        {("b", "a"): 2, ("b", "a", "r"): 3},
        {tuple("banana"): 1},
        {tuple("aaa"): 1},
        {tuple(word): n for word, n in TOY.items()},
        {("h", "ug"): 10, ("p", "ug", "s"): 2, ("a",): 9},
    ]
    for words in [*cases, *t.fresh(draw_count_pairs)]:
        t.equal(t.call(words), count_pairs(words), what="the counts")


HINTS = (
    "zip(symbols, symbols[1:]) walks through all pairs of neighbors of one word.",
    "A word that occurs 10 times brings each of its pairs 10 times: add the word's count, not 1.",
)
WRONG = (
    Wrong(count_pairs_of_types, "counts each different word once; a word that occurs 10 times must count 10 times"),
    Wrong(count_pairs_once_a_word, "counts a pair only once a word, but the word may hold it several times, as banana does"),
    Wrong(count_pairs_without_overlap, "counts a a a as one pair; pairs may overlap, and a a a holds the pair (a, a) twice"),
    Wrong(count_pairs_unordered, "takes (a, b) and (b, a) for the same pair; order matters, since a merge writes ab, not ba"),
    Wrong(count_pairs_across_words, "pairs the end of one word with the start of the next; no pair may cross a border"),
    Wrong(
        count_pairs_side_by_side,
        "cuts the word into pairs side by side; pairs overlap: every symbol but the last begins one",
    ),
)
EXERCISE = Exercise("5.1", "Count the pairs", "warm-up", count_pairs, check_count_pairs, HINTS, WRONG)
