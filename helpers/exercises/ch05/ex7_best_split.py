"""Exercise 5.7, The best way to cut a word: the reference solution, wrong answers, the check."""

import math

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def best_split(word, log_probs):
    """The pieces of word with the largest sum of log-probabilities. log_probs: {piece: number}, with every letter in it."""
    best = [(0.0, [])]
    for end in range(1, len(word) + 1):
        ways = [
            (best[start][0] + log_probs[word[start:end]], best[start][1] + [word[start:end]])
            for start in range(end)
            if word[start:end] in log_probs
        ]
        best.append(max(ways, key=lambda way: way[0]))
    return best[-1][1]


def _ways(word, log_probs):
    if not word:
        return [[]]
    return [[word[:k], *rest] for k in range(1, len(word) + 1) if word[:k] in log_probs for rest in _ways(word[k:], log_probs)]


def best_split_longest_first(word, log_probs):
    pieces = []
    while word:
        piece = next(word[:k] for k in range(len(word), 0, -1) if word[:k] in log_probs)
        pieces.append(piece)
        word = word[len(piece) :]
    return pieces


def best_split_fewest(word, log_probs):
    return min(_ways(word, log_probs), key=len)


def best_split_mean(word, log_probs):
    return max(_ways(word, log_probs), key=lambda way: sum(log_probs[p] for p in way) / len(way))


def best_split_likeliest_start(word, log_probs):
    pieces = []
    while word:
        piece = max((word[:k] for k in range(1, len(word) + 1) if word[:k] in log_probs), key=log_probs.get)
        pieces.append(piece)
        word = word[len(piece) :]
    return pieces


def best_split_sum_of_probs(word, log_probs):
    return max(_ways(word, log_probs), key=lambda way: sum(math.exp(log_probs[p]) for p in way))


def draw_best_split(rng: np.random.Generator) -> tuple:
    word = "".join(rng.choice(list("abc"), size=6))
    pieces = {word[i : i + n] for i in range(6) for n in (2, 3) if i + n <= 6} | set("abc")
    return word, {piece: -round(float(rng.uniform(1, 6)), 3) for piece in sorted(pieces)}


def check_best_split(t: Trial) -> None:
    first = {"a": -1.0, "b": -2.0, "ab": -2.5}
    apart = {"a": -4.5, "b": -2.5, "c": -4.5, "d": -6.5, "bcd": -7.0, "cd": -5.0, "ab": -3.0, "abc": -6.5}
    happy = {**{c: -6.0 for c in "unhapy"}, "un": -2.0, "unh": -4.5, "happy": -3.0, "appy": -4.0, "happ": -3.5}
    hugs = {"h": -5.0, "u": -4.0, "g": -4.0, "s": -2.0, "hug": -1.2, "ug": -2.0, "gs": -3.0}
    cases = [("a", first), ("abcd", apart), ("unhappy", happy), ("aaaa", {"a": -1.0, "aa": -1.5, "aaa": -2.6}), ("hugs", hugs)]
    for word, log_probs in [*cases, *t.fresh(draw_best_split)]:
        t.equal(t.call(word, log_probs), best_split(word, log_probs), what="the pieces")
    if t.collecting:  # trying all ways takes too long below: how fast an answer is tells no mistakes apart
        return
    long = "ab" * 50
    got = t.run(lambda f: f(long, first), 'best_split("ab" * 50, {"a": -1.0, "b": -2.0, "ab": -2.5})')
    t.equal(got, best_split(long, first), what="the pieces")


HINTS = (
    "Let best[end] be the best way to cut word[:end]. Its last piece starts at some place start; before it stands best[start].",
    "For each end from 1 to len(word): over all start < end with word[start:end] in log_probs, the score is "
    "best[start] plus the log-probability of that piece. Keep the largest score "
    "with its pieces. (This is the Viterbi algorithm.)",
)
WRONG = (
    Wrong(best_split_longest_first, "takes the longest piece from the left, without looking at probabilities"),
    Wrong(best_split_fewest, "takes as few pieces as possible, without looking at probabilities"),
    Wrong(
        best_split_mean,
        "compares the mean log-probability of the pieces; the probability of the word is the product, so compare the sum",
    ),
    Wrong(best_split_likeliest_start, "takes the likeliest piece at each place and never looks ahead"),
    Wrong(best_split_sum_of_probs, "adds up probabilities; they must be multiplied, so add their logarithms"),
)
EXERCISE = Exercise("5.7", "The best way to cut a word", "stretch", best_split, check_best_split, HINTS, WRONG, points=3)
