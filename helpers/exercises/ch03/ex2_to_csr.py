"""Exercise 3.2, A table without its zeros: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def to_csr(X):
    """The three lists (data, indices, indptr) of a dense table X (n, V), row by row. Zeros are not stored."""
    data, indices, indptr = [], [], [0]
    for row in X:
        for j, value in enumerate(row):
            if value != 0:
                data.append(value)
                indices.append(j)
        indptr.append(len(data))
    return data, indices, indptr


def to_csr_without_zero(X):
    data, indices, indptr = to_csr(X)
    return data, indices, indptr[1:]


def to_csr_row_lengths(X):
    data, indices, indptr = to_csr(X)
    return data, indices, [0, *np.diff(indptr).tolist()]


def to_csr_by_columns(X):
    return to_csr(np.asarray(X).T)


def to_csr_flat_places(X):
    data, indices, indptr = to_csr(X)
    rows = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    return data, [int(r * np.shape(X)[1] + j) for r, j in zip(rows, indices)], indptr


def to_csr_first_of_equals(X):
    data, indices, indptr = to_csr(X)
    rows = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    return data, [list(X[r]).index(value) for r, value in zip(rows, data)], indptr


def to_csr_coordinates(X):
    data, indices, indptr = to_csr(X)
    return data, indices, np.repeat(np.arange(len(indptr) - 1), np.diff(indptr)).tolist()


def to_csr_whole_numbers(X):
    data, indices, indptr = to_csr(X)
    return [int(value) for value in data], indices, indptr


def to_csr_positive_only(X):
    return to_csr(np.maximum(X, 0))


def draw_to_csr(rng: np.random.Generator) -> list:
    X = rng.normal(size=(int(rng.integers(2, 5)), int(rng.integers(3, 6)))).round(2)
    return np.where(rng.random(X.shape) < 0.5, X, 0).tolist()


def check_to_csr(t: Trial) -> None:
    for X in (
        [[0, 0, 4], [5, 1, 0]],
        [[1, 0]],
        [[0, 2], [0, 0], [3, 1]],
        [[0, 0], [0, 0]],
        [[0, 0, 1, 3], [2, 0, 0, 0], [0, 7, 0, 9]],
        [[2, 0, 2], [1, 1, 0]],
        [[0.5, 0], [-1, 2.5]],  # weights need be neither whole nor positive
        *t.fresh(draw_to_csr),
    ):
        X = np.array(X)
        got, expected = t.call(X), to_csr(X)
        t.several(got, 3, "must return three lists: (data, indices, indptr)", expected)
        for name, a, b in zip(("data", "indices", "indptr"), got, expected):
            t.close(list(a), b, what=name)


HINTS = (
    "Walk through the rows; note each value that is not zero in data and its column in indices.",
    "indptr starts as [0]; after every row append the number of values stored so far, also after a row of zeros.",
    "Row i is then data[indptr[i]:indptr[i + 1]], and indptr has one entry more than there are rows.",
)
WRONG = (
    Wrong(to_csr_whole_numbers, "stores whole numbers: a weight of 0.5 becomes 0; keep each value as it is"),
    Wrong(to_csr_positive_only, "drops negative values: everything but zero is stored (value != 0)"),
    Wrong(to_csr_without_zero, "forgets the 0 at the start of indptr: row 0 needs a beginning too"),
    Wrong(to_csr_row_lengths, "puts the length of each row into indptr; it must hold where each row ends, a running total"),
    Wrong(to_csr_by_columns, "walks down the columns: that is CSC, the sister format; here rows come first"),
    Wrong(to_csr_flat_places, "numbers the places through the whole table; indices must be the column within the row"),
    Wrong(
        to_csr_first_of_equals,
        "looks up the column by the value, so equal values of a row all get the column of the first; count the columns along",
    ),
    Wrong(
        to_csr_coordinates,
        "stores the row of each value (the COO format); indptr holds only where each row begins and ends",
    ),
)
EXERCISE = Exercise("3.2", "A table without its zeros", "core", to_csr, check_to_csr, HINTS, WRONG, points=2)
