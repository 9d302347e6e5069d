"""What several exercises of chapter 08 use."""

import torch


def random_tensor(seed, *shape):
    """A tensor of normal random numbers, the same for the same seed."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
