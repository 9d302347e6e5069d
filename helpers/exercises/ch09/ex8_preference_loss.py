"""Exercise 9.8, The loss of DPO: the reference solution, wrong answers, the check."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from helpers.exercises.ch09.shared import drawn, random_tensor
from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial, gradients


def preference_loss(chosen, rejected, chosen_reference, rejected_reference, beta):
    """DPO's mean loss. All (B,): ln p of each answer under the model, and under the frozen reference. beta > 0.

    An answer's implicit reward is beta * (ln p - ln p_reference); then the pairwise loss.
    """
    better = beta * (chosen - chosen_reference)
    worse = beta * (rejected - rejected_reference)
    return -F.logsigmoid(better - worse).mean()


def preference_no_reference(chosen, rejected, chosen_reference, rejected_reference, beta):
    return -F.logsigmoid(beta * (chosen - rejected)).mean()


def preference_swapped(chosen, rejected, chosen_reference, rejected_reference, beta):
    return preference_loss(rejected, chosen, rejected_reference, chosen_reference, beta)


def preference_reference_added(chosen, rejected, chosen_reference, rejected_reference, beta):
    return preference_loss(chosen, rejected, -chosen_reference, -rejected_reference, beta)


def preference_beta_outside(chosen, rejected, chosen_reference, rejected_reference, beta):
    return beta * preference_loss(chosen, rejected, chosen_reference, rejected_reference, 1.0)


def preference_divided(chosen, rejected, chosen_reference, rejected_reference, beta):
    return preference_loss(chosen, rejected, chosen_reference, rejected_reference, 1 / beta)


def preference_ratio(chosen, rejected, chosen_reference, rejected_reference, beta):
    return -F.logsigmoid(beta * (chosen / chosen_reference - rejected / rejected_reference)).mean()


def preference_no_minus(chosen, rejected, chosen_reference, rejected_reference, beta):
    return -preference_loss(chosen, rejected, chosen_reference, rejected_reference, beta)


def preference_without_beta(chosen, rejected, chosen_reference, rejected_reference, beta):
    return preference_loss(chosen, rejected, chosen_reference, rejected_reference, 1.0)


def preference_summed(chosen, rejected, chosen_reference, rejected_reference, beta):
    return preference_loss(chosen, rejected, chosen_reference, rejected_reference, beta) * len(chosen)


def draw_preference_loss(rng: np.random.Generator) -> tuple:
    n = int(rng.integers(2, 6))
    return *(-5 - drawn(rng, n).abs() for _ in range(4)), float(rng.uniform(0.05, 2))


def check_preference_loss(t: Trial) -> None:
    a, b = torch.tensor([-3.0]), torch.tensor([-5.0])
    t.close(t.call(a, b, a, b, 0.1), torch.tensor(math.log(2)), rtol=1e-5, what="the loss before training (ln 2)")
    t.close(
        t.call(a + 1, b - 1, a, b, 0.1),
        torch.tensor(0.598139),
        rtol=1e-4,
        what="the loss after chosen +1, rejected -1 with beta 0.1",
    )
    case = (*(-5 - random_tensor(i, 4).abs() for i in range(4)), 0.7)
    for one in [case, *t.fresh(draw_preference_loss)]:
        t.close(t.call(*one), preference_loss(*one), rtol=1e-4, what="the DPO loss")
    for got, expected in zip(t.gradients(*case), gradients(preference_loss, *case)):
        t.close(got, expected, rtol=1e-4, atol=1e-5, what="a gradient of the loss")


HINTS = (
    "First the implicit reward of each answer, beta * (ln p - ln p_reference), four numbers become two.",
    "Then exercise 9.7 on these two: -F.logsigmoid(better - worse).mean(). Before training it must be ln 2.",
)
WRONG = (
    Wrong(preference_without_beta, "leaves out beta: it scales the implicit rewards"),
    Wrong(preference_summed, "adds the losses of the pairs up: take the mean, or the step grows with the batch"),
    Wrong(preference_no_reference, "leaves out the reference: an answer unlikely from the start would count as bad"),
    Wrong(preference_swapped, "prefers the rejected answer: the sign is the wrong way round"),
    Wrong(preference_reference_added, "adds the reference's ln p where it must be subtracted (a ratio of probabilities)"),
    Wrong(preference_beta_outside, "multiplies the whole loss by beta; beta belongs inside the sigmoid"),
    Wrong(preference_divided, "divides by beta: a large beta keeps the model close to the reference"),
    Wrong(preference_ratio, "divides logarithms; the logarithm of a ratio is a difference"),
    Wrong(preference_no_minus, "has no minus sign: the loss would fall without end while the wrong answer wins"),
)
EXERCISE = Exercise("9.8", "The loss of DPO", "core", preference_loss, check_preference_loss, HINTS, WRONG, points=2)
