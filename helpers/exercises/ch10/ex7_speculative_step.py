"""Exercise 10.7, Check one guess: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.exercises.ch10.shared import softmax
from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def speculative_step(p, q, guess, u, v):
    """Check one guess. p, q: (V,) of the large and the small model; guess: drawn from q; u, v: two random numbers in [0, 1).

    Kept when u < p[guess] / q[guess]. Otherwise the token is drawn from max(p - q, 0), normalized: the first id at which the
    running sum exceeds v. Returns (whether it was kept, the token).
    """
    if u < p[guess] / q[guess]:
        return True, guess
    rest = np.maximum(p - q, 0)
    return False, int(np.searchsorted(np.cumsum(rest / rest.sum()), v, side="right"))


def _drawn(rest, v):
    return int(min(np.searchsorted(np.cumsum(rest), v, side="right"), len(rest) - 1))


def speculative_from_p(p, q, guess, u, v):
    return (True, guess) if u < p[guess] / q[guess] else (False, _drawn(p, v))


def speculative_not_clipped(p, q, guess, u, v):
    if u < p[guess] / q[guess]:
        return True, guess
    rest = np.abs(p - q)
    return False, _drawn(rest / rest.sum(), v)


def speculative_not_normalized(p, q, guess, u, v):
    return (True, guess) if u < p[guess] / q[guess] else (False, _drawn(np.maximum(p - q, 0), v))


def speculative_upside_down(p, q, guess, u, v):
    return (True, guess) if u < q[guess] / p[guess] else (False, speculative_step(p, q, guess, 2.0, v)[1])


def speculative_only_p(p, q, guess, u, v):
    return (True, guess) if u < p[guess] else (False, speculative_step(p, q, guess, 2.0, v)[1])


def speculative_hard(p, q, guess, u, v):
    return (True, guess) if p[guess] >= q[guess] else (False, speculative_step(p, q, guess, 2.0, v)[1])


def speculative_keeps_all(p, q, guess, u, v):
    return True, guess


def speculative_best_of_p(p, q, guess, u, v):
    return (True, guess) if u < p[guess] / q[guess] else (False, int(np.argmax(p)))


def speculative_best_of_rest(p, q, guess, u, v):
    return (True, guess) if u < p[guess] / q[guess] else (False, int(np.argmax(p - q)))


def speculative_turned(p, q, guess, u, v):
    rest = np.maximum(q - p, 0)
    return (True, guess) if u < p[guess] / q[guess] else (False, _drawn(rest / rest.sum(), v))


def speculative_softmax(p, q, guess, u, v):
    return (True, guess) if u < p[guess] / q[guess] else (False, _drawn(softmax(np.maximum(p - q, 0)), v))


def speculative_same_number(p, q, guess, u, v):
    return speculative_step(p, q, guess, u, u)


def speculative_keeps_at_the_border(p, q, guess, u, v):
    return (True, guess) if u <= p[guess] / q[guess] else speculative_step(p, q, guess, u, v)


def speculative_reaches(p, q, guess, u, v):
    rest = np.maximum(p - q, 0)
    drawn = int(np.searchsorted(np.cumsum(rest / rest.sum()), v, side="left"))
    return (True, guess) if u < p[guess] / q[guess] else (False, drawn)


def draw_speculative_step(rng: np.random.Generator) -> tuple:
    p, q = rng.dirichlet(np.ones(5), size=2)
    return p, q, int(rng.integers(0, 5)), float(rng.random()), float(rng.random())


def check_speculative(t: Trial) -> None:
    p, q = np.array([0.35, 0.3, 0.05, 0.3]), np.array([0.25, 0.25, 0.4, 0.1])  # max(p - q, 0): 0.1, 0.05, 0, 0.2
    others = np.array([0.5, 0.3, 0.15, 0.05]), np.array([0.2, 0.5, 0.1, 0.2])
    cases = [
        (np.array([0.25, 0.75]), np.array([0.5, 0.5]), 0, 0.25, 0.5),
        (p, q, 2, 0.02, 0.5),
        (p, q, 2, 0.1, 0.5),
        (p, q, 3, 0.99, 0.3),
        (p, q, 2, 0.4, 0.05),
        (p, q, 2, 0.4, 0.25),
        (p, q, 2, 0.95, 0.95),
        (p, q, 2, 0.3, 0.5),
        (*others, 1, 0.7, 0.9),
        (*others, 3, 0.9, 0.5),
        (np.array([0.0, 0.4, 0.6]), np.array([0.5, 0.2, 0.3]), 0, 0.0, 0.0),
    ]
    for p, q, guess, u, v in [*cases, *t.fresh(draw_speculative_step)]:
        got = t.call(p, q, guess, u, v)
        t.true(isinstance(got, tuple) and len(got) == 2, "returns something else than (kept, token)", "(kept, token)", got)
        t.equal((bool(got[0]), int(got[1])), speculative_step(p, q, guess, u, v), what="kept and token")


HINTS = (
    "Compare u with p[guess] / q[guess]. Where it is smaller, the guess stays.",
    "Otherwise: rest = np.maximum(p - q, 0), divided by its sum; np.searchsorted(np.cumsum(rest), v, side='right').",
)
WRONG = (
    Wrong(speculative_from_p, "draws from p after a rejection: tokens that p likes more than q would then come too rarely"),
    Wrong(speculative_not_clipped, "does not clip p - q at 0, but takes its size: a rejected token could come back"),
    Wrong(speculative_not_normalized, "does not divide the rest by its sum: the running sum then ends below 1"),
    Wrong(speculative_upside_down, "has the ratio upside down: it must be p / q"),
    Wrong(speculative_only_p, "keeps the guess with probability p[guess]; it was drawn with q[guess], so divide by that"),
    Wrong(speculative_hard, "decides without chance: where p < q the guess must still be kept with probability p / q"),
    Wrong(speculative_keeps_all, "keeps every guess: then the text is the small model's"),
    Wrong(speculative_best_of_p, "takes the likeliest token of p after a rejection; it must be drawn"),
    Wrong(speculative_best_of_rest, "takes the token with the largest rest after a rejection; it must be drawn"),
    Wrong(speculative_turned, "draws from q - p after a rejection: tokens that q likes too much already; it is p - q"),
    Wrong(
        speculative_softmax,
        "makes a softmax of the rest, which gives a share to tokens without any; divide it by its sum",
    ),
    Wrong(speculative_same_number, "draws with u again; after a rejection u is known to be large, so use v"),
    Wrong(
        speculative_keeps_at_the_border,
        "keeps the guess where u equals the ratio: at u = 0 it would keep a token that p never writes. It is <, not <=",
    ),
    Wrong(
        speculative_reaches,
        "takes the first id at which the running sum reaches v: at v = 0 that is id 0 even when "
        "its rest is 0. The sum must exceed v (side='right')",
    ),
)
EXERCISE = Exercise("10.7", "Check one guess", "core", speculative_step, check_speculative, HINTS, WRONG, points=2)
