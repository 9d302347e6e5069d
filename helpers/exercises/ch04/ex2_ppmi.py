"""Exercise 4.2, PPMI: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def ppmi(C):
    """Positive pointwise mutual information in nats of a table of co-occurrence counts C (V, V); zero counts give 0."""
    joint = C / C.sum()
    expected = np.outer(joint.sum(axis=1), joint.sum(axis=0))
    out = np.zeros(C.shape)
    seen = C > 0
    out[seen] = np.log(joint[seen] / expected[seen])
    return np.maximum(out, 0)


def pmi_not_positive(C):
    joint = C / C.sum()
    expected = np.outer(joint.sum(axis=1), joint.sum(axis=0))
    out = np.zeros(C.shape)
    out[C > 0] = np.log(joint[C > 0] / expected[C > 0])
    return out


def ppmi_base_two(C):
    return ppmi(C) / np.log(2)


def ppmi_of_counts(C):
    expected = np.outer(C.sum(axis=1), C.sum(axis=0))
    out = np.zeros(C.shape)
    out[C > 0] = np.log(C[C > 0] / expected[C > 0])
    return np.maximum(out, 0)


def ppmi_conditional(C):
    share = C / C.sum(axis=1, keepdims=True)
    out = np.zeros(C.shape)
    out[C > 0] = np.log(share[C > 0])
    return out


def ppmi_absolute(C):
    return np.abs(pmi_not_positive(C))


def ppmi_upside_down(C):
    return np.maximum(-pmi_not_positive(C), 0)


def ppmi_of_all_cells(C):
    joint = C / C.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.maximum(0, np.log(joint / np.outer(joint.sum(axis=1), joint.sum(axis=0))))


def ppmi_rows_twice(C):
    joint = C / C.sum()
    expected = np.outer(joint.sum(axis=1), joint.sum(axis=1))
    out = np.zeros(C.shape)
    out[C > 0] = np.log(joint[C > 0] / expected[C > 0])
    return np.maximum(out, 0)


def draw_ppmi(rng: np.random.Generator) -> list:
    return (rng.integers(0, 6, size=(4, 4)) + np.eye(4, dtype=int)).tolist()


def check_ppmi(t: Trial) -> None:
    for C in (
        [[1, 5], [0, 2]],
        [[4, 1, 0], [1, 2, 3], [0, 3, 6]],
        [[8, 2], [2, 4]],
        [[4, 0], [0, 4]],
        [[0, 3, 1], [3, 0, 0], [1, 0, 6]],
        [[2, 1, 0], [1, 3, 0], [0, 0, 0]],
        *t.fresh(draw_ppmi),
    ):
        C = np.array(C, dtype=float)
        t.close(t.call(C), ppmi(C), rtol=1e-7, what="the table")


HINTS = (
    "Turn counts into probabilities first: joint = C / C.sum(). Row sums and column sums of joint are p(a) and p(b).",
    "np.outer(p_a, p_b) is what independence would give. Take the logarithm only where C > 0; the rest stays 0.",
    "At the end: np.maximum(table, 0).",
)
WRONG = (
    Wrong(pmi_not_positive, "keeps negative values; PPMI replaces every value below 0 by 0"),
    Wrong(ppmi_base_two, "takes the logarithm to base 2 (bits); this course measures in nats, with np.log"),
    Wrong(
        ppmi_of_counts,
        "divides counts by products of counts; turn them into probabilities first, or a factor C.sum() is missing",
    ),
    Wrong(
        ppmi_conditional,
        "takes the logarithm of the share within the row, which is never above 0; compare it with "
        "the share "
        "of the column word overall",
    ),
    Wrong(
        ppmi_of_all_cells,
        "divides 0 by 0 for a word without any count, which gives NaN, and takes the logarithm of "
        "0 elsewhere; compute only where C > 0",
    ),
    Wrong(
        ppmi_rows_twice,
        "takes the row sums for both margins; p(b) is the sum of a column. With a symmetric table one does not see it",
    ),
    Wrong(
        ppmi_absolute,
        "turns negative values into positive ones; a pair that avoids each other must get 0, not a large value",
    ),
    Wrong(ppmi_upside_down, "divides what independence would give by what was seen; it is the other way round"),
)
EXERCISE = Exercise("4.2", "PPMI", "core", ppmi, check_ppmi, HINTS, WRONG, points=2)
