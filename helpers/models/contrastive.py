"""Learning from pairs that belong together, against all other pairs of the batch: InfoNCE (chapters 04 and 09)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from helpers.features.checks import numbers
from helpers.models.losses import log_softmax

__all__ = ["ContrastiveLoss", "info_nce"]


class ContrastiveLoss(NamedTuple):
    """A mean loss in nats and its gradients for both inputs, dA and dB, each of shape (B, d).

    >>> info_nce(np.eye(3), np.eye(3)).dA.shape
    (3, 3)
    """

    loss: float
    dA: np.ndarray
    dB: np.ndarray


def info_nce(A: np.ndarray, B: np.ndarray, temperature: float = 1.0) -> ContrastiveLoss:
    """InfoNCE with in-batch negatives: row i of A belongs to row i of B; the other rows of B are its negatives.

    loss = mean of -ln softmax(A B^T / temperature)[i, i]. When all similarities are equal it is ln(batch size).
    A, B: (B, d), unit rows for cosine similarities. temperature > 0: small means strict.
    Raises ValueError for other shapes, fewer than two rows (nothing to tell apart), or temperature <= 0.
    Source: van den Oord, Li, Vinyals 2018; as multiple negatives ranking: Henderson et al. 2017.

    >>> round(info_nce(np.ones((3, 2)), np.ones((3, 2))).loss, 6)  # ln 3
    1.098612
    """
    A, B = numbers(A, "A"), numbers(B, "B")
    if A.ndim != 2 or A.shape != B.shape:
        raise ValueError(f"expected two arrays of one shape (B, d), got {A.shape} and {B.shape}")
    if len(A) < 2:
        raise ValueError(f"expected at least two pairs, got {len(A)}; one pair alone has no negatives")
    if not temperature > 0:
        raise ValueError(f"expected temperature > 0 (say 0.05 for unit vectors), got {temperature}")
    log_p = log_softmax(A @ B.T / temperature)  # (B, B)
    error = (np.exp(log_p) - np.eye(len(A))) / (len(A) * temperature)
    return ContrastiveLoss(float(-np.diag(log_p).mean()), error @ B, error.T @ A)
