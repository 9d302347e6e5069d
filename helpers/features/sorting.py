"""Numbering what occurs, by sorting: key and place packed into one whole number, for a plain sort is five times an argsort."""

from __future__ import annotations

import numpy as np

__all__ = ["distinct", "sort_places"]


def sort_places(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(places, keys[places]) with the keys, all >= 0, ascending; equal ones in the order of their places.

    >>> [values.tolist() for values in sort_places(np.array([7, 3, 7]))]
    [[1, 0, 2], [3, 7, 7]]
    """
    bits = len(keys).bit_length()
    if len(keys) and int(keys.max()) < 2 ** (63 - bits):
        packed = np.sort((keys << bits) | np.arange(len(keys)))
        return packed & ((1 << bits) - 1), packed >> bits
    places = np.argsort(keys, kind="stable")
    return places, keys[places]


def distinct(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The different keys (all >= 0) in rising order, the first place of each, and the number of the key at each place.

    As np.unique with return_index and return_inverse, several times as fast.

    >>> [values.tolist() for values in distinct(np.array([7, 3, 7]))]
    [[3, 7], [1, 0], [1, 0, 1]]
    """
    size = int(keys.max()) + 1 if len(keys) else 0
    if size <= 4 * len(keys):  # few possible keys (bytes): mark the ones that occur in a table, which is faster than sorting
        seen = np.zeros(size, dtype=bool)
        seen[keys] = True
        found, numbers = np.flatnonzero(seen), (np.cumsum(seen) - 1)[keys]
        first = np.empty(len(found), dtype=np.int64)
        first[numbers[::-1]] = np.arange(len(keys))[::-1]  # the last one written is the first place
        return found, first, numbers
    places, ascending = sort_places(keys)
    new = np.ones(len(keys), dtype=bool)
    new[1:] = ascending[1:] != ascending[:-1]
    numbers = np.empty(len(keys), dtype=np.int64)
    numbers[places] = np.cumsum(new) - 1
    return ascending[new], places[new], numbers
