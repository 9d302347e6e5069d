"""Exercise 11.1, The weight of a word: the reference solution, wrong answers, the check."""

import math

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def bm25_weight(tf, df, n, length, mean_length, k1, b):
    """What one word of the query adds to a document's score. tf: its count there; df: in how many of n documents it stands."""
    idf = math.log(1 + (n - df + 0.5) / (df + 0.5))
    return idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / mean_length))


def weight_negative_idf(tf, df, n, length, mean_length, k1, b):
    return math.log((n - df + 0.5) / (df + 0.5)) * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / mean_length))


def weight_no_length(tf, df, n, length, mean_length, k1, b):
    return math.log(1 + (n - df + 0.5) / (df + 0.5)) * tf * (k1 + 1) / (tf + k1)


def weight_ratio_inverted(tf, df, n, length, mean_length, k1, b):
    return bm25_weight(tf, df, n, mean_length, length, k1, b)


def weight_no_top(tf, df, n, length, mean_length, k1, b):
    return bm25_weight(tf, df, n, length, mean_length, k1, b) / (k1 + 1)


def weight_b_swapped(tf, df, n, length, mean_length, k1, b):
    return bm25_weight(tf, df, n, length, mean_length, k1, 1 - b)


def weight_no_saturation(tf, df, n, length, mean_length, k1, b):
    return math.log(1 + (n - df + 0.5) / (df + 0.5)) * tf


def weight_log_two(tf, df, n, length, mean_length, k1, b):
    return bm25_weight(tf, df, n, length, mean_length, k1, b) / math.log(2)


def weight_log_ten(tf, df, n, length, mean_length, k1, b):
    return bm25_weight(tf, df, n, length, mean_length, k1, b) / math.log(10)


def weight_old_idf(tf, df, n, length, mean_length, k1, b):
    return math.log(n / df) * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / mean_length))


def weight_no_idf(tf, df, n, length, mean_length, k1, b):
    return tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / mean_length))


def draw_bm25_weight(rng: np.random.Generator) -> tuple:
    n = int(rng.integers(20, 200))
    tf, df, length = int(rng.integers(1, 6)), int(rng.integers(1, n)), int(rng.integers(5, 60))
    return tf, df, n, length, float(rng.uniform(5, 40)), float(rng.uniform(0.8, 2)), float(rng.uniform(0.1, 0.9))


def check_weight(t: Trial) -> None:
    cases = [(3, 9, 15, 30, 12.6, 1.2, 0.75), (1, 2, 15, 11, 12.6, 1.5, 0.75), (2, 1, 100, 5, 10, 2.0, 0.3)]
    for case in [*cases, *t.fresh(draw_bm25_weight)]:
        t.close(t.call(*case), bm25_weight(*case), rtol=1e-6, what="the weight")


HINTS = (
    "Two factors: the idf, ln(1 + (n - df + 0.5) / (df + 0.5)), and the saturated count.",
    "The saturated count is tf (k1 + 1) / (tf + k1 (1 - b + b * length / mean_length)).",
)
WRONG = (
    Wrong(weight_log_two, "takes the logarithm to base 2: the natural one is wanted"),
    Wrong(weight_log_ten, "takes the logarithm to base 10: the natural one is wanted"),
    Wrong(weight_old_idf, "uses ln(n / df): BM25's idf is ln(1 + (n - df + 0.5) / (df + 0.5))"),
    Wrong(weight_no_idf, "leaves out the idf: a word that stands everywhere would weigh as much as a rare one"),
    Wrong(weight_negative_idf, "leaves out the 1 + in the logarithm: words in over half of the documents count negative"),
    Wrong(weight_no_length, "does not look at the length: b * length / mean_length is missing"),
    Wrong(weight_ratio_inverted, "divides the mean length by the length: so long documents are favored"),
    Wrong(weight_no_top, "forgets the factor k1 + 1 above the line"),
    Wrong(weight_b_swapped, "uses b where 1 - b belongs: b = 0 must switch the length off"),
    Wrong(weight_no_saturation, "lets each occurrence count the same: that is TF-IDF, the count must saturate"),
)
AFTER = "The cell below scores the toy with it, and the chat that course.py mine writes searches 10,033 leads with it."
EXERCISE = Exercise("11.1", "The weight of a word", "warm-up", bm25_weight, check_weight, HINTS, WRONG, after=AFTER)
