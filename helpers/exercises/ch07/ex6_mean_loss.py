"""Exercise 7.6, Padding counted in the loss: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.exercises.ch07.shared import random_table
from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def mean_loss(log_probs, targets, lengths):
    """Mean loss in nats per real token. log_probs: (B, T, V); targets: (B, T) ids, padded on the right; lengths: (B,)."""
    B, T = targets.shape
    losses = -log_probs[np.arange(B)[:, None], np.arange(T)[None, :], targets]
    real = np.arange(T)[None, :] < np.asarray(lengths)[:, None]
    return float((losses * real).sum() / real.sum())


def mean_loss_padded(log_probs, targets, lengths):
    """Mean loss in nats per real token. log_probs: (B, T, V); targets: (B, T) ids, padded on the right; lengths: (B,)."""
    B, T = targets.shape
    losses = -log_probs[np.arange(B)[:, None], np.arange(T)[None, :], targets]
    return float(losses.mean())


def _loss_table(log_probs, targets, lengths):
    B, T = targets.shape
    losses = -log_probs[np.arange(B)[:, None], np.arange(T)[None, :], targets]
    return losses, np.arange(T)[None, :] < np.asarray(lengths)[:, None]


def mean_loss_divided_by_all(log_probs, targets, lengths):
    losses, real = _loss_table(log_probs, targets, lengths)
    return float((losses * real).mean())


def mean_loss_of_means(log_probs, targets, lengths):
    losses, real = _loss_table(log_probs, targets, lengths)
    return float(((losses * real).sum(axis=1) / real.sum(axis=1)).mean())


def mean_loss_by_id(log_probs, targets, lengths):
    losses, _ = _loss_table(log_probs, targets, lengths)
    real = np.asarray(targets) != 0
    return float((losses * real).sum() / real.sum())


def mean_loss_one_more(log_probs, targets, lengths):
    losses, _ = _loss_table(log_probs, targets, lengths)
    real = np.arange(losses.shape[1])[None, :] <= np.asarray(lengths)[:, None]
    return float((losses * real).sum() / real.sum())


def mean_loss_one_less(log_probs, targets, lengths):
    losses, _ = _loss_table(log_probs, targets, lengths)
    real = np.arange(losses.shape[1])[None, :] < np.asarray(lengths)[:, None] - 1
    return float((losses * real).sum() / real.sum())


def mean_loss_sum(log_probs, targets, lengths):
    losses, real = _loss_table(log_probs, targets, lengths)
    return float((losses * real).sum())


def draw_mean_loss(rng: np.random.Generator) -> tuple:
    lengths = rng.integers(1, 6, size=3)
    lengths[0] = 5
    return rng.integers(0, 4, size=(3, 5)), lengths, int(rng.integers(1000))


def check_mean_loss(t: Trial) -> None:
    cases = [
        ([[1, 0, 3, 0, 0, 0], [2, 1, 3, 2, 1, 0]], [4, 6]),
        ([[1, 0, 0, 0, 0], [3, 1, 2, 2, 0]], [2, 5]),
        ([[2, 3, 1, 0], [1, 0, 0, 0]], [4, 2]),
    ]
    for targets, lengths, seed in [*((*case, number) for number, case in enumerate(cases)), *t.fresh(draw_mean_loss)]:
        targets = np.array(targets)
        P = np.stack([random_table(targets.shape[1], 4, 7 * seed + row) for row in range(len(targets))])
        args = (np.log(P), targets, np.array(lengths))
        t.close(t.call(*args), mean_loss(*args), rtol=1e-6, what="the mean loss")


HINTS = (
    "Add a column of padding to both texts. Their real tokens have not changed; should the loss change?",
    "np.arange(T)[None, :] < lengths[:, None] is True at the real tokens. Sum only there, and divide by their number.",
    "Do not look for the padding id: id 0 is also a real token here, the end of a text.",
)
WRONG = (
    Wrong(mean_loss_padded, "counts the padding: its losses are in the mean. Use the lengths to leave it out"),
    Wrong(
        mean_loss_divided_by_all,
        "leaves padding out of the sum, but divides by all positions: divide by the number of real tokens",
    ),
    Wrong(
        mean_loss_of_means,
        "averages the means of the texts: a token of a short text would weigh more. Add up all losses, divide once",
    ),
    Wrong(
        mean_loss_by_id,
        "leaves out every token whose id is 0: the real end-of-text tokens have this id too, "
        "and the model "
        "would never learn to stop. Go by the lengths",
    ),
    Wrong(mean_loss_one_more, "counts one padding token for each text: position t is real when t < length"),
    Wrong(mean_loss_one_less, "leaves out the last real token of each text: the end must be learned, too"),
    Wrong(mean_loss_sum, "returns the sum: a batch with more text would always look worse"),
)
EXERCISE = Exercise(
    "7.6",
    "Padding counted in the loss",
    "find the bug",
    mean_loss,
    check_mean_loss,
    HINTS,
    WRONG,
    points=2,
    start=mean_loss_padded,
)
