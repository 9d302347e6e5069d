"""Attention: the one place where a Transformer's tokens look at each other. Positions by rotation, a causal mask, a cache.

Conventions, stated because libraries disagree: in a mask, True means *may look*. Rotation pairs channel i with channel
i + d/2 (two halves, as in Llama); `rotate_interleaved` shows the other pairing, even with odd (as in the paper).

Shapes: B batch, T time, S positions that can be looked at (cached ones first), H heads, K key-value heads, D width of a head.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = [
    "attend",
    "attention_weights",
    "causal_mask",
    "fused_attend",
    "online_softmax_attention",
    "repeat_heads",
    "rotary_table",
    "rotate",
    "rotate_interleaved",
    "sinusoids",
]


def causal_mask(n_queries: int, n_keys: int | None = None, device: torch.device | str = "cpu") -> Tensor:
    """(T, S) True where a query may look: at itself and everything before it. The queries are the last T of the S positions.

    >>> causal_mask(2, 3).int().tolist()
    [[1, 1, 0], [1, 1, 1]]
    """
    n_keys = n_queries if n_keys is None else n_keys
    if n_keys < n_queries:
        raise ValueError(f"expected at least as many keys as queries, got {n_keys} and {n_queries}")
    return torch.ones(n_queries, n_keys, dtype=torch.bool, device=device).tril(n_keys - n_queries)


def attention_weights(q: Tensor, k: Tensor, mask: Tensor | None = None) -> Tensor:
    """softmax(q k^T / sqrt(D)): how much each query takes from each key, rows sum to 1.

    q: (..., T, D), k: (..., S, D); mask: (..., T, S) True where a query may look. Source: Vaswani et al. 2017, equation 1.
    Raises ValueError when a query may look nowhere: its softmax would be 0 / 0.

    >>> attention_weights(torch.zeros(1, 4), torch.zeros(2, 4)).tolist()
    [[0.5, 0.5]]
    """
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # (..., T, S)
    if mask is not None:
        if not bool(mask.any(-1).all()):
            raise ValueError(
                "expected every query to see at least one key, but a row of the mask is all False; is it upside down?"
            )
        scores = scores.masked_fill(~mask, -math.inf)
    return torch.softmax(scores, dim=-1)


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """Each query's average of the values, weighted by `attention_weights`: (..., T, D).

    >>> attend(torch.zeros(1, 4), torch.zeros(2, 4), torch.tensor([[2.0], [4.0]])).tolist()
    [[3.0]]
    """
    return attention_weights(q, k, mask) @ v


def online_softmax_attention(q: Tensor, k: Tensor, v: Tensor, block: int = 16) -> Tensor:
    """`attend` without a mask, reading keys and values block by block and never holding a whole row of scores.

    It keeps, for each query, the largest score so far, the sum of exponentials and the weighted sum of values, and rescales
    both sums when a larger score turns up. The idea of FlashAttention (Dao et al. 2022; Milakov and Gimelshein 2018).

    >>> online_softmax_attention(torch.zeros(1, 4), torch.zeros(2, 4), torch.tensor([[2.0], [4.0]]), block=1).tolist()
    [[3.0]]
    """
    if block < 1 or not k.shape[-2] or k.shape[-2] != v.shape[-2]:
        raise ValueError(f"expected a value for each key, in blocks of one or more, got {k.shape}, {v.shape}, block {block}")
    largest = q.new_full((*q.shape[:-1], 1), -math.inf)  # (..., T, 1)
    total, out = torch.zeros_like(largest), v.new_zeros((*q.shape[:-1], v.shape[-1]))
    for start in range(0, k.shape[-2], block):
        keys, values = k[..., start : start + block, :], v[..., start : start + block, :]
        scores = q @ keys.transpose(-2, -1) / math.sqrt(q.shape[-1])  # (..., T, block)
        new = torch.maximum(largest, scores.amax(-1, keepdim=True))
        rescale, e = torch.exp(largest - new), torch.exp(scores - new)
        total = total * rescale + e.sum(-1, keepdim=True)
        out = out * rescale + e @ values
        largest = new
    return out / total


def repeat_heads(x: Tensor, times: int) -> Tensor:
    """repeat_kv, (B, K, S, D) -> (B, K * times, S, D): each key-value head serves `times` query heads that stand side by side.

    Grouped-query attention, Ainslie et al. 2023.

    >>> repeat_heads(torch.tensor([1, 2]).view(1, 2, 1, 1), 2).flatten().tolist()
    [1, 1, 2, 2]
    """
    if times == 1:
        return x
    B, K, S, D = x.shape
    return x[:, :, None].expand(B, K, times, S, D).reshape(B, K * times, S, D)


# ------------------------------------------------------------------------------------------------- positions by rotation


def rotary_table(head_dim: int, n_positions: int, base: float = 10_000.0) -> tuple[Tensor, Tensor]:
    """The RoPE cache: cos and sin (n_positions, head_dim / 2) of the angles position * base^(-2i / head_dim), i = 0, 1, ...

    Early channels turn fast, late ones slowly. Source: Su et al. 2021, RoFormer. Raises ValueError for an odd head_dim.

    >>> cos, sin = rotary_table(2, 3)  # one pair of channels: angles 0, 1 and 2
    >>> [round(c, 2) for c in cos.flatten().tolist()]
    [1.0, 0.54, -0.42]
    """
    if head_dim % 2:
        raise ValueError(f"expected an even head_dim, since channels are rotated in pairs, got {head_dim}")
    # 1 / base^x, not base^-x: as transformers rounds it. The last bit matters: far to the right it moves logits by 1e-4.
    frequencies = 1 / base ** (torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim)  # (D/2,)
    angles = torch.arange(n_positions, dtype=torch.float32)[:, None] * frequencies
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """apply_rope: turn each pair (x_i, x_{i + D/2}) by the angle of its position. x: (..., T, D); cos, sin: (T, D/2).

    >>> cos, sin = torch.zeros(1, 2), torch.ones(1, 2)  # a right angle
    >>> rotate(torch.tensor([[1.0, 2.0, 0.0, 0.0]]), cos, sin).tolist()
    [[0.0, 0.0, 1.0, 2.0]]
    """
    first, second = x.chunk(2, dim=-1)  # (..., T, D/2) each
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1).to(x.dtype)  # the table has 32 bits


def rotate_interleaved(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """The other pairing, (x_{2i}, x_{2i + 1}). As good, but weights that were trained with one pairing fit only that one.

    >>> cos, sin = torch.zeros(1, 2), torch.ones(1, 2)  # a right angle
    >>> rotate_interleaved(torch.tensor([[1.0, 0.0, 2.0, 0.0]]), cos, sin).tolist()
    [[0.0, 1.0, 0.0, 2.0]]
    """
    first, second = x[..., 0::2], x[..., 1::2]
    return torch.stack([first * cos - second * sin, second * cos + first * sin], dim=-1).flatten(-2).to(x.dtype)


def sinusoids(n_positions: int, dim: int) -> Tensor:
    """Sinusoidal position encoding (n_positions, dim): sines and cosines of the angles of `rotary_table`, side by side.

    Source: Vaswani et al. 2017, 3.5.

    >>> [[round(x, 2) for x in row] for row in sinusoids(2, 2).tolist()]  # sin and cos of 0 and of 1
    [[0.0, 1.0], [0.84, 0.54]]
    """
    cos, sin = rotary_table(dim + dim % 2, n_positions)
    return torch.stack([sin, cos], dim=-1).flatten(1)[:, :dim]


def fused_attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """`attend` with a causal mask by torch's fused kernel. q: (B, H, T, D), k, v: (B, K, S, D), the queries being the last T.

    A torch kernel that aligns the causal mask at the first key is only right for T = S; other cases get an explicit mask.

    >>> x, v = torch.zeros(1, 1, 2, 1), torch.tensor([2.0, 4.0]).view(1, 1, 2, 1)
    >>> fused_attend(x, x, v).flatten().tolist()  # the first sees itself, the second both
    [2.0, 3.0]
    """
    T, S = q.shape[2], k.shape[2]
    groups = q.shape[1] // k.shape[1]
    if T == 1 and groups > 1:  # one query per head: let the heads of a group be the rows of one product
        B, H, _, D = q.shape
        return F.scaled_dot_product_attention(q.view(B, H // groups, groups, D), k, v).view(B, H, 1, D)
    mask = None if T == 1 or T == S else causal_mask(T, S, q.device)
    k, v = repeat_heads(k, groups), repeat_heads(v, groups)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=T == S and T > 1)
