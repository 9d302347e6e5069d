"""Word vectors by prediction: skip-gram and CBOW with negative sampling, and the losses they minimize (chapter 04).

Two tables of vectors are learned: `inputs` E (V, d), one row per word in the middle, and `outputs` U (V, d), one row per
word around it. `Word2Vec` trains them in blocks, fast; `helpers.models.word2vec_losses` has the same losses for a few pairs, to
read and to check against. Counting (PPMI, SVD) is in `helpers.features.cooccurrence`, what finished vectors are used for in
`helpers.models.word_vectors`, InfoNCE in `helpers.models.contrastive`.

Source: Mikolov, Chen, Corrado, Dean 2013; Mikolov, Sutskever, Chen, Corrado, Dean 2013.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from helpers.features.cooccurrence import flatten
from helpers.features.words import Vocabulary
from helpers.models.checks import at_least_one
from helpers.models.word2vec_losses import keep_probability, noise_distribution
from helpers.models.word_vectors import WordVectors

__all__ = ["Blocks", "Word2Vec"]

ARCHITECTURES = ("skip-gram", "cbow")


class Blocks(NamedTuple):
    """n blocks of L neighboring positions of the text.

    centers (n, L); around (n, L + 2 w): the same stretch with w more words at each end; near (n, L, L + 2 w): 1 where
    a word is a context of a center; noise (n, K): negatives shared by the block.

    >>> Blocks(np.zeros((32, 32)), np.zeros((32, 42)), np.zeros((32, 32, 42)), np.zeros((32, 16))).near.shape
    (32, 32, 42)
    """

    centers: np.ndarray
    around: np.ndarray
    near: np.ndarray
    noise: np.ndarray


class Word2Vec:
    """Skip-gram or CBOW with negative sampling, subsampling, dynamic window and a linearly falling learning rate.

    dim: length d of the vectors. window: words on each side at most; each center draws its own width 1..window. negatives: k,
    negatives per pair. architecture: "skip-gram" or "cbow". min_count: rarer words are dropped. sample: threshold of
    subsampling (0: off). power: exponent of the noise. seed: of all draws.

    What makes it fast. (1) All pairs of a block of 32 positions are one small matrix product. (2) A block shares its 16
    negatives, each weighing k / 16: on average the loss of k own negatives. (3) 32 blocks make one update.
    The price is that the gradients of a batch are summed before they are used. So that frequent words do not
    overshoot, the weights of all pairs that move one row, times the rate, are limited to `BOUND`.

    After `fit`: vocabulary, inputs (V, d), outputs (V, d), vectors (the inputs as `WordVectors`), losses: (words seen,
    mean loss per pair). When `fit` is interrupted from the keyboard, all of these hold the state so far.

    >>> texts = [["king", "crown", "king", "throne"], ["cake", "oven", "cake", "bread"]] * 200
    >>> vectors = Word2Vec(dim=8, window=2, sample=0, negatives=2).fit(texts, epochs=20).vectors
    >>> vectors.similarity("crown", "throne") > vectors.similarity("crown", "oven")
    True
    """

    BLOCK, BLOCKS, SHARED, BOUND = 32, 32, 16, 2.0

    vocabulary: Vocabulary
    inputs: np.ndarray
    outputs: np.ndarray
    losses: list[tuple[int, float]]

    def __init__(
        self,
        *,
        dim: int = 100,
        window: int = 5,
        negatives: int = 5,
        architecture: str = "skip-gram",
        min_count: int = 5,
        sample: float = 1e-3,
        power: float = 0.75,
        seed: int = 0,
    ) -> None:
        at_least_one(dim=dim, window=window, negatives=negatives, min_count=min_count)
        if architecture not in ARCHITECTURES:
            raise ValueError(f"expected an architecture of {', '.join(ARCHITECTURES)}, got {architecture!r}")
        if sample < 0:
            raise ValueError(f"expected sample >= 0 (say 0.001), got {sample}; 0 switches subsampling off")
        self.dim, self.window, self.negatives, self.architecture = dim, window, negatives, architecture
        self.min_count, self.sample, self.power, self.seed = min_count, sample, power, seed

    @property
    def vectors(self) -> WordVectors:
        """The input vectors with their words."""
        return WordVectors(self.vocabulary.words, self.inputs)

    def fit(
        self, texts: Iterable[Sequence[str]], *, epochs: int = 5, rate: float = 0.025, progress: Callable | None = None
    ) -> Word2Vec:
        """Train on tokenized texts. progress: `progress(iterable, label, total)` wraps the batches, for a bar.

        Raises ValueError for epochs < 1, rate <= 0, and for texts with fewer than two different words that are frequent
        enough, or without any two neighbors; TypeError for texts that are not tokenized.
        """
        at_least_one(epochs=epochs)
        if not rate > 0:
            raise ValueError(f"expected a learning rate > 0 (say 0.025), got {rate}")
        # 1. Words become numbers, in one row.
        texts = list(texts)
        self.vocabulary = Vocabulary.build(texts, min_count=self.min_count)
        V, rng = len(self.vocabulary), np.random.default_rng(self.seed)
        ids, text_of = flatten(texts, self.vocabulary)
        if V < 2 or not np.any(text_of[1:] == text_of[:-1]):
            raise ValueError(
                f"expected texts with at least two different words side by side, got {V} word(s) seen {self.min_count} "
                "times or more; a word alone has no context. Pass more text, or lower min_count"
            )
        # 2. Small random inputs, outputs of zero.
        self.inputs = (rng.random((V, self.dim), dtype=np.float32) - 0.5) / self.dim
        self.outputs = np.zeros((V, self.dim), dtype=np.float32)
        self.losses = []
        per_epoch = -(-len(ids) // (self.BLOCK * self.BLOCKS))  # without subsampling: an upper limit of the batches
        steps = range(epochs * per_epoch)
        update = self._skipgram if self.architecture == "skip-gram" else self._cbow
        batches: Iterator[tuple[Blocks, float]] = iter(())
        # 3. Epoch by epoch, batch by batch, at a falling rate.
        # The products are small: a second thread of the linear algebra would cost more than it brings.
        with threadpool_limits(1, user_api="blas"), np.errstate(over="ignore"):
            for step in progress(steps, "training", len(steps)) if progress else steps:
                if step % per_epoch == 0:
                    batches = self._batches(ids, text_of, rng)
                batch, share = next(batches, (None, 1.0))
                if batch is not None:
                    done = (step // per_epoch + share) / epochs
                    watch = step % 16 == 0
                    loss = update(batch, np.float32(rate * max(1 - done, 1e-4)), watch)
                    if watch:
                        self.losses.append((int(done * epochs * len(ids)), loss))
        return self

    def _batches(self, ids: np.ndarray, text_of: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[Blocks, float]]:
        """One epoch of subsampled text in batches; with each the share of the epoch that is done before it."""
        L, w, size = self.BLOCK, self.window, self.BLOCK * self.BLOCKS
        # 1. Subsampling: frequent words drop out, and with them the distances between the others.
        keep = keep_probability(self.vocabulary.counts, self.sample).astype(np.float32)
        kept = np.flatnonzero(rng.random(len(ids), dtype=np.float32) < keep[ids])
        pad = (w, -len(kept) % size + w)
        word = np.pad(ids[kept], pad)
        home = np.pad(text_of[kept], pad, constant_values=-1)  # -1: beyond the ends, the context of nothing
        # 2. A window width for each center, negatives for each block.
        widths = rng.integers(1, w + 1, len(word) - 2 * w, dtype=np.int16)
        shared = max(self.SHARED, self.negatives)
        cumulative = np.cumsum(noise_distribution(self.vocabulary.counts, self.power))
        noise = np.searchsorted(cumulative / cumulative[-1], rng.random((len(widths) // L, shared)))
        distance = np.abs(np.arange(L)[:, None] + w - np.arange(L + 2 * w)).astype(np.int16)  # center to word around it
        distance[distance == 0] = np.iinfo(np.int16).max  # a word is no context of itself
        # 3. 32 blocks at a time: which words around stand in the window of which center, in the same text.
        for start in range(0, len(widths), size):
            at = start + w + np.arange(0, size, L)[:, None]
            middle, around = at + np.arange(L), at - w + np.arange(L + 2 * w)
            near = distance <= widths[middle - w][:, :, None]
            near &= home[middle][:, :, None] == home[around][:, None, :]
            near &= home[middle][:, :, None] >= 0
            yield Blocks(word[middle], word[around], near, noise[start // L : start // L + self.BLOCKS]), start / len(widths)

    def _skipgram(self, batch: Blocks, rate: np.float32, watch: bool) -> float:
        """One update; returns the mean loss per pair when watched. Scores of a center: its block's words, then the noise."""
        M = batch.around.shape[1]
        rows = np.concatenate([batch.around, batch.noise], axis=1)  # (n, M + K)
        v, u = self.inputs[batch.centers], self.outputs[rows]  # (n, L, d), (n, M + K, d)
        wrong = _sigmoid_of_minus(v @ u.transpose(0, 2, 1))  # (n, L, M + K)
        pairs = batch.near.sum(axis=2, dtype=np.float32)  # (n, L)
        weight = pairs * np.float32(self.negatives / batch.noise.shape[1])  # of each shared negative
        loss = _loss(wrong[:, :, :M], batch.near, wrong[:, :, M:], weight) if watch else 0.0
        pull = wrong  # 1 - sigma(score) for a true pair, -sigma(score) for a negative
        pull[:, :, :M] *= batch.near
        pull[:, :, M:] = (pull[:, :, M:] - 1) * weight[:, :, None]
        moved = np.concatenate(
            [batch.near.sum(axis=1, dtype=np.float32), np.broadcast_to(weight.sum(axis=1, keepdims=True), batch.noise.shape)],
            axis=1,
        )
        dv, du = pull @ u, pull.transpose(0, 2, 1) @ v
        _add_rows(self.inputs, batch.centers, dv, pairs * (1 + self.negatives), rate, self.BOUND)
        _add_rows(self.outputs, rows, du, moved, rate, self.BOUND)
        return loss

    def _cbow(self, batch: Blocks, rate: np.float32, watch: bool) -> float:
        """One update: the mean of the words around predicts the center."""
        pairs = batch.near.sum(axis=2, dtype=np.float32)
        share = batch.near / np.maximum(pairs, 1)[:, :, None]  # (n, L, M): rows sum to 1, or to 0 without context
        there = (pairs > 0).astype(np.float32)
        x, u, noise = self.inputs[batch.around], self.outputs[batch.centers], self.outputs[batch.noise]
        h = share @ x  # (n, L, d)
        wrong = _sigmoid_of_minus(np.einsum("nld,nld->nl", h, u))
        wrong_noise = _sigmoid_of_minus(h @ noise.transpose(0, 2, 1))  # (n, L, K)
        weight = there * np.float32(self.negatives / batch.noise.shape[1])
        loss = _loss(wrong, there, wrong_noise, weight) if watch else 0.0
        pull, pull_noise = wrong * there, (wrong_noise - 1) * weight[:, :, None]
        dh = pull[:, :, None] * u + pull_noise @ noise
        dx, du = share.transpose(0, 2, 1) @ dh, pull[:, :, None] * h
        dnoise = pull_noise.transpose(0, 2, 1) @ h
        moved = np.broadcast_to(weight.sum(axis=1, keepdims=True), batch.noise.shape)
        _add_rows(self.inputs, batch.around, dx, share.sum(axis=1) * (1 + self.negatives), rate, self.BOUND)
        _add_rows(
            self.outputs,
            np.concatenate([batch.centers, batch.noise], axis=1),
            np.concatenate([du, dnoise], axis=1),
            np.concatenate([there, moved], axis=1),
            rate,
            self.BOUND,
        )
        return loss


def _sigmoid_of_minus(scores: np.ndarray) -> np.ndarray:
    """sigma(-score), in place; a score above 88 makes exp infinite and the result 0, which is right."""
    np.exp(scores, out=scores)
    scores += 1
    return np.reciprocal(scores, out=scores)


def _loss(wrong: np.ndarray, near: np.ndarray, wrong_noise: np.ndarray, weight: np.ndarray) -> float:
    """Mean over true pairs of -ln sigma(score) - weighted sum of ln sigma(-score of noise)."""
    true = np.sum(np.log(np.maximum(1 - wrong, 1e-30)) * near, dtype=np.float64)
    noise = np.sum(np.log(np.maximum(wrong_noise, 1e-30)).sum(axis=-1) * weight, dtype=np.float64)
    return float(-(true + noise) / max(np.sum(near), 1))


def _add_rows(
    table: np.ndarray, rows: np.ndarray, steps: np.ndarray, weights: np.ndarray, rate: np.float32, bound: float
) -> None:
    """table[row] += rate * sum of the steps for that row, with a smaller rate where rate * sum of weights > bound.

    The sum over equal rows is a product with a sparse 0/1 matrix, ten times as fast as np.add.at.
    """
    rows = rows.ravel()
    order = np.argsort(rows, kind="stable").astype(np.int32)
    ranked = rows[order]
    first = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
    total = np.add.reduceat(weights.ravel()[order], first)
    scale = np.minimum(rate, bound / np.maximum(total, 1e-9)).astype(table.dtype)
    ends = np.append(first, len(rows)).astype(np.int32)
    ones = np.ones(len(rows), dtype=table.dtype)
    summed = sparse.csr_matrix((ones, order, ends), shape=(len(first), len(rows))) @ steps.reshape(len(rows), -1)
    table[ranked[first]] += scale[:, None] * summed
