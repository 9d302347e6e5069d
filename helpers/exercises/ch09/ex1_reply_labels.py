"""Exercise 9.1, What is to be learned: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def reply_labels(prompt_ids, reply_ids, end_id):
    """Labels for prompt + reply + end mark: -100 where nothing is to be learned. A list of len(prompt) + len(reply) + 1."""
    return [-100] * len(prompt_ids) + list(reply_ids) + [end_id]


def labels_without_end(prompt_ids, reply_ids, end_id):
    return [-100] * len(prompt_ids) + list(reply_ids) + [-100]


def labels_everything(prompt_ids, reply_ids, end_id):
    return list(prompt_ids) + list(reply_ids) + [end_id]


def labels_prompt_only(prompt_ids, reply_ids, end_id):
    return list(prompt_ids) + [-100] * (len(reply_ids) + 1)


def labels_shifted(prompt_ids, reply_ids, end_id):
    return [-100] * (len(prompt_ids) - 1) + list(reply_ids) + [end_id, -100]


def labels_end_forgotten(prompt_ids, reply_ids, end_id):
    return [-100] * len(prompt_ids) + list(reply_ids)


def labels_zero(prompt_ids, reply_ids, end_id):
    return [0] * len(prompt_ids) + list(reply_ids) + [end_id]


def labels_mask_one_short(prompt_ids, reply_ids, end_id):
    return [-100] * (len(prompt_ids) - 1) + list(prompt_ids[-1:]) + list(reply_ids) + [end_id]


def draw_reply_labels(rng: np.random.Generator) -> tuple:
    return (
        rng.integers(3, 99, size=int(rng.integers(1, 6))).tolist(),
        rng.integers(3, 99, size=int(rng.integers(0, 5))).tolist(),
        2,
    )


def check_reply_labels(t: Trial) -> None:
    cases = (([5, 6], [7], 2), ([1, 2, 3, 4, 5, 6, 7], [11], 0), ([1, 9, 4, 2], [8, 9, 4], 2), ([5, 6], [], 2))
    for prompt, reply, end in [*cases, *t.fresh(draw_reply_labels)]:
        t.equal(t.call(prompt, reply, end), reply_labels(prompt, reply, end), what="the labels")


HINTS = (
    "The labels are as long as the ids: one for each token of prompt, reply and end mark.",
    "-100 for each token of the prompt, then the ids of the reply, then the end mark: stopping must be learned too.",
)
WRONG = (
    Wrong(labels_mask_one_short, "leaves the last token of the prompt to be learned: all of the prompt gets -100"),
    Wrong(labels_without_end, "hides the end mark: the model would never learn to stop"),
    Wrong(labels_everything, "learns the prompt as well: mark it with -100"),
    Wrong(labels_prompt_only, "has it the wrong way round: the reply is learned, the prompt is not"),
    Wrong(
        labels_shifted,
        "moves the labels to the left; labels stand where their ids stand, and the shift by one comes when a batch is made",
    ),
    Wrong(labels_end_forgotten, "leaves the end mark out, so labels and ids have different lengths"),
    Wrong(labels_zero, "marks the prompt with 0, which is a token like any other; -100 is the mark"),
)
EXERCISE = Exercise("9.1", "What is to be learned", "warm-up", reply_labels, check_reply_labels, HINTS, WRONG)
