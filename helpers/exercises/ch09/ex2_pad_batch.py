"""Exercise 9.2, It never stops: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def pad_batch(rows, prompt_lengths, pad_id):
    """Rows of ids filled up on the right with pad_id, and labels: -100 on prompts and on padding. Returns two lists of lists."""
    longest = max(len(row) for row in rows)
    ids, labels = [], []
    for row, n_prompt in zip(rows, prompt_lengths):
        gap = longest - len(row)
        ids.append(list(row) + [pad_id] * gap)
        labels.append([-100] * n_prompt + list(row[n_prompt:]) + [-100] * gap)
    return ids, labels


def pad_batch_by_value(rows, prompt_lengths, pad_id):
    """Rows of ids filled up on the right with pad_id, and labels: -100 on prompts and on padding. Returns two lists of lists."""
    longest = max(len(row) for row in rows)
    ids, labels = [], []
    for row, n_prompt in zip(rows, prompt_lengths):
        padded = list(row) + [pad_id] * (longest - len(row))
        ids.append(padded)
        labels.append([-100 if i < n_prompt or id == pad_id else id for i, id in enumerate(padded)])
    return ids, labels


def _padded(rows, prompt_lengths, pad_id, label, left=False):
    longest = max(len(row) for row in rows)
    ids, labels = [], []
    for row, n in zip(rows, prompt_lengths):
        gap = [pad_id] * (longest - len(row))
        ids.append(gap + list(row) if left else list(row) + gap)
        labels.append(label(list(row), n, gap))
    return ids, labels


def pad_batch_learns_padding(rows, prompt_lengths, pad_id):
    return _padded(rows, prompt_lengths, pad_id, lambda row, n, gap: [-100] * n + row[n:] + gap)


def pad_batch_learns_prompts(rows, prompt_lengths, pad_id):
    return _padded(rows, prompt_lengths, pad_id, lambda row, n, gap: row + [-100] * len(gap))


def pad_batch_keeps_first_padding(rows, prompt_lengths, pad_id):
    return _padded(rows, prompt_lengths, pad_id, lambda row, n, gap: [-100] * n + row[n:] + gap[:1] + [-100] * len(gap[1:]))


def pad_batch_drops_last(rows, prompt_lengths, pad_id):
    return _padded(rows, prompt_lengths, pad_id, lambda row, n, gap: [-100] * n + row[n:-1] + [-100] * (len(gap) + 1))


def pad_batch_on_the_left(rows, prompt_lengths, pad_id):
    return _padded(rows, prompt_lengths, pad_id, lambda row, n, gap: [-100] * (len(gap) + n) + row[n:], left=True)


def pad_batch_one_more_prompt(rows, prompt_lengths, pad_id):
    return pad_batch(rows, [n + 1 for n in prompt_lengths], pad_id)


def pad_batch_one_less_prompt(rows, prompt_lengths, pad_id):
    return pad_batch(rows, [n - 1 for n in prompt_lengths], pad_id)


def draw_pad_batch(rng: np.random.Generator) -> tuple:
    rows = [rng.integers(0, 9, size=int(n)).tolist() for n in rng.integers(4, 9, size=3)]
    return rows, rng.integers(1, 4, size=3).tolist(), int(rng.integers(0, 9))


def check_pad_batch(t: Trial) -> None:
    cases = [
        ([[1, 3, 2], [1, 4, 4, 9, 2]], [2, 2], 5),
        ([[1, 2, 8, 9, 10, 7, 12, 2], [1, 5, 11, 2]], [6, 2], 2),
        ([[1, 4, 6, 0], [1, 5, 6, 7, 0, 8, 0]], [2, 3], 0),
    ]
    for rows, lengths, pad in [*cases, *t.fresh(draw_pad_batch)]:
        ids, labels = t.call(rows, lengths, pad)
        wanted = pad_batch(rows, lengths, pad)
        t.equal([list(r) for r in ids], wanted[0], what="the ids")
        t.equal([list(r) for r in labels], wanted[1], what="the labels")


HINTS = (
    "In SmolLM2 the padding and the end mark have the same id, 2. Read the line that makes the labels with pad_id = 2.",
    "A position is padding because of where it stands, len(row) or later, not because of the id that stands there.",
)
WRONG = (
    Wrong(pad_batch_one_more_prompt, "takes the first token of each reply for prompt: the mask is one too long"),
    Wrong(pad_batch_one_less_prompt, "leaves the last token of each prompt to be learned: the mask is one too short"),
    Wrong(
        pad_batch_by_value,
        "marks every token that has the padding's id, so also the end mark of a reply: the model never learns to stop",
    ),
    Wrong(pad_batch_learns_padding, "lets the padding count: the model learns to write padding after padding"),
    Wrong(pad_batch_learns_prompts, "lets the prompts count"),
    Wrong(pad_batch_keeps_first_padding, "lets the first padding count; the end mark of the reply is in the row already"),
    Wrong(pad_batch_drops_last, "marks the last token of each row: that is the end mark"),
    Wrong(pad_batch_on_the_left, "fills up on the left; on the right is asked"),
)
EXERCISE = Exercise(
    "9.2", "It never stops", "find the bug", pad_batch, check_pad_batch, HINTS, WRONG, points=2, start=pad_batch_by_value
)
