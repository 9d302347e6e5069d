"""Exercise 8.2, Good losses, useless text: the reference solution, wrong answers, the check."""

import math

import numpy as np
import torch

from helpers.exercises.ch08.shared import drawn, random_tensor
from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial, gradients


def causal_attention(q, k, v):
    """Attention in which token t looks at tokens 0 to t. q, k, v: (T, D). Returns (T, D)."""
    T, D = q.shape
    scores = q @ k.T / math.sqrt(D)  # (T, T)
    may_look = torch.ones(T, T).tril().bool()
    scores = scores.masked_fill(~may_look, -math.inf)
    return torch.softmax(scores, dim=-1) @ v


def causal_upside_down(q, k, v):
    """Attention in which token t looks at tokens 0 to t. q, k, v: (T, D). Returns (T, D)."""
    T, D = q.shape
    scores = q @ k.T / math.sqrt(D)  # (T, T)
    may_look = torch.ones(T, T).triu().bool()
    scores = scores.masked_fill(~may_look, -math.inf)
    return torch.softmax(scores, dim=-1) @ v


def _causal(q, k, v, allowed, fill=-math.inf, dim=-1):
    T, D = q.shape
    scores = (q @ k.T / math.sqrt(D)).masked_fill(~allowed(torch.ones(T, T)).bool(), fill)
    return torch.softmax(scores, dim=dim) @ v


def causal_not_self(q, k, v):
    return _causal(q, k, v, lambda m: m.tril(-1))


def causal_future_only(q, k, v):
    return _causal(q, k, v, lambda m: m.triu(1))


def causal_one_ahead(q, k, v):
    return _causal(q, k, v, lambda m: m.tril(1))


def causal_zero_fill(q, k, v):
    return _causal(q, k, v, lambda m: m.tril(), fill=0.0)


def causal_wrong_axis(q, k, v):
    return _causal(q, k, v, lambda m: m.tril(), dim=0)


def causal_none(q, k, v):
    return _causal(q, k, v, lambda m: m)


def causal_after_softmax(q, k, v):
    T, D = q.shape
    return (torch.softmax(q @ k.T / math.sqrt(D), dim=-1) * torch.ones(T, T).tril()) @ v


def draw_causal_attention(rng: np.random.Generator) -> tuple:
    T, D = int(rng.integers(2, 6)), int(rng.integers(2, 5))
    return drawn(rng, T, D), drawn(rng, T, D), drawn(rng, T, D)


def check_causal(t: Trial) -> None:
    small = (torch.tensor([[1.0], [2.0], [0.0]]), torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([[1.0], [2.0], [4.0]]))
    cases = [tuple(random_tensor(10 * seed + i, T, D) for i in range(3)) for seed, (T, D) in enumerate([(3, 2), (5, 4), (1, 2)])]
    for case in [small, *cases, *t.fresh(draw_causal_attention)]:
        t.close(t.call(*case), causal_attention(*case), rtol=1e-5, atol=1e-6, what="causal attention")
    for got, expected in zip(t.gradients(*cases[0]), gradients(causal_attention, *cases[0])):
        t.close(got, expected, rtol=1e-4, atol=1e-5, what="a gradient of the attention")


HINTS = (
    "Print torch.ones(3, 3).triu() and read row 0: at whom may the first token look?",
    "The row is the token that looks. It may look to its left and at itself: the lower triangle, tril.",
)
WRONG = (
    Wrong(causal_upside_down, "lets each token see itself and what follows: the mask is upside down (tril, not triu)"),
    Wrong(
        causal_not_self,
        "forbids a token to look at itself, so the first one sees nothing (NaN); the diagonal belongs to the allowed ones",
    ),
    Wrong(
        causal_future_only,
        "lets each token see only what follows it, and the last one nothing (NaN). masked_fill "
        "fills where its mask is true: give it ~may_look, and let may_look be the lower triangle (tril)",
    ),
    Wrong(causal_one_ahead, "lets each token see one token ahead, which is the very token it must predict"),
    Wrong(
        causal_zero_fill,
        "gives forbidden pairs the score 0: after the softmax that is e^0 = 1, not nothing; fill with -inf",
    ),
    Wrong(causal_wrong_axis, "normalizes the columns: each row, the view of one token, must sum to 1 (dim=-1)"),
    Wrong(causal_none, "uses no mask: every token sees the whole text"),
    Wrong(causal_after_softmax, "masks after the softmax, so the rows no longer sum to 1: mask the scores before it"),
)
EXERCISE = Exercise(
    "8.2",
    "Good losses, useless text",
    "find the bug",
    causal_attention,
    check_causal,
    HINTS,
    WRONG,
    points=2,
    start=causal_upside_down,
)
