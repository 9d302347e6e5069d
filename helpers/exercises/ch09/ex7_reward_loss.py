"""Exercise 9.7, Training makes it worse: the reference solution, wrong answers, the check."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from helpers.exercises.ch09.shared import drawn, random_tensor
from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial, gradients


def reward_loss(better, worse):
    """Mean pairwise loss of a reward model. better, worse: (B,) rewards of the answer that won and of the one that lost."""
    difference = better - worse
    return -F.logsigmoid(difference).mean()


def reward_without_minus(better, worse):
    """Mean pairwise loss of a reward model. better, worse: (B,) rewards of the answer that won and of the one that lost."""
    difference = better - worse
    return F.logsigmoid(difference).mean()


def reward_swapped(better, worse):
    return -F.logsigmoid(worse - better).mean()


def reward_each(better, worse):
    return -(F.logsigmoid(better) + F.logsigmoid(-worse)).mean()


def reward_sum(better, worse):
    return -F.logsigmoid(better - worse).sum()


def reward_difference(better, worse):
    return -(better - worse).mean()


def reward_no_log(better, worse):
    return -torch.sigmoid(better - worse).mean()


def reward_of_means(better, worse):
    return -F.logsigmoid((better - worse).mean())


def draw_reward_loss(rng: np.random.Generator) -> tuple:
    n = int(rng.integers(2, 8))
    return 2 * drawn(rng, n), 2 * drawn(rng, n)


def check_reward_loss(t: Trial) -> None:
    t.close(t.call(torch.zeros(3), torch.zeros(3)), torch.tensor(math.log(2)), rtol=1e-5, what="the loss of equal rewards (ln 2)")
    case = torch.tensor([3.0, 1.0, -1.0]), torch.tensor([1.0, 2.0, -1.0])
    t.close(t.call(*case), torch.tensor((0.126928 + 1.313262 + 0.693147) / 3), rtol=1e-4, what="the loss of differences 2, -1, 0")
    for case in [
        (random_tensor(1, 5), random_tensor(2, 5)),
        (torch.tensor([-200.0]), torch.tensor([200.0])),
        *t.fresh(draw_reward_loss),
    ]:
        t.close(t.call(*case), reward_loss(*case), rtol=1e-4, what="the pairwise loss")
    case = random_tensor(1, 5), random_tensor(2, 5)
    for got, expected in zip(t.gradients(*case), gradients(reward_loss, *case)):
        t.close(got, expected, rtol=1e-4, atol=1e-5, what="a gradient of the loss")


HINTS = (
    "Call it with differences of 2 and of -2. Which one gives the smaller value, and which should?",
    "ln sigmoid is negative and rises with the difference. Minimising it drives the better answer down.",
)
WRONG = (
    Wrong(reward_without_minus, "has no minus sign: training would lower the reward of the better answer"),
    Wrong(reward_swapped, "has the two answers the wrong way round"),
    Wrong(reward_each, "judges each answer by itself: only the difference of the two is known"),
    Wrong(reward_sum, "adds the pairs up: take the mean"),
    Wrong(reward_difference, "takes the bare difference: that has no lower end, and easy pairs would push forever"),
    Wrong(reward_no_log, "leaves out the logarithm: a pair that is judged badly would hardly teach anything"),
    Wrong(reward_of_means, "takes the mean of the differences first: every pair has a loss of its own"),
)
EXERCISE = Exercise(
    "9.7",
    "Training makes it worse",
    "find the bug",
    reward_loss,
    check_reward_loss,
    HINTS,
    WRONG,
    points=2,
    start=reward_without_minus,
)
