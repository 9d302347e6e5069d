"""Exercise 5.4, The whole trainer: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.exercises.ch05.shared import TOY
from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def train_bpe(words, n_merges):
    """Learn byte-level merges from {word: count}: the pairs of ids in order. Bytes are 0-255, merge k makes the id 256 + k."""
    spelled = {word: list(word.encode("utf-8")) for word in words}
    merges = []
    for _ in range(n_merges):
        counts = {}
        for word, ids in spelled.items():
            for pair in zip(ids, ids[1:]):
                counts[pair] = counts.get(pair, 0) + words[word]
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        new = 256 + len(merges)
        merges.append(best)
        for word, ids in spelled.items():
            after, i = [], 0
            while i < len(ids):
                if tuple(ids[i : i + 2]) == best:
                    after.append(new)
                    i += 2
                else:
                    after.append(ids[i])
                    i += 1
            spelled[word] = after
    return merges


def _variant(
    words,
    n_merges,
    spell=lambda word: list(word.encode("utf-8")),
    weigh=True,
    tie=lambda pair: pair,
    update=True,
    first=256,
    least=1,
):
    """train_bpe with one thing changed, for the wrong answers below."""
    spelled = {word: spell(word) for word in words}
    merges = []
    for _ in range(n_merges):
        counts = {}
        for word, ids in spelled.items():
            for pair in zip(ids, ids[1:]):
                counts[pair] = counts.get(pair, 0) + (words[word] if weigh else 1)
        for pair in [] if update else merges:
            counts.pop(pair, None)
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], tie(pair)))
        if counts[best] < least:
            break
        new = first + len(merges)
        merges.append(best)
        for word, ids in spelled.items() if update else ():
            after, i = [], 0
            while i < len(ids):
                step = 2 if tuple(ids[i : i + 2]) == best else 1
                after.append(new if step == 2 else ids[i])
                i += step
            spelled[word] = after
    return merges


def train_bpe_on_characters(words, n_merges):
    return _variant(words, n_merges, spell=lambda word: [ord(c) for c in word])


def train_bpe_without_counts(words, n_merges):
    return _variant(words, n_merges, weigh=False)


def train_bpe_first_seen(words, n_merges):
    return _variant(words, n_merges, tie=lambda pair: 0)


def train_bpe_greatest(words, n_merges):
    return _variant(words, n_merges, tie=lambda pair: (-pair[0], -pair[1]))


def train_bpe_never_merging(words, n_merges):
    return _variant(words, n_merges, update=False)


def train_bpe_from_255(words, n_merges):
    return _variant(words, n_merges, first=255)


def train_bpe_only_repeated(words, n_merges):
    return _variant(words, n_merges, least=2)


def train_bpe_across_words(words, n_merges):
    stream = " ".join(word for word, n in words.items() for _ in range(n))
    return _variant({stream: 1}, n_merges)


def draw_train_bpe(rng: np.random.Generator) -> tuple:
    words = {"".join(rng.choice(list("abé"), size=int(rng.integers(2, 7)))): int(rng.integers(1, 9)) for _ in range(5)}
    return words, int(rng.integers(2, 6))


def check_train_bpe(t: Trial) -> None:
    cases = [
        ({"aa": 1, "aab": 1}, 1),
        ({"ab": 1, "ac": 1, "ab ": 1, "xc": 5}, 1),
        (TOY, 3),
        ({"yy": 2, "zz": 2, "xx": 2, "aa": 1}, 1),
        ({"é": 3, "è": 1}, 1),
        ({"aaabdaaabac": 1}, 3),
        ({"ab": 4}, 9),
        ({"abc": 1}, 5),
        ({"low": 5, "lower": 2, "newest": 6, "widest": 3}, 8),
    ]
    for words, n_merges in [*cases, *t.fresh(draw_train_bpe)]:
        got = t.call(words, n_merges)
        t.equal([tuple(pair) for pair in got] if isinstance(got, list) else got, train_bpe(words, n_merges), what="the merges")


HINTS = (
    "Spell each word once before the loop: list(word.encode('utf-8')) gives numbers from 0 to 255.",
    "In the loop: count all pairs (each word with its count), choose as in 5.3, note the pair, replace it in every "
    "word by the new id 256 + number of merges so far. Stop early when there is no pair left.",
)
WRONG = (
    Wrong(train_bpe_on_characters, "starts from characters and not from bytes: é is one code point, but two bytes"),
    Wrong(train_bpe_without_counts, "forgets how often each word occurs"),
    Wrong(train_bpe_first_seen, "breaks ties by what was seen first; the smallest pair of ids must win"),
    Wrong(train_bpe_greatest, "breaks ties by the greatest pair of ids; the smallest must win"),
    Wrong(train_bpe_never_merging, "never replaces the pair in the words, so it only lists the frequent pairs of bytes"),
    Wrong(train_bpe_from_255, "numbers the new tokens from 255, which is the id of a byte; the first new id is 256"),
    Wrong(
        train_bpe_only_repeated,
        "stops when no pair stands twice; a pair that stands once is merged as well, until none is left",
    ),
    Wrong(train_bpe_across_words, "joins the words to one text first, so that merges cross the borders of words"),
)
AFTER = "The cell below trains it on 60 leads; section 8 encodes with the merges that you learned."
EXERCISE = Exercise("5.4", "The whole trainer", "core", train_bpe, check_train_bpe, HINTS, WRONG, points=3, after=AFTER)
