"""What the measures ask of labels and predictions."""

from __future__ import annotations

import numpy as np

__all__ = ["finite", "zero_or_one", "same_length", "whole_labels"]


def finite(values: object, name: str) -> np.ndarray:
    """values as a float64 array; ValueError that names `name` for NaN, infinity or what is no number.

    >>> finite([1, 2], "x").tolist()
    [1.0, 2.0]
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"expected {name} to hold numbers, got what numpy calls: {error}") from None
    if not np.isfinite(array).all():
        raise ValueError(f"expected finite {name}, got {int((~np.isfinite(array)).sum())} of {array.size} NaN or infinite")
    return array


def whole_labels(values: np.ndarray, name: str) -> np.ndarray:
    """Class numbers (n,) as int64; ValueError that names `name` for another shape, no values, or numbers that are not whole.

    >>> whole_labels(np.array([True, False]), "y").tolist(), whole_labels(np.array([2.0, 0.0]), "y").tolist()
    ([1, 0], [2, 0])
    """
    values = np.asarray(values)
    if values.ndim != 1 or len(values) == 0:
        raise ValueError(f"expected {name} as a non-empty array of shape (n,), got shape {values.shape}")
    if values.dtype == bool:
        return values.astype(np.int64)
    if values.dtype.kind not in "iuf" or not np.all(np.isfinite(values) & (values == np.floor(values))):
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
    lengths = {name: len(a) for name, a in arrays.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"expected one label per row, got lengths {lengths}; find the lost row before going on")
