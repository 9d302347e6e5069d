"""Recurrent layers (performance target 5): forward and backward over time, beside torch's fused kernels."""

import torch
from torch import nn

from helpers.models.rnn import GRU, LSTM, Elman
from tests.benchmarks.harness import Case, torch_threads

B, T, C = 32, 64, 128  # batch, steps, width of input and state


def same(ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        assert (a - b).abs().max() < 1e-4 * (1 + b.abs().max()), "outputs or gradients differ"


def case(kind, library, fast=False, **targets):
    layer, theirs = kind(C, C), library(C, C, batch_first=True)
    theirs.load_state_dict(layer.state_dict())
    generator = torch.Generator().manual_seed(0)
    x, d_outputs = torch.randn(B, T, C, generator=generator), torch.randn(B, T, C, generator=generator)

    def work(run, module):
        leaf = x.clone().requires_grad_()
        module.zero_grad(set_to_none=True)
        outputs, _ = run(leaf)
        outputs.backward(d_outputs)
        return [outputs.detach(), leaf.grad, *(p.grad for p in module.parameters())]

    how = "backward written out" if fast else "loop over time, autograd"
    peer = f"nn.{library.__name__}"
    return Case(
        name=f"{kind.__name__}, {how}: forward and backward, batch {B} x {T} steps x {C}",
        item="5",
        ours=lambda: work(layer.fast if fast else layer, layer),
        peers={peer: lambda: work(theirs, theirs)},
        same=same,
        repeats=15,
        **{goal: {peer: ratio} for goal, ratio in targets.items()},
    )


def cases() -> list[Case]:
    torch_threads()
    return [
        case(LSTM, nn.LSTM, fast=True, targets=5.0, stretch=2.5),
        case(LSTM, nn.LSTM, targets=5.0),
        case(GRU, nn.GRU),
        case(Elman, nn.RNN),
    ]
