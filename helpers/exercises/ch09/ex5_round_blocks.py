"""Exercise 9.5, Four bits, block by block: the reference solution, wrong answers, the check."""

import numpy as np
import torch

from helpers.exercises.ch09.shared import drawn, random_tensor
from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def round_blocks(w, block):
    """4 bits with one scale a block: whole numbers from -7 to 7 times (largest absolute value / 7). w: (n,), n a multiple of
    block. Returns the rounded weights (n,)."""
    rows = w.reshape(-1, block)
    scale = rows.abs().amax(dim=1, keepdim=True) / 7  # (n / block, 1)
    scale = torch.where(scale == 0, torch.ones_like(scale), scale)
    return (torch.round(rows / scale) * scale).reshape(-1)


def _rounded(w, block, scale_of, levels=7, action=torch.round):
    rows = w.reshape(-1, block)
    scale = scale_of(rows)
    scale = torch.where(scale == 0, torch.ones_like(scale), scale)
    return (action(rows / scale).clamp(-levels, levels) * scale).reshape(-1)


def round_globally(w, block):
    return _rounded(w, block, lambda rows: rows.abs().max() / 7)


def round_largest_not_absolute(w, block):
    return _rounded(w, block, lambda rows: rows.amax(1, keepdim=True).abs() / 7)


def round_toward_zero(w, block):
    return _rounded(w, block, lambda rows: rows.abs().amax(1, keepdim=True) / 7, action=torch.trunc)


def round_to_fifteen(w, block):
    return _rounded(w, block, lambda rows: rows.abs().amax(1, keepdim=True) / 15, levels=15)


def round_codes(w, block):
    rows = w.reshape(-1, block)
    return torch.round(rows / (rows.abs().amax(1, keepdim=True) / 7)).reshape(-1)


def round_mean_scale(w, block):
    return _rounded(w, block, lambda rows: rows.abs().mean(1, keepdim=True) / 7)


def round_columns(w, block):
    rows = w.reshape(-1, block)
    scale = rows.abs().amax(0, keepdim=True) / 7
    return (torch.round(rows / torch.where(scale == 0, torch.ones_like(scale), scale)) * scale).reshape(-1)


def round_no_zero_block(w, block):
    rows = w.reshape(-1, block)
    scale = rows.abs().amax(1, keepdim=True) / 7
    return (torch.round(rows / scale) * scale).reshape(-1)


def round_to_eight(w, block):
    return _rounded(w, block, lambda rows: rows.abs().amax(dim=1, keepdim=True) / 8)


def draw_round_blocks(rng: np.random.Generator) -> tuple:
    block = int(rng.integers(3, 7))
    return drawn(rng, 4 * block) * float(rng.uniform(0.1, 5)), block


def check_round(t: Trial) -> None:
    t.close(t.call(torch.tensor([7.0, -3.0]), 2), torch.tensor([7.0, -3.0]), rtol=1e-5, what="weights that are whole already")
    w = torch.tensor([0.7, -0.32, 0.04, 0.1, -1.4, 2.8, 0.39, 0.81, -14.0, 1.0, 3.0, -5.2])
    t.close(t.call(w, 4), round_blocks(w, 4), rtol=1e-5, atol=1e-6, what="the rounded weights")
    w = random_tensor(3, 64) * torch.linspace(0.1, 3, 64)
    t.close(t.call(w, 16), round_blocks(w, 16), rtol=1e-5, atol=1e-6, what="the rounded weights")
    for case in t.fresh(draw_round_blocks):
        t.close(t.call(*case), round_blocks(*case), rtol=1e-5, atol=1e-6, what="the rounded weights")
    w = torch.cat([torch.zeros(4), torch.tensor([1.0, -0.4, 0.2, 0.0])])
    t.close(t.call(w, 4), round_blocks(w, 4), rtol=1e-5, atol=1e-6, what="the rounded weights")


HINTS = (
    "w.reshape(-1, block) puts one block in each row. The scale of a row: its largest absolute value / 7.",
    "Divide by the scale, torch.round, multiply by the scale again. A block of zeros has scale 0: avoid 0 / 0.",
)
WRONG = (
    Wrong(round_to_eight, "divides the largest value by 8: with numbers from -7 to 7 it must become 7"),
    Wrong(round_globally, "uses one scale for all: a single large weight then spoils every block"),
    Wrong(
        round_largest_not_absolute,
        "takes the largest value, not the largest absolute value: a large negative weight is cut off",
    ),
    Wrong(round_toward_zero, "cuts decimals off in place of rounding to the nearest"),
    Wrong(round_to_fifteen, "uses 31 levels, from -15 to 15; four bits with a sign give -7 to 7"),
    Wrong(round_codes, "returns the codes; multiply by the scale to get weights again"),
    Wrong(round_mean_scale, "takes the mean absolute value of a block as its range: larger weights are cut off"),
    Wrong(round_columns, "gives a scale to each place in a block, over all blocks; each block needs its own"),
    Wrong(round_no_zero_block, "divides 0 by 0 in a block of zeros"),
)
EXERCISE = Exercise("9.5", "Four bits, block by block", "core", round_blocks, check_round, HINTS, WRONG, points=2)
