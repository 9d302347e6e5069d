"""Exercise 9.4, The best update of rank r: the reference solution, wrong answers, the check."""

import numpy as np
import torch

from helpers.exercises.ch09.shared import drawn, random_tensor
from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def factor_update(D, r, alpha):
    """A (r, in) and B (out, r) with (alpha / r) * B @ A as close to the update D (out, in) as rank r allows."""
    U, s, Vt = torch.linalg.svd(D, full_matrices=False)
    A = Vt[:r]
    B = U[:, :r] * s[:r] * (r / alpha)
    return A, B


def _factored(D, r, weigh, first=True):
    U, s, Vt = torch.linalg.svd(D, full_matrices=False)
    part = slice(0, r) if first else slice(len(s) - r, len(s))
    return Vt[part], U[:, part] * weigh(s[part])


def factor_no_scale(D, r, alpha):
    return _factored(D, r, lambda s: s)


def factor_scale_twice(D, r, alpha):
    return _factored(D, r, lambda s: s * alpha / r)


def factor_no_singular(D, r, alpha):
    return _factored(D, r, lambda s: torch.ones_like(s) * r / alpha)


def factor_smallest(D, r, alpha):
    return _factored(D, r, lambda s: s * r / alpha, first=False)


def factor_root_once(D, r, alpha):
    return _factored(D, r, lambda s: s.sqrt() * r / alpha)


def factor_swapped(D, r, alpha):
    A, B = factor_update(D, r, alpha)
    return B, A


def factor_rows(D, r, alpha):
    A = D[:r]
    return A, torch.eye(len(D))[:, :r] * (r / alpha)


def draw_factor_update(rng: np.random.Generator) -> tuple:
    o, i = (int(n) for n in rng.integers(4, 7, size=2))
    return drawn(rng, o, i), int(rng.integers(1, 4)), float(rng.uniform(1, 20))


def check_factor(t: Trial) -> None:
    cases = [
        (torch.tensor([[2.0, 0.0], [0.0, 1.0], [0.0, 0.0]]), 1, 2.0),
        (random_tensor(1, 5, 1) @ random_tensor(2, 1, 4), 1, 2.0),
        (random_tensor(3, 6, 2) @ random_tensor(4, 2, 7), 2, 16.0),
        (random_tensor(5, 6, 5), 3, 8.0),
    ]
    for D, r, alpha in [*cases, *t.fresh(draw_factor_update)]:
        found = t.call(D, r, alpha)
        t.true(isinstance(found, tuple | list) and len(found) == 2, "must return two matrices, A and B", "(A, B)", found)
        A, B = found
        t.equal([tuple(A.shape), tuple(B.shape)], [(r, D.shape[1]), (D.shape[0], r)], what="the shapes of A and B")
        best = factor_update(D, r, alpha)
        t.close(alpha / r * B @ A, alpha / r * best[1] @ best[0], rtol=1e-3, atol=1e-4, what="(alpha / r) * B @ A")


HINTS = (
    "torch.linalg.svd(D, full_matrices=False) gives U, s, Vt with D = U * s @ Vt, the largest singular value first.",
    "The first r columns of U, values of s and rows of Vt are the best approximation of rank r.",
    "A = Vt[:r]. B takes the rest: U[:, :r] * s[:r], and then times r / alpha, so that the factor alpha / r cancels.",
)
WRONG = (
    Wrong(factor_no_scale, "forgets that (alpha / r) will be multiplied on: divide B by it"),
    Wrong(factor_scale_twice, "multiplies B by alpha / r; it must be divided by it, since the layer multiplies again"),
    Wrong(factor_no_singular, "leaves out the singular values"),
    Wrong(factor_smallest, "keeps the smallest singular values in place of the largest"),
    Wrong(factor_root_once, "takes roots of the singular values for one factor, but not for the other"),
    Wrong(factor_swapped, "gives A and B in the wrong order: A is (r, in), B is (out, r)"),
    Wrong(factor_rows, "keeps the first r rows of the update; the best rank r comes from the singular values"),
)
EXERCISE = Exercise("9.4", "The best update of rank r", "stretch", factor_update, check_factor, HINTS, WRONG, points=3)
