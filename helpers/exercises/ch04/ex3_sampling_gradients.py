"""Exercise 4.3, Negative sampling: loss and gradients: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def sampling_gradients(v, u, N):
    """Loss and gradients of one pair: v (d,) the center, u (d,) the true context, N (k, d) the negatives.

    Returns (loss, dv, du, dN) of loss = -ln sigma(u v) - sum over rows n of N of ln sigma(-n v).
    """
    p_true, p_noise = 1 / (1 + np.exp(-(u @ v))), 1 / (1 + np.exp(-(N @ v)))
    loss = -np.log(p_true) - np.sum(np.log(1 - p_noise))
    dv = (p_true - 1) * u + p_noise @ N
    return float(loss), dv, (p_true - 1) * v, p_noise[:, None] * v


def sampling_positive_only(v, u, N):
    p_true = 1 / (1 + np.exp(-(u @ v)))
    return float(-np.log(p_true)), (p_true - 1) * u, (p_true - 1) * v, np.zeros_like(N)


def sampling_all_true(v, u, N):
    p_true, p_noise = 1 / (1 + np.exp(-(u @ v))), 1 / (1 + np.exp(-(N @ v)))
    loss = -np.log(p_true) - np.sum(np.log(p_noise))
    return float(loss), (p_true - 1) * u + (p_noise - 1) @ N, (p_true - 1) * v, (p_noise - 1)[:, None] * v


def sampling_mean_of_negatives(v, u, N):
    p_true, p_noise = 1 / (1 + np.exp(-(u @ v))), 1 / (1 + np.exp(-(N @ v)))
    k = len(N)
    loss = -np.log(p_true) - np.mean(np.log(1 - p_noise))
    return float(loss), (p_true - 1) * u + p_noise @ N / k, (p_true - 1) * v, p_noise[:, None] * v / k


def sampling_ascent(v, u, N):
    loss, dv, du, dN = sampling_gradients(v, u, N)
    return loss, -dv, -du, -dN


def sampling_context_only(v, u, N):
    loss, _, du, dN = sampling_gradients(v, u, N)
    p_true = 1 / (1 + np.exp(-(u @ v)))
    return loss, (p_true - 1) * u, du, dN


def draw_sampling_gradients(rng: np.random.Generator) -> tuple:
    d = int(rng.integers(2, 5))
    return rng.normal(size=d), rng.normal(size=d), rng.normal(size=(int(rng.integers(1, 5)), d))


def check_sampling(t: Trial) -> None:
    rng = np.random.default_rng(0)
    cases = [
        (np.array([1.0]), np.array([0.5]), np.array([[2.0]])),
        (np.array([1.0, -1.0]), np.array([0.5, 0.0]), np.array([[1.0, 0.5], [-1.0, 2.0]])),
        (np.zeros(3), np.zeros(3), np.zeros((5, 3))),
        (rng.normal(size=4), rng.normal(size=4), rng.normal(size=(3, 4))),
    ]
    for v, u, N in [*cases, *t.fresh(draw_sampling_gradients)]:
        got, expected = t.call(v, u, N), sampling_gradients(v, u, N)
        t.several(got, 4, "must return the four results (loss, dv, du, dN)", expected)
        for ours, right, what in zip(got, expected, ("the loss", "dv", "du", "dN")):
            t.close(ours, right, rtol=1e-7, what=what)


HINTS = (
    "Every candidate is a row of logistic regression (chapter 02): label 1 for u, label 0 for the rows of N. Error = p - y.",
    "dv is the sum of error times vector over all candidates: (p_true - 1) * u + p_noise @ N.",
    "du is the error of u times v. dN needs one row for each negative: its error, a number, times v.",
)
WRONG = (
    Wrong(
        sampling_positive_only,
        "ignores the negatives; then the best answer is to say yes to everything, and all vectors collapse into one direction",
    ),
    Wrong(
        sampling_all_true,
        "treats the negatives as true pairs; their label is 0: the term is ln sigma(-n v), and the error is p",
    ),
    Wrong(
        sampling_mean_of_negatives,
        "averages over the negatives; the loss is their sum, so k of them weigh k times as much as the true pair",
    ),
    Wrong(
        sampling_ascent,
        "has the sign of all gradients turned round; the error is p - y, not y - p, when the loss is to fall",
    ),
    Wrong(sampling_context_only, "leaves the negatives out of dv; the center moves away from each of them too"),
)
EXERCISE = Exercise(
    "4.3", "Negative sampling: loss and gradients", "core", sampling_gradients, check_sampling, HINTS, WRONG, points=2
)
