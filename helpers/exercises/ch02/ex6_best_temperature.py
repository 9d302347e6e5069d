"""Exercise 2.6, Temperature scaling: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def best_temperature(y, z):
    """The T > 0 for which sigmoid(z / T) has the least mean cross-entropy on labels y (n,), logits z (n,)."""
    low, high = 1e-3, 1e3  # s = 1 / T lies between them; the slope of the loss in s rises from below 0 to above 0
    for _ in range(100):
        s = np.sqrt(low * high)
        p = 1 / (1 + np.exp(-np.clip(s * z, -500, 500)))
        slope = np.mean((p - y) * z)
        if slope > 0:
            high = s
        else:
            low = s
    return float(1 / s)


def _best_of(y, z, loss):
    grid = np.exp(np.linspace(np.log(1e-3), np.log(1e3), 60_001))[::20]
    for _ in range(3):
        values = [loss(y, z / T) for T in grid]
        i = int(np.argmin(values))
        grid = np.exp(np.linspace(np.log(grid[max(0, i - 1)]), np.log(grid[min(len(grid) - 1, i + 1)]), 200))
    return float(grid[int(np.argmin([loss(y, z / T) for T in grid]))])


def temperature_inverse(y, z):
    return 1 / best_temperature(y, z)


def temperature_other_half(y, z):
    low, high = 1e-3, 1e3
    for _ in range(100):
        s = np.sqrt(low * high)
        if np.mean((1 / (1 + np.exp(-np.clip(s * z, -500, 500))) - y) * z) > 0:
            low = s
        else:
            high = s
    return float(1 / s)


def temperature_brier(y, z):
    return _best_of(y, z, lambda y, u: np.mean((1 / (1 + np.exp(-np.clip(u, -500, 500))) - y) ** 2))


def temperature_accuracy(y, z):
    return 1.0


def temperature_mean_matching(y, z):
    return _best_of(y, z, lambda y, u: abs(np.mean(1 / (1 + np.exp(-np.clip(u, -500, 500)))) - np.mean(y)))


def temperature_coarse(y, z):
    grid = np.array([0.25, 0.5, 1.0, 2.0, 4.0, 8.0])
    return float(grid[int(np.argmin([np.mean(np.logaddexp(0, z / T) - y * z / T) for T in grid]))])


def draw_best_temperature(rng: np.random.Generator) -> tuple:
    z = rng.normal(size=200) * 2
    return (rng.random(200) < 1 / (1 + np.exp(-z))).astype(int), z * float(rng.uniform(0.5, 2.5))


def check_temperature(t: Trial) -> None:
    rng = np.random.default_rng(6)
    z = rng.normal(size=300) * 3 - 1
    y = (rng.random(300) < 1 / (1 + np.exp(-z))).astype(int)
    for labels, logits in [
        (np.array([1, 0, 1]), np.array([3.0, 1.0, 2.0])),
        (np.array([1, 0, 1, 0]), np.array([4.0, -4.0, -2.0, 2.5])),
        (y, 3 * z),
        (y, 0.3 * z),
        *t.fresh(draw_best_temperature),
    ]:
        t.close(t.call(labels, logits), best_temperature(labels, logits), rtol=2e-3, atol=0, what="the temperature")


HINTS = (
    "Put s = 1 / T. The loss as a function of s is convex, and its slope is the mean of (sigmoid(s z) - y) z.",
    "A slope that rises from negative to positive has one zero: halve the interval around it (bisection).",
    "Start with low = 1e-3, high = 1e3 and s = sqrt(low * high). Slope above 0: the zero lies below s. Sixty "
    "halvings are plenty.",
)
WRONG = (
    Wrong(temperature_inverse, "returns 1 / T: it finds the factor that multiplies the logits, while T divides them"),
    Wrong(
        temperature_other_half,
        "keeps the wrong half of the interval and runs to its end: where the slope is above "
        "0 the minimum lies below s, so high = s",
    ),
    Wrong(
        temperature_brier,
        "minimizes the squared error of the probabilities; the cross-entropy was asked for, and the two have different minima",
    ),
    Wrong(
        temperature_accuracy,
        "returns 1 whatever the data are; accuracy cannot guide you, as dividing by T never changes the sign of a logit",
    ),
    Wrong(
        temperature_mean_matching,
        "only makes the mean probability equal the share of positives; rows that are too sure on both sides cancel in that mean",
    ),
    Wrong(
        temperature_coarse,
        "picks from a short list of temperatures; the exact minimum lies between them, so search on (bisection)",
    ),
)
AFTER = "The cell below calibrates three models with it."
EXERCISE = Exercise(
    "2.6", "Temperature scaling", "stretch", best_temperature, check_temperature, HINTS, WRONG, points=3, after=AFTER
)
