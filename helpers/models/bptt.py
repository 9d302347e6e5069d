"""Backpropagation through time, written out once: the chain rule over the steps of a recurrent network.

Going forward, keep what each step computed. Going backward, carry two gradients from the last step to the first: of the state
h and, in an LSTM, of the cell c. The gradient of the recurrent matrix is a sum over all steps; it is collected in one matrix
product at the end, which is what makes this faster than letting autograd record every step.

Source: Werbos 1990, Backpropagation through time.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["elman_backward", "elman_forward", "lstm_through_time"]


def elman_forward(x: Tensor, h0: Tensor, W: Tensor, U: Tensor, b: Tensor) -> Tensor:
    """All states (T + 1, B, H), the first being h0, of h_t = tanh(x_t W + h_{t-1} U + b).

    x: (T, B, C), W: (C, H), U: (H, H), b: (H,).

    >>> one, zero = torch.ones(1, 1), torch.zeros(1, 1)
    >>> round(elman_forward(one[None], zero, 0.5 * one, one, torch.zeros(1))[-1].item(), 3)  # tanh(0.5)
    0.462
    """
    states = [h0]
    for x_t in x:
        states.append(torch.tanh(x_t @ W + states[-1] @ U + b))
    return torch.stack(states)


def elman_backward(x: Tensor, states: Tensor, U: Tensor, d_outputs: Tensor) -> dict[str, Tensor]:
    """The gradients of W, U, b and h0 from those of the outputs, d_outputs (T, B, H).

    >>> one, zero = torch.ones(1, 1), torch.zeros(1, 1)
    >>> states = elman_forward(one[None], zero, 0.5 * one, one, torch.zeros(1))
    >>> round(elman_backward(one[None], states, one, one[None])["W"].item(), 3)  # 1 - tanh(0.5)^2
    0.786
    """
    d_next, d_before = torch.zeros_like(states[0]), []  # d_next: what later steps want of this state
    for t in reversed(range(len(x))):
        d_h = d_outputs[t] + d_next
        d_a = d_h * (1 - states[t + 1] ** 2)  # tanh' = 1 - tanh^2; (B, H)
        d_next = d_a @ U.T
        d_before.append(d_a)
    d_a = torch.stack(d_before[::-1])  # (T, B, H)
    return {
        "W": torch.einsum("tbc,tbh->ch", x, d_a),
        "U": torch.einsum("tbk,tbh->kh", states[:-1], d_a),
        "b": d_a.sum((0, 1)),
        "h0": d_next,
    }


class _LSTMThroughTime(torch.autograd.Function):
    """An LSTM over all steps with its backward pass. projected: (T, B, 4H), the inputs times their matrix, plus the biases."""

    @staticmethod
    def forward(ctx, projected, h, c, weight_hh):
        T, B, H = projected.shape[0], projected.shape[1], h.shape[1]
        gates = projected.clone()  # becomes i, f, g, o after their non-linearities
        hs, cs = projected.new_empty(T + 1, B, H), projected.new_empty(T + 1, B, H)
        hs[0], cs[0] = h, c
        tanh_c = projected.new_empty(T, B, H)
        U = weight_hh.t().contiguous()  # (H, 4H)
        for t in range(T):
            a = gates[t].addmm_(hs[t], U)
            a[:, : 2 * H].sigmoid_()
            a[:, 2 * H : 3 * H].tanh_()
            a[:, 3 * H :].sigmoid_()
            i, f, g, o = a.split(H, dim=1)  # views: (B, H) each
            torch.addcmul(f * cs[t], i, g, out=cs[t + 1])
            torch.tanh(cs[t + 1], out=tanh_c[t])
            torch.mul(o, tanh_c[t], out=hs[t + 1])
        ctx.save_for_backward(gates, hs, cs, tanh_c, weight_hh)
        return hs[1:], cs[-1]

    @staticmethod
    def backward(ctx, d_outputs, d_c):
        gates, hs, cs, tanh_c, weight_hh = ctx.saved_tensors
        T, B, H = tanh_c.shape
        i, f, g, o = gates.split(H, dim=2)  # (T, B, H) each
        # What does not depend on later steps is computed for all steps at once.
        through_tanh = o * (1 - tanh_c**2)
        slope = torch.cat([g * i * (1 - i), cs[:-1] * f * (1 - f), i * (1 - g**2), tanh_c * o * (1 - o)], dim=2)
        d_a, d_h = torch.empty_like(gates), torch.zeros_like(hs[0])
        d_c = d_c.clone()
        for t in reversed(range(T)):
            d_h += d_outputs[t]
            d_c.addcmul_(d_h, through_tanh[t])
            torch.mul(slope[t, :, : 3 * H].view(B, 3, H), d_c[:, None], out=d_a[t, :, : 3 * H].view(B, 3, H))
            torch.mul(slope[t, :, 3 * H :], d_h, out=d_a[t, :, 3 * H :])
            d_h = d_a[t] @ weight_hh
            d_c.mul_(f[t])
        d_weight = d_a.reshape(T * B, 4 * H).t() @ hs[:-1].reshape(T * B, H)  # the sum over all steps, in one product
        return d_a, d_h, d_c, d_weight


def lstm_through_time(projected: Tensor, h: Tensor, c: Tensor, weight_hh: Tensor) -> tuple[Tensor, Tensor]:
    """Outputs (B, T, H) and the last cell (B, H) of an LSTM, gradients by the written-out backward pass.

    projected: (B, T, 4H), inputs times their matrix plus both biases, gates i, f, g, o; h, c: (B, H); weight_hh: (4H, H).

    >>> zero = torch.zeros(1, 1)  # gates of sigmoid(0) = 0.5, an input of tanh(0) = 0, a cell of 1
    >>> h, c = lstm_through_time(torch.zeros(1, 1, 4), zero, torch.ones(1, 1), torch.zeros(4, 1))
    >>> c.item(), round(h.item(), 3)  # 0.5, and 0.5 tanh(0.5)
    (0.5, 0.231)
    """
    outputs, c = _LSTMThroughTime.apply(projected.transpose(0, 1), h, c, weight_hh)
    return outputs.transpose(0, 1), c
