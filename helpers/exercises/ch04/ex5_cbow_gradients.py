"""Exercise 4.5, The gradient of CBOW: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def cbow_gradients(C, u, N):
    """Loss and gradient of one CBOW example: C (m, d) the context vectors, u (d,) the true word, N (k, d) the negatives.

    h is the mean of the rows of C; loss = -ln sigma(u h) - sum over rows n of N of ln sigma(-n h). Returns (loss, dC).
    """
    h = C.mean(axis=0)
    p_true, p_noise = 1 / (1 + np.exp(-(u @ h))), 1 / (1 + np.exp(-(N @ h)))
    loss = -np.log(p_true) - np.sum(np.log(1 - p_noise))
    dh = (p_true - 1) * u + p_noise @ N
    return float(loss), np.tile(dh / len(C), (len(C), 1))


def cbow_full_share(C, u, N):
    loss, dC = cbow_gradients(C, u, N)
    return loss, dC * len(C)


def cbow_sum(C, u, N):
    h = C.sum(axis=0)
    p_true, p_noise = 1 / (1 + np.exp(-(u @ h))), 1 / (1 + np.exp(-(N @ h)))
    dh = (p_true - 1) * u + p_noise @ N
    return float(-np.log(p_true) - np.sum(np.log(1 - p_noise))), np.tile(dh, (len(C), 1))


def cbow_one_row(C, u, N):
    loss, dC = cbow_gradients(C, u, N)
    return loss, dC[0] * len(C)


def cbow_skipgram(C, u, N):
    loss, dC = 0.0, []
    for c in C:
        p_true, p_noise = 1 / (1 + np.exp(-(u @ c))), 1 / (1 + np.exp(-(N @ c)))
        loss += -np.log(p_true) - np.sum(np.log(1 - p_noise))
        dC.append((p_true - 1) * u + p_noise @ N)
    return float(loss), np.array(dC)


def cbow_uphill(C, u, N):
    loss, dC = cbow_gradients(C, u, N)
    return loss, -dC


def draw_cbow_gradients(rng: np.random.Generator) -> tuple:
    d = int(rng.integers(2, 5))
    return rng.normal(size=(int(rng.integers(2, 5)), d)), rng.normal(size=d), rng.normal(size=(int(rng.integers(1, 4)), d))


def check_cbow(t: Trial) -> None:
    rng = np.random.default_rng(1)
    cases = [
        (np.array([[1.0, 0.0], [3.0, 2.0]]), np.array([0.5, -1.0]), np.array([[1.0, 1.0]])),
        (rng.normal(size=(3, 4)), rng.normal(size=4), rng.normal(size=(5, 4))),
        (rng.normal(size=(1, 2)), rng.normal(size=2), rng.normal(size=(2, 2))),
    ]
    for C, u, N in [*cases, *t.fresh(draw_cbow_gradients)]:
        got, expected = t.call(C, u, N), cbow_gradients(C, u, N)
        t.several(got, 2, "must return the pair (loss, dC)", expected)
        t.close(got[0], expected[0], rtol=1e-7, what="the loss")
        t.close(got[1], expected[1], rtol=1e-7, what="dC")


HINTS = (
    "h = C.mean(axis=0). For dh take over dv of exercise 4.3, with h in place of v.",
    "Chain rule: nudging one context vector by 1 moves the mean by 1/m. So every row of dC is dh / m.",
)
WRONG = (
    Wrong(
        cbow_full_share,
        "gives every context vector the whole gradient of h; h is a mean, so each gets only 1/m of "
        "it. Several "
        "famous programs made this mistake",
    ),
    Wrong(cbow_sum, "adds the context vectors up; h is their mean"),
    Wrong(cbow_one_row, "returns one row, and not divided by m; dC has one row per context vector, each dh / m"),
    Wrong(
        cbow_skipgram,
        "treats each context vector on its own, which is skip-gram turned round; CBOW averages first and makes one prediction",
    ),
    Wrong(cbow_uphill, "has the sign of the gradient turned round; the error is p - y"),
)
EXERCISE = Exercise("4.5", "The gradient of CBOW", "core", cbow_gradients, check_cbow, HINTS, WRONG, points=2)
