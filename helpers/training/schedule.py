"""How a training run goes: its plan, the learning rate of each step, one update and a small loop of them, what is recorded."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["History", "Plan", "TrainingError", "learning_rate", "optimize", "parameter_groups", "update"]

PRECISIONS = ("auto", "fp32", "bf16")


class TrainingError(ArithmeticError):
    """Training cannot go on: the loss or a gradient is not a finite number. The model is as it was before that step."""


@dataclass(frozen=True)
class Plan:
    """How to train. Raises ValueError for numbers that make no sense.

    steps: updates. peak: maximum learning rate (max_lr), reached after `warmup` updates; it falls as a cosine to peak * floor.
    floor: lowest learning rate as a share of the peak (min_lr / max_lr). clip: largest norm of the gradient.
    accumulate: how many parts a batch is cut into, to save memory (gradient accumulation); the update is the same.
    average: decay of the exponential moving average (EMA) of the weights, which `Trainer.averaged` evaluates; 0 for none.
    precision: "fp32", "bf16" (matrix products in 16 bits), or "auto": bf16 on a GPU that has it.
    """

    steps: int
    peak: float = 1e-3
    warmup: int = 100
    floor: float = 0.1
    weight_decay: float = 0.1
    betas: tuple[float, float] = (0.9, 0.99)
    clip: float = 1.0
    accumulate: int = 1
    average: float = 0.0
    precision: str = "auto"
    seed: int = 0

    def __post_init__(self):
        object.__setattr__(self, "betas", tuple(self.betas))
        if self.steps < 1 or self.warmup < 0 or self.accumulate < 1:
            raise ValueError(
                f"expected steps >= 1, warmup >= 0, accumulate >= 1, got {self.steps}, {self.warmup}, {self.accumulate}"
            )
        if not self.peak > 0 or not 0 <= self.floor <= 1 or not self.clip > 0 or not 0 <= self.average < 1:
            raise ValueError(
                f"expected peak > 0, floor in [0, 1], clip > 0, average in [0, 1), got {self.peak}, {self.floor}, "
                f"{self.clip}, {self.average}"
            )
        if self.precision not in PRECISIONS:
            raise ValueError(f"expected precision {', '.join(PRECISIONS)}, got {self.precision!r}")


@dataclass
class History:
    """What happened: one loss (nats per token), learning rate and gradient norm for each step; evaluations as (step, value)."""

    losses: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)
    evaluations: list[tuple[int, float]] = field(default_factory=list)
    tokens: int = 0
    seconds: float = 0.0  # of training, evaluations left out


def learning_rate(step: int, *, peak: float, warmup: int, total: int | None = None, floor: float = 0.1) -> float:
    """Warm-up from 0 at step 0 to `peak` (max_lr) at step `warmup`, then a cosine to peak * floor at `total`; constant for None.

    Sources: Goyal et al. 2017 (warm-up); Loshchilov and Hutter 2017 (cosine).
    """
    if step < warmup:
        return peak * step / warmup
    if total is None:
        return peak
    done = min(1.0, (step - warmup) / max(1, total - warmup))
    return peak * (floor + (1 - floor) * (1 + math.cos(math.pi * done)) / 2)


def update(optimizer: torch.optim.Optimizer, loss: Tensor, rate: float, clip: float = 1.0) -> float:
    """One plain step at this learning rate, the gradient's norm clipped; returns the loss."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_([p for group in optimizer.param_groups for p in group["params"]], clip)
    optimizer.step()
    return float(loss.detach())


def optimize(
    parameters: Iterable[nn.Parameter],
    loss_of: Callable[[int], Tensor],
    steps: int,
    rate: Callable[[int], float],
    *,
    betas: tuple[float, float] = (0.9, 0.999),
    weight_decay: float = 0.0,
    report: Callable[[int, float], None] = lambda step, loss: None,
) -> list[float]:
    """So many updates by AdamW, for finetuning too small for a `Trainer`. Returns the losses.

    loss_of(step), counted from 0: the loss of one batch, with its gradient. rate(step), counted from 1: the learning rate, say
    `partial(learning_rate, peak=1e-3, warmup=10)`. report(step, loss): called after each update.
    """
    optimizer, losses = torch.optim.AdamW(parameters, betas=betas, weight_decay=weight_decay), []
    for step in range(steps):
        losses.append(update(optimizer, loss_of(step), rate(step + 1)))
        report(step, losses[-1])
    return losses


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Matrices get weight decay; biases and the scales of norms do not."""
    trained = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
    ]
