"""Exercise 10.1, One knob, three cases: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.exercises.ch10.shared import softmax
from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def temperature_probs(logits, T):
    """Probabilities at temperature T. T = 0: all on the largest logit (of equals, the first). T < 0: a ValueError."""
    logits = np.asarray(logits, dtype=float)
    if T < 0:
        raise ValueError(f"expected a temperature of 0 or more, got {T}")
    if T == 0:
        p = np.zeros(len(logits))
        p[np.argmax(logits)] = 1.0
        return p
    z = logits / T
    e = np.exp(z - z.max())
    return e / e.sum()


def _tempered(logits, T, f):
    logits = np.asarray(logits, dtype=float)
    if T < 0:
        raise ValueError("T < 0")
    return np.eye(len(logits))[np.argmax(logits)] if T == 0 else f(logits, T)


def temperature_multiplied(logits, T):
    return _tempered(logits, T, lambda z, T: softmax(z * T))


def temperature_of_probs(logits, T):
    return _tempered(logits, T, lambda z, T: softmax(softmax(z) / T))


def temperature_after(logits, T):
    return _tempered(logits, T, lambda z, T: softmax(z) / T)


def temperature_overflow(logits, T):
    return _tempered(logits, T, lambda z, T: np.exp(z / T) / np.exp(z / T).sum())


def temperature_zero_is_one(logits, T):
    if T < 0:
        raise ValueError("T < 0")
    return softmax(np.asarray(logits, dtype=float) / (T or 1.0))


def temperature_shares_ties(logits, T):
    logits = np.asarray(logits, dtype=float)
    if T == 0:
        best = logits == logits.max()
        return best / best.sum()
    return temperature_probs(logits, T)


def temperature_negative(logits, T):
    return temperature_probs(logits, abs(T))


def draw_temperature_probs(rng: np.random.Generator) -> tuple:
    return (3 * rng.normal(size=int(rng.integers(3, 7)))).tolist(), float(rng.uniform(0.3, 3))


def check_temperature(t: Trial) -> None:
    cases = (([4.0, 2.0, 0.0], 1.0), ([4.0, 2.0, 0.0], 0.5), ([4.0, 2.0, 0.0], 2.0), ([1000.0, 998.0, 0.0], 1.0))
    for logits, T in [*cases, *t.fresh(draw_temperature_probs)]:
        t.close(t.call(np.array(logits), T), temperature_probs(logits, T), atol=1e-9, what=f"the probabilities at T = {T}")
    t.close(t.call(np.array([1.0, 3.0, 2.0]), 0), [0, 1, 0], what="the probabilities at T = 0")
    t.close(t.call(np.array([3.0, 1.0, 3.0]), 0), [1, 0, 0], what="the probabilities at T = 0 where two are equal")

    def refuses(f):
        try:
            f(np.array([1.0, 2.0]), -1.0)
        except ValueError:
            return True
        return False

    refused = t.run(refuses, "temperature_probs(np.array([1.0, 2.0]), -1.0)")
    diagnosis = "accepts a negative temperature, which has no meaning here: refuse it with a ValueError"
    t.true(refused, diagnosis, "ValueError", "a result")


HINTS = (
    "Divide the logits by T, subtract the largest, exponentiate, divide by the sum.",
    "T = 0 cannot be divided by. Return zeros with a 1 at np.argmax(logits). T < 0: raise ValueError.",
)
WRONG = (
    Wrong(temperature_multiplied, "multiplies by T: then a high temperature makes the favorite stronger"),
    Wrong(temperature_of_probs, "divides the probabilities and makes a softmax of them; the temperature divides the logits"),
    Wrong(temperature_after, "divides the probabilities by T: they do not sum to 1, and their ratios stay the same"),
    Wrong(temperature_overflow, "does not subtract the largest logit: exp(1000) is too large, and inf / inf is NaN"),
    Wrong(temperature_zero_is_one, "treats T = 0 like T = 1; the limit is the greedy choice"),
    Wrong(temperature_shares_ties, "shares the probability among equal logits at T = 0; here the first of them gets it all"),
    Wrong(temperature_negative, "accepts a negative temperature, which has no meaning here: refuse it with a ValueError"),
)
AFTER = "It is the sampler of the chat that course.py mine writes."
EXERCISE = Exercise("10.1", "One knob, three cases", "warm-up", temperature_probs, check_temperature, HINTS, WRONG, after=AFTER)
