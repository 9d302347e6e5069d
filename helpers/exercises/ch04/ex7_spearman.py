"""Exercise 4.7, Rank correlation: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def spearman(x, y):
    """Spearman's rank correlation of two arrays (n,); equal values share the mean of their ranks."""

    def ranks(values):
        below = (values[:, None] > values[None, :]).sum(axis=1)
        equal = (values[:, None] == values[None, :]).sum(axis=1)
        return below + (equal + 1) / 2

    a, b = ranks(x), ranks(y)
    a, b = a - a.mean(), b - b.mean()
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def spearman_is_pearson(x, y):
    a, b = x - x.mean(), y - y.mean()
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def spearman_broken_ties(x, y):
    a, b = np.argsort(np.argsort(x, kind="stable")).astype(float), np.argsort(np.argsort(y, kind="stable")).astype(float)
    return spearman_is_pearson(a, b)


def spearman_of_argsort(x, y):
    return spearman_is_pearson(np.argsort(x, kind="stable").astype(float), np.argsort(y, kind="stable").astype(float))


def spearman_lowest_rank(x, y):
    def low(values):
        return (values[:, None] > values[None, :]).sum(axis=1).astype(float)

    return spearman_is_pearson(low(x), low(y))


def spearman_uncentered(x, y):
    def ranks(values):
        return (values[:, None] > values).sum(axis=1) + ((values[:, None] == values).sum(axis=1) + 1) / 2

    a, b = ranks(x), ranks(y)
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def spearman_without_sign(x, y):
    return abs(spearman(x, y))


def spearman_by_differences(x, y):
    a, b = ((v[:, None] > v).sum(axis=1) + ((v[:, None] == v).sum(axis=1) + 1) / 2 for v in (x, y))
    return float(1 - 6 * np.sum((a - b) ** 2) / (len(x) * (len(x) ** 2 - 1)))


def spearman_dense(x, y):
    a, b = (np.unique(v, return_inverse=True)[1].astype(float) for v in (x, y))
    return spearman_is_pearson(a, b)


def spearman_highest_rank(x, y):
    a, b = ((v[:, None] >= v).sum(axis=1).astype(float) for v in (x, y))
    return spearman_is_pearson(a, b)


def draw_spearman(rng: np.random.Generator) -> tuple:
    n = int(rng.integers(6, 11))
    return rng.integers(0, 6, size=n) + np.arange(n) % 3 / 10, rng.normal(size=n)


def check_spearman(t: Trial) -> None:
    cases = [
        ([1, 2, 4], [1, 3, 100]),
        ([3, 1, 2, 9], [5, 1, 7, 6]),
        ([1, 2, 2, 3, 7], [4, 1, 3, 3, 9]),
        ([5, 1, 1, 1], [2, 2, 8, 1]),
        ([1, 2, 4], [9, 5, 1]),
    ]
    for x, y in [*cases, *t.fresh(draw_spearman)]:
        x, y = np.array(x, dtype=float), np.array(y, dtype=float)
        t.close(t.call(x, y), spearman(x, y), rtol=1e-7, what="the correlation")


HINTS = (
    "Spearman is Pearson on ranks. Pearson is the cosine of the centered vectors.",
    "The rank of a value: how many are smaller, plus the mean of 1..e where e values are equal to it, (e + 1) / 2.",
    "values[:, None] > values[None, :] compares all with all; sum over axis 1.",
)
WRONG = (
    Wrong(spearman_is_pearson, "correlates the values themselves; replace each value by its rank first"),
    Wrong(
        spearman_broken_ties,
        "gives equal values different ranks, by position; equal values must share the mean of their ranks",
    ),
    Wrong(
        spearman_of_argsort,
        "takes argsort for ranks; argsort says which element comes at each place, not which "
        "place each "
        "element has. Apply it twice, or count",
    ),
    Wrong(
        spearman_by_differences,
        "uses the short formula with the squared differences of the ranks, which holds only where no values are equal",
    ),
    Wrong(spearman_lowest_rank, "gives equal values the lowest of their ranks; they must share the mean"),
    Wrong(spearman_dense, "numbers the different values one after the other; a rank counts all smaller values, equal ones too"),
    Wrong(spearman_highest_rank, "gives equal values the highest of their ranks; they must share the mean"),
    Wrong(spearman_without_sign, "loses the sign; where one goes up as the other goes down, the correlation is negative"),
    Wrong(spearman_uncentered, "does not subtract the mean of the ranks before the cosine"),
)
EXERCISE = Exercise("4.7", "Rank correlation", "core", spearman, check_spearman, HINTS, WRONG, points=2)
