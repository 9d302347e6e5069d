"""Exercise 8.8, A softmax that never sees it all: the reference solution, wrong answers, the check."""

import math

import numpy as np
import torch

from helpers.exercises.ch08.shared import drawn
from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def online_attention(blocks):
    """The weighted average of the values, block by block. blocks: an iterable of (scores (n,), values (n, E)), to be read once.

    Equal to softmax(all scores) @ all values, without ever holding more than one block: a block is gone when the next one
    comes. Returns (E,).
    """
    largest, total, out = -math.inf, 0.0, 0.0
    for scores, values in blocks:
        new = max(largest, float(scores.max()))
        rescale, e = math.exp(largest - new), torch.exp(scores - new)
        total = total * rescale + e.sum()
        out = out * rescale + e @ values
        largest = new
    return out / total


def online_block_by_block(blocks):
    return torch.stack([torch.softmax(s, 0) @ v for s, v in blocks]).mean(0)


def online_without_rescaling(blocks):
    total, out = 0.0, 0.0
    for scores, values in blocks:
        e = torch.exp(scores - scores.max())
        total, out = total + e.sum(), out + e @ values
    return out / total


def online_no_maximum(blocks):
    total, out = 0.0, 0.0
    for scores, values in blocks:
        e = torch.exp(scores)
        total, out = total + e.sum(), out + e @ values
    return out / total


def online_total_only(blocks):
    largest, total, out = -math.inf, 0.0, 0.0
    for scores, values in blocks:
        new = max(largest, float(scores.max()))
        e = torch.exp(scores - new)
        total, out, largest = total * math.exp(largest - new) + e.sum(), out + e @ values, new
    return out / total


def online_last_block(blocks):
    scores, values = blocks[-1]
    return torch.softmax(scores, 0) @ values


def online_not_divided(blocks):
    scores = torch.cat([s for s, _ in blocks])
    e = torch.exp(scores - scores.max())
    return e @ torch.cat([v for _, v in blocks])


def online_from_zero(blocks):
    largest, total, out = 0.0, 0.0, 0.0
    for scores, values in blocks:
        new = max(largest, float(scores.max()))
        rescale, e = math.exp(largest - new), torch.exp(scores - new)
        total, out, largest = total * rescale + e.sum(), out * rescale + e @ values, new
    return out / total


def online_newest_maximum(blocks):
    largest, total, out = -math.inf, 0.0, 0.0
    for scores, values in blocks:
        new = float(scores.max())
        rescale, e = math.exp(largest - new), torch.exp(scores - new)
        total, out, largest = total * rescale + e.sum(), out * rescale + e @ values, new
    return out / total


def online_keeps_all(blocks):
    blocks = list(blocks)
    return torch.softmax(torch.cat([s for s, _ in blocks]), 0) @ torch.cat([v for _, v in blocks])


def online_reads_twice(blocks):
    largest, total, out = max(float(s.max()) for s, _ in blocks), 0.0, 0.0
    for scores, values in blocks:
        e = torch.exp(scores - largest)
        total, out = total + e.sum(), out + e @ values
    return out / total


class _Once:
    """Blocks that can be read once; each is filled with NaN when the next one is asked for."""

    def __init__(self, blocks):
        self.blocks, self.read = blocks, False

    def __iter__(self):
        if self.read:
            raise ValueError("the blocks can be read only once")
        self.read = True
        return self.walk()

    def walk(self):
        for block in self.blocks:
            block = [part.clone() for part in block]
            yield tuple(block)
            for part in block:
                part.fill_(math.nan)


def online_no_rescaling(blocks):
    largest, total, out = -math.inf, 0.0, 0.0
    for scores, values in blocks:
        largest = max(largest, float(scores.max()))
        e = torch.exp(scores - largest)
        total, out = total + e.sum(), out + e @ values
    return out / total


def online_rescaled_upside_down(blocks):
    largest, total, out = None, 0.0, 0.0
    for scores, values in blocks:
        new = float(scores.max()) if largest is None else max(largest, float(scores.max()))
        rescale, e = 1.0 if largest is None else math.exp(min(new - largest, 80)), torch.exp(scores - new)
        total, out, largest = total * rescale + e.sum(), out * rescale + e @ values, new
    return out / total


def draw_online_attention(rng: np.random.Generator) -> list:
    return [(5 * drawn(rng, n), drawn(rng, n, 2)) for n in (int(m) for m in rng.integers(1, 4, size=3))]


def check_online(t: Trial) -> None:
    S, V = torch.tensor([2.0, 7.0, 4.0, 5.0]), torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 2.0], [4.0, 0.0]])
    far = torch.tensor([0.0, 100.0, 98.0, 99.5])
    cases = [
        [(S[:2], V[:2]), (S[2:], V[2:])],
        [(S[2:], V[2:]), (S[:2], V[:2])],
        [(S[:1], V[:1]), (S[1:3], V[1:3]), (S[3:], V[3:])],
        [(far[:2], V[:2]), (far[2:], V[2:])],
    ]
    low, falling = torch.tensor([-20_000.0, -20_001.0]), torch.tensor([100.0, 99.0, 0.0, 1.0])
    cases += [[(low[:1], V[:1]), (low[1:], V[1:2])], [(falling[:2], V[:2]), (falling[2:], V[2:])]]
    for blocks in [*cases, *t.fresh(draw_online_attention)]:
        t.close(t.call(blocks), online_attention(blocks), rtol=1e-5, atol=1e-6, what="the weighted average")

    def once(f):
        return f(_Once(cases[2]))

    got = t.run(once, "online_attention(blocks), where each block is gone when the next one comes")
    t.close(got, online_attention(cases[2]), rtol=1e-5, atol=1e-6, what="the weighted average")
    trained = V[:2].clone().requires_grad_()
    t.true(
        t.run(lambda f: bool(getattr(f([(S[:2], trained)]), "requires_grad", False)), "does a gradient come through the values?"),
        "gives a result cut off from the computation (by detach, item, NumPy or no_grad): nothing could be trained with it",
    )


HINTS = (
    "Keep three things: the largest score so far, the sum of exp(score - largest), the sum of exp(score - largest) * value.",
    "When a larger score turns up, both sums were computed with the old largest one. Multiply both by exp(old - new).",
    "Start with largest = -math.inf and sums of 0; at the end divide the second sum by the first.",
)
WRONG = (
    Wrong(
        online_no_rescaling,
        "takes the larger maximum, but leaves the old sums on their old scale: multiply both by exp(old maximum - new maximum)",
    ),
    Wrong(
        online_rescaled_upside_down,
        "rescales the old sums the wrong way: the factor is exp(old maximum - new maximum), at most 1",
    ),
    Wrong(online_block_by_block, "makes a softmax of each block and averages: a block with small scores must count less"),
    Wrong(
        online_without_rescaling,
        "subtracts each block's own largest score without rescaling: the blocks are then not on one scale",
    ),
    Wrong(online_no_maximum, "never subtracts the largest score: exp(100) is too large for 32 bits"),
    Wrong(online_total_only, "rescales the sum of exponentials, but not the weighted sum of values"),
    Wrong(online_last_block, "forgets all blocks but the last"),
    Wrong(online_not_divided, "does not divide by the sum of exponentials"),
    Wrong(
        online_from_zero,
        "starts with 0 as the largest score: where all scores lie far below it, each exponential is "
        "0, and 0 / 0 is NaN. Start with -math.inf",
    ),
    Wrong(
        online_newest_maximum,
        "takes the newest block's largest score, even where an older one was larger: exp(old - "
        "new) then grows beyond all bounds. Take the larger of the two",
    ),
    Wrong(online_keeps_all, "keeps blocks that are gone: use each one when it comes, and keep only the three numbers"),
    Wrong(online_reads_twice, "the blocks can be read only once"),
)
EXERCISE = Exercise("8.8", "A softmax that never sees it all", "stretch", online_attention, check_online, HINTS, WRONG, points=3)
