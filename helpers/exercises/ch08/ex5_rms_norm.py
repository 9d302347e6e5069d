"""Exercise 8.5, RMSNorm: the reference solution, wrong answers, the check."""

import torch

from helpers.exercises.ch08.shared import random_tensor
from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def rms_norm(x, weight, eps):
    """x / sqrt(mean of x squared + eps) * weight, for each vector by itself. x: (..., C), weight: (C,)."""
    mean_square = (x**2).mean(dim=-1, keepdim=True)
    return x / torch.sqrt(mean_square + eps) * weight


def rms_layer_norm(x, weight, eps):
    centered = x - x.mean(dim=-1, keepdim=True)
    return rms_norm(centered, weight, eps)


def rms_sum(x, weight, eps):
    return x / torch.sqrt((x**2).sum(dim=-1, keepdim=True) + eps) * weight


def rms_eps_outside(x, weight, eps):
    return x / (torch.sqrt((x**2).mean(dim=-1, keepdim=True)) + eps) * weight


def rms_no_weight(x, weight, eps):
    return rms_norm(x, torch.ones_like(weight), eps)


def rms_no_root(x, weight, eps):
    return x / ((x**2).mean(dim=-1, keepdim=True) + eps) * weight


def rms_all_vectors(x, weight, eps):
    return x / torch.sqrt((x**2).mean() + eps) * weight


def rms_no_eps(x, weight, eps):
    return rms_norm(x, weight, 0.0)


def check_rms_norm(t: Trial) -> None:
    by_hand = [3 / 12.5**0.5, 4 / 12.5**0.5]
    t.close(t.call(torch.tensor([3.0, 4.0]), torch.ones(2), 0.0), by_hand, rtol=1e-5, what="[3, 4] normalized")
    x, weight = random_tensor(3, 2, 3, 4), torch.tensor([1.0, 2.0, 0.5, 3.0])
    t.close(t.call(x, weight, 1e-5), rms_norm(x, weight, 1e-5), rtol=1e-5, what="the normalized vectors")
    t.close(t.call(x * 0.1, weight, 0.04), rms_norm(x * 0.1, weight, 0.04), rtol=1e-5, what="small vectors with eps = 0.04")


HINTS = (
    "The mean runs over the last axis only: (x**2).mean(dim=-1, keepdim=True).",
    "eps stands under the root: x / torch.sqrt(mean + eps) * weight.",
)
WRONG = (
    Wrong(rms_layer_norm, "subtracts the mean first, as LayerNorm does; RMSNorm only divides"),
    Wrong(rms_sum, "divides by the length of the vector: root MEAN square, not the root of the sum"),
    Wrong(rms_eps_outside, "adds eps outside of the root; it belongs under it, and on small vectors this shows"),
    Wrong(rms_no_weight, "does not multiply by the weight of each channel"),
    Wrong(rms_no_root, "divides by the mean square without taking its root"),
    Wrong(rms_all_vectors, "takes one mean over all vectors: every vector is normalized by itself"),
    Wrong(rms_no_eps, "leaves out eps, which keeps a vector of zeros from being divided by 0"),
)
EXERCISE = Exercise("8.5", "RMSNorm", "core", rms_norm, check_rms_norm, HINTS, WRONG)
