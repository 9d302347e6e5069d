"""Exercise 9.9, A policy gradient with groups: the reference solution, wrong answers, the check."""

import numpy as np
import torch

from helpers.exercises.ch09.shared import drawn, random_tensor
from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial, gradients


def group_policy_loss(log_probs, rewards):
    """Group-relative policy gradient. Both (groups, n): ln p of n sampled answers to each question, and their rewards.

    Advantage: (reward - mean of the group) / standard deviation of the group (of the population), 0 for a group whose rewards
    are all equal (compare the rewards: with a rounded mean the deviation of equal ones may be a little above 0). Mean of
    -advantage * ln p over all answers; no gradient flows through the advantages.
    """
    centred = rewards - rewards.mean(dim=1, keepdim=True)
    deviation = rewards.std(dim=1, keepdim=True, correction=0)
    differ = rewards.amax(dim=1, keepdim=True) > rewards.amin(dim=1, keepdim=True)
    advantages = torch.where(differ, centred / deviation.clamp(min=1e-8), 0.0)
    return -(advantages.detach() * log_probs).mean()


def _advantages(rewards, dim=1, correction=0):
    centred = rewards - rewards.mean(dim=dim, keepdim=True)
    deviation = rewards.std(dim=dim, keepdim=True, correction=correction)
    differ = rewards.amax(dim=dim, keepdim=True) > rewards.amin(dim=dim, keepdim=True)
    return torch.where(differ, centred / deviation.clamp(min=1e-8), 0.0)


def policy_no_baseline(log_probs, rewards):
    return -(rewards * log_probs).mean()


def policy_not_scaled(log_probs, rewards):
    return -((rewards - rewards.mean(1, keepdim=True)) * log_probs).mean()


def policy_whole_batch(log_probs, rewards):
    centred, deviation = rewards - rewards.mean(), rewards.std(correction=0)
    return -((centred / deviation if deviation > 0 else centred * 0) * log_probs).mean()


def policy_wrong_axis(log_probs, rewards):
    return -(_advantages(rewards, dim=0) * log_probs).mean()


def policy_sample_deviation(log_probs, rewards):
    return -(_advantages(rewards, correction=1) * log_probs).mean()


def policy_no_minus(log_probs, rewards):
    return (_advantages(rewards) * log_probs).mean()


def policy_divides_by_zero(log_probs, rewards):
    centred = rewards - rewards.mean(1, keepdim=True)
    return -(centred / rewards.std(1, keepdim=True, correction=0) * log_probs).mean()


def policy_asks_the_deviation(log_probs, rewards):
    centred = rewards - rewards.mean(1, keepdim=True)
    deviation = rewards.std(1, keepdim=True, correction=0)
    return -(torch.where(deviation > 0, centred / deviation.clamp(min=1e-8), 0.0) * log_probs).mean()


def policy_probabilities(log_probs, rewards):
    return -(_advantages(rewards) * log_probs.exp()).mean()


def policy_small_number_added(log_probs, rewards):
    centred = rewards - rewards.mean(dim=1, keepdim=True)
    return -(centred / (rewards.std(dim=1, keepdim=True, correction=0) + 1e-4) * log_probs).mean()


def draw_group_policy_loss(rng: np.random.Generator) -> tuple:
    groups, n = (int(m) for m in rng.integers(2, 5, size=2))
    return -drawn(rng, groups, n).abs(), torch.tensor(rng.integers(0, 3, size=(groups, n)), dtype=torch.float32)


def check_policy_loss(t: Trial) -> None:
    rewards = torch.tensor([[0.0, 0.0, 0.0, 1.0]])
    log_probs = torch.tensor([[-1.0, -2.0, -3.0, -4.0]])
    t.close(t.call(log_probs, rewards), group_policy_loss(log_probs, rewards), rtol=1e-4, what="the loss of one group")
    rewards = torch.tensor([[0.0, 1.0, 1.0], [2.0, 0.0, 1.0]])
    log_probs = -random_tensor(3, 2, 3).abs()
    t.close(t.call(log_probs, rewards), group_policy_loss(log_probs, rewards), rtol=1e-4, what="the loss of two groups")
    for case in t.fresh(draw_group_policy_loss):
        t.close(t.call(*case), group_policy_loss(*case), rtol=1e-4, atol=1e-6, what="the loss of drawn groups")
    found, wanted = t.gradients(log_probs, rewards), gradients(group_policy_loss, log_probs, rewards)
    t.close(found[0], wanted[0], rtol=1e-4, what="the gradient of the log-probabilities")
    rewards, log_probs = torch.tensor([[1.0, 1.0], [0.0, 1.0]]), torch.tensor([[-1.0, -2.0], [-3.0, -1.0]])
    t.close(
        t.call(log_probs, rewards),
        group_policy_loss(log_probs, rewards),
        rtol=1e-4,
        what="the loss when all answers of a group are right",
    )
    rewards, log_probs = torch.full((1, 3), 0.9), torch.tensor([[-1.0, -2.0, -3.0]])
    t.close(t.call(log_probs, rewards), torch.tensor(0.0), rtol=1e-4, what="the loss of three equal rewards")


HINTS = (
    "Mean and deviation are those of a row (dim=1, keepdim=True); for the population, correction=0.",
    "Give a row in which all rewards are equal advantages of 0 (torch.where), not 0 / 0. Such a row has rewards.amax(1, "
    "keepdim=True) == rewards.amin(1, keepdim=True); its deviation may be a little above 0, since the mean is rounded.",
    "Then -(advantages.detach() * log_probs).mean().",
)
WRONG = (
    Wrong(
        policy_small_number_added,
        "adds a small number to the deviation, as most published code does: then equal rewards can still give advantages of "
        "rounding; here a group of equal rewards gets 0, and any other its own deviation",
    ),
    Wrong(policy_no_baseline, "uses the bare rewards: subtract the mean of the group first"),
    Wrong(policy_not_scaled, "does not divide by the standard deviation of the group"),
    Wrong(policy_whole_batch, "takes mean and deviation over all questions: compare an answer with its siblings only"),
    Wrong(policy_wrong_axis, "compares answers to different questions: those to one question stand in a row (dim=1)"),
    Wrong(policy_sample_deviation, "divides by n - 1 in the deviation; here it is that of the population (correction=0)"),
    Wrong(policy_no_minus, "has no minus sign: an optimizer minimises, so good answers would become rarer"),
    Wrong(
        policy_divides_by_zero,
        "divides by 0 when all answers of a group have the same reward: such a group teaches nothing, its advantages are 0",
    ),
    Wrong(
        policy_asks_the_deviation,
        "asks whether the deviation is 0: the mean of three times 0.9 is rounded, so that "
        "equal rewards have a deviation a little above 0. Compare the rewards, amax with amin",
    ),
    Wrong(policy_probabilities, "multiplies by the probability; the gradient of ln p is what is weighted"),
)
EXERCISE = Exercise(
    "9.9", "A policy gradient with groups", "stretch", group_policy_loss, check_policy_loss, HINTS, WRONG, points=3
)
