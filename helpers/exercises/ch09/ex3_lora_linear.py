"""Exercise 9.3, A matrix and its update: the reference solution, wrong answers, the check."""

import numpy as np
import torch

from helpers.exercises.ch09.shared import drawn, random_tensor
from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial, gradients


def lora_linear(x, W, A, B, alpha):
    """x through a frozen matrix and its update. x: (N, in), W: (out, in), A: (r, in), B: (out, r). Returns (N, out)."""
    r = A.shape[0]
    return x @ W.T + alpha / r * (x @ A.T) @ B.T


def lora_no_scale(x, W, A, B, alpha):
    return x @ W.T + (x @ A.T) @ B.T


def lora_alpha_only(x, W, A, B, alpha):
    return x @ W.T + alpha * (x @ A.T) @ B.T


def lora_scaled_all(x, W, A, B, alpha):
    return alpha / A.shape[0] * (x @ W.T + (x @ A.T) @ B.T)


def lora_by_width(x, W, A, B, alpha):
    return x @ W.T + alpha / A.shape[1] * (x @ A.T) @ B.T


def lora_update_only(x, W, A, B, alpha):
    return alpha / A.shape[0] * (x @ A.T) @ B.T


def lora_root_scale(x, W, A, B, alpha):
    return x @ W.T + alpha / A.shape[0] ** 0.5 * (x @ A.T) @ B.T


def draw_lora_linear(rng: np.random.Generator) -> tuple:
    n, i, o, r = (int(m) for m in rng.integers(2, 6, size=4))
    return drawn(rng, n, i), drawn(rng, o, i), drawn(rng, r, i), drawn(rng, o, r), float(rng.uniform(1, 20))


def check_lora(t: Trial) -> None:
    W, A, B = torch.tensor([[2.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0], [0.0], [-1.0]])
    cases = [(torch.tensor([[1.0, 1.0]]), W, A, B, 3.0)]
    cases += [
        (random_tensor(s, 4, 5), random_tensor(s + 10, 6, 5), random_tensor(s + 20, r, 5), random_tensor(s + 30, 6, r), a)
        for s, r, a in ((0, 3, 12.0), (1, 2, 16.0), (2, 4, 1.0))
    ]
    for case in [*cases, *t.fresh(draw_lora_linear)]:
        t.close(t.call(*case), lora_linear(*case), rtol=1e-5, atol=1e-5, what="the output")
    for got, expected in zip(t.gradients(*cases[1]), gradients(lora_linear, *cases[1])):
        t.close(got, expected, rtol=1e-4, atol=1e-5, what="a gradient of the layer")


HINTS = (
    "Two ways, added: x @ W.T, and x through A and then through B. r is the number of rows of A.",
    "Only the second way is multiplied by alpha / r. Compute (x @ A.T) @ B.T: the whole update is never needed.",
)
WRONG = (
    Wrong(lora_no_scale, "leaves out alpha / r: the most copied mistake of LoRA"),
    Wrong(lora_alpha_only, "multiplies by alpha alone; divide by the rank r"),
    Wrong(lora_scaled_all, "scales the frozen matrix as well: only the update is scaled"),
    Wrong(lora_by_width, "divides by the number of inputs; r is the number of rows of A"),
    Wrong(lora_update_only, "forgets the frozen matrix W"),
    Wrong(lora_root_scale, "divides by the root of r; here it is r itself"),
)
EXERCISE = Exercise("9.3", "A matrix and its update", "core", lora_linear, check_lora, HINTS, WRONG)
