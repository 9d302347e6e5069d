"""LoRA: finetune a large matrix by adding a small one. W stays, W + (alpha / r) B A is what runs.

A (r, in) starts at random, B (out, r) at zero, so before training the model is exactly the one it was. Only A and B are
trained. Source: Hu et al. 2021, LoRA: low-rank adaptation of large language models.

    add_lora(model, targets=("q", "v"), rank=8, alpha=16)
    ... train ...
    merge(model)          # the update goes into the weights: no cost while writing
    unmerge(model)        # and out again, exactly
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from helpers.models.fast_linear import linear

__all__ = ["LoRALinear", "add_lora", "load_lora", "lora_parameters", "lora_weights", "merge", "remove_lora", "unmerge"]


class LoRALinear(nn.Module):
    """A frozen linear layer and its trained update of low rank."""

    def __init__(self, base: nn.Linear, rank: int, alpha: float, dropout: float = 0.0, generator: torch.Generator | None = None):
        """Raises ValueError for a rank below 1 or above the smaller side of the matrix, alpha <= 0, dropout outside [0, 1)."""
        super().__init__()
        out_dim, in_dim = base.weight.shape
        if not 1 <= rank <= min(out_dim, in_dim):
            raise ValueError(
                f"expected a rank from 1 to {min(out_dim, in_dim)}, the smaller side of {out_dim} x {in_dim}, "
                f"got {rank}; a higher rank has more weights than the matrix and no more freedom"
            )
        if not alpha > 0 or not 0 <= dropout < 1:
            raise ValueError(f"expected alpha > 0 and dropout in [0, 1), got {alpha} and {dropout}")
        self.base, self.rank, self.alpha = base, rank, alpha
        base.requires_grad_(False)
        like = dict(device=base.weight.device, dtype=torch.float32)
        self.A = nn.Parameter(torch.empty(rank, in_dim, **like))
        self.B = nn.Parameter(torch.zeros(out_dim, rank, **like))
        bound = math.sqrt(3) * math.sqrt(2 / (1 + 5)) / math.sqrt(in_dim)  # that of nn.Linear, as in the paper's code
        with torch.no_grad():
            self.A.uniform_(-bound, bound, generator=generator)
        self.drop = nn.Dropout(dropout)
        self.original: Tensor | None  # the weights before merging; a buffer, so that it follows model.to and model.half
        self.register_buffer("original", None, persistent=False)
        self._register_state_dict_hook(_saved_unmerged)
        self._register_load_state_dict_pre_hook(_loaded_unmerged, with_module=True)

    @property
    def scale(self) -> float:
        """alpha / rank: so that a change of rank alone does not change the size of the update."""
        return self.alpha / self.rank

    @property
    def merged(self) -> bool:
        return self.original is not None

    def delta(self) -> Tensor:
        """The update (out, in), of rank at most `rank`."""
        return self.scale * (self.B @ self.A)

    def forward(self, x: Tensor) -> Tensor:
        y = self.base(x)  # (..., out)
        if self.merged:
            return y
        update = linear(linear(self.drop(x).to(self.A.dtype), self.A), self.B)  # two thin products, never the whole update
        return y + (self.scale * update).to(y.dtype)


def _saved_unmerged(layer: LoRALinear, state: dict[str, Tensor], prefix: str, *_: object) -> None:
    """A state dict holds the matrix without its update, merged or not: whoever loads it counts the update once."""
    if layer.original is not None:
        state[f"{prefix}base.weight"] = layer.original


def _loaded_unmerged(layer: LoRALinear, *_: object) -> None:
    """Weights are loaded into the unmerged matrix."""
    _unmerge(layer)


@torch.no_grad()
def _unmerge(layer: LoRALinear) -> None:
    if layer.original is not None:
        layer.base.weight.data, layer.original = layer.original, None


def _layers(model: nn.Module) -> Iterator[tuple[nn.Module, str, LoRALinear]]:
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, LoRALinear):
                yield parent, name, child


def add_lora(
    model: nn.Module,
    targets: Sequence[str] = ("q", "v"),
    *,
    rank: int = 8,
    alpha: float = 16.0,
    dropout: float = 0.0,
    seed: int = 0,
) -> int:
    """Freeze the model and put an update on each linear layer named in `targets`, in place. Returns how many were put.

    Raises ValueError when the model has updates already, a target is not found, or as `LoRALinear` does; then nothing changes.
    """
    if isinstance(targets, str) or not targets:
        raise ValueError(f'expected a list of names such as ("q", "v"), got {targets!r}')
    if any(True for _ in _layers(model)):
        raise ValueError("this model has LoRA layers already; call merge(model) and remove_lora(model) first, or load it again")
    found = [
        (parent, name, child)
        for parent in model.modules()
        for name, child in parent.named_children()
        if name in targets and isinstance(child, nn.Linear)
    ]
    missing = set(targets) - {name for _, name, _ in found}
    if missing:
        raise ValueError(
            f"the model has no linear layer named {', '.join(sorted(missing))}; a Transformer here has q, k, v, "
            "o, gate, up and down"
        )
    generator = torch.Generator(device=found[0][2].weight.device).manual_seed(seed)
    trained = [p for p in model.parameters() if p.requires_grad]
    try:
        made = [(parent, name, LoRALinear(child, rank, alpha, dropout, generator)) for parent, name, child in found]
    except ValueError:
        for p in trained:
            p.requires_grad_(True)
        raise
    model.requires_grad_(False)
    for parent, name, layer in made:
        layer.A.requires_grad_(True)
        layer.B.requires_grad_(True)
        layer.train(model.training)
        setattr(parent, name, layer)
    return len(made)


def lora_parameters(model: nn.Module) -> list[nn.Parameter]:
    """A and B of every update: all that is trained."""
    return [p for _, _, layer in _layers(model) for p in (layer.A, layer.B)]


def lora_weights(model: nn.Module) -> dict[str, Tensor]:
    """The updates alone, by name: a few hundred kilobytes to keep for each task."""
    return {name: p.detach().clone() for name, p in model.named_parameters() if name.endswith((".A", ".B"))}


def load_lora(model: nn.Module, weights: dict[str, Tensor]) -> None:
    """Put updates saved by `lora_weights` into a model with the same LoRA layers. Raises ValueError when they do not fit."""
    own = {name: p for name, p in model.named_parameters() if name.endswith((".A", ".B"))}
    if own.keys() != weights.keys() or any(own[n].shape != w.shape for n, w in weights.items()):
        raise ValueError(
            "these updates belong to another model, other targets or another rank; call add_lora with those of "
            "their training first"
        )
    if any(layer.merged for _, _, layer in _layers(model)):
        raise ValueError("expected an unmerged model; call unmerge(model) first")
    with torch.no_grad():
        for name, p in own.items():
            p.copy_(weights[name])


@torch.no_grad()
def merge(model: nn.Module) -> None:
    """Write every update into its matrix; from then on the layers cost what they cost before.

    The old matrices are kept aside (their memory too), so that `unmerge` is exact. Merging twice changes nothing.
    """
    for _, _, layer in _layers(model):
        if not layer.merged:
            layer.original = layer.base.weight.data
            layer.base.weight.data = layer.original + layer.delta().to(layer.original.dtype)  # a new tensor


@torch.no_grad()
def unmerge(model: nn.Module) -> None:
    """Take the updates out again: the matrices are, bit for bit, what they were."""
    for _, _, layer in _layers(model):
        _unmerge(layer)


def remove_lora(model: nn.Module) -> None:
    """Turn the layers back into plain ones, with the weights they have now (after `merge`: the adapted ones), and trainable."""
    for parent, name, layer in list(_layers(model)):
        setattr(parent, name, layer.base)
    model.requires_grad_(True)
