"""What several exercises of chapter 07 use."""

import numpy as np
import torch


def random_table(T, V, seed):
    """Random probabilities (T, V); each row sums to 1."""
    P = np.random.default_rng(seed).random((T, V)) + 0.05
    return P / P.sum(axis=1, keepdims=True)


def random_tensors(seed, *shapes):
    """Random tensors in 64 bits, one for each shape."""
    g = torch.Generator().manual_seed(seed)
    return [torch.randn(*shape, generator=g, dtype=torch.float64) for shape in shapes]


def elman_case(T, C, H, seed):
    """Random inputs x (T, C) and weights W (C, H), U (H, H), b (H,) of an Elman network."""
    return [0.7 * part for part in random_tensors(seed, (T, C), (C, H), (H, H), (H,))]


def drawn(rng: np.random.Generator, *shape: int) -> torch.Tensor:
    """A tensor of normal random numbers from a grader's source."""
    return torch.tensor(rng.normal(size=shape))
