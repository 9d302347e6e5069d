"""Exercise 8.3, Fewer keys than queries: the reference solution, wrong answers, the check."""

import math

import numpy as np
import torch

from helpers.exercises.ch08.shared import drawn, random_tensor
from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial, gradients
from helpers.models.attention import fused_attend


def grouped_attention(q, k, v):
    """q: (H, T, D), k, v: (K, T, D); each key-value head serves H / K query heads that stand side by side. Returns (H, T, D)."""
    H, T, D = q.shape
    times = H // k.shape[0]
    k, v = k.repeat_interleave(times, dim=0), v.repeat_interleave(times, dim=0)  # (H, T, D)
    scores = q @ k.transpose(1, 2) / math.sqrt(D)  # (H, T, T)
    scores = scores.masked_fill(~torch.ones(T, T).tril().bool(), -math.inf)
    return torch.softmax(scores, dim=-1) @ v


def _attend(q, k, v, scale=None, causal=True):
    scores = q @ k.transpose(1, 2) / math.sqrt(scale or q.shape[-1])
    if causal:
        scores = scores.masked_fill(~torch.ones(q.shape[1], q.shape[1]).tril().bool(), -math.inf)
    return torch.softmax(scores, dim=-1) @ v


def grouped_tiled(q, k, v):
    times = q.shape[0] // k.shape[0]
    return _attend(q, k.repeat(times, 1, 1), v.repeat(times, 1, 1))


def grouped_first_only(q, k, v):
    return _attend(q, k[:1], v[:1])


def grouped_values_tiled(q, k, v):
    times = q.shape[0] // k.shape[0]
    return _attend(q, k.repeat_interleave(times, dim=0), v.repeat(times, 1, 1))


def grouped_model_scale(q, k, v):
    times = q.shape[0] // k.shape[0]
    return _attend(q, k.repeat_interleave(times, dim=0), v.repeat_interleave(times, dim=0), scale=q.shape[0] * q.shape[2])


def grouped_no_mask(q, k, v):
    times = q.shape[0] // k.shape[0]
    return _attend(q, k.repeat_interleave(times, dim=0), v.repeat_interleave(times, dim=0), causal=False)


def grouped_mean_query(q, k, v):
    H, T, D = q.shape
    grouped = q.view(k.shape[0], -1, T, D).mean(1)
    return _attend(grouped, k, v).repeat_interleave(H // k.shape[0], dim=0)


def grouped_upside_down(q, k, v):
    return grouped_attention(*(x.flip(1) for x in (q, k, v))).flip(1)


def grouped_unscaled(q, k, v):
    times = q.shape[0] // k.shape[0]
    return _attend(q, k.repeat_interleave(times, dim=0), v.repeat_interleave(times, dim=0), scale=1)


def grouped_attention_of_the_course(q, k, v):
    return fused_attend(q[None], k[None], v[None])[0]


def draw_grouped_attention(rng: np.random.Generator) -> tuple:
    K, times, T, D = (int(n) for n in rng.integers(2, 4, size=4))
    return drawn(rng, K * times, T, D), drawn(rng, K, T, D), drawn(rng, K, T, D)


def check_grouped(t: Trial) -> None:
    small = tuple(
        torch.tensor(x)[:, :, None] for x in ([[1.0, 2.0], [0.0, 1.0]], [[1.0, 0.0]], [[1.0, 3.0]])
    )  # H 2, K 1, T 2, D 1
    cases = [small]
    for seed, (H, K, T, D) in enumerate([(4, 2, 3, 2), (6, 2, 4, 6), (3, 3, 2, 2), (4, 1, 3, 2)]):
        cases.append((random_tensor(seed, H, T, D), random_tensor(seed + 20, K, T, D), random_tensor(seed + 40, K, T, D)))
    for case in [*cases, *t.fresh(draw_grouped_attention)]:
        t.close(t.call(*case), grouped_attention(*case), rtol=1e-5, atol=1e-6, what="grouped attention")
    for got, expected in zip(t.gradients(*cases[1]), gradients(grouped_attention, *cases[1])):
        t.close(got, expected, rtol=1e-4, atol=1e-5, what="a gradient of the attention")


HINTS = (
    "First make k and v as long as q: (K, T, D) -> (H, T, D). With H = 4 and K = 2, query heads 0 and 1 use key head 0, "
    "2 and 3 use key head 1.",
    "k.repeat_interleave(H // K, dim=0) repeats each head in place. Then causal attention as before; "
    "k.transpose(1, 2) is the "
    "transpose of each head.",
)
WRONG = (
    Wrong(grouped_upside_down, "has the mask upside down: each token sees itself and what follows, in place of what came before"),
    Wrong(grouped_unscaled, "does not divide the scores by the square root of the width of a head"),
    Wrong(
        grouped_tiled,
        "repeats the heads as a pattern 0 1 0 1; query heads of a group stand side by side: 0 0 1 1 (repeat_interleave)",
    ),
    Wrong(grouped_first_only, "uses the first key-value head for all query heads"),
    Wrong(grouped_values_tiled, "repeats the keys in place, but the values as a pattern: both must go the same way"),
    Wrong(grouped_model_scale, "divides by the square root of the model's width H * D: a score is a product over D channels"),
    Wrong(grouped_no_mask, "has no causal mask, so that each token sees the whole text"),
    Wrong(
        grouped_mean_query,
        "averages the queries of a group; every query head keeps its own query, only k and v are shared",
    ),
)
AFTER = "SmolLM2 reads its prompt with it in section 14."
EXERCISE = Exercise(
    "8.3",
    "Fewer keys than queries",
    "core",
    grouped_attention,
    check_grouped,
    HINTS,
    WRONG,
    points=2,
    course=grouped_attention_of_the_course,
    after=AFTER,
)
