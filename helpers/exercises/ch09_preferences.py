"""Exercises 9.6 to 9.9, on sentence embeddings and preferences (joined by ch09)."""

import math

import torch
import torch.nn.functional as F

from helpers.lab.checks import Exercise, Trial, Wrong


def _random(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _unit(seed, *shape):
    return F.normalize(_random(seed, *shape), dim=-1)


# ------------------------------------------------------------------------------------------------- 9.6


def hard_ranking_loss(queries, keys, negatives, temperature):
    """InfoNCE with in-batch and hard negatives. queries, keys: (B, d) unit rows that belong together row by row.

    negatives: (m, d), wrong for every query. The mean over the queries of -ln softmax(similarities / temperature)[own key].
    """
    candidates = torch.cat([keys, negatives])  # (B + m, d)
    scores = queries @ candidates.T / temperature  # (B, B + m)
    log_probs = scores - torch.logsumexp(scores, dim=1, keepdim=True)
    own = torch.arange(len(queries))
    return -log_probs[own, own].mean()


def _ranked(queries, candidates, temperature, reduce=torch.mean):
    scores = queries @ candidates.T / temperature
    own = torch.arange(len(queries))
    return reduce(-(scores.log_softmax(1))[own, own])


def ranking_in_batch_only(queries, keys, negatives, temperature):
    return _ranked(queries, keys, temperature)


def ranking_hard_only(queries, keys, negatives, temperature):
    scores = queries @ negatives.T / temperature
    own = (queries * keys).sum(1, keepdim=True) / temperature
    return -(torch.cat([own, scores], 1).log_softmax(1))[:, 0].mean()


def ranking_times_temperature(queries, keys, negatives, temperature):
    return _ranked(queries, torch.cat([keys, negatives]), 1 / temperature)


def ranking_summed(queries, keys, negatives, temperature):
    return _ranked(queries, torch.cat([keys, negatives]), temperature, torch.sum)


def ranking_no_minus(queries, keys, negatives, temperature):
    return -_ranked(queries, torch.cat([keys, negatives]), temperature)


def ranking_wrong_axis(queries, keys, negatives, temperature):
    scores = queries @ torch.cat([keys, negatives]).T / temperature
    own = torch.arange(len(queries))
    return -(scores.log_softmax(0))[own, own].mean()


def ranking_without_own(queries, keys, negatives, temperature):
    scores = queries @ torch.cat([keys, negatives]).T / temperature
    own = torch.arange(len(queries))
    others = scores.clone()
    others[own, own] = -math.inf
    return -(scores[own, own] - torch.logsumexp(others, 1)).mean()


def check_ranking(t: Trial) -> None:
    for seed, (B, m, d, tau) in enumerate([(3, 2, 4, 0.5), (2, 5, 3, 0.1)]):
        case = (_unit(seed, B, d), _unit(seed + 10, B, d), _unit(seed + 20, m, d), tau)
        t.close(t.call(*case), hard_ranking_loss(*case), rtol=1e-4, what="the ranking loss")
    same = torch.ones(3, 1)
    t.close(
        t.call(same, same, torch.ones(2, 1), 1.0),
        torch.tensor(math.log(5)),
        rtol=1e-5,
        what="the loss when all five candidates are equally similar (ln 5)",
    )


# ------------------------------------------------------------------------------------------------- 9.7


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


def check_reward_loss(t: Trial) -> None:
    t.close(t.call(torch.zeros(3), torch.zeros(3)), torch.tensor(math.log(2)), rtol=1e-5, what="the loss of equal rewards (ln 2)")
    case = torch.tensor([3.0, 1.0, -1.0]), torch.tensor([1.0, 2.0, -1.0])
    t.close(t.call(*case), torch.tensor((0.126928 + 1.313262 + 0.693147) / 3), rtol=1e-4, what="the loss of differences 2, -1, 0")
    case = _random(1, 5), _random(2, 5)
    t.close(t.call(*case), reward_loss(*case), rtol=1e-4, what="the pairwise loss")


# ------------------------------------------------------------------------------------------------- 9.8


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


def check_preference_loss(t: Trial) -> None:
    a, b = torch.tensor([-3.0]), torch.tensor([-5.0])
    t.close(t.call(a, b, a, b, 0.1), torch.tensor(math.log(2)), rtol=1e-5, what="the loss before training (ln 2)")
    t.close(
        t.call(a + 1, b - 1, a, b, 0.1),
        torch.tensor(0.598139),
        rtol=1e-4,
        what="the loss after chosen +1, rejected -1 with beta 0.1",
    )
    case = (*(-5 - _random(i, 4).abs() for i in range(4)), 0.7)
    t.close(t.call(*case), preference_loss(*case), rtol=1e-4, what="the DPO loss")


# ------------------------------------------------------------------------------------------------- 9.9


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


def check_policy_loss(t: Trial) -> None:
    rewards = torch.tensor([[0.0, 0.0, 0.0, 1.0]])
    log_probs = torch.tensor([[-1.0, -2.0, -3.0, -4.0]])
    t.close(t.call(log_probs, rewards), group_policy_loss(log_probs, rewards), rtol=1e-4, what="the loss of one group")
    rewards = torch.tensor([[0.0, 1.0, 1.0], [2.0, 0.0, 1.0]])
    log_probs = -_random(3, 2, 3).abs()
    t.close(t.call(log_probs, rewards), group_policy_loss(log_probs, rewards), rtol=1e-4, what="the loss of two groups")
    rewards, log_probs = torch.tensor([[1.0, 1.0], [0.0, 1.0]]), torch.tensor([[-1.0, -2.0], [-3.0, -1.0]])
    t.close(
        t.call(log_probs, rewards),
        group_policy_loss(log_probs, rewards),
        rtol=1e-4,
        what="the loss when all answers of a group are right",
    )
    rewards, log_probs = torch.full((1, 3), 0.9), torch.tensor([[-1.0, -2.0, -3.0]])
    t.close(t.call(log_probs, rewards), torch.tensor(0.0), rtol=1e-4, what="the loss of three equal rewards")


EXERCISES = (
    Exercise(
        id="9.6",
        title="Negatives from the batch, and hard ones",
        kind="core",
        points=2,
        solution=hard_ranking_loss,
        check=check_ranking,
        hints=(
            "Put the hard negatives below the keys: torch.cat([keys, negatives]) are the candidates of every query.",
            "Scores = queries @ candidates.T / temperature, shape (B, B + m). The right one of row i stands in column i; take "
            "scores.log_softmax(1) there.",
        ),
        wrong=(
            Wrong(ranking_in_batch_only, "does not use the hard negatives at all: they are candidates too"),
            Wrong(ranking_hard_only, "uses only the hard negatives; the other keys of the batch are negatives as well"),
            Wrong(ranking_times_temperature, "multiplies by the temperature; a small temperature must make the choice strict"),
            Wrong(ranking_summed, "adds the losses of the queries up: take the mean, or the step grows with the batch"),
            Wrong(ranking_no_minus, "has the sign the wrong way round: it would push what belongs together apart"),
            Wrong(ranking_wrong_axis, "makes the softmax over the queries: each query chooses among candidates, so dim=1"),
            Wrong(ranking_without_own, "leaves the right key out of the sum below; then the loss has no lower bound"),
        ),
    ),
    Exercise(
        id="9.7",
        title="Training makes it worse",
        kind="find the bug",
        points=2,
        solution=reward_loss,
        check=check_reward_loss,
        start=reward_without_minus,
        hints=(
            "Call it with differences of 2 and of -2. Which one gives the smaller value, and which should?",
            "ln sigmoid is negative and rises with the difference. Minimising it drives the better answer down.",
        ),
        wrong=(
            Wrong(reward_without_minus, "has no minus sign: training would lower the reward of the better answer"),
            Wrong(reward_swapped, "has the two answers the wrong way round"),
            Wrong(reward_each, "judges each answer by itself: only the difference of the two is known"),
            Wrong(reward_sum, "adds the pairs up: take the mean"),
            Wrong(reward_difference, "takes the bare difference: that has no lower end, and easy pairs would push for ever"),
            Wrong(reward_no_log, "leaves out the logarithm: a pair that is judged badly would hardly teach anything"),
            Wrong(reward_of_means, "takes the mean of the differences first: every pair has a loss of its own"),
        ),
    ),
    Exercise(
        id="9.8",
        title="The loss of DPO",
        kind="core",
        points=2,
        solution=preference_loss,
        check=check_preference_loss,
        hints=(
            "First the implicit reward of each answer, beta * (ln p - ln p_reference), four numbers become two.",
            "Then exercise 9.7 on these two: -F.logsigmoid(better - worse).mean(). Before training it must be ln 2.",
        ),
        wrong=(
            Wrong(preference_no_reference, "leaves out the reference: an answer unlikely from the start would count as bad"),
            Wrong(preference_swapped, "prefers the rejected answer: the sign is the wrong way round"),
            Wrong(preference_reference_added, "adds the reference's ln p where it must be subtracted (a ratio of probabilities)"),
            Wrong(preference_beta_outside, "multiplies the whole loss by beta; beta belongs inside the sigmoid"),
            Wrong(preference_divided, "divides by beta: a large beta keeps the model close to the reference"),
            Wrong(preference_ratio, "divides logarithms; the logarithm of a ratio is a difference"),
            Wrong(preference_no_minus, "has no minus sign: the loss would fall without end while the wrong answer wins"),
        ),
    ),
    Exercise(
        id="9.9",
        title="A policy gradient with groups",
        kind="stretch",
        points=3,
        solution=group_policy_loss,
        check=check_policy_loss,
        hints=(
            "Mean and deviation are those of a row (dim=1, keepdim=True); for the population, correction=0.",
            "Give a row in which all rewards are equal advantages of 0 (torch.where), not 0 / 0. Such a row has rewards.amax(1, "
            "keepdim=True) == rewards.amin(1, keepdim=True); its deviation may be a little above 0, since the mean is rounded.",
            "Then -(advantages.detach() * log_probs).mean().",
        ),
        wrong=(
            Wrong(policy_no_baseline, "uses the bare rewards: subtract the mean of the group first"),
            Wrong(policy_not_scaled, "does not divide by the standard deviation of the group"),
            Wrong(policy_whole_batch, "takes mean and deviation over all questions: compare an answer with its siblings only"),
            Wrong(policy_wrong_axis, "compares answers to different questions: those to one question stand in a row (dim=1)"),
            Wrong(policy_sample_deviation, "divides by n - 1 in the deviation; here it is that of the population (correction=0)"),
            Wrong(policy_no_minus, "has no minus sign: an optimizer minimises, so good answers would become rarer"),
            Wrong(
                policy_divides_by_zero,
                "divides by 0 when all answers of a group have the same reward: such a group teaches "
                "nothing, its advantages are 0",
            ),
            Wrong(
                policy_asks_the_deviation,
                "asks whether the deviation is 0: the mean of three times 0.9 is rounded, so that "
                "equal rewards have a deviation a little above 0. Compare the rewards, amax with amin",
            ),
            Wrong(policy_probabilities, "multiplies by the probability; the gradient of ln p is what is weighted"),
        ),
    ),
)
