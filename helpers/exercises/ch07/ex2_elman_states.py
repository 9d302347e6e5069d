"""Exercise 7.2, States written in place: the reference solution, wrong answers, the check."""

import numpy as np
import torch

from helpers.exercises.ch07.shared import drawn, elman_case
from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def elman_states(x, W, U, b):
    """All states (T + 1, H) of h_t = tanh(x_t W + h_{t-1} U + b), the first of them zeros. x: (T, C), W: (C, H), U: (H, H)."""
    states = [torch.zeros(U.shape[0], dtype=x.dtype)]
    for t in range(len(x)):
        states.append(torch.tanh(x[t] @ W + states[t] @ U + b))
    return torch.stack(states)


def states_in_place(x, W, U, b):
    """All states (T + 1, H) of h_t = tanh(x_t W + h_{t-1} U + b), the first of them zeros. x: (T, C), W: (C, H), U: (H, H)."""
    states = torch.zeros(len(x) + 1, U.shape[0], dtype=x.dtype)
    for t in range(len(x)):
        states[t + 1] = torch.tanh(x[t] @ W + states[t] @ U + b)
    return states


def states_detached(x, W, U, b):
    states = torch.zeros(len(x) + 1, U.shape[0], dtype=x.dtype)
    for t in range(len(x)):
        states[t + 1] = torch.tanh(x[t] @ W + states[t].clone().detach() @ U + b)
    return states


def states_no_gradient(x, W, U, b):
    with torch.no_grad():
        return elman_states(x, W, U, b)


def states_without_first(x, W, U, b):
    return elman_states(x, W, U, b)[1:]


def states_no_memory(x, W, U, b):
    return torch.cat([torch.zeros(1, U.shape[0], dtype=x.dtype), torch.tanh(x @ W + b)])


def states_transposed(x, W, U, b):
    return elman_states(x, W, U.T, b)


def states_as_list(x, W, U, b):
    return list(elman_states(x, W, U, b))


def _elman_gradient(x, W, U, b):
    """What a learner's function must give: the gradient of U, for a loss on all states."""

    def steps(f):
        weights = U.clone().requires_grad_()
        states = f(x, W, weights, b)
        loss = (states * torch.arange(1.0, states.numel() + 1, dtype=x.dtype).reshape(states.shape)).sum()
        return torch.autograd.grad(loss, weights)[0]

    return steps


IN_PLACE = (
    "writes the states into one tensor, so that autograd finds it changed on the way back (modified by an inplace "
    "operation). Keep a list and stack it at the end"
)


NO_GRADIENT = "computes without a gradient, so nothing can be learned: remove the no_grad (or the detach)"


def _modified_in_place(x, W, U, b):
    def steps(f):
        try:
            return _elman_gradient(x, W, U, b)(f)
        except RuntimeError as error:  # the gradient cannot be had: say why
            if "inplace" in str(error):
                return "in place"
            if "does not require grad" in str(error):
                return "no gradient"
            raise

    return steps


def draw_elman_states(rng: np.random.Generator) -> list:
    T, C, H = (int(n) for n in rng.integers(2, 5, size=3))
    return [0.7 * drawn(rng, *shape) for shape in ((T, C), (C, H), (H, H), (H,))]


def check_elman_states(t: Trial) -> None:
    for case in (elman_case(3, 2, 2, 0), elman_case(4, 3, 2, 1), elman_case(6, 2, 3, 2), *t.fresh(draw_elman_states)):
        got = t.call(*case)
        t.true(not isinstance(got, (list, tuple)), "returns a list; torch.stack makes one tensor (T + 1, H) of it")
        t.close(got, elman_states(*case), rtol=1e-6, what="the states")
        x, W, U, b = case
        got = t.run(_modified_in_place(*case), f"the gradient of U through elman_states, {len(x)} steps")
        t.true(not (isinstance(got, str) and got == "in place"), IN_PLACE)
        t.true(not (isinstance(got, str) and got == "no gradient"), NO_GRADIENT)
        t.close(got, _elman_gradient(*case)(elman_states), rtol=1e-6, what="the gradient of U")


HINTS = (
    "The values are right. Call .sum().backward() on the result, with U.requires_grad_(), and read the error.",
    "Each step keeps states[t] for the way back, but the next step writes into the same tensor. Keep a list of states "
    "and append to it.",
    "torch.stack(list_of_states) makes one tensor (T + 1, H) of them at the end.",
)
WRONG = (
    Wrong(states_in_place, IN_PLACE),
    Wrong(
        states_detached,
        "cuts the gradient between the steps: it runs, but each step only learns from its own output. "
        "Do not detach; keep the states in a list",
    ),
    Wrong(states_no_gradient, NO_GRADIENT),
    Wrong(states_without_first, "leaves out the first state: T + 1 states are wanted, the zeros among them"),
    Wrong(states_no_memory, "never uses the state of the step before: h_{t-1} U is missing"),
    Wrong(states_transposed, "multiplies with the transpose of U"),
    Wrong(states_as_list, "returns a list; torch.stack makes one tensor (T + 1, H) of it"),
)
EXERCISE = Exercise(
    "7.2",
    "States written in place",
    "find the bug",
    elman_states,
    check_elman_states,
    HINTS,
    WRONG,
    points=2,
    start=states_in_place,
)
