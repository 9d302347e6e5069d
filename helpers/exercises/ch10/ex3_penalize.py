"""Exercise 10.3, A penalty that rewards: the reference solution, wrong answers, the check."""

import math

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def penalize(logits, seen, penalty):
    """Make each id in `seen` less likely, once: by the repetition penalty (> 1). Returns new logits; the others stay."""
    out = np.array(logits, dtype=float)
    for id in set(seen):
        out[id] = out[id] / penalty if out[id] > 0 else out[id] * penalty
    return out


def penalize_wrong_sign(logits, seen, penalty):
    """Make each id in `seen` less likely, once: by the repetition penalty (> 1). Returns new logits; the others stay."""
    out = np.array(logits, dtype=float)
    for id in set(seen):
        out[id] = out[id] / penalty
    return out


def penalize_each_time(logits, seen, penalty):
    out = np.array(logits, dtype=float)
    for id in seen:
        out[id] = out[id] / penalty if out[id] > 0 else out[id] * penalty
    return out


def penalize_subtracts(logits, seen, penalty):
    out = np.array(logits, dtype=float)
    out[list(set(seen))] -= penalty
    return out


def penalize_replaces(logits, seen, penalty):
    out = np.array(logits, dtype=float)
    out[list(set(seen))] = -penalty
    return out


def penalize_forbids(logits, seen, penalty):
    out = np.array(logits, dtype=float)
    out[list(set(seen))] = -math.inf
    return out


def penalize_rewards(logits, seen, penalty):
    out = np.array(logits, dtype=float)
    for id in set(seen):
        out[id] = out[id] * penalty if out[id] > 0 else out[id] / penalty
    return out


def penalize_all(logits, seen, penalty):
    out = np.array(logits, dtype=float)
    return np.where(out > 0, out / penalty, out * penalty)


def draw_penalize(rng: np.random.Generator) -> tuple:
    return (2 * rng.normal(size=6)).tolist(), rng.integers(0, 6, size=4).tolist(), float(rng.uniform(1.1, 3))


def check_penalize(t: Trial) -> None:
    four = [2.0, -1.0, 0.5, -3.0]
    for logits, seen, penalty in ((four, [0, 1], 2.0), (four, [1, 1, 2], 1.5), ([1.0, 2.0], [], 3.0), *t.fresh(draw_penalize)):
        t.close(t.call(np.array(logits), seen, penalty), penalize(logits, seen, penalty), what="the logits after the penalty")


HINTS = (
    "Follow the logit -1 with penalty 2. Is -0.5 more or less likely than -1?",
    "Positive logits are divided by the penalty, negative ones multiplied: both move down.",
)
WRONG = (
    Wrong(penalize_wrong_sign, "divides negative logits too: -1 becomes -0.5, so the seen token gets MORE likely"),
    Wrong(penalize_each_time, "applies the penalty once for each time a token was seen; this one counts a token once"),
    Wrong(penalize_subtracts, "subtracts the penalty: that is the presence penalty"),
    Wrong(penalize_replaces, "replaces the logit by a constant, whatever it was before"),
    Wrong(penalize_forbids, "forbids every seen token; a penalty only makes it less likely"),
    Wrong(penalize_rewards, "has the two cases the wrong way round: every seen token moves up"),
    Wrong(penalize_all, "changes all tokens, also those that were not seen"),
)
EXERCISE = Exercise(
    "10.3", "A penalty that rewards", "find the bug", penalize, check_penalize, HINTS, WRONG, start=penalize_wrong_sign
)
