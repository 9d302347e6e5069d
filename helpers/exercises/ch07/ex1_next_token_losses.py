"""Exercise 7.1, Shift by one: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.exercises.ch07.shared import random_table
from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def next_token_losses(P, ids):
    """The losses in nats of a text, shape (T - 1,). ids (T,); P (T, V): row t is the prediction made after reading ids[t]."""
    return np.array([-np.log(P[t, ids[t + 1]]) for t in range(len(ids) - 1)])


def losses_no_shift(P, ids):
    return np.array([-np.log(P[t, ids[t]]) for t in range(len(ids) - 1)])


def losses_no_shift_all(P, ids):
    return np.array([-np.log(P[t, ids[t]]) for t in range(len(ids))])


def losses_wrong_way(P, ids):
    return np.array([-np.log(P[t, ids[t - 1]]) for t in range(1, len(ids))])


def losses_wrap_around(P, ids):
    return np.array([-np.log(P[t, ids[(t + 1) % len(ids)]]) for t in range(len(ids))])


def losses_bits(P, ids):
    return next_token_losses(P, ids) / np.log(2)


def losses_mean(P, ids):
    return float(next_token_losses(P, ids).mean())


def losses_sign(P, ids):
    return -next_token_losses(P, ids)


def draw_next_token_losses(rng: np.random.Generator) -> tuple:
    T, V = int(rng.integers(4, 9)), 5
    return rng.dirichlet(np.ones(V), size=T), rng.integers(0, V, size=T).tolist()


def check_next_token_losses(t: Trial) -> None:
    texts = (([2, 0, 1, 1], 4), ([4, 2, 2, 0, 3, 1, 0, 4, 1, 3, 2, 0], 5))
    small = (np.array([[0.5, 0.25, 0.25], [0.125, 0.375, 0.5]]), [0, 1])
    for P, ids in [small, *((random_table(len(ids), V, V), ids) for ids, V in texts), *t.fresh(draw_next_token_losses)]:
        got, expected = t.call(P, ids), next_token_losses(P, ids)
        t.close(got, expected, rtol=1e-6, what=f"the losses of {len(ids)} tokens")


HINTS = (
    "After reading ids[t] the model predicts ids[t + 1]. So row t of P belongs to the target ids[t + 1].",
    "The last row has no target. A text of T tokens has T - 1 losses: for t in range(T - 1), -ln of P[t, ids[t + 1]].",
)
WRONG = (
    Wrong(
        losses_no_shift,
        "asks each row for the token that was just read: a model that repeats its input would "
        "look perfect. "
        "The target of row t is ids[t + 1]",
    ),
    Wrong(
        losses_no_shift_all,
        "pairs every row with the token that it has just read, and so finds a loss for each of the T tokens; shift by one",
    ),
    Wrong(losses_wrong_way, "shifts the wrong way: row t is asked for the token before it, which it has already read"),
    Wrong(losses_wrap_around, "gives the last row a target, the first token of the text: nothing follows the last token"),
    Wrong(losses_bits, "gives bits: use the natural logarithm for nats"),
    Wrong(losses_mean, "returns the mean: here every single loss is wanted"),
    Wrong(losses_sign, "has the sign turned: a loss is -ln p, and it is never below 0"),
)
EXERCISE = Exercise("7.1", "Shift by one", "warm-up", next_token_losses, check_next_token_losses, HINTS, WRONG, points=1)
