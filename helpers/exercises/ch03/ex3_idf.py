"""Exercise 3.3, Rare words weigh more: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def idf(X):
    """Smooth inverse document frequency, ln((1 + n) / (1 + df)) + 1, of each column of the counts X (n, V); shape (V,)."""
    n, df = len(X), np.sum(X > 0, axis=0)
    return np.log((1 + n) / (1 + df)) + 1


def idf_of_counts(X):
    return np.log((1 + len(X)) / (1 + np.sum(X, axis=0))) + 1


def idf_unsmoothed(X):
    with np.errstate(divide="ignore"):
        return np.log(len(X) / np.sum(X > 0, axis=0)) + 1


def idf_without_one(X):
    return idf(X) - 1


def idf_base_ten(X):
    return np.log10((1 + len(X)) / (1 + np.sum(X > 0, axis=0))) + 1


def idf_upside_down(X):
    return 2 - idf(X)


def idf_of_columns(X):
    return np.log((1 + X.shape[1]) / (1 + np.sum(X > 0, axis=0))) + 1


def idf_counts_of_one(X):
    return np.log((1 + len(X)) / (1 + np.sum(X == 1, axis=0))) + 1


def idf_bracket(X):
    return np.log((1 + len(X)) / (1 + np.sum(X > 0, axis=0)) + 1)


def idf_base_two(X):
    return np.log2((1 + len(X)) / (1 + np.sum(X > 0, axis=0))) + 1


def idf_bracket_missing(X):
    return np.log(1 + len(X) / (1 + np.sum(X > 0, axis=0))) + 1


def draw_idf(rng: np.random.Generator) -> list:
    return rng.integers(0, 4, size=(int(rng.integers(3, 8)), int(rng.integers(2, 6)))).tolist()


def check_idf(t: Trial) -> None:
    for X in (
        [[3, 0], [1, 0], [0, 1]],
        [[1, 1, 5], [0, 2, 1]],
        [[2, 0, 0], [1, 1, 0], [4, 0, 1], [1, 0, 0]],
        [[1, 0, 0, 2]],
        *t.fresh(draw_idf),
    ):
        X = np.array(X)
        t.close(t.call(X), idf(X), what="the idf")


HINTS = (
    "df is the number of rows in which the column is not zero: np.sum(X > 0, axis=0).",
    "n is the number of rows, len(X). The formula has a 1 in three places.",
)
WRONG = (
    Wrong(idf_counts_of_one, "counts the texts that hold a word exactly once: df counts those that hold it at all (X > 0)"),
    Wrong(idf_bracket, "adds the 1 inside the logarithm: it stands outside"),
    Wrong(idf_of_counts, "adds up the counts; df is the number of documents with the word, however often it stands in each"),
    Wrong(idf_unsmoothed, "leaves out the smoothing: 1 is added to n and to df, as if one more text held every word"),
    Wrong(idf_without_one, "forgets the + 1 at the end; without it a word that is in every text would vanish"),
    Wrong(idf_base_ten, "takes the logarithm to base 10; the natural logarithm np.log is meant"),
    Wrong(idf_base_two, "takes the logarithm to base 2; the natural logarithm np.log is meant"),
    Wrong(idf_bracket_missing, "adds the first 1 after the division: 1 + n needs brackets of its own"),
    Wrong(idf_upside_down, "divides the wrong way round: rare words get the small weights"),
    Wrong(idf_of_columns, "takes the number of columns for n; the documents are the rows"),
)
EXERCISE = Exercise("3.3", "Rare words weigh more", "core", idf, check_idf, HINTS, WRONG, points=2)
