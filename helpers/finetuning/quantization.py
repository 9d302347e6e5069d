"""Quantisation of weights in blocks: fewer bits for each number, one scale for each block. The idea behind QLoRA.

A block of weights is divided by its largest absolute value and each is rounded to the nearest entry of a small codebook. The
smaller the blocks, the less one outlier costs its neighbours. Source: Dettmers et al. 2023, QLoRA.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Quantized", "bits_per_weight", "codebook", "quantize"]


def codebook(kind: str, bits: int = 4) -> Tensor:
    """(2**bits or fewer,) sorted values in [-1, 1]: "uniform" (symmetric, evenly spaced) or "normal" (quantiles of a Gaussian).

    The normal one has a 0, and as many values per probability on each side: NF4 for 4 bits.
    Raises ValueError for another kind or bits outside 2 to 8.
    """
    if kind not in ("uniform", "normal") or not 2 <= bits <= 8:
        raise ValueError(f'expected kind "uniform" or "normal" and 2 to 8 bits, got {kind!r} and {bits}')
    half = 2 ** (bits - 1)
    if kind == "uniform":
        return torch.arange(-(half - 1), half) / (half - 1)
    normal = torch.distributions.Normal(0.0, 1.0)
    edge = 1 - (1 / (4 * half) + 1 / (4 * half - 2)) / 2  # between the two natural choices for the outermost quantile
    positive = normal.icdf(torch.linspace(0.5, edge, half + 1))[1:]
    negative = -normal.icdf(torch.linspace(0.5, edge, half))[1:].flip(0)
    return torch.cat([negative, torch.zeros(1), positive]) / positive[-1]


@dataclass(frozen=True)
class Quantized:
    """A tensor as codes. codes: (n_blocks, block) places in the codebook; scales: (n_blocks, 1) largest absolute values."""

    codes: Tensor
    scales: Tensor
    codebook: Tensor
    shape: torch.Size

    def dequantize(self) -> Tensor:
        """The rounded weights, in 32 bits and in their old shape."""
        return (self.codebook[self.codes.long()] * self.scales).reshape(-1)[: self.shape.numel()].reshape(self.shape)


def quantize(weight: Tensor, codebook: Tensor, block: int | None = 64) -> Quantized:
    """Round a tensor of any shape in blocks of `block` numbers that stand side by side; None for one block of all.

    Raises ValueError for a block below 1 or no numbers.
    """
    block = weight.numel() if block is None else block
    if block < 1 or weight.numel() == 0:
        raise ValueError(f"expected a block of at least 1 and at least one weight, got {block} and {weight.numel()}")
    flat = weight.detach().float().reshape(-1)
    rows = torch.nn.functional.pad(flat, (0, -len(flat) % block)).view(-1, block)
    scales = rows.abs().amax(1, keepdim=True).clamp(min=torch.finfo(torch.float32).tiny)
    borders = (codebook[1:] + codebook[:-1]) / 2  # the nearest entry changes half-way between two of them
    return Quantized(torch.bucketize(rows / scales, borders).to(torch.uint8), scales, codebook, weight.shape)


def bits_per_weight(bits: int, block: int, double_block: int | None = None) -> float:
    """Storage: codes and a 32-bit scale a block; with `double_block` scales in 8 bits and a 32-bit one for that many."""
    scale = 32 if double_block is None else 8 + 32 / double_block
    return bits + scale / block
