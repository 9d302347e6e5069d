"""Drawings of chapter 01: polynomials of every degree. Numbers in, (Figure, alt text) out."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import NullLocator

from helpers.features.tables import polynomial_features
from helpers.lab import figures
from helpers.lab.drawings.ch01.lines import pair
from helpers.models.linear import mse, ridge

C = figures.COLORS


def fit_by_hour(hour: np.ndarray, reads: np.ndarray, degree: int, lam: float):
    """A polynomial of the hour, scaled to [-1, 1], fitted with ridge; returns a function of hours."""

    def powers(h):
        return polynomial_features(np.asarray(h) / 12 - 1, degree)

    model = ridge(powers(hour), reads, lam)
    return lambda h: model.predict(powers(h))


def degree_and_lambda(train, valid, truth, degree: int, lam: float, noise: float = 0.4, highest: int = 15):
    """A polynomial of one degree and one lambda: the curve, and the errors of all degrees at this lambda.

    Args: train, valid: pairs (hours, reads) of arrays; truth: the curve without noise, a function of hours; degree,
    from 1 to `highest`; lam, at least 0; noise: the standard deviation of the noise.
    """
    degrees = np.arange(1, highest + 1)
    fits = [fit_by_hour(train[0], train[1], d, lam) for d in degrees.tolist()]
    rmse = [[np.sqrt(mse(part[1], f(part[0]))) for f in fits] for part in (train, valid)]
    fig, (left, right) = pair((7.6, 3.7))
    hours = np.linspace(0, 24, 241)
    left.plot(hours, truth(hours), color=figures.GREY, linestyle=":", label="truth")
    left.plot(hours, fits[degree - 1](hours), color=C["red"], label=f"degree {degree}")
    left.plot(*train, "o", color=C["blue"], label="training")
    left.plot(*valid, "^", color=C["orange"], label="validation", markersize=5)
    left.set(
        xlim=(0, 24),
        ylim=(0, 8.2),
        xlabel="hour of the day",
        ylabel="reads (hundreds)",
        xticks=range(0, 25, 6),
    )
    left.legend(loc="upper left", fontsize=8.5, ncols=2, handlelength=1.4, columnspacing=1.0)
    for errors, name, color, marker in zip(rmse, ("training", "validation"), ("blue", "orange"), "o^"):
        right.semilogy(degrees, errors, marker + "-", color=C[color], markersize=4)
        apart = -7 if name == "training" else 7
        figures.label(
            right,
            degrees[-1],
            min(errors[-1], 7),
            name,
            color="blue" if apart < 0 else "#a86f00",
            dx=6,
            dy=apart,
        )
    right.axhline(noise, color=figures.GREY, linestyle=":", linewidth=1.2)
    figures.label(right, 0.6, noise, "noise alone", color=figures.GREY, dx=2, dy=-8, fontsize=9)
    right.axvline(degree, color=C["red"], linewidth=6, alpha=0.2)
    right.set(xlabel="degree", ylabel="RMSE (hundreds of reads)", xlim=(0.5, highest + 5.5), ylim=(0.1, 10))
    right.set_xticks(range(1, highest + 1, 2))
    right.yaxis.set_minor_locator(NullLocator())
    a, b = rmse[0][degree - 1], rmse[1][degree - 1]
    power = "0" if lam == 0 else f"{lam:.2g}"
    right.set_title(f"training {a:.2f}, validation {b:.2f}")
    left.set_title(f"degree {degree}, λ = {power}")
    return fig, (
        f"Left: a polynomial of degree {degree} with lambda {power} through {len(train[0])} training points. Right: RMSE "
        f"by degree; at degree {degree} it is {a:.2f} on training and {b:.2f} on validation points; the noise alone is {noise:g}."
    )
