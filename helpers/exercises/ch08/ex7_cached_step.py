"""Exercise 8.7, One step with a cache: the reference solution, wrong answers, the check."""

import math

import numpy as np
import torch

from helpers.exercises.ch08.shared import drawn, random_tensor
from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial
from helpers.models.attention import attend


def cached_step(q, k, v, keys, values):
    """Attention of one new token. q, k, v: (1, D) of the new token; keys, values: (S, D) of all tokens before it.

    Returns the output (1, D), and keys and values with the new token's at the end, (S + 1, D) each.
    """
    keys, values = torch.cat([keys, k]), torch.cat([values, v])
    scores = q @ keys.T / math.sqrt(q.shape[1])  # (1, S + 1)
    return torch.softmax(scores, dim=-1) @ values, keys, values


def _step(q, keys, values):
    return torch.softmax(q @ keys.T / math.sqrt(q.shape[1]), dim=-1) @ values


def step_without_self(q, k, v, keys, values):
    out = _step(q, keys, values) if len(keys) else torch.zeros_like(v)
    return out, torch.cat([keys, k]), torch.cat([values, v])


def step_only_self(q, k, v, keys, values):
    return v.clone(), torch.cat([keys, k]), torch.cat([values, v])


def step_not_kept(q, k, v, keys, values):
    return _step(q, torch.cat([keys, k]), torch.cat([values, v])), keys, values


def step_caches_query(q, k, v, keys, values):
    keys, values = torch.cat([keys, q]), torch.cat([values, v])
    return _step(q, keys, values), keys, values


def step_in_front(q, k, v, keys, values):
    keys, values = torch.cat([k, keys]), torch.cat([v, values])
    return _step(q, keys, values), keys, values


def step_keys_as_values(q, k, v, keys, values):
    keys, values = torch.cat([keys, k]), torch.cat([values, k])
    return _step(q, keys, values), keys, values


def step_unscaled(q, k, v, keys, values):
    keys, values = torch.cat([keys, k]), torch.cat([values, v])
    return torch.softmax(q @ keys.T, dim=-1) @ values, keys, values


def cached_step_of_the_course(q, k, v, keys, values):
    keys, values = torch.cat([keys, k]), torch.cat([values, v])
    return attend(q, keys, values), keys, values


def draw_cached_step(rng: np.random.Generator) -> tuple:
    S, D = int(rng.integers(1, 5)), int(rng.integers(2, 5))
    return *(drawn(rng, 1, D) for _ in range(3)), drawn(rng, S, D), drawn(rng, S, D)


def check_cached_step(t: Trial) -> None:
    cases = [tuple(torch.tensor(x) for x in ([[1.0]], [[2.0]], [[3.0]], [[0.0], [1.0]], [[1.0], [2.0]]))]
    for seed, (S, D) in enumerate([(2, 4), (0, 2), (5, 3)]):
        q, k, v = (random_tensor(seed * 10 + i, 1, D) for i in range(3))
        cases.append((q, k, v, random_tensor(seed + 50, S, D), random_tensor(seed + 60, S, D)))
    for case in [*cases, *t.fresh(draw_cached_step)]:
        got, expected = t.call(*case), cached_step(*case)
        t.true(
            isinstance(got, tuple | list) and len(got) == 3,
            "returns something else than three tensors: output, keys, values",
            "3 tensors",
            got,
        )
        t.close(got[1], expected[1], rtol=1e-5, what="the keys to keep")
        t.close(got[2], expected[2], rtol=1e-5, what="the values to keep")
        t.close(got[0], expected[0], rtol=1e-5, atol=1e-6, what="the output")


HINTS = (
    "Append first (torch.cat([keys, k])), then look: the new token may look at itself.",
    "No mask is needed: everything in the cache lies to the left. Return the output, the longer keys, the longer values.",
)
WRONG = (
    Wrong(step_without_self, "looks at the old tokens only: a token may look at itself, so append before looking"),
    Wrong(step_only_self, "returns the new token's own value: it must look at all tokens in the cache"),
    Wrong(step_not_kept, "gives back the cache as it was: the next token would not find this one"),
    Wrong(step_caches_query, "keeps the query in place of the key; a query is used once and thrown away"),
    Wrong(step_in_front, "puts the new token in front: the order of the cache is that of the text"),
    Wrong(step_keys_as_values, "keeps the key as the value"),
    Wrong(step_unscaled, "does not divide the scores by the square root of the width"),
)
AFTER = "SmolLM2 writes token by token with it in section 14."
EXERCISE = Exercise(
    "8.7",
    "One step with a cache",
    "core",
    cached_step,
    check_cached_step,
    HINTS,
    WRONG,
    points=2,
    course=cached_step_of_the_course,
    after=AFTER,
)
