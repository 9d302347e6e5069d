"""Exercise 4.6, Strange neighbors: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def nearest(query, words, table, k):
    """The k words nearest to the word query, best first, without query itself; words is a list, table (V, d) its vectors."""
    unit = table / np.linalg.norm(table, axis=1, keepdims=True)
    scores = unit @ unit[words.index(query)]
    order = np.argsort(-scores)
    return [words[i] for i in order if words[i] != query][:k]


def nearest_by_dot(query, words, table, k):
    """The k words nearest to the word query, best first, without query itself; words is a list, table (V, d) its vectors."""
    scores = table @ table[words.index(query)]
    order = np.argsort(-scores)
    return [words[i] for i in order if words[i] != query][:k]


def nearest_with_itself(query, words, table, k):
    unit = table / np.linalg.norm(table, axis=1, keepdims=True)
    return [words[i] for i in np.argsort(-(unit @ unit[words.index(query)]))[:k]]


def nearest_euclid(query, words, table, k):
    apart = np.linalg.norm(table - table[words.index(query)], axis=1)
    return [words[i] for i in np.argsort(apart) if words[i] != query][:k]


def nearest_by_sums(query, words, table, k):
    unit = table / np.abs(table).sum(axis=1, keepdims=True)
    scores = unit @ unit[words.index(query)]
    return [words[i] for i in np.argsort(-scores) if words[i] != query][:k]


def nearest_by_squares(query, words, table, k):
    unit = table / (table**2).sum(axis=1, keepdims=True)
    scores = unit @ unit[words.index(query)]
    return [words[i] for i in np.argsort(-scores) if words[i] != query][:k]


def nearest_absolute(query, words, table, k):
    unit = table / np.linalg.norm(table, axis=1, keepdims=True)
    scores = np.abs(unit @ unit[words.index(query)])
    return [words[i] for i in np.argsort(-scores) if words[i] != query][:k]


def nearest_centered(query, words, table, k):
    return nearest(query, words, table - table.mean(axis=0), k)


def nearest_farthest(query, words, table, k):
    unit = table / np.linalg.norm(table, axis=1, keepdims=True)
    return [words[i] for i in np.argsort(unit @ unit[words.index(query)]) if words[i] != query][:k]


def nearest_columns(query, words, table, k):
    unit = table / np.linalg.norm(table, axis=0, keepdims=True)
    scores = unit @ unit[words.index(query)]
    return [words[i] for i in np.argsort(-scores) if words[i] != query][:k]


def draw_nearest(rng: np.random.Generator) -> tuple:
    words = ["tea", "rock", "cup", "sea", "mug"]
    return str(rng.choice(words)), words, rng.normal(size=(5, 3)) * rng.uniform(0.5, 4, size=(5, 1)), int(rng.integers(2, 5))


def check_nearest(t: Trial) -> None:
    words = ["tea", "coffee", "the", "granite", "cup", "desert", "mug", "sugar"]  # desert points away from tea
    table = np.array([[-0.5, 1.0], [0.0, 3.5], [6.0, 7.0], [2.5, 1.0], [0.5, 1.5], [1.5, -3.0], [0.5, 4.0], [-4.0, 2.5]])
    small = ("a", ["a", "b", "c"], np.array([[1.0, 0.0], [3.0, 4.0], [1.0, 1.0]]), 1)
    cases = [small, *((query, words, table, k) for query, k in (("tea", 3), ("granite", 1), ("cup", 4), ("coffee", 7)))]
    for case in [*cases, *t.fresh(draw_nearest)]:
        got, expected = t.call(*case), nearest(*case)
        if got is not None:
            t.true(isinstance(got, (list, tuple)), "must return a list of words", expected, got)
            got = [str(word) for word in got]
        t.equal(got, expected, what="the list of words")


HINTS = (
    "Print the scores and the lengths of the vectors. Which word wins for nearly every query, and why?",
    "A long vector has a large dot product with everything on its side. Divide every row by its length first.",
)
WRONG = (
    Wrong(
        nearest_by_dot,
        "ranks by the dot product; long vectors (frequent words, often) win everywhere. Divide each "
        "row by its "
        "length first: then the dot product is the cosine",
    ),
    Wrong(nearest_with_itself, "returns the query as its own best neighbor; leave it out before you cut the list to k"),
    Wrong(
        nearest_euclid,
        "ranks by straight-line distance, in which the lengths of the vectors count; divide each row by its length first",
    ),
    Wrong(
        nearest_by_sums,
        "divides each row by the sum of its absolute values; the length is the root of the sum of squares, np.linalg.norm",
    ),
    Wrong(nearest_by_squares, "divides each row by its squared length; the root is missing, so now short vectors win"),
    Wrong(nearest_absolute, "drops the sign of the cosine, so a word that points the other way counts as near"),
    Wrong(nearest_centered, "subtracts the mean of the table first; the cosine is measured from 0"),
    Wrong(nearest_farthest, "sorts the wrong way round: argsort goes from small to large, so sort -scores"),
    Wrong(nearest_columns, "divides each column by its length; the rows are the words, so it must be axis=1"),
)
EXERCISE = Exercise(
    "4.6", "Strange neighbors", "find the bug", nearest, check_nearest, HINTS, WRONG, points=2, start=nearest_by_dot
)
