"""Exercise 9.6, Negatives from the batch, and hard ones: the reference solution, wrong answers, the check."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from helpers.exercises.ch09.shared import drawn, random_tensor
from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial, gradients


def hard_ranking_loss(queries, keys, negatives, temperature):
    """InfoNCE with in-batch and hard negatives. queries, keys: (B, d) unit rows that belong together row by row.

    negatives: (m, d), wrong for every query. The mean over the queries of -ln softmax(similarities / temperature)[own key].
    """
    candidates = torch.cat([keys, negatives])  # (B + m, d)
    scores = queries @ candidates.T / temperature  # (B, B + m)
    log_probs = scores - torch.logsumexp(scores, dim=1, keepdim=True)
    own = torch.arange(len(queries))
    return -log_probs[own, own].mean()


def _unit(seed, *shape):
    return F.normalize(random_tensor(seed, *shape), dim=-1)


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


def ranking_without_temperature(queries, keys, negatives, temperature):
    return hard_ranking_loss(queries, keys, negatives, 1.0)


def ranking_softmax_twice(queries, keys, negatives, temperature):
    scores = torch.softmax(queries @ torch.cat([keys, negatives]).T / temperature, dim=1)
    return F.cross_entropy(scores, torch.arange(len(queries)))


def ranking_negatives_first(queries, keys, negatives, temperature):
    scores = queries @ torch.cat([negatives, keys]).T / temperature
    return F.cross_entropy(scores, torch.arange(len(queries)))


def draw_hard_ranking_loss(rng: np.random.Generator) -> tuple:
    B, m, d = (int(n) for n in rng.integers(2, 6, size=3))
    return *(F.normalize(drawn(rng, n, d), dim=1) for n in (B, B, m)), float(rng.uniform(0.1, 1))


def check_ranking(t: Trial) -> None:
    small = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([[0.0, 1.0]]), 0.5
    t.close(t.call(*small), hard_ranking_loss(*small), rtol=1e-4, what="the ranking loss")
    for seed, (B, m, d, tau) in enumerate([(3, 2, 4, 0.5), (2, 5, 3, 0.1)]):
        case = (_unit(seed, B, d), _unit(seed + 10, B, d), _unit(seed + 20, m, d), tau)
        t.close(t.call(*case), hard_ranking_loss(*case), rtol=1e-4, what="the ranking loss")
    for case in t.fresh(draw_hard_ranking_loss):
        t.close(t.call(*case), hard_ranking_loss(*case), rtol=1e-4, what="the ranking loss")
    case = _unit(1, 3, 4), _unit(2, 3, 4), _unit(3, 2, 4), 0.001
    t.close(t.call(*case), hard_ranking_loss(*case), rtol=1e-4, what="the loss at a very small temperature")
    case = _unit(1, 3, 4), _unit(2, 3, 4), _unit(3, 2, 4), 0.5
    for got, expected in zip(t.gradients(*case), gradients(hard_ranking_loss, *case)):
        t.close(got, expected, rtol=1e-4, atol=1e-5, what="a gradient of the loss")
    same = torch.ones(3, 1)
    t.close(
        t.call(same, same, torch.ones(2, 1), 1.0),
        torch.tensor(math.log(5)),
        rtol=1e-5,
        what="the loss when all five candidates are equally similar (ln 5)",
    )


HINTS = (
    "Put the hard negatives below the keys: torch.cat([keys, negatives]) are the candidates of every query.",
    "Scores = queries @ candidates.T / temperature, shape (B, B + m). The right one of row i stands in column i; take "
    "scores.log_softmax(1) there.",
)
WRONG = (
    Wrong(ranking_without_temperature, "leaves out the temperature"),
    Wrong(ranking_softmax_twice, "gives probabilities to a function that makes its own softmax: give it the scores"),
    Wrong(ranking_negatives_first, "puts the negatives in front, so that query i is told that negative i is its own key"),
    Wrong(ranking_in_batch_only, "does not use the hard negatives at all: they are candidates too"),
    Wrong(ranking_hard_only, "uses only the hard negatives; the other keys of the batch are negatives as well"),
    Wrong(ranking_times_temperature, "multiplies by the temperature; a small temperature must make the choice strict"),
    Wrong(ranking_summed, "adds the losses of the queries up: take the mean, or the step grows with the batch"),
    Wrong(ranking_no_minus, "has the sign the wrong way round: it would push what belongs together apart"),
    Wrong(ranking_wrong_axis, "makes the softmax over the queries: each query chooses among candidates, so dim=1"),
    Wrong(ranking_without_own, "leaves the right key out of the sum below; then the loss has no lower bound"),
)
EXERCISE = Exercise(
    "9.6", "Negatives from the batch, and hard ones", "core", hard_ranking_loss, check_ranking, HINTS, WRONG, points=2
)
