"""What can be wrong with an argument: another type, empty, negative, NaN, huge, another shape or kind, out of range."""

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from helpers.lab.formatting import is_tensor

WRONG_TYPES: tuple[Any, ...] = (None, "text", b"bytes", 2.5, 7, True, 1 + 2j, [], (), {}, {1}, object, [None], [[]], "", range(3))
NUMBERS = (
    -1,
    0,
    1,
    2,
    -2.5,
    0.5,
    math.nan,
    math.inf,
    -math.inf,
    10**30,
    10**400,
    1e308,
    -(2**63),
    np.int64(3),
    np.float32(0.5),
    True,
)
TEXTS = ("", " ", "\x00", "\ud800", "é", "日本", "🙂", "a" * 500, "\n\n", "$x_$", "%s{}", "A. " * 50)


def damaged(rng: np.random.Generator, value: Any) -> Any:
    """A damaged copy of the value; what it was stays as it is."""
    return _pick(rng, [*_of_its_kind(value), lambda rng: copy.copy(_pick(rng, WRONG_TYPES))])(rng)


def _pick(rng: np.random.Generator, options: Any) -> Any:
    return options[int(rng.integers(len(options)))]


def _of_its_kind(value: Any) -> list[Callable[[np.random.Generator], Any]]:
    if isinstance(value, (bool, int, float, np.number)):
        return [lambda rng: _pick(rng, NUMBERS)] * 4
    if isinstance(value, str):
        return [lambda rng: _pick(rng, TEXTS)] * 4
    if isinstance(value, np.ndarray):
        return [lambda rng: _array(rng, value)] * 6
    if is_tensor(value):
        return [lambda rng: _tensor(rng, value)] * 6
    if isinstance(value, (list, tuple)):
        return [lambda rng: _sequence(rng, value)] * 5
    if isinstance(value, dict):
        return [lambda rng: _dictionary(rng, value)] * 3
    return []


def _array(rng: np.random.Generator, a: np.ndarray) -> Any:
    a = a.copy()
    spoiled = a.astype(float) if a.dtype.kind in "biuf" else a
    if spoiled.size and spoiled.dtype.kind == "f":
        spoiled.flat[int(rng.integers(spoiled.size))] = _pick(rng, (math.nan, math.inf, -math.inf, -1.0, 1e308, 0.5))
    options = [spoiled, a[:0], a[None], a[::-1], a * 0 if a.dtype.kind in "biuf" else a, a.ravel(), np.asfortranarray(a)]
    if a.dtype.kind in "biuf":
        options += [-a.astype(float), a.astype(np.float16), a.astype(complex), a.astype(str), a.astype(object), a.astype(bool)]
        options += [a.astype(float) + 1e6, a.astype(np.int8), np.full(a.shape, np.nan)]
    if a.ndim and len(a):
        options += [a[:-1], np.concatenate([a, a[:1]]), np.repeat(a, 2, axis=0)[::2], a[0], a.tolist()]
    if a.ndim > 1 and a.shape[1]:
        options += [a.T, a[:, :0], a[:, 0]]
    return _pick(rng, options)


def _tensor(rng: np.random.Generator, t: Any) -> Any:
    import torch

    t = t.detach().clone()
    options = [
        t[:0] if t.ndim else t,
        t[None],
        t.reshape(-1),
        torch.zeros_like(t),
        t.numpy(),
        t.tolist(),
        t.double(),
        t.half(),
        t.long(),
    ]
    options += [t.double() + 1e6, -t if t.dtype != torch.bool else t, torch.full(t.shape, math.nan), t.bool()]
    if t.ndim and len(t):
        options += [t[:-1], torch.cat([t, t[:1]]), t[0], t.repeat_interleave(2, 0)[::2]]
    if t.ndim > 1:
        options += [t.transpose(0, 1), t[:, :0]]
    return _pick(rng, options)


def _sequence(rng: np.random.Generator, s: Any) -> Any:
    items = list(s)
    options: list[Any] = [[], items[:-1], items + items[:1], [None, *items[1:]], [items], set(), tuple(items), iter(items), None]
    if items:
        at = int(rng.integers(len(items)))
        spoiled = list(items)
        spoiled[at] = damaged(rng, items[at])
        options += [spoiled, spoiled, spoiled, items * 3]
    if items and all(isinstance(i, int) and abs(i) < 2**53 for i in items):
        options += [[-1, *items[1:]], [10**6, *items[1:]], [float(i) for i in items], np.array(items), [10**30]]
    return _pick(rng, options)


def _dictionary(rng: np.random.Generator, d: dict) -> Any:
    spoiled = dict(d)
    if d:
        key = list(d)[int(rng.integers(len(d)))]
        spoiled[key] = damaged(rng, d[key])
    return _pick(rng, [{}, spoiled, spoiled, {**d, None: None}, dict(list(d.items())[1:]), list(d)])
