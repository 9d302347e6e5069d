"""A reward model on frozen vectors: a score for (lead, description), learned from pairs of which one is better (chapter 09).

The pairs come from our data. Better is the short description that stands in Wikipedia. Worse is, in turn: that of another article
of the same topic; the same words in another order; the same with the beginning of another description hung on. So "better" is our
rule and no person's taste, and the labels are as clean as the data; `flip` spoils them on purpose.

The score is linear in what two frozen MiniLM vectors give, so that the pairwise loss is chapter 02's logistic regression on
differences. Shapes: n pairs, d = 384, F = 2 d features.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

import numpy as np
from scipy.optimize import minimize

from helpers.data import datasets
from helpers.models.losses import log_sigmoid, sigmoid

__all__ = ["KINDS", "JudgedPairs", "accuracy", "features", "fit", "flip", "make_pairs"]

KINDS = ("another article", "shuffled words", "too long")


class JudgedPairs(NamedTuple):
    """rows: (n,) of the leads among `datasets.leads()`. better, worse: n answers each. kinds: (n,) what is wrong, in KINDS."""

    rows: np.ndarray
    better: list[str]
    worse: list[str]
    kinds: np.ndarray


def make_pairs(n: int, train: bool = True, seed: int = 0) -> JudgedPairs:
    """n pairs of the training leads, or of all others; each kind of wrong answer equally often.

    Raises ValueError unless there are so many leads with a description.
    """
    # 1. the leads that have a description worth spoiling
    leads, rng = datasets.leads(), np.random.default_rng(seed)
    usable = [
        i
        for i, lead in enumerate(leads)
        if (lead.split == "train") == train and lead.topic and lead.description and len(lead.description.split()) >= 3
    ]
    if not 1 <= n <= len(usable):
        raise ValueError(f"expected from 1 to {len(usable)} pairs, got {n}")
    # 2. n of them, and their neighbors by topic
    by_topic: dict[str | None, list[int]] = {}
    for i in usable:
        by_topic.setdefault(leads[i].topic, []).append(i)
    rows = np.array([usable[i] for i in rng.permutation(len(usable))[:n]])
    # 3. for each a worse answer, the kinds in turn
    kinds, worse = np.arange(n) % len(KINDS), []
    for row, kind in zip(rows, kinds):
        own, topic = cast(str, leads[row].description), by_topic[leads[row].topic]
        other = next(d for d in (cast(str, leads[topic[rng.integers(len(topic))]].description) for _ in range(1_000)) if d != own)
        words = own.split()
        if kind == 0:
            worse.append(other)
        elif kind == 1:
            mixed = words
            while mixed == words and len(set(words)) > 1:
                mixed = [words[i] for i in rng.permutation(len(words))]
            worse.append(" ".join(mixed))
        else:
            worse.append(f"{own}, also {' '.join(other.split()[:4])}")
    return JudgedPairs(rows, [cast(str, leads[i].description) for i in rows], worse, kinds)


def features(leads: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """(n, 2 d) of unit vectors (n, d): how lead and answer agree in each channel, and the answer by itself.

    The sum of the first d is sqrt(d) times their cosine.
    """
    if leads.shape != answers.shape:
        raise ValueError(f"expected one lead vector for each answer, got shapes {leads.shape} and {answers.shape}")
    return np.hstack([leads * answers * leads.shape[1] ** 0.5, answers])


def fit(better: np.ndarray, worse: np.ndarray, l2: float = 1e-3) -> np.ndarray:
    """(F,) weights that minimise the pairwise loss, mean of -ln sigmoid(w . (better - worse)), plus l2 / 2 |w|^2.

    No bias: it would cancel in every difference. Raises ValueError for other shapes. Source: Bradley and Terry 1952.
    """
    if better.ndim != 2 or better.shape != worse.shape:
        raise ValueError(f"expected features of one shape (n, F), got {better.shape} and {worse.shape}")
    D = better - worse  # (n, F)

    def objective(w: np.ndarray) -> tuple[float, np.ndarray]:
        d = D @ w
        return float(-log_sigmoid(d).mean() + l2 / 2 * w @ w), -D.T @ sigmoid(-d) / len(D) + l2 * w

    return minimize(objective, np.zeros(D.shape[1]), jac=True, method="L-BFGS-B").x


def flip(better: np.ndarray, worse: np.ndarray, share: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Both with a share of the pairs, drawn with the seed, the wrong way round."""
    if not 0 <= share <= 1:
        raise ValueError(f"expected a share from 0 to 1, got {share}")
    turned = np.random.default_rng(seed).permutation(len(better)) < round(share * len(better))
    return np.where(turned[:, None], worse, better), np.where(turned[:, None], better, worse)


def accuracy(w: np.ndarray, better: np.ndarray, worse: np.ndarray, kinds: Sequence[int] | None = None) -> dict[str, float]:
    """Share of pairs whose better answer gets the higher score: over all, and for each kind of wrong answer."""
    right = (better - worse) @ w > 0
    shares = {"all": float(right.mean())}
    if kinds is not None:
        shares |= {name: float(right[np.asarray(kinds) == k].mean()) for k, name in enumerate(KINDS)}
    return shares
