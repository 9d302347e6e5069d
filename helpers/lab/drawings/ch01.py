"""Drawings of chapter 01. Every function is pure: numbers in, (Figure, alt text) out."""

from __future__ import annotations

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullLocator

from helpers.features.tables import Standardizer, polynomial_features
from helpers.lab import figures
from helpers.models.autodiff import Value, ordered
from helpers.models.descent import gradient_descent, largest_learning_rate
from helpers.models.linear import least_squares, mse, ridge

C = figures.COLORS


def _pair(size: tuple[float, float], top: float = 0.9, **more):
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
    ws, bs = np.linspace(*w_range, 240), np.linspace(*b_range, 240)
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
        figures.label(ax, w[0], b, "lowest point", dx=8, dy=8, fontsize=9.5)
    ax.set(xlim=w_range, ylim=b_range)
    ax.grid(False)


def line_and_loss(x: np.ndarray, y: np.ndarray, w: float, b: float):
    """The line w x + b with its squared residuals beside the loss surface and the present point on it.

    Args: x, y of shape (n,), in words and reads; w, b the parameters.
    """
    fig, (left, right) = _pair((7.6, 3.7))
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
        raise ValueError(f"scale must be one of {', '.join(SCALES)}; got {scale!r}")
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

    fig, (left, right) = _pair((7.6, 3.9), top=0.83, width_ratios=(1.15, 1))
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
    figures.label(left, *path[0], "start", color="blue", dx=7, dy=9)
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


def graph(root: Value):
    """The computation that led to `root`, left to right: each box with its value and its gradient.

    The number on an arrow is the local slope. Meant for at most about 15 nodes.
    """
    order = ordered(root)
    depth: dict[int, int] = {}
    for v in order:
        depth[id(v)] = 1 + max((depth[id(p)] for p in v.parents), default=-1)
    for v in reversed(order):  # inputs stand just left of where they are used
        for p in v.parents:
            if not p.parents:
                depth[id(p)] = max(depth[id(p)], depth[id(v)] - 1)
    columns: dict[int, list[Value]] = {}
    for v in order:
        columns.setdefault(depth[id(v)], []).append(v)
    place = {}
    for column, values in columns.items():
        inner = [v for v in values if v.parents] + [v for v in values if not v.parents]
        for row, v in enumerate(inner):
            place[id(v)] = (column * 1.75, -row * 1.0)
    rows = max(len(c) for c in columns.values())
    fig, ax = figures.new(size=(8.0, 0.3 + 1.0 * rows))
    boxes = {}
    for v in order:
        constant = not v.parents and not v.label
        first = " = ".join(part for part in (v.label, v.op) if part) or f"{v.data:g}"
        text = f"{first}\n" + ("" if constant else f"value {v.data:.4g}\n") + f"grad {v.grad:,.5g}"
        edge = C["blue"] if v.label else figures.GREY
        boxes[id(v)] = ax.text(
            *place[id(v)],
            text,
            ha="center",
            va="center",
            fontsize=9,
            linespacing=1.25,
            bbox={"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": edge, "linewidth": 1.6},
        ).get_bbox_patch()
    for v in order:
        for p, slope in zip(v.parents, v.slopes):
            (px, py), (x, y) = place[id(p)], place[id(v)]
            style = {
                "arrowstyle": "->",
                "color": figures.GREY,
                "patchA": boxes[id(p)],
                "patchB": boxes[id(v)],
            }
            ax.annotate("", (x, y), (px, py), arrowprops=style | {"shrinkA": 0, "shrinkB": 0})
            ax.text(
                (x + px) / 2,
                (y + py) / 2,
                f"{slope:.3g}",
                color=C["red"],
                ha="center",
                va="center",
                fontsize=9.5,
                bbox={"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none"},
            )
    ax.set(xlim=(-0.75, max(columns) * 1.75 + 0.75), ylim=(-(rows - 1) - 0.5, 0.5))
    ax.axis("off")

    def name(v: Value) -> str:
        return v.label or (f"the result of {v.op}" if v.op else f"the constant {v.data:g}")

    told = "; ".join(f"{name(v)} has value {v.data:.4g} and gradient {v.grad:,.5g}" for v in order)
    return fig, f"Computation graph from left to right: {told}."


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
    fits = [fit_by_hour(*train, d, lam) for d in degrees]
    rmse = [[np.sqrt(mse(part[1], f(part[0]))) for f in fits] for part in (train, valid)]
    fig, (left, right) = _pair((7.6, 3.7))
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
