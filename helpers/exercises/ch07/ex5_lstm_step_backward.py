"""Exercise 7.5, Back through one LSTM step: the reference solution, wrong answers, the check."""

import numpy as np
import torch

from helpers.exercises.ch07.shared import random_tensors
from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def lstm_step_backward(i, f, g, o, c_before, c, d_h, d_c):
    """Back through one step: d_a (B, 4H), of the sums before the four non-linearities (order i, f, g, o), and d_c_before (B, H).

    i, f, g, o, c_before, c: (B, H) what the step computed. d_h, d_c: (B, H) what later steps want of h and c.
    """
    d_c = d_c + d_h * o * (1 - torch.tanh(c) ** 2)
    d_i, d_f, d_g, d_o = d_c * g, d_c * c_before, d_c * i, d_h * torch.tanh(c)
    d_a = torch.cat([d_i * i * (1 - i), d_f * f * (1 - f), d_g * (1 - g**2), d_o * o * (1 - o)], dim=-1)
    return d_a, d_c * f


def _lstm_back(
    i, f, g, o, c_before, c, d_h, d_c, *, through=True, slopes=True, g_slope=True, previous=True, tanh_o=True, last=True
):
    total = d_c + d_h * o * (1 - torch.tanh(c) ** 2) if through else d_c + d_h * o
    d_o = d_h * torch.tanh(c) if tanh_o else d_h * c
    parts = [total * g, total * (c_before if previous else c), total * i, d_o]
    if slopes:
        g_part = 1 - g**2 if g_slope else g * (1 - g)
        parts = [p * s for p, s in zip(parts, [i * (1 - i), f * (1 - f), g_part, o * (1 - o)])]
    return torch.cat(parts, dim=-1), (total if last else d_c) * f


def back_no_tanh(*a):
    return _lstm_back(*a, through=False)


def back_no_slopes(*a):
    return _lstm_back(*a, slopes=False)


def back_g_sigmoid(*a):
    return _lstm_back(*a, g_slope=False)


def back_c_not_before(*a):
    return _lstm_back(*a, previous=False)


def back_o_without_tanh(*a):
    return _lstm_back(*a, tanh_o=False)


def back_only_d_c(*a):
    return _lstm_back(*a, last=False)


def back_not_through_f(i, f, g, o, c_before, c, d_h, d_c):
    d_a, d_before = lstm_step_backward(i, f, g, o, c_before, c, d_h, d_c)
    return d_a, d_before / f


def draw_lstm_step_backward(rng: np.random.Generator) -> tuple:
    B, H = (int(n) for n in rng.integers(2, 4, size=2))
    return B, H, int(rng.integers(10**6))


def check_lstm_step_backward(t: Trial) -> None:
    for B, H, seed in ((1, 1, 0), (2, 3, 1), *t.fresh(draw_lstm_step_backward)):
        a, c_before, d_h, d_c = random_tensors(seed, (B, 4 * H), (B, H), (B, H), (B, H))
        i, f, g, o = a.chunk(4, dim=-1)
        i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
        case = (i, f, g, o, c_before, f * c_before + i * g, d_h, d_c)
        got, expected = t.call(*case), lstm_step_backward(*case)
        t.true(
            got is None or (isinstance(got, list | tuple) and len(got) == 2),
            "must return two tensors, d_a and d_c_before",
            expected,
            got,
        )
        for number, what in enumerate(("d_a", "d_c_before")):
            t.close(None if got is None else got[number], expected[number], rtol=1e-6, what=what)


HINTS = (
    "Two ways lead to c: from the next step (d_c), and through h = o * tanh(c). Add them first: d_c + d_h * o * (1 - tanh(c)^2).",
    "From c = f * c_before + i * g: d_i = d_c * g, d_g = d_c * i, d_f = d_c * c_before, d_c_before = d_c * f. And "
    "d_o = d_h * tanh(c).",
    "Then through the non-linearities: a sigmoid s has the slope s (1 - s), a tanh g has 1 - g^2. torch.cat([...], dim=-1).",
)
WRONG = (
    Wrong(back_no_tanh, "passes d_h to the cell without the slope of tanh: d_h * o * (1 - tanh(c)^2)"),
    Wrong(
        back_no_slopes,
        "stops at the gates: d_a belongs to the sums before the sigmoid and tanh, so multiply by their slopes",
    ),
    Wrong(back_g_sigmoid, "uses the slope of a sigmoid for g, which is a tanh: 1 - g^2"),
    Wrong(back_c_not_before, "multiplies by the new cell for the forget gate: f multiplies the cell before, c_before"),
    Wrong(back_o_without_tanh, "forgets tanh in d_o: h = o * tanh(c)"),
    Wrong(
        back_only_d_c,
        "sends back only what came from the next step's cell: what came through h belongs to the cell as well",
    ),
    Wrong(back_not_through_f, "sends the gradient of the cell back without the forget gate: times f"),
)
EXERCISE = Exercise(
    "7.5", "Back through one LSTM step", "stretch", lstm_step_backward, check_lstm_step_backward, HINTS, WRONG, points=4
)
