"""Exercise 7.7, The state that was thrown away: the reference solution, wrong answers, the check."""

import numpy as np
import torch

from helpers.exercises.ch07.shared import elman_case
from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def truncated_gradients(x, W, U, length):
    """The gradient of U for each piece of `length` steps, as a list: the state is carried on, its gradient is not.

    x: (T, C). Each piece starts from the state in which the piece before ended; its loss is the sum of its states.
    """
    gradients, weights = [], U.clone().requires_grad_()
    h = torch.zeros(U.shape[0], dtype=x.dtype)
    for start in range(0, len(x), length):
        h, loss = h.detach(), 0
        for x_t in x[start : start + length]:
            h = torch.tanh(x_t @ W + h @ weights)
            loss = loss + h.sum()
        gradients.append(torch.autograd.grad(loss, weights, retain_graph=True)[0])
    return gradients


def truncated_from_zero(x, W, U, length):
    """The gradient of U for each piece of `length` steps, as a list: the state is carried on, its gradient is not.

    x: (T, C). Each piece starts from the state in which the piece before ended; its loss is the sum of its states.
    """
    gradients, weights = [], U.clone().requires_grad_()
    for start in range(0, len(x), length):
        h = torch.zeros(U.shape[0], dtype=x.dtype)
        loss = 0
        for x_t in x[start : start + length]:
            h = torch.tanh(x_t @ W + h @ weights)
            loss = loss + h.sum()
        gradients.append(torch.autograd.grad(loss, weights, retain_graph=True)[0])
    return gradients


def truncated_not(x, W, U, length):
    h, gradients, weights = torch.zeros(U.shape[0], dtype=x.dtype), [], U.clone().requires_grad_()
    for start in range(0, len(x), length):
        loss = 0
        for x_t in x[start : start + length]:
            h = torch.tanh(x_t @ W + h @ weights)
            loss = loss + h.sum()
        gradients.append(torch.autograd.grad(loss, weights, retain_graph=True)[0])
    return gradients


def truncated_each_step(x, W, U, length):
    h, gradients = torch.zeros(U.shape[0], dtype=x.dtype), []
    for start in range(0, len(x), length):
        weights, loss = U.clone().requires_grad_(), 0
        for x_t in x[start : start + length]:
            h = torch.tanh(x_t @ W + h.detach() @ weights)
            loss = loss + h.sum()
        gradients.append(torch.autograd.grad(loss, weights)[0])
    return gradients


def truncated_last_state(x, W, U, length):
    h, gradients = torch.zeros(U.shape[0], dtype=x.dtype), []
    for start in range(0, len(x), length):
        h, weights = h.detach(), U.clone().requires_grad_()
        for x_t in x[start : start + length]:
            h = torch.tanh(x_t @ W + h @ weights)
        gradients.append(torch.autograd.grad(h.sum(), weights)[0])
    return gradients


def truncated_first_state_again(x, W, U, length):
    first, gradients = None, []
    for start in range(0, len(x), length):
        weights, loss = U.clone().requires_grad_(), 0
        h = torch.zeros(U.shape[0], dtype=x.dtype) if first is None else first
        for x_t in x[start : start + length]:
            h = torch.tanh(x_t @ W + h @ weights)
            loss = loss + h.sum()
        first = h.detach() if first is None else first
        gradients.append(torch.autograd.grad(loss, weights)[0])
    return gradients


def truncated_added_up(x, W, U, length):
    pieces = truncated_gradients(x, W, U, length)
    return [sum(pieces[: k + 1]) for k in range(len(pieces))]


def draw_truncated_gradients(rng: np.random.Generator) -> tuple:
    T, length = int(rng.integers(5, 9)), int(rng.integers(2, 4))
    return T, 2, int(rng.integers(2, 4)), length, int(rng.integers(10**6))


def check_truncated_gradients(t: Trial) -> None:
    for T, C, H, length, seed in ((4, 2, 2, 2, 0), (9, 2, 3, 3, 1), (7, 1, 2, 3, 2), *t.fresh(draw_truncated_gradients)):
        x, W, U, _ = elman_case(T, C, H, seed)
        got, expected = t.call(x, W, U, length), truncated_gradients(x, W, U, length)
        t.true(
            got is None or (isinstance(got, list | tuple) and len(got) == len(expected)),
            f"must return a list with one gradient for each of the {len(expected)} pieces",
            expected,
            got,
        )
        for number, e in enumerate(expected):
            t.close(None if got is None else got[number], e, rtol=1e-6, what=f"the gradient of piece {number + 1}")


HINTS = (
    "With pieces of one step each, what does the network know of the step before?",
    "Set h to zeros once, before the loop over the pieces. Then a piece starts where the last one ended.",
    "Now the gradient would run back through all earlier pieces. h = h.detach() at the start of a piece keeps the "
    "value and "
    "cuts the gradient.",
)
WRONG = (
    Wrong(
        truncated_from_zero,
        "starts each piece from zeros: the network forgets everything at each border. Carry the state",
    ),
    Wrong(
        truncated_not,
        "carries the state with its gradient: the way back runs through all earlier pieces, and "
        "grows without end. "
        "h = h.detach() at the start of a piece",
    ),
    Wrong(truncated_each_step, "detaches at every step: nothing is learned through time at all. Cut only between pieces"),
    Wrong(truncated_last_state, "uses only the last state of a piece: the loss is the sum of all its states"),
    Wrong(
        truncated_first_state_again,
        "starts all later pieces from the end of the first piece: carry the state of the piece before",
    ),
    Wrong(truncated_added_up, "adds the gradients up over the pieces: each piece has a gradient (and an update) of its own"),
)
EXERCISE = Exercise(
    "7.7",
    "The state that was thrown away",
    "find the bug",
    truncated_gradients,
    check_truncated_gradients,
    HINTS,
    WRONG,
    points=3,
    start=truncated_from_zero,
)
