"""Exercise 8.4, Weights that fit only one pairing: the reference solution, wrong answers, the check."""

import math

import numpy as np
import torch

from helpers.exercises.ch08.shared import drawn, random_tensor
from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial, gradients
from helpers.models.attention import rotate


def rotate_vectors(x, angles):
    """Turn the pair (x_i, x_{i + D/2}) of each vector by its angle. x: (T, D), angles: (T, D/2). Returns (T, D)."""
    half = x.shape[1] // 2
    first, second = x[:, :half], x[:, half:]
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=1)


def rotate_mixed(x, angles):
    """Turn the pair (x_i, x_{i + D/2}) of each vector by its angle. x: (T, D), angles: (T, D/2). Returns (T, D)."""
    first, second = x[:, 0::2], x[:, 1::2]
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=1)


def rotate_even_odd(x, angles):
    first, second = x[:, 0::2], x[:, 1::2]
    cos, sin = angles.cos(), angles.sin()
    return torch.stack([first * cos - second * sin, first * sin + second * cos], dim=2).flatten(1)


def _halves(x, angles, f):
    half = x.shape[1] // 2
    return torch.cat(f(x[:, :half], x[:, half:], angles.cos(), angles.sin()), dim=1)


def rotate_backwards(x, angles):
    return _halves(x, angles, lambda a, b, cos, sin: [a * cos + b * sin, b * cos - a * sin])


def rotate_same_sign(x, angles):
    return _halves(x, angles, lambda a, b, cos, sin: [a * cos + b * sin, a * sin + b * cos])


def rotate_swapped(x, angles):
    return _halves(x, angles, lambda a, b, cos, sin: [a * sin + b * cos, a * cos - b * sin])


def rotate_overwritten(x, angles):
    def f(a, b, cos, sin):
        a = a * cos - b * sin
        return [a, a * sin + b * cos]

    return _halves(x, angles, f)


def rotate_chunks_interleaved(x, angles):
    first, second = rotate_vectors(x, angles).chunk(2, dim=-1)
    return torch.stack([first, second], dim=-1).flatten(1)


def rotate_vectors_of_the_course(x, angles):
    return rotate(x, angles.cos(), angles.sin())


def draw_rotate_vectors(rng: np.random.Generator) -> tuple:
    T, half = int(rng.integers(2, 5)), int(rng.integers(2, 5))
    return drawn(rng, T, 2 * half), 3 * drawn(rng, T, half)


def check_rotate(t: Trial) -> None:
    x = torch.tensor([[2.0, 1.0]])
    t.close(t.call(x, torch.tensor([[math.pi / 4]])), [[0.5**0.5, 3 * 0.5**0.5]], rtol=1e-5, what="[2, 1] turned by 45 degrees")
    still = t.call(torch.arange(6.0)[None], torch.zeros(1, 3))
    t.close(still, [[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]], what="a vector at position 0, which must stay")
    last = (random_tensor(7, 3, 6), torch.arange(3.0)[:, None] * torch.tensor([1.0, 0.1, 0.01]))
    for case in [last, *t.fresh(draw_rotate_vectors)]:
        t.close(t.call(*case), rotate_vectors(*case), rtol=1e-5, atol=1e-6, what="the rotated vectors")
    for got, expected in zip(t.gradients(*last), gradients(rotate_vectors, *last)):
        t.close(got, expected, rtol=1e-4, atol=1e-5, what="a gradient of the rotation")


HINTS = (
    "Rotate [0, 1, 2, 3] by angles of 0. Nothing may change. What comes out?",
    "It reads even and odd channels, and glues the result together as two halves. Read halves as well: x[:, :half], x[:, half:].",
)
WRONG = (
    Wrong(
        rotate_chunks_interleaved, "reads halves but writes even and odd channels: at angle 0 the channels already change places"
    ),
    Wrong(rotate_mixed, "reads even and odd channels but writes halves: at angle 0 the channels already change places"),
    Wrong(
        rotate_even_odd,
        "pairs even with odd channels; that is a good rotation as well, but weights in "
        "the order of the library need pairs (i, i + D/2)",
    ),
    Wrong(rotate_backwards, "turns the other way round (by minus the angle)"),
    Wrong(rotate_same_sign, "has no minus sign: that is no rotation, it does not keep lengths"),
    Wrong(rotate_swapped, "gives back the two halves in the wrong order"),
    Wrong(
        rotate_overwritten,
        "uses the already turned first half to compute the second: keep the old one until both are done",
    ),
)
AFTER = "SmolLM2 tells places apart with it in section 14."
EXERCISE = Exercise(
    "8.4",
    "Weights that fit only one pairing",
    "find the bug",
    rotate_vectors,
    check_rotate,
    HINTS,
    WRONG,
    points=2,
    start=rotate_mixed,
    course=rotate_vectors_of_the_course,
    after=AFTER,
)
