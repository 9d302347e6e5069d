"""What the measures ask of labels and predictions."""

from __future__ import annotations

import numpy as np

from helpers.features.checks import numbers

__all__ = ["finite", "zero_or_one", "same_length", "whole_labels"]


def finite(values: object, name: str) -> np.ndarray:
    """values as a float64 array; ValueError that names `name` for NaN, infinity or what is no number.

    >>> finite([1, 2], "x").tolist()
    [1.0, 2.0]
    """
    array = numbers(values, name)
    if not np.isfinite(array).all():
        raise ValueError(f"expected finite {name}, got {int((~np.isfinite(array)).sum())} of {array.size} NaN or infinite")
    return array


def whole_labels(values: np.ndarray, name: str) -> np.ndarray:
    """Class numbers (n,) as int64; ValueError that names `name` for another shape, no values, or numbers that are not whole.

    >>> whole_labels(np.array([True, False]), "y").tolist(), whole_labels(np.array([2.0, 0.0]), "y").tolist()
    ([1, 0], [2, 0])
    """
    try:
        values = np.asarray(values)
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(f"expected {name} as an array of shape (n,), got rows of different lengths") from None
    if values.ndim != 1 or len(values) == 0:
        raise ValueError(f"expected {name} as a non-empty array of shape (n,), got shape {values.shape}")
    if values.dtype == bool:
        return values.astype(np.int64)
    whole = values.dtype.kind in "iuf" and np.all(np.isfinite(values) & (values == np.floor(values)))
    if not whole or np.abs(values.astype(np.float64)).max() > 2**53:  # beyond, neighbors are one number
        raise ValueError(
            f"expected {name} to hold whole class numbers, got {values.dtype} such as {values[0]!r}; "
            "turn probabilities into classes first (p >= threshold, or argmax)"
        )
    return values.astype(np.int64)


def zero_or_one(values: np.ndarray, name: str) -> np.ndarray:
    """Labels (n,) that are 0 or 1, as int64; ValueError otherwise.

    >>> zero_or_one([0, 1, 1], "y").tolist()
    [0, 1, 1]
    """
    values = whole_labels(values, name)
    if not np.all((values == 0) | (values == 1)):
        raise ValueError(f"expected {name} to hold only 0 and 1, got {np.unique(values)[:5].tolist()}; recode the labels")
    return values


def same_length(**arrays: np.ndarray) -> None:
    """Nothing, where all arrays are equally long; ValueError with their names and lengths otherwise.

    >>> same_length(y=[0, 1], y_hat=[1, 1])
    """
    single = {name: type(a).__name__ for name, a in arrays.items() if not hasattr(a, "__len__") or np.ndim(a) == 0}
    if single:
        raise TypeError(f"expected arrays of one length, got single values: {single}")
    lengths = {name: len(a) for name, a in arrays.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"expected one label per row, got lengths {lengths}; find the lost row before going on")
