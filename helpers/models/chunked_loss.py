"""Cross-entropy of the last layer without storing all logits: a few rows at a time."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from helpers.tokenizers.labels import IGNORE

__all__ = ["chunked_cross_entropy"]


class _LinearCrossEntropy(torch.autograd.Function):
    """Cross-entropy of softmax(features @ weight.T + bias), a few rows at a time, gradients computed on the way."""

    @staticmethod
    def forward(ctx, features, weight, bias, targets, chunk):
        kept = targets != IGNORE
        n = kept.sum().clamp(min=1)
        total = torch.zeros((), dtype=torch.float32, device=features.device)
        trained = ctx.needs_input_grad[1]  # a frozen output layer needs no gradient: a third of the work saved
        d_features = torch.empty_like(features)
        d_weight = torch.zeros_like(weight, dtype=torch.float32) if trained else None
        d_bias = None if bias is None else torch.zeros_like(bias, dtype=torch.float32)
        for start in range(0, len(features), chunk):
            part, keep = features[start : start + chunk], kept[start : start + chunk]  # (chunk, C), (chunk,)
            y = targets[start : start + chunk].clamp(min=0)[:, None]  # (chunk, 1)
            logits = F.linear(part, weight, bias).float()  # (chunk, V)
            log_z = torch.logsumexp(logits, dim=-1, keepdim=True)
            total += ((log_z - logits.gather(1, y)).squeeze(1) * keep).sum()
            p = logits.sub_(log_z).exp_()  # softmax, in place: this is the largest array of the whole model
            p.scatter_add_(1, y, torch.full_like(y, -1, dtype=p.dtype))  # the gradient p - y of chapter 02
            p *= (keep / n)[:, None]
            p = p.to(part.dtype)
            torch.mm(p, weight.to(part.dtype), out=d_features[start : start + chunk])
            if trained:
                d_weight += p.T @ part
            if d_bias is not None:
                d_bias += p.sum(0)
        ctx.save_for_backward(d_features, d_weight, d_bias)
        return total / n

    @staticmethod
    def backward(ctx, grad):
        d_features, d_weight, d_bias = ctx.saved_tensors
        times = lambda d: None if d is None else grad * d  # noqa: E731
        return grad * d_features, times(d_weight), times(d_bias), None, None


def chunked_cross_entropy(
    features: Tensor, weight: Tensor, targets: Tensor, bias: Tensor | None = None, *, chunk: int = 512
) -> Tensor:
    """Fused linear cross-entropy: the mean, in nats, of the logits `features @ weight.T + bias`, without storing them all.

    features: (..., C); weight: (V, C); targets: (...) ids, IGNORE where a position does not count. Loss and gradients equal
    those of F.cross_entropy on the full logits. chunk: how many positions at a time. Raises ValueError when shapes or devices do
    not fit, an id is out of range or chunk < 1, TypeError for targets that are no ids.

    >>> loss = chunked_cross_entropy(torch.zeros(3, 2), torch.zeros(4, 2), torch.tensor([0, 1, IGNORE]))
    >>> round(loss.item(), 3)  # ln 4
    1.386
    """
    if chunk < 1:
        raise ValueError(f"expected a chunk of at least 1, got {chunk}")
    if weight.ndim != 2 or weight.shape[1] != features.shape[-1]:
        raise ValueError(f"expected weights of shape (V, {features.shape[-1]}), got {tuple(weight.shape)}")
    if targets.shape != features.shape[:-1]:
        raise ValueError(f"expected one target for each position, {tuple(features.shape[:-1])}, got {tuple(targets.shape)}")
    if targets.dtype != torch.int64:
        raise TypeError(f"expected targets as ids, a tensor of torch.int64, got {targets.dtype}")
    if targets.device != features.device:
        raise ValueError(
            f"expected targets on {features.device}, where the model is, got them on {targets.device}; write "
            "targets.to(model.device)"
        )
    flat = targets.reshape(-1)
    if flat.numel() and (int(flat.max()) >= len(weight) or int(flat.min()) < 0 and not bool((flat[flat < 0] == IGNORE).all())):
        raise ValueError(
            f"expected targets from 0 to {len(weight) - 1}, or {IGNORE} for positions that do not count; got "
            f"{int(flat.min())} to {int(flat.max())}"
        )
    if torch.is_autocast_enabled(features.device.type):
        dtype = torch.get_autocast_dtype(features.device.type)
        features, weight = features.to(dtype), weight.to(dtype)
    bias = None if bias is None else bias.to(features.dtype)
    return _LinearCrossEntropy.apply(features.reshape(-1, features.shape[-1]), weight, bias, flat, chunk)
