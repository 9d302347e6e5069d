"""Exercise 8.5, RMSNorm: the reference solution, wrong answers, the check."""

import numpy as np
import torch

from helpers.exercises.ch08.shared import drawn, random_tensor
from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial, gradients


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


def rms_eps_squared(x, weight, eps):
    return rms_norm(x, weight, eps**2)


def rms_clamped(x, weight, eps):
    return x / torch.sqrt((x**2).mean(dim=-1, keepdim=True)).clamp(min=eps) * weight


def rms_first_axis(x, weight, eps):
    return x / torch.sqrt((x**2).mean(dim=0, keepdim=True) + eps) * weight


def rms_norm_of_the_course(x, weight, eps):
    return torch.nn.functional.rms_norm(x, weight.shape, weight, eps)


def draw_rms_norm(rng: np.random.Generator) -> tuple:
    C = int(rng.integers(3, 7))
    return drawn(rng, 2, 3, C), drawn(rng, C), float(rng.uniform(1e-3, 0.5))


def check_rms_norm(t: Trial) -> None:
    t.close(t.call(torch.tensor([7.0, 1.0]), torch.ones(2), 0.0), torch.tensor([1.4, 0.2]), rtol=1e-5, what="[7, 1] normalized")
    x, weight = random_tensor(3, 2, 3, 4), torch.tensor([1.0, 2.0, 0.5, 3.0])
    t.close(t.call(x, weight, 1e-5), rms_norm(x, weight, 1e-5), rtol=1e-5, what="the normalized vectors")
    t.close(t.call(x * 0.1, weight, 0.04), rms_norm(x * 0.1, weight, 0.04), rtol=1e-5, what="small vectors with eps = 0.04")
    t.close(t.call(torch.zeros(1, 2), torch.ones(2), 1e-5), torch.zeros(1, 2), what="a vector of zeros")
    for case in t.fresh(draw_rms_norm):
        t.close(t.call(*case), rms_norm(*case), rtol=1e-5, what="the normalized vectors")
    for got, expected in zip(t.gradients(x, weight, 1e-5), gradients(rms_norm, x, weight, 1e-5)):
        t.close(got, expected, rtol=1e-4, atol=1e-5, what="a gradient of the norm")


HINTS = (
    "The mean runs over the last axis only: (x**2).mean(dim=-1, keepdim=True).",
    "eps stands under the root: x / torch.sqrt(mean + eps) * weight.",
)
WRONG = (
    Wrong(rms_eps_squared, "squares eps: it is added to the mean square as it is"),
    Wrong(rms_clamped, "uses eps as a lower bound: it is added to the mean square, whatever that is"),
    Wrong(rms_first_axis, "takes the mean along the first axis: it runs over the channels of each vector, the last axis"),
    Wrong(rms_layer_norm, "subtracts the mean first, as LayerNorm does; RMSNorm only divides"),
    Wrong(rms_sum, "divides by the length of the vector: root MEAN square, not the root of the sum"),
    Wrong(rms_eps_outside, "adds eps outside of the root; it belongs under it, and on small vectors this shows"),
    Wrong(rms_no_weight, "does not multiply by the weight of each channel"),
    Wrong(rms_no_root, "divides by the mean square without taking its root"),
    Wrong(rms_all_vectors, "takes one mean over all vectors: every vector is normalized by itself"),
    Wrong(rms_no_eps, "leaves out eps, which keeps a vector of zeros from being divided by 0"),
)
AFTER = "SmolLM2 normalizes with it, 61 times a token, in section 14."
EXERCISE = Exercise("8.5", "RMSNorm", "core", rms_norm, check_rms_norm, HINTS, WRONG, course=rms_norm_of_the_course, after=AFTER)
