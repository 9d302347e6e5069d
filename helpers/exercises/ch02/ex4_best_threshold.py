"""Exercise 2.4, The threshold that costs least: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def best_threshold(y, p, candidates, cost_fp, cost_fn):
    """The candidate t for which "spam if p >= t" costs least on the rows y (0/1), p; of equals, the smallest."""
    costs = []
    for t in candidates:
        spam = p >= t
        false_alarms = np.sum(spam & (y == 0))
        misses = np.sum(~spam & (y == 1))
        costs.append(cost_fp * false_alarms + cost_fn * misses)
    best = min(costs)
    return min(t for t, cost in zip(candidates, costs) if cost == best)


def _threshold(y, p, candidates, cost_fp, cost_fn, above=np.greater_equal, pick=min, worst=False):
    costs = [cost_fp * np.sum(above(p, t) & (y == 0)) + cost_fn * np.sum(~above(p, t) & (y == 1)) for t in candidates]
    best = max(costs) if worst else min(costs)
    return pick(t for t, cost in zip(candidates, costs) if cost == best)


def threshold_costs_swapped(y, p, candidates, cost_fp, cost_fn):
    return _threshold(y, p, candidates, cost_fn, cost_fp)


def threshold_by_errors(y, p, candidates, cost_fp, cost_fn):
    return _threshold(y, p, candidates, 1, 1)


def threshold_by_rates(y, p, candidates, cost_fp, cost_fn):
    costs = [cost_fp * np.mean(p[y == 0] >= t) + cost_fn * np.mean(p[y == 1] < t) for t in candidates]
    return min(t for t, cost in zip(candidates, costs) if cost == min(costs))


def threshold_strict(y, p, candidates, cost_fp, cost_fn):
    return _threshold(y, p, candidates, cost_fp, cost_fn, above=np.greater)


def threshold_largest(y, p, candidates, cost_fp, cost_fn):
    return _threshold(y, p, candidates, cost_fp, cost_fn, pick=max)


def threshold_dearest(y, p, candidates, cost_fp, cost_fn):
    return _threshold(y, p, candidates, cost_fp, cost_fn, worst=True)


def threshold_formula(y, p, candidates, cost_fp, cost_fn):
    wanted = cost_fp / (cost_fp + cost_fn)
    return min(candidates, key=lambda t: abs(t - wanted))


def threshold_first(y, p, candidates, cost_fp, cost_fn):
    costs = [cost_fp * np.sum((p >= t) & (y == 0)) + cost_fn * np.sum((p < t) & (y == 1)) for t in candidates]
    return candidates[int(np.argmin(costs))]


def threshold_place(y, p, candidates, cost_fp, cost_fn):
    return list(candidates).index(best_threshold(y, p, candidates, cost_fp, cost_fn))


def threshold_least_cost(y, p, candidates, cost_fp, cost_fn):
    return min(cost_fp * np.sum((p >= t) & (y == 0)) + cost_fn * np.sum((p < t) & (y == 1)) for t in candidates)


def draw_best_threshold(rng: np.random.Generator) -> tuple:
    n = int(rng.integers(8, 15))
    return (
        rng.integers(0, 2, size=n),
        rng.random(n).round(2),
        [0.2, 0.4, 0.5, 0.7],
        float(rng.integers(1, 4)),
        float(rng.integers(1, 4)),
    )


def check_threshold(t: Trial) -> None:
    cases = [  # first without ties, then unequal costs both ways, then ties, then few positives
        ([1, 0, 0, 0, 0, 1], [0.8, 0.3, 0.5, 0.6, 0.9, 0.2], [0.3, 0.4, 0.8, 0.9], 1.0, 1.0),
        ([1, 1, 0, 0, 1, 0], [0.1, 0.5, 0.4, 0.5, 0.5, 0.1], [0.1, 0.4, 0.5, 0.7], 5.0, 1.0),
        ([0, 1, 0, 0, 1], [0.4, 0.6, 0.6, 0.4, 0.3], [0.1, 0.5, 0.6, 0.8], 1.0, 5.0),
        ([1, 1, 1, 0, 0, 0], [0.2, 0.3, 0.9, 0.4, 0.6, 0.7], [0.1, 0.5, 0.8], 1.0, 0.8),
        ([1, 0, 1, 0, 0], [0.5, 0.2, 0.4, 0.4, 0.4], [0.6, 0.1, 0.4, 0.9], 1.0, 1.0),
        ([1, 0, 0, 0, 0, 0], [0.3, 0.4, 0.4, 0.4, 0.1, 0.1], [0.2, 0.5], 1.0, 1.0),
    ]
    cases = [(np.array(y), np.array(p), *rest) for y, p, *rest in cases]
    for case in [*cases, *t.fresh(draw_best_threshold)]:
        t.close(t.call(*case), best_threshold(*case), what="the threshold")


HINTS = (
    "For one candidate t: spam = p >= t. Count the false alarms (spam, but y is 0) and the misses (not spam, but y is 1).",
    "The cost of t is cost_fp * false alarms + cost_fn * misses. Collect the costs of all candidates, then take the minimum.",
    "Ties: among the candidates whose cost equals the minimum return the smallest. The candidates need not be sorted.",
)
WRONG = (
    Wrong(threshold_costs_swapped, "charges the cost of a miss for each false alarm and the other way round"),
    Wrong(threshold_by_errors, "counts errors and ignores what they cost: with unequal costs that is the wrong goal"),
    Wrong(
        threshold_by_rates,
        "multiplies the costs by error rates; each single error costs, so count the errors: the classes differ in size",
    ),
    Wrong(threshold_strict, "says spam only if p > t; the rule here is p >= t, and a row exactly at the threshold shows it"),
    Wrong(
        threshold_first,
        "returns the first of several equally cheap candidates in the order of the list; the smallest was asked for",
    ),
    Wrong(threshold_largest, "returns the largest of several equally cheap candidates; the smallest was asked for"),
    Wrong(threshold_place, "returns the place of the best candidate in the list; the candidate itself was asked for"),
    Wrong(threshold_least_cost, "returns the least cost; asked for is the candidate that has it"),
    Wrong(threshold_dearest, "returns the candidate with the highest cost; look for the minimum"),
    Wrong(
        threshold_formula,
        "uses the formula cost_fp / (cost_fp + cost_fn), which is right for calibrated "
        "probabilities only; count what each candidate costs on these rows",
    ),
)
AFTER = "The cell below finds the threshold for real mail with it."
EXERCISE = Exercise(
    "2.4", "The threshold that costs least", "core", best_threshold, check_threshold, HINTS, WRONG, points=2, after=AFTER
)
