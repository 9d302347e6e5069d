"""What word2vec minimizes, written out for a few pairs with dense gradients: for reading, toys and checks (chapter 04).

E (V, d) holds the vectors v of words in the middle, U (V, d) the vectors u of words around them. The same losses are
minimized by `helpers.models.word2vec.Word2Vec`, in blocks and fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from helpers.features.checks import numbers
from helpers.models.checks import at_least_one
from helpers.models.losses import log_sigmoid, log_softmax, sigmoid

__all__ = [
    "PairLoss",
    "cbow_loss",
    "keep_probability",
    "negative_sampling_loss",
    "noise_distribution",
    "skipgram_pairs",
    "skipgram_softmax_loss",
]


class PairLoss(NamedTuple):
    """A mean loss in nats and its gradients for both tables, dE and dU, each of shape (V, d).

    >>> skipgram_softmax_loss(np.zeros((9, 2)), np.zeros((9, 2)), [[0, 1]]).dE.shape
    (9, 2)
    """

    loss: float
    dE: np.ndarray
    dU: np.ndarray


# ------------------------------------------------------------------------------------------- pairs and probabilities


def skipgram_pairs(ids: Sequence[int], window: int, widths: Sequence[int] | None = None) -> np.ndarray:
    """All pairs (center, context) of one text, shape (number of pairs, 2), in reading order.

    window: how many words on each side at most. widths: (n,) a smaller window for each center (dynamic window).
    A text of n > window words gives 2 n w - w (w + 1) pairs for w = window. Raises ValueError for window < 1.

    >>> skipgram_pairs([7, 8, 9], window=1).tolist(), len(skipgram_pairs(range(5), window=2))
    ([[7, 8], [8, 7], [8, 9], [9, 8]], 14)
    """
    at_least_one(window=window)
    n = len(ids)
    widths = np.full(n, window) if widths is None else np.minimum(widths, window)
    pairs = [(ids[i], ids[j]) for i in range(n) for j in range(max(0, i - widths[i]), min(n, i + widths[i] + 1)) if i != j]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def keep_probability(counts: np.ndarray, sample: float) -> np.ndarray:
    """Share of each word's occurrences that subsampling keeps: min(1, sqrt(t / f) + t / f), f the word's frequency.

    counts: (V,). sample: the threshold t; words rarer than about 2.6 t are always kept. 0 keeps everything.
    The paper prints sqrt(t / f) alone; its program adds t / f, as every library does since.
    Source: Mikolov et al. 2013 (second paper), section 2.3, and the program published with it.

    >>> keep_probability([1, 99], sample=0.01).round(3).tolist()  # f = 0.01 and 0.99
    [1.0, 0.111]
    """
    counts = _counts(counts)
    if sample < 0:
        raise ValueError(f"expected sample >= 0 (say 0.001), got {sample}; 0 switches subsampling off")
    if sample == 0:
        return np.ones(len(counts))
    f = np.maximum(counts / counts.sum(), 1e-300)
    return np.minimum(1.0, np.sqrt(sample / f) + sample / f)


def noise_distribution(counts: np.ndarray, power: float = 0.75) -> np.ndarray:
    """Probability of each word to be drawn as a negative: counts ** power, divided by their sum. Shape (V,).

    power 1 is the plain word frequency, 0 is uniform. Source: Mikolov et al. 2013 (second paper), section 2.2.

    >>> noise_distribution([1, 16]).round(4).tolist()  # 1 and 8 of 9, not 1 and 16 of 17
    [0.1111, 0.8889]
    """
    raised = _counts(counts) ** power
    return raised / raised.sum()


# ----------------------------------------------------------------------------------------------- losses, written out


def skipgram_softmax_loss(E: np.ndarray, U: np.ndarray, pairs: np.ndarray) -> PairLoss:
    """Skip-gram with the full softmax: mean of -ln softmax(U v_center)[context], and both gradients.

    E, U: (V, d). pairs: (P, 2) center and context. Costs V products per pair: for toys only.

    >>> round(skipgram_softmax_loss(np.zeros((9, 2)), np.zeros((9, 2)), [[0, 1]]).loss, 6)  # ln 9
    2.197225
    """
    centers, contexts = _checked(E, U, pairs)
    v = E[centers]  # (P, d)
    log_p = log_softmax(v @ U.T)  # (P, V)
    rows = np.arange(len(centers))
    error = np.exp(log_p)
    error[rows, contexts] -= 1
    error /= len(centers)  # p - y, as in chapter 02
    dE = np.zeros_like(E)
    np.add.at(dE, centers, error @ U)
    return PairLoss(float(-log_p[rows, contexts].mean()), dE, error.T @ v)


def negative_sampling_loss(E: np.ndarray, U: np.ndarray, pairs: np.ndarray, negatives: np.ndarray) -> PairLoss:
    """Skip-gram with negative sampling: mean of -ln sigma(u_o v_c) - sum over negatives of ln sigma(-u_n v_c).

    E, U: (V, d). pairs: (P, 2) center and context. negatives: (P, k) the words drawn for each pair; k = 0 is allowed here, to
    show what happens without them. Source: Mikolov et al. 2013 (second paper), equation 4.

    >>> zero = np.zeros((9, 2))
    >>> round(negative_sampling_loss(zero, zero, [[0, 1]], [[2, 3, 4, 5, 6]]).loss, 6)  # (k + 1) ln 2
    4.158883
    """
    centers, contexts = _checked(E, U, pairs)
    negatives = np.asarray(negatives, dtype=np.int64).reshape(len(centers), -1)
    others = np.concatenate([contexts[:, None], negatives], axis=1)  # (P, 1 + k)
    y = np.zeros(others.shape[1])
    y[0] = 1.0  # the first column is the true pair
    v, u = E[centers], U[others]  # (P, d), (P, 1 + k, d)
    scores = np.einsum("pd,pjd->pj", v, u)
    loss = -np.sum(log_sigmoid(np.where(y == 1, scores, -scores))) / len(centers)
    error = (sigmoid(scores) - y) / len(centers)
    dE, dU = np.zeros_like(E), np.zeros_like(U)
    np.add.at(dE, centers, np.einsum("pj,pjd->pd", error, u))
    np.add.at(dU, others, error[:, :, None] * v[:, None])
    return PairLoss(float(loss), dE, dU)


def cbow_loss(
    E: np.ndarray, U: np.ndarray, contexts: Sequence[Sequence[int]], centers: Sequence[int], negatives: np.ndarray
) -> PairLoss:
    """CBOW with negative sampling: the mean of the context vectors predicts the word in the middle.

    contexts: for each of P centers the words around it. negatives: (P, k). Each context vector gets its share 1/m of the
    gradient; several well-known programs forget that share (Irsoy, Benton, Stratos 2021).

    >>> zero = np.zeros((9, 2))
    >>> round(cbow_loss(zero, zero, [[0, 2]], [1], [[3]]).loss, 6)  # 2 ln 2
    1.386294
    """
    pairs = np.array([(c, c) for c in centers], dtype=np.int64).reshape(-1, 2)
    centers, _ = _checked(E, U, pairs)
    if any(len(words) == 0 for words in contexts) or len(contexts) != len(centers):
        raise ValueError("expected at least one context word for each center; leave out centers without context")
    others = np.concatenate([centers[:, None], np.asarray(negatives, dtype=np.int64).reshape(len(centers), -1)], axis=1)
    loss, dE, dU = 0.0, np.zeros_like(E), np.zeros_like(U)
    for words, row in zip(contexts, others):
        h = E[np.asarray(words)].mean(axis=0)  # (d,)
        scores, y = U[row] @ h, np.eye(1, len(row))[0]
        loss -= np.sum(log_sigmoid(np.where(y == 1, scores, -scores)))
        error = sigmoid(scores) - y
        np.add.at(dE, np.asarray(words), (error @ U[row]) / len(words))
        np.add.at(dU, row, error[:, None] * h)
    n = len(centers)
    return PairLoss(float(loss / n), dE / n, dU / n)


# --------------------------------------------------------------------------------------------------------- checks


def _counts(counts: np.ndarray) -> np.ndarray:
    counts = numbers(counts, "counts")
    if counts.ndim != 1 or len(counts) == 0 or not np.isfinite(counts).all() or counts.min() < 0 or counts.sum() == 0:
        raise ValueError(f"expected counts >= 0 of at least one word, not all 0, got {counts!r:.80}; count the words first")
    return counts


def _checked(E: np.ndarray, U: np.ndarray, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    pairs = np.asarray(pairs, dtype=np.int64)
    if pairs.ndim != 2 or pairs.shape[1] != 2 or len(pairs) == 0:
        raise ValueError(f"expected pairs of shape (P, 2) with P >= 1, got {pairs.shape}; make them with skipgram_pairs")
    if E.shape != U.shape:
        raise ValueError(f"expected two tables of one shape (V, d), got {E.shape} and {U.shape}")
    if pairs.min() < 0 or pairs.max() >= len(E):
        raise ValueError(f"expected word numbers 0..{len(E) - 1}, got {pairs.min()}..{pairs.max()}")
    return pairs[:, 0], pairs[:, 1]
