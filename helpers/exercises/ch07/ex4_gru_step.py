"""Exercise 7.4, A GRU step: the reference solution, wrong answers, the check."""

import numpy as np
import torch

from helpers.exercises.ch07.shared import drawn, random_tensors
from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial, gradients


def gru_step(x, h, W, U, b_x, b_h):
    """One step of a GRU: the new state (B, H). x: (B, C), h: (B, H); W: (C, 3H), U: (H, 3H), b_x, b_h: (3H,); order r, z, n."""
    x_r, x_z, x_n = (x @ W + b_x).chunk(3, dim=-1)
    h_r, h_z, h_n = (h @ U + b_h).chunk(3, dim=-1)
    r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
    n = torch.tanh(x_n + r * h_n)
    return (1 - z) * n + z * h


def _gru(x, h, W, U, b_x, b_h, mix, order=(0, 1, 2), inside=None):
    xs, hs = (x @ W + b_x).chunk(3, dim=-1), (h @ U + b_h).chunk(3, dim=-1)
    r, z = (torch.sigmoid(xs[k] + hs[k]) for k in order[:2])
    H = h.shape[-1]
    inner = r * hs[order[2]] if inside is None else inside(r, h, U[:, 2 * H :], b_h[2 * H :], hs[order[2]])
    return mix(z, torch.tanh(xs[order[2]] + inner), h)


def _keep(z, n, h):
    return (1 - z) * n + z * h


def gru_swapped(x, h, W, U, b_x, b_h):
    return _gru(x, h, W, U, b_x, b_h, lambda z, n, h: z * n + (1 - z) * h)


def gru_order_z_r(x, h, W, U, b_x, b_h):
    return _gru(x, h, W, U, b_x, b_h, _keep, order=(1, 0, 2))


def gru_reset_first(x, h, W, U, b_x, b_h):
    return _gru(x, h, W, U, b_x, b_h, _keep, inside=lambda r, h, U_n, b_n, h_n: (r * h) @ U_n + b_n)


def gru_bias_outside(x, h, W, U, b_x, b_h):
    return _gru(x, h, W, U, b_x, b_h, _keep, inside=lambda r, h, U_n, b_n, h_n: r * (h @ U_n) + b_n)


def gru_no_reset(x, h, W, U, b_x, b_h):
    return _gru(x, h, W, U, b_x, b_h, _keep, inside=lambda r, h, U_n, b_n, h_n: h_n)


def gru_adds(x, h, W, U, b_x, b_h):
    return _gru(x, h, W, U, b_x, b_h, lambda z, n, h: n + z * h)


def gru_n_sigmoid(x, h, W, U, b_x, b_h):
    return _gru(x, h, W, U, b_x, b_h, lambda z, n, h: (1 - z) * torch.sigmoid(torch.atanh(n)) + z * h)


def draw_gru_step(rng: np.random.Generator) -> list:
    B, C, H = (int(n) for n in rng.integers(2, 5, size=3))
    return [drawn(rng, *shape) for shape in ((B, C), (B, H), (C, 3 * H), (H, 3 * H), (3 * H,), (3 * H,))]


def check_gru_step(t: Trial) -> None:
    for B, C, H, seed in ((1, 1, 2, 0), (2, 3, 2, 1), (3, 2, 4, 2)):
        case = random_tensors(seed, (B, C), (B, H), (C, 3 * H), (H, 3 * H), (3 * H,), (3 * H,))
        t.close(t.call(*case), gru_step(*case), rtol=1e-6, what="the new state")
    for case in t.fresh(draw_gru_step):
        t.close(t.call(*case), gru_step(*case), rtol=1e-6, what="the new state")
    for got, expected in zip(t.gradients(*case), gradients(gru_step, *case)):
        t.close(got, expected, rtol=1e-5, what="a gradient of the step")


HINTS = (
    "Compute x @ W + b_x and h @ U + b_h, both (B, 3H), and cut each into three with .chunk(3, dim=-1): r, z, n in this order.",
    "r and z are sigmoids of the sums of their two parts. The third parts stay apart: n = tanh(x_n + r * h_n).",
    "The new state is (1 - z) * n + z * h: z = 1 keeps the old one.",
)
WRONG = (
    Wrong(gru_swapped, "swaps the roles of z: here z = 1 keeps the old state, (1 - z) * n + z * h"),
    Wrong(gru_order_z_r, "takes the parts in the order z, r, n: here they stand as r, z, n"),
    Wrong(
        gru_reset_first,
        "applies r to the state before the matrix product. That is the paper's form; torch "
        "multiplies after the "
        "product, r * (h U + b), and weights fit only one of the two",
    ),
    Wrong(gru_bias_outside, "leaves the bias outside of the reset gate: r * (h @ U_n + b_n)"),
    Wrong(gru_no_reset, "does not use r: n = tanh(x_n + r * h_n)"),
    Wrong(gru_adds, "adds n in full: the new state is a mixture, (1 - z) * n + z * h"),
    Wrong(gru_n_sigmoid, "uses a sigmoid for n: the candidate goes through tanh, so that it can be negative"),
)
EXERCISE = Exercise("7.4", "A GRU step", "core", gru_step, check_gru_step, HINTS, WRONG, points=3)
