"""Drawings of chapter 02: points in the plane, and what a model makes of every place. Numbers in, (Figure, alt text) out."""

import numpy as np

from helpers.lab import figures
from helpers.models.logistic import LogisticRegression
from helpers.models.losses import binary_cross_entropy, sigmoid
from helpers.models.mlp import TwoLayerNetwork

C = figures.COLORS
TWO = (C["blue"], C["red"])  # class 0, class 1
MARKS = ("o", "^")


def shade(ax, probability, low, high, n=60):
    """Shade the square from ``low`` to ``high`` by probability (points (m, 2) -> (m,)), with the line p = 1/2."""
    a, b = np.linspace(low[0], high[0], n), np.linspace(low[1], high[1], n)
    A, B = np.meshgrid(a, b)
    P = probability(np.column_stack([A.ravel(), B.ravel()])).reshape(A.shape)
    mesh = ax.imshow(
        P,
        extent=(low[0], high[0], low[1], high[1]),
        origin="lower",
        aspect="auto",
        cmap=figures.SIGNED,
        vmin=-0.45,
        vmax=1.45,
        interpolation="nearest",
    )
    if P.min() < 0.5 < P.max():
        ax.contour(A, B, P, levels=[0.5], colors="black", linewidths=1.6)
    ax.set_xlim(low[0], high[0])
    ax.set_ylim(low[1], high[1])
    ax.grid(False)
    return mesh


def scatter(ax, X, y, size=40):
    """Points of class 0 as circles, of class 1 as triangles."""
    for k in (0, 1):
        ax.scatter(*X[y == k].T, s=size, marker=MARKS[k], color=TWO[k], edgecolor="white", linewidth=0.9, zorder=3)


def fitted_map(X, y, model, names, standardizer):
    """Points in raw units over the shaded probability of a model on standardized features."""
    fig, ax = figures.new(size=(6.4, 4.0))
    low, high = X.min(axis=0) - 8, X.max(axis=0) + 8
    mesh = shade(ax, lambda P: model.probabilities(standardizer.transform(P)), low, high)
    scatter(ax, X, y, size=70)
    ax.set_xlabel(names[0])
    ax.set_ylabel(names[1])
    bar = fig.colorbar(mesh, ax=ax, boundaries=np.linspace(0, 1, 101), ticks=[0, 0.25, 0.5, 0.75, 1])
    bar.set_label("probability of spam")
    return fig, (
        f"Twelve mails by {names[0]} and {names[1]}: circles (ham) at the lower left, triangles (spam) at the "
        "upper right. "
        "The shading is the probability of spam; a straight black line marks one half."
    )


_NUMBER_AT = {0: (-12, -8), 2: (7, -8), 3: (-13, 5), 4: (-12, 4), 9: (-12, -6), 8: (6, 6), 10: (2, 10)}  # so that none overlap


def move_points(X, y, point, x1, x2, w1, w2, b, fit, names=("digits", "capital letters")):
    """Widget 1: twelve standardized points, one of them moved to (x1, x2), and a boundary set by hand or fitted."""
    X = X.copy()
    X[point] = x1, x2
    if fit:
        model = LogisticRegression(l2=0.01, solver="newton").fit(X, y)
        (w1, w2), b = model.weights, model.bias
    w = np.array([w1, w2])
    z = X @ w + b
    each = np.logaddexp(0, z) - y * z
    loss, wrong = binary_cross_entropy(y, z), int(np.sum((z >= 0) != y))
    fig, axes = figures.new(1, 2, size=(7.6, 3.7), width_ratios=[1.5, 1])
    ax = axes[0]
    shade(ax, lambda P: sigmoid(P @ w + b), (-2.6, -2.6), (2.6, 2.6))
    scatter(ax, X, y, size=62)
    ax.scatter(*X[point], s=210, facecolor="none", edgecolor="black", linewidth=1.6, zorder=4)
    for i, (u, v) in enumerate(X):
        dx, dy = _NUMBER_AT.get(i, (6, 6))
        figures.label(ax, u, v, str(i), dx=dx, dy=dy, fontsize=8.5)
    ax.set_xlabel(f"{names[0]} (standardized)")
    ax.set_ylabel(f"{names[1]} (standardized)")
    ax.set_title(f"z = {w1:.2f} x1 {w2:+.2f} x2 {b:+.2f}")
    bars = axes[1]
    bars.barh(range(len(y)), each, color=[TWO[int(k)] for k in y])
    bars.axvline(np.log(2), color="black", linestyle="--", linewidth=1)
    bars.set_yticks(range(len(y)), [f"{i} {'spam' if k else 'ham'}" for i, k in enumerate(y)], fontsize=8.5)
    bars.invert_yaxis()
    bars.set_xlim(0, max(2.0, min(6.0, float(each.max()) * 1.1)))
    bars.set_title(f"loss: mean {loss:.3f}, {wrong} wrong")
    bars.set_xlabel("loss of each mail; dashed: ln 2")
    bars.grid(False, axis="y")
    return fig, (
        f"Map of twelve mails with the boundary {w1:.2f} x1 {w2:+.2f} x2 {b:+.2f} = 0, point {point} at "
        f"({x1:.2f}, {x2:.2f}). "
        f"Mean loss {loss:.3f}, {wrong} of {len(y)} on the wrong side. Bars: the loss of each mail."
    )


def make_points(name, n=160, seed=0):
    """A toy set in the plane: "xor", "circle", "moons" or "spiral". Returns X (n, 2) and y (n,)."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    if name == "xor":
        X = rng.uniform(-1, 1, (n, 2))
        X += 0.12 * np.sign(X)
        y = (X[:, 0] * X[:, 1] < 0).astype(int)
    elif name == "circle":
        r, angle = np.where(y == 1, rng.uniform(0, 0.55, n), rng.uniform(0.75, 1.15, n)), rng.uniform(0, 2 * np.pi, n)
        X = np.column_stack([r * np.cos(angle), r * np.sin(angle)])
    elif name == "moons":
        angle = rng.uniform(0, np.pi, n)
        X = np.column_stack([np.cos(angle), np.sin(angle)])
        X[y == 1] = np.column_stack([1 - np.cos(angle), 0.45 - np.sin(angle)])[y == 1]
        X = (X - [0.5, 0.22]) * 0.7 + rng.normal(0, 0.07, (n, 2))
    elif name == "spiral":
        turn = np.sqrt(rng.uniform(0.03, 1, n)) * 3 * np.pi
        X = np.column_stack([np.cos(turn + np.pi * y), np.sin(turn + np.pi * y)]) * (turn / (3 * np.pi))[:, None]
        X = X * 1.1 + rng.normal(0, 0.02, (n, 2))
    else:
        raise ValueError(f"expected a set out of xor, circle, moons, spiral, got {name!r}")
    return X, y


def playground(data, hidden, activation, rate, steps, seed):
    """Widget 3: train a two-layer network on a toy set and draw its map and its loss curve."""
    X, y = make_points(data)
    net = TwoLayerNetwork(2, hidden, 1, activation, seed=seed)
    note = ""
    try:
        with np.errstate(all="ignore"):
            net.fit(3 * X, y, rate=rate, steps=steps, momentum=0.9)
    except ValueError:  # the loss became infinite
        note = " (diverged)"
    fig, axes = figures.new(1, 2, size=(7.6, 3.6), width_ratios=[1.25, 1])
    with np.errstate(all="ignore"):
        right = float(np.mean(net.predict(3 * X) == y))
    if not note:
        with np.errstate(all="ignore"):  # large weights may overflow inside GELU on the way to a plain 0 or 1
            shade(axes[0], lambda P: net.probabilities(3 * P), (-1.35, -1.35), (1.35, 1.35), n=70)
    scatter(axes[0], X, y, size=26)
    axes[0].set_title(f"{right:.0%} right{note}, {net.n_parameters} parameters")
    axes[0].set_xlabel("x1")
    axes[0].set_ylabel("x2")
    axes[1].plot(net.losses, color=C["blue"])
    axes[1].axhline(np.log(2), color="black", linestyle="--", linewidth=1)
    axes[1].set_ylim(0, max(0.8, min(2.0, max(net.losses))))
    axes[1].set_title(f"loss, at the end {net.losses[-1]:.3f}")
    axes[1].set_xlabel("step (dashed: ln 2)")
    return fig, (
        f"Network with {hidden} hidden {activation} units on the set '{data}', seed {seed}, after "
        f"{len(net.losses)} steps: "
        f"{right:.0%} of the points on the right side, loss {net.losses[-1]:.3f}."
    )
