"""Exercise 3.5, Words given the class: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def word_log_probs(X, y, K, alpha=1.0):
    """ln P(word | class), shape (K, V), from counts X (n, V) and classes y (n,) in 0..K-1, with alpha added to each count."""
    counts = np.array([X[y == k].sum(axis=0) for k in range(K)]) + alpha
    return np.log(counts / counts.sum(axis=1, keepdims=True))


def word_log_probs_alpha_once(X, y, K, alpha=1.0):
    counts = np.array([X[y == k].sum(axis=0) for k in range(K)])
    return np.log((counts + alpha) / (counts.sum(axis=1, keepdims=True) + alpha))


def word_log_probs_alpha_per_class(X, y, K, alpha=1.0):
    counts = np.array([X[y == k].sum(axis=0) for k in range(K)])
    return np.log((counts + alpha) / (counts.sum(axis=1, keepdims=True) + alpha * K))


def word_log_probs_alpha_per_text(X, y, K, alpha=1.0):
    counts = np.array([X[y == k].sum(axis=0) for k in range(K)])
    return np.log((counts + alpha) / (counts.sum(axis=1, keepdims=True) + alpha * len(X)))


def word_log_probs_alpha_on_top(X, y, K, alpha=1.0):
    counts = np.array([X[y == k].sum(axis=0) for k in range(K)])
    return np.log((counts + alpha) / np.maximum(counts.sum(axis=1, keepdims=True), 1))


def word_log_probs_unsmoothed(X, y, K, alpha=1.0):
    counts = np.array([X[y == k].sum(axis=0) for k in range(K)])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(counts / counts.sum(axis=1, keepdims=True))


def word_log_probs_of_texts(X, y, K, alpha=1.0):
    return word_log_probs((X > 0).astype(float), y, K, alpha)


def word_log_probs_over_classes(X, y, K, alpha=1.0):
    counts = np.array([X[y == k].sum(axis=0) for k in range(K)]) + alpha
    return np.log(counts / counts.sum(axis=0, keepdims=True))


def word_log_probs_no_log(X, y, K, alpha=1.0):
    return np.exp(word_log_probs(X, y, K, alpha))


def word_log_probs_transposed(X, y, K, alpha=1.0):
    return word_log_probs(X, y, K, alpha).T


def word_log_probs_alpha_ignored(X, y, K, alpha=1.0):
    return word_log_probs(X, y, K)


def word_log_probs_bits(X, y, K, alpha=1.0):
    return word_log_probs(X, y, K, alpha) / np.log(2)


def word_log_probs_with_prior(X, y, K, alpha=1.0):
    prior = np.array([max(np.mean(y == k), 1e-9) for k in range(K)])
    return word_log_probs(X, y, K, alpha) + np.log(prior)[:, None]


def word_log_probs_over_all(X, y, K, alpha=1.0):
    counts = np.array([X[y == k].sum(axis=0) for k in range(K)]) + alpha
    return np.log(counts / counts.sum())


def draw_word_log_probs(rng: np.random.Generator) -> tuple:
    K = int(rng.integers(2, 4))
    return rng.integers(0, 5, size=(7, 4)), rng.permutation(np.arange(7) % K), K, float(rng.uniform(0.2, 2))


def check_word_log_probs(t: Trial) -> None:
    cases = [
        ([[3, 1, 0], [0, 2, 1]], [0, 1], 2, 1.0),
        ([[2, 0, 1], [1, 1, 0], [0, 0, 4]], [0, 0, 1], 2, 1.0),
        ([[2, 0, 1], [1, 1, 0], [0, 0, 4]], [0, 0, 1], 2, 0.1),
        ([[1, 0, 0, 2], [0, 3, 1, 0]], [2, 0], 3, 0.5),  # class 1 has no example
    ]
    for X, y, K, alpha in [*cases, *t.fresh(draw_word_log_probs)]:
        X, y = np.array(X, dtype=float), np.array(y)
        t.close(t.call(X, y, K, alpha), word_log_probs(X, y, K, alpha), what="the table of log-probabilities")


HINTS = (
    "X[y == k] are the rows of class k; their sum over axis 0 are the counts of the words in the class.",
    "Add alpha to every count first, then divide each row by its sum: then each row sums to 1.",
    "A class without texts then gets 1/V for every word; no special case is needed.",
)
WRONG = (
    Wrong(word_log_probs_transposed, "has a row for each word; the table is wanted with a row for each class, (K, V)"),
    Wrong(word_log_probs_alpha_ignored, "always adds 1: what is added is the argument alpha"),
    Wrong(word_log_probs_bits, "takes the logarithm to base 2: the natural one is wanted"),
    Wrong(word_log_probs_with_prior, "adds the logarithm of the class's share: here only the words given the class are wanted"),
    Wrong(word_log_probs_alpha_once, "adds alpha once to the total; V counts grew by alpha, so the total grows by V alpha"),
    Wrong(
        word_log_probs_alpha_per_class, "adds alpha to the total once per class; it is added once for each word of the vocabulary"
    ),
    Wrong(
        word_log_probs_alpha_per_text, "adds alpha to the total once per text; it is added once for each word of the vocabulary"
    ),
    Wrong(
        word_log_probs_alpha_on_top,
        "adds alpha to the counts but not to the total, so the probabilities sum to more than 1",
    ),
    Wrong(word_log_probs_unsmoothed, "does not use alpha: a word that a class has never seen gets ln 0 = -inf"),
    Wrong(word_log_probs_of_texts, "counts in how many texts a word stands; this model counts every occurrence"),
    Wrong(
        word_log_probs_over_classes,
        "normalizes over the classes, which gives P(class | word); each class must sum to 1 over words",
    ),
    Wrong(word_log_probs_over_all, "divides by the sum of the whole table; each class must sum to 1 over its words"),
    Wrong(word_log_probs_no_log, "returns probabilities; their logarithms are wanted"),
)
EXERCISE = Exercise("3.5", "Words given the class", "core", word_log_probs, check_word_log_probs, HINTS, WRONG, points=3)
