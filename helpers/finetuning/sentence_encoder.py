"""Finetuning a sentence encoder: pairs that belong together against all others, and a few labels stretched into many pairs.

`ranking_loss` is InfoNCE for searching: a query must find its text among those of the batch, and among hard negatives if there
are some. `pair_loss` is what SetFit trains with: sentences of one class come close together. The encoder is MiniLM in our own
class (`bert.TextEncoder`); one sentence is one unit vector.

Shapes: B sentences, d = 384 channels, n texts, q queries.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from helpers.models.bert import TextEncoder
from helpers.training.schedule import learning_rate, optimize

__all__ = [
    "few_labels",
    "few_labels_tfidf",
    "french_questions",
    "hard_negatives",
    "pair_loss",
    "ranking_loss",
    "ranks",
    "sample_per_class",
    "tune_layers",
    "tune_on_labels",
]


def ranking_loss(queries: Tensor, keys: Tensor, negatives: Tensor | None = None, temperature: float = 0.05) -> Tensor:
    """Multiple negatives ranking: mean of -ln softmax over all candidates of the right one. queries, keys (B, d) unit rows.

    Query i belongs to key i; the other B - 1 keys are its negatives, and so are all rows of `negatives` (m, d). With equal
    similarities it is ln(B + m). Raises ValueError for other shapes, no negative at all, or temperature <= 0.
    Sources: Henderson et al. 2017; van den Oord et al. 2018.
    """
    if queries.ndim != 2 or queries.shape != keys.shape or negatives is not None and negatives.shape[1:] != keys.shape[1:]:
        raise ValueError(
            f"expected queries and keys of one shape (B, d) and negatives (m, d), got {tuple(queries.shape)}, "
            f"{tuple(keys.shape)} and {None if negatives is None else tuple(negatives.shape)}"
        )
    if not temperature > 0:
        raise ValueError(f"expected temperature > 0 (say 0.05 for unit vectors), got {temperature}")
    candidates = keys if negatives is None else torch.cat([keys, negatives])  # (B + m, d)
    if len(candidates) < 2:
        raise ValueError("expected at least two candidates, got one; a pair alone has no negatives")
    return F.cross_entropy(queries @ candidates.T / temperature, torch.arange(len(queries), device=queries.device))


def pair_loss(vectors: Tensor, labels: Tensor) -> Tensor:
    """Mean over all pairs of a batch of (cosine - 1)^2 for one class and cosine^2 for two. vectors (B, d) unit rows, labels (B,).

    Same and different pairs weigh the same in total, since there are many more different ones. Raises ValueError when all
    pairs are of one kind. Source: Reimers and Gurevych 2019 (cosine regression); Tunstall et al. 2022 (few labels).
    """
    i, j = torch.triu_indices(len(labels), len(labels), offset=1)
    cosine, same = (vectors[i] * vectors[j]).sum(1), labels[i] == labels[j]  # (pairs,)
    if bool(same.all()) or not bool(same.any()):
        raise ValueError("expected pairs of one class and pairs of two classes in a batch; draw at least two of each of two")
    return ((1 - cosine[same]) ** 2).mean() / 2 + (cosine[~same] ** 2).mean() / 2


def ranks(queries: np.ndarray, keys: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(q,) place of each query's own key among all keys (n, d), 1 = first. Equal scores count against it."""
    scores = queries @ keys.T  # (q, n)
    own = scores[np.arange(len(truth)), truth][:, None]
    return (scores >= own).sum(1)


def hard_negatives(queries: np.ndarray, keys: np.ndarray, truth: np.ndarray, skip: int = 0) -> np.ndarray:
    """(q,) for each query the best key that is not its own; with `skip`, so many of the very best are passed over.

    The very best wrong key is often a second right one that nobody marked. Raises ValueError when too few keys are left.
    """
    if not 0 <= skip < keys.shape[0] - 1:
        raise ValueError(f"expected skip from 0 to {keys.shape[0] - 2}, got {skip}")
    scores = queries @ keys.T
    scores[np.arange(len(truth)), truth] = -np.inf
    return np.argsort(-scores, axis=1, kind="stable")[:, skip]


def sample_per_class(labels: Sequence | np.ndarray, k: int, seed: int) -> np.ndarray:
    """k rows of each class, drawn with the seed. Raises ValueError for a class with fewer than k."""
    labels, rng, rows = np.asarray(labels), np.random.default_rng(seed), []
    for name in np.unique(labels):
        of_class = np.flatnonzero(labels == name)
        if len(of_class) < k:
            raise ValueError(f"expected at least {k} rows of each class, {name!r} has {len(of_class)}")
        rows.append(rng.choice(of_class, k, replace=False))
    return np.concatenate(rows)


def tune_layers(
    encoder: TextEncoder,
    loss_of: Callable[[int], Tensor],
    steps: int,
    *,
    peak: float = 5e-5,
    warmup: int = 5,
    report: Callable[[int, float], None] = lambda step, loss: None,
) -> list[float]:
    """Train the encoder's layers for `steps` updates of AdamW, the table of word pieces left as it is. Returns the losses.

    loss_of(step): the loss of one batch, with its gradient. The table is half of MiniLM's weights, and most of its rows
    never turn up in a few hundred sentences.
    """
    model = encoder.model
    for part in (model.tokens, model.positions, model.segments, model.norm):
        part.requires_grad_(False)
    rate = partial(learning_rate, peak=peak, warmup=warmup, total=steps)
    return optimize(model.blocks.parameters(), loss_of, steps, rate, weight_decay=0.01, report=report)


def french_questions() -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """French short descriptions, each with the row of its English lead among `datasets.leads()`: to train on, and to judge by.

    An article counts when it has the same title in both languages; the split is that of the title.
    """
    from helpers.data import datasets

    row = {lead.title: i for i, lead in enumerate(datasets.leads())}
    pairs: tuple[list, list] = ([], [])
    for lead in datasets.leads("fr"):
        if lead.description and lead.title in row:
            pairs[lead.split != "train"].append((lead.description, row[lead.title]))
    return pairs


def few_labels(vectors: np.ndarray, labels: np.ndarray, test: np.ndarray, answers: np.ndarray) -> int:
    """How many test vectors a logistic regression on a few labeled ones gets right."""
    from sklearn.linear_model import LogisticRegression

    return int((LogisticRegression(C=10, max_iter=1_000).fit(vectors, labels).predict(test) == answers).sum())


def few_labels_tfidf(texts: Sequence[str], labels: np.ndarray, test: Sequence[str], answers: np.ndarray) -> int:
    """`few_labels` on the TF-IDF vectors of chapter 03, with the words of the few labeled texts."""
    from helpers.features.bag_of_words import TfidfVectorizer

    vectorizer = TfidfVectorizer()
    return few_labels(vectorizer.fit_transform(list(texts)), labels, vectorizer.transform(list(test)), answers)


def tune_on_labels(
    encoder: TextEncoder,
    texts: Sequence[str],
    labels: Sequence,
    *,
    steps: int = 20,
    per_class: int = 4,
    peak: float = 1e-4,
    seed: int = 0,
    report: Callable[[int, float], None] = lambda step, loss: None,
) -> list[float]:
    """Pull sentences of one class together with `pair_loss`, `per_class` of each class in a batch. Returns the losses."""
    labels, rng = np.asarray(labels), np.random.default_rng(seed)
    names, numbers = np.unique(labels, return_inverse=True)

    def loss(step: int) -> Tensor:
        rows = np.concatenate([rng.choice(np.flatnonzero(labels == name), per_class, replace=False) for name in names])
        return pair_loss(encoder.embed([texts[i] for i in rows]), torch.tensor(numbers[rows]))

    return tune_layers(encoder, loss, steps, peak=peak, report=report)
