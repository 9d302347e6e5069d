"""Exercise 3.7, Keywords of a class: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def class_tfidf(counts):
    """tf * ln(1 + A / f) from the counts (K, V) of K classes: tf share of the word in its class, f its count in all classes,
    A the mean number of words per class."""
    tf = counts / counts.sum(axis=1, keepdims=True)
    f = counts.sum(axis=0)
    A = counts.sum() / len(counts)
    return tf * np.log(1 + A / f)


def class_tfidf_raw_counts(counts):
    return counts * np.log(1 + counts.sum() / len(counts) / counts.sum(axis=0))


def class_tfidf_without_one(counts):
    tf = counts / counts.sum(axis=1, keepdims=True)
    return tf * np.log(counts.sum() / len(counts) / counts.sum(axis=0))


def class_tfidf_all_words(counts):
    tf = counts / counts.sum(axis=1, keepdims=True)
    return tf * np.log(1 + counts.sum() / counts.sum(axis=0))


def class_tfidf_of_classes(counts):
    tf = counts / counts.sum(axis=1, keepdims=True)
    return tf * np.log(1 + len(counts) / (counts > 0).sum(axis=0))


def class_tfidf_mean_cell(counts):
    tf = counts / counts.sum(axis=1, keepdims=True)
    return tf * np.log(1 + counts.mean() / counts.sum(axis=0))


def class_tfidf_own_words(counts):
    words = counts.sum(axis=1, keepdims=True)
    return counts / words * np.log(1 + words / counts.sum(axis=0))


def class_tfidf_wrong_axis(counts):
    return counts / counts.sum(axis=0) * np.log(1 + counts.sum() / len(counts) / counts.sum(axis=0))


def class_tfidf_bits(counts):
    return class_tfidf(counts) / np.log(2)


def class_tfidf_f_of_classes(counts):
    tf = counts / counts.sum(axis=1, keepdims=True)
    return tf * np.log(1 + counts.sum() / len(counts) / (counts > 0).sum(axis=0))


def draw_class_tfidf(rng: np.random.Generator) -> list:
    return (rng.integers(0, 6, size=(int(rng.integers(2, 5)), 5)) + np.eye(1, 5, dtype=int) + 1).tolist()


def check_class_tfidf(t: Trial) -> None:
    for counts in (
        [[4, 0], [1, 3]],
        [[5, 1, 2], [5, 0, 1]],
        [[9, 3, 0, 0], [8, 0, 2, 0], [20, 1, 1, 6]],
        *t.fresh(draw_class_tfidf),
    ):
        counts = np.array(counts, dtype=float)
        t.close(t.call(counts), class_tfidf(counts), what="the weights")


HINTS = (
    "All texts of a class are glued together into one long text; counts holds one row per class.",
    "tf: divide each row by its sum (keepdims=True). f: sum over axis 0. A: the sum of everything, divided by the classes.",
    "np.log(1 + A / f) has shape (V,) and multiplies every row.",
)
WRONG = (
    Wrong(class_tfidf_bits, "takes the logarithm to base 2: the natural one is wanted"),
    Wrong(
        class_tfidf_raw_counts,
        "multiplies raw counts; tf is the share of the word within its class, so that large classes do not win",
    ),
    Wrong(
        class_tfidf_without_one,
        "leaves out the 1 in ln(1 + A / f): words more frequent than A would get negative weights",
    ),
    Wrong(class_tfidf_all_words, "takes all words for A; A is the mean number of words per class"),
    Wrong(class_tfidf_f_of_classes, "counts in how many classes a word stands; f is how often it stands in all of them together"),
    Wrong(
        class_tfidf_of_classes,
        "counts classes, as idf counts documents: A and f are both numbers of words",
    ),
    Wrong(class_tfidf_mean_cell, "takes the mean of the cells for A; A is the mean of the row sums"),
    Wrong(class_tfidf_own_words, "takes each class's own number of words for A; A is one number, the mean over the classes"),
    Wrong(
        class_tfidf_wrong_axis,
        "divides by the word's total over the classes; tf is a share of the words of the class (axis 1)",
    ),
)
EXERCISE = Exercise("3.7", "Keywords of a class", "stretch", class_tfidf, check_class_tfidf, HINTS, WRONG, points=3)
