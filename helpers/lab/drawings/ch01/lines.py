"""Drawings of chapter 01: the line, its loss, and the way down. Numbers in, (Figure, alt text) out."""

from __future__ import annotations

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullLocator

from helpers.features.tables import Standardizer
from helpers.lab import figures
from helpers.models.descent import gradient_descent, largest_learning_rate
from helpers.models.linear import least_squares, mse

C = figures.COLORS


def pair(size: tuple[float, float], top: float = 0.9, **more):
    """Two axes side by side with fixed margins: faster than a computed layout, and nothing jumps as a slider moves."""
    fig, axes = figures.new(1, 2, size=size, **more)
    fig.set_layout_engine(None)
    fig.subplots_adjust(left=0.112, right=0.985, bottom=0.145, top=top, wspace=0.36)
    return fig, axes


def _loss_grid(x: np.ndarray, y: np.ndarray, ws: np.ndarray, bs: np.ndarray) -> np.ndarray:
    """J at every pair of ws and bs, shape (len(bs), len(ws)), from sums alone (fast for many rows)."""
    W, B = np.meshgrid(ws, bs)
    xx, xy, yy = np.mean(x * x), np.mean(x * y), np.mean(y * y)
    return W**2 * xx + 2 * W * B * x.mean() + B**2 - 2 * W * xy - 2 * B * y.mean() + yy


def _contours(ax, x, y, w_range, b_range, labels: bool = True) -> None:
    """Loss over (w, b) as steps of color with white edges. Few colors: the picture stays small and true."""
    ws, bs = np.linspace(w_range[0], w_range[1], 240), np.linspace(b_range[0], b_range[1], 240)
    J = np.maximum(_loss_grid(x, y, ws, bs), 1e-9)
    w, b = least_squares(x[:, None], y)
    low = max(mse(y, w[0] * x + b), 1e-9)
    levels = low * np.geomspace(1.15, max(J.max() / low, 1.2), 11)
    steps = np.digitize(J, levels)
    ax.imshow(
        steps,
        extent=(*w_range, *b_range),
        origin="lower",
        aspect="auto",
        cmap="cividis_r",
        alpha=0.6,
        interpolation="nearest",
    )
    ax.contour(ws[::4], bs[::4], J[::4, ::4], levels=levels, colors="white", linewidths=1.0)
    ax.plot(w[0], b, marker="*", color=C["black"], markersize=11, linestyle="none")
    if labels:
        figures.label(ax, w[0], float(b), "lowest point", dx=8, dy=8, fontsize=9.5)
    ax.set(xlim=w_range, ylim=b_range)
    ax.grid(False)


def line_and_loss(x: np.ndarray, y: np.ndarray, w: float, b: float):
    """The line w x + b with its squared residuals beside the loss surface and the present point on it.

    Args: x, y of shape (n,), in words and reads; w, b the parameters.
    """
    fig, (left, right) = pair((7.6, 3.7))
    y_hat = w * x + b
    J, best = mse(y, y_hat), least_squares(x[:, None], y)
    J_best = mse(y, best.predict(x[:, None]))

    x_low, x_high, y_low, y_high = 60.0, 400.0, -300.0, 1000.0
    left.set(
        xlim=(x_low, x_high),
        ylim=(y_low, y_high),
        xlabel="words in the post",
        ylabel="reads in the first hour",
    )
    per_unit = (x_high - x_low) / (y_high - y_low) * 1.0  # the axes are about square: a residual as a true square
    for xi, yi, pi in zip(x, y, y_hat):
        side = abs(yi - pi)
        left.add_patch(
            Rectangle(
                (xi, min(yi, pi)),
                side * per_unit,
                side,
                facecolor=C["orange"],
                alpha=0.28,
                edgecolor=C["orange"],
            )
        )
        left.plot([xi, xi], [yi, pi], color=C["red"], linewidth=1.5, linestyle="--")
    ends = np.array([x_low, x_high])
    left.plot(ends, w * ends + b, color=C["blue"])
    left.plot(x, y, "o", color=C["black"])
    left.set_title(f"reads = {w:.2f} · words {'+' if b >= 0 else '-'} {abs(b):.0f}")

    _contours(right, x, y, (-2.0, 7.0), (-1000.0, 1000.0))
    right.plot(w, b, "o", color=C["red"], markersize=8, markeredgecolor="white")
    right.set(xlabel="slope w (reads per word)", ylabel="intercept b (reads)")
    right.set_title(f"loss J = {J:,.0f} (least: {J_best:,.0f})")
    return fig, (
        f"Left: three posts and the line reads = {w:.2f} times words plus {b:.0f}, each residual drawn as a square. "
        f"Right: contour map of the loss over slope and intercept, a long narrow valley; the present point has loss "
        f"{J:,.0f}, the lowest point {J_best:,.0f}."
    )


SCALES = ("words", "hundreds of words", "standardized")


def scaled(x: np.ndarray, scale: str) -> np.ndarray:
    """x in one of SCALES, shape (n, 1)."""
    if scale not in SCALES:
        raise ValueError(f"expected one of {', '.join(SCALES)} as scale, got {scale!r}")
    X = x[:, None].astype(float)
    return X if scale == "words" else X / 100 if scale == "hundreds of words" else Standardizer().fit_transform(X)


def verdict(lr: float, limit: float, losses: np.ndarray, least: float) -> str:
    """What a learning rate did, in words: diverging, too small, or right, with the reason in numbers."""
    steps, share = len(losses) - 1, lr / limit
    if share >= 1:
        return f"diverging: the rate is {share:.2f} times the limit {limit:.3g}"
    near = np.flatnonzero(losses <= 1.01 * least)
    if near.size:
        return f"right: within 1 % of the least loss after {near[0]} steps ({share:.0%} of the limit)"
    if share < 0.2:
        return f"too small: still not within 1 % of the least loss after {steps} steps ({share:.2g} of the limit)"
    return f"not there after {steps} steps at {share:.0%} of the limit: more steps, or better scaled features, are needed"


def descent(x: np.ndarray, y: np.ndarray, lr: float, steps: int, scale: str = "hundreds of words"):
    """The path of batch gradient descent on the contour map, and the loss by step, with a verdict in words.

    Args: x, y of shape (n,); lr, the learning rate; steps; scale, one of SCALES.
    """
    X = scaled(x, scale)
    got, best, limit = gradient_descent(X, y, lr, steps), least_squares(X, y), largest_learning_rate(X)
    least = mse(y, best.predict(X))
    said = verdict(lr, limit, got.losses, least)

    fig, (left, right) = pair((7.6, 3.9), top=0.83, width_ratios=(1.15, 1))
    span_w, span_b = {
        "words": (5.0, 900.0),
        "hundreds of words": (420.0, 700.0),
        "standardized": (690.0, 700.0),
    }[scale]
    w_range, b_range = (best.w[0] - span_w, best.w[0] + span_w), (best.b - span_b, best.b + span_b)
    _contours(left, X[:, 0], y, w_range, b_range, labels=False)
    path = got.path[: 12 if lr >= limit else None]
    left.plot(path[:, 0], path[:, 1], "o-", color=C["red"], markersize=2.5, linewidth=1.0)
    left.plot(*path[0], "s", color=C["blue"], markersize=8, markeredgecolor="white")
    figures.label(left, path[0, 0], path[0, 1], "start", color="blue", dx=7, dy=9)
    unit = {
        "words": "reads per word",
        "hundreds of words": "reads per 100 words",
        "standardized": "reads per sd of words",
    }
    left.set(xlabel=f"slope w ({unit[scale]})", ylabel="intercept b (reads)")
    left.set_title("path (star: lowest point)")

    shown = np.where(got.losses <= 1e12, got.losses, np.nan)  # a loss beyond the top of the figure is not drawn
    right.semilogy(shown, color=C["red"])
    right.axhline(least, color=C["black"], linestyle=":", linewidth=1.5)
    right.set_ylim(least * 0.6, max(np.nanmax(shown) * 2, least * 40))
    right.yaxis.set_minor_locator(NullLocator())
    right.set(xlabel="step", ylabel="loss J (log scale)")
    right.text(
        0.98,
        least * 1.06,
        "least possible",
        transform=right.get_yaxis_transform(),
        ha="right",
        va="bottom",
        fontsize=9.5,
    )
    fig.suptitle(said, x=0.02, ha="left", fontsize=11, color=C["red"] if lr >= limit else C["black"])
    return fig, (
        f"Gradient descent with learning rate {lr:.3g} on x in {scale}: {said}. Left: its path on the contour map. "
        f"Right: the loss goes from {got.losses[0]:,.0f} to {min(got.losses[-1], 1e300):,.3g} in {len(got.losses) - 1} "
        f"steps; the least possible is {least:,.0f}."
    )
