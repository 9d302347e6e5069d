"""Exercise 6.2, Perplexity: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def perplexity(p):
    """Perplexity of a text whose tokens got the probabilities p, an array of shape (T,)."""
    return float(np.exp(np.mean(-np.log(p))))


def perplexity_rounded(p):
    return float(np.exp(np.mean(np.round(-np.log(p), 2))))


def perplexity_of_mean(p):
    return float(1 / np.mean(p))


def perplexity_mixed_base(p):
    return float(np.exp(np.mean(-np.log2(p))))


def perplexity_of_sum(p):
    return float(np.exp(np.sum(-np.log(p))))


def perplexity_no_exp(p):
    return float(np.mean(-np.log(p)))


def perplexity_inverse(p):
    return float(np.exp(np.mean(np.log(p))))


def perplexity_without_zeros(p):
    return perplexity(p[p > 0])


def perplexity_softened(p):
    return float(np.exp(np.mean(-np.log(p + 1e-9))))


def perplexity_two_to_nats(p):
    return float(10 ** np.mean(-np.log10(p) / np.log10(np.e)))


def draw_perplexity(rng: np.random.Generator) -> list:
    return rng.uniform(0.01, 0.9, size=int(rng.integers(3, 9))).tolist()


def check_perplexity(t: Trial) -> None:
    for p in ([0.25, 0.5], [0.1, 0.1, 0.1], [0.10, 0.20, 0.05, 0.50, 0.30, 0.40, 0.15, 0.25], *t.fresh(draw_perplexity)):
        t.close(t.call(np.array(p)), perplexity(np.array(p)), rtol=1e-6, what="the perplexity")
    t.close(t.call(np.full(3000, 0.01)), 100.0, rtol=1e-6, what="the perplexity of 3,000 tokens with p = 0.01 each")
    t.close(t.call(np.array([1e-12, 1e-12])), 1e12, rtol=1e-6, what="the perplexity of two tokens with p = 1e-12")
    with np.errstate(divide="ignore"):
        got = t.call(np.array([0.5, 0.0]))
    t.close(got, np.inf, what="the perplexity of a text with a token of probability 0")


HINTS = (
    "Three steps: -ln p of every token, the mean of these, e to the power of the mean.",
    "np.log is the natural logarithm, np.exp its inverse: np.exp(np.mean(-np.log(p))).",
)
WRONG = (
    Wrong(perplexity_without_zeros, "drops tokens of probability 0: one that was impossible makes the whole text impossible"),
    Wrong(perplexity_softened, "adds a small number to the probabilities: an impossible token must cost infinitely much"),
    Wrong(perplexity_two_to_nats, "mixes base 10 and nats: logarithm and power must have the same base"),
    Wrong(perplexity_rounded, "rounds the losses before it averages them: round only what you print"),
    Wrong(
        perplexity_of_mean,
        "turns the mean probability over. Perplexity uses the geometric mean: average the "
        "logarithms, so that one "
        "tiny probability weighs in full",
    ),
    Wrong(perplexity_mixed_base, "takes the logarithm to base 2 and the power of e: both must have the same base"),
    Wrong(
        perplexity_of_sum,
        "adds the losses up without dividing by the number of tokens: a longer text would always look worse",
    ),
    Wrong(perplexity_no_exp, "stops at the cross-entropy in nats: perplexity is e to the power of it"),
    Wrong(perplexity_inverse, "has the sign turned: the loss is -ln p, and a perplexity is never below 1"),
)
AFTER = "It judges your Kneser-Ney model at the end of section 5."
EXERCISE = Exercise("6.2", "Perplexity", "warm-up", perplexity, check_perplexity, HINTS, WRONG, points=1, after=AFTER)
