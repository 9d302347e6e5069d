"""Exercise 8.1, One look-up: the reference solution, wrong answers, the check."""

import math

import numpy as np
import torch

from helpers.exercises.ch08.shared import drawn, random_tensor
from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial, gradients


def look_up(q, K, V):
    """One query's weighted average of the values. q: (D,), K: (S, D), V: (S, E). Returns (E,)."""
    scores = K @ q / math.sqrt(len(q))  # (S,)
    return torch.softmax(scores, dim=0) @ V


def look_up_unscaled(q, K, V):
    return torch.softmax(K @ q, dim=0) @ V


def look_up_divided_by_d(q, K, V):
    return torch.softmax(K @ q / len(q), dim=0) @ V


def look_up_root_of_keys(q, K, V):
    return torch.softmax(K @ q / math.sqrt(len(K)), dim=0) @ V


def look_up_hard(q, K, V):
    return V[(K @ q).argmax()]


def look_up_scores(q, K, V):
    return (K @ q / math.sqrt(len(q))) @ V


def look_up_keys(q, K, V):
    return torch.softmax(K @ q / math.sqrt(len(q)), dim=0) @ K


def draw_look_up(rng: np.random.Generator) -> tuple:
    S, D, E = (int(n) for n in rng.integers(2, 6, size=3))
    return drawn(rng, D), drawn(rng, S, D), drawn(rng, S, E)


def check_look_up(t: Trial) -> None:
    q = torch.tensor([1.0, 0.0, 1.0, 0.0])
    K = torch.tensor([[2.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 3.0], [1.0, 1.0, 3.0, 1.0]])
    cases = [
        (q, K, torch.tensor([[1.0], [2.0], [4.0]])),
        (random_tensor(0, 6), random_tensor(1, 5, 6), random_tensor(2, 5, 3)),
        (random_tensor(3, 4), random_tensor(4, 4, 4), random_tensor(5, 4, 4)),
        (100 * q, K, torch.tensor([[1.0], [2.0], [4.0]])),  # scores that exp alone cannot take
    ]
    for case in [*cases, *t.fresh(draw_look_up)]:
        t.close(t.call(*case), look_up(*case), rtol=1e-5, atol=1e-6, what="the result of the look-up")
    for got, expected in zip(t.gradients(*cases[0]), gradients(look_up, *cases[0])):
        t.close(got, expected, rtol=1e-4, atol=1e-5, what="a gradient of the look-up")


HINTS = (
    "Three steps: a score for each key (K @ q), weights that sum to 1 (torch.softmax with dim=0), the weighted sum of "
    "the rows of V (weights @ V).",
    "Divide the scores by math.sqrt(len(q)) before the softmax.",
)
WRONG = (
    Wrong(look_up_unscaled, "does not divide the scores by the square root of the width of q"),
    Wrong(
        look_up_divided_by_d,
        "divides the scores by D; the standard deviation of a dot product grows with the square root of D",
    ),
    Wrong(look_up_root_of_keys, "divides by the square root of the number of keys: it is the width D of q that counts"),
    Wrong(look_up_hard, "takes the value of the best key only: a soft look-up takes something from all of them"),
    Wrong(
        look_up_scores,
        "uses the scores as weights: they must go through a softmax, so that they are positive and sum to 1",
    ),
    Wrong(look_up_keys, "averages the keys; the keys only decide how much, the values are what is taken"),
)
EXERCISE = Exercise("8.1", "One look-up", "warm-up", look_up, check_look_up, HINTS, WRONG)
