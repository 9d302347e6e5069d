"""Drawings of chapter 02: losses, slopes and functions as curves. Numbers in, (Figure, alt text) out."""

import numpy as np

from helpers.lab import figures
from helpers.lab.drawings.ch02.maps import MARKS, TWO
from helpers.models.losses import sigmoid
from helpers.models.mlp import ACTIVATIONS

C = figures.COLORS


def line_against_curve(x, y, a, b, model):
    """A least-squares line a x + b and a fitted probability curve through the same 0/1 labels of one feature."""
    fig, ax = figures.new(size=(7, 3.3))
    grid = np.linspace(x.min() - 15, x.max() + 15, 200)
    ax.axhline(0, color="#999999", linewidth=0.8)
    ax.axhline(1, color="#999999", linewidth=0.8)
    ax.plot(grid, a * grid + b, "--", color=C["orange"])
    ax.plot(grid, model(grid), color=C["black"])
    for k in (0, 1):
        ax.scatter(x[y == k], y[y == k], marker=MARKS[k], s=55, color=TWO[k], edgecolor="white", zorder=3)
    figures.label(ax, grid[-1], a * grid[-1] + b, "line", color="#8a6100", dx=-34, dy=4)
    figures.label(ax, 57, float(model(np.array([57.0]))[0]), "sigmoid curve", dx=-88, dy=6)
    figures.label(ax, x[y == 0].min(), 0, "ham", color="blue", dx=-34, dy=9)
    figures.label(ax, x[y == 1].min(), 1, "spam", color="red", dx=-40, dy=9)
    ax.set_xlabel("capital letters in the mail")
    ax.set_ylabel("label, or its prediction")
    return fig, (
        "Twelve labels, 0 or 1, against the count of capital letters. A straight line leaves the range from 0 "
        "to 1 at both "
        "ends; the S-shaped sigmoid curve stays inside it."
    )


def losses_and_slopes(loss_sq, loss_ce, slope_sq, slope_ce):
    """Squared error and cross-entropy of one positive example against its score z, and their slopes in z."""
    fig, axes = figures.new(1, 2, size=(7.4, 3.2))
    z = np.linspace(-8, 4, 200)
    for ax, (sq, ce), title in zip(axes, ((loss_sq, loss_ce), (slope_sq, slope_ce)), ("loss", "slope of the loss")):
        ax.plot(z, sq(z), "--", color=C["orange"])
        ax.plot(z, ce(z), color=C["blue"])
        ax.set_title(title)
        ax.set_xlabel("score z (label y = 1)")
    figures.label(axes[0], -5.4, ce_at := float(loss_ce(np.array([-5.4]))[0]), "cross-entropy", color="blue", dx=8, dy=6)
    figures.label(axes[0], -7.8, 1.0, "squared error", color="#8a6100", dx=0, dy=10)
    figures.label(axes[1], -7.8, -1.0, "cross-entropy", color="blue", dx=0, dy=10)
    figures.label(axes[1], -7.8, 0.0, "squared error", color="#8a6100", dx=0, dy=-13)
    axes[0].set_ylim(-0.3, 8.3)
    axes[1].set_ylim(-1.08, 0.08)
    return fig, (
        "Two panels against the score of a positive example. Left: the cross-entropy grows along a straight "
        "line as the "
        f"score becomes wrong (about {ce_at:.1f} at -5.4), the squared error levels off at 1. Right: the slope "
        "of the "
        "cross-entropy goes to -1, the slope of the squared error to 0."
    )


def along_a_line(X, y, start, way):
    """Squared error and cross-entropy of (b, w1, w2) = start + t * way for t from -1 to 1."""
    steps = np.linspace(-1, 1, 301)
    scores = np.column_stack([np.ones(len(X)), X]) @ (np.array(start)[:, None] + np.array(way)[:, None] * steps)
    squared = np.mean((sigmoid(scores) - y[:, None]) ** 2, axis=0)
    entropy = np.mean(np.logaddexp(0, scores) - y[:, None] * scores, axis=0)
    fig, axes = figures.new(1, 2, size=(7.4, 2.9))
    names = ("mean squared error", "mean cross-entropy")
    for ax, values, color, name in zip(axes, (squared, entropy), ("#8a6100", C["blue"]), names):
        ax.plot(steps, values, color=color)
        ax.set_title(name)
        ax.set_xlabel("position t on the path of weights")
    return fig, (
        "The two losses along one straight path through weight space. The squared error has two flat "
        "stretches, a small valley and a hump; the cross-entropy is a single bowl."
    )


def activations():
    """ReLU, GELU, tanh and identity with their slopes."""
    fig, axes = figures.new(1, 2, size=(7.4, 3.1))
    a = np.linspace(-3.5, 3.5, 281)
    styles = {"relu": (C["blue"], "-"), "gelu": (C["red"], "--"), "tanh": (C["green"], "-."), "identity": ("#777777", ":")}
    for name, (color, style) in styles.items():
        axes[0].plot(a, ACTIVATIONS[name].f(a), style, color=color, label=name)
        axes[1].plot(a, ACTIVATIONS[name].derivative(a), style, color=color, label=name)
    axes[0].set_ylim(-2, 3.2)
    axes[0].legend(loc="upper left")
    for ax, title in zip(axes, ("the function f(a)", "its slope f'(a)")):
        ax.set_title(title)
        ax.set_xlabel("a")
    return fig, (
        "Left: identity is a straight line; ReLU is 0 for negative a and a line above; GELU is a smooth ReLU "
        "with a small dip; "
        "tanh flattens at -1 and 1. Right: the slopes: 1 for identity, a step for ReLU, a smooth step for GELU, "
        "a bump for tanh."
    )


def seed_spread(groups, chance):
    """Final losses per group (name -> array over seeds), one dot a seed; ``chance`` is the loss of a constant 1/2."""
    fig, ax = figures.new(size=(7, 0.9 + 0.45 * len(groups)))
    rng = np.random.default_rng(0)
    told = []
    for row, (name, losses) in enumerate(groups.items()):
        ax.scatter(losses, row + rng.uniform(-0.14, 0.14, len(losses)), s=42, color=C["blue"], alpha=0.75, edgecolor="white")
        told.append(f"{name}: {np.min(losses):.2f} to {np.max(losses):.2f}")
    ax.axvline(chance, color=C["red"], linestyle="--", linewidth=1.3)
    figures.label(ax, chance, len(groups) - 0.45, "a constant 1/2", color="red", dx=-84)
    ax.set_yticks(range(len(groups)), groups)
    ax.set_ylim(-0.5, len(groups) - 0.3)
    ax.set_xlabel("loss after training (nats), one dot a seed")
    return fig, "Final loss per seed. " + "; ".join(told) + f". A constant one half costs {chance:.2f}."


def newton_against_descent(runs):
    """Loss above the optimum against steps, for several (name, losses)."""
    fig, ax = figures.new(size=(7, 3.3))
    best = min(losses[-1] for _, losses in runs)
    told = []
    for (name, losses), style, color in zip(runs, ("-", "--", "-.", ":"), (C["red"], C["orange"], C["blue"], C["green"])):
        gap = np.maximum(np.array(losses) - best, 1e-13)
        steps = np.arange(1, len(gap) + 1)
        ax.loglog(steps, gap, style, color=color, label=figures.named(name))
        reached = np.flatnonzero(gap < 1e-6)
        arrives = f"is within 1e-6 after {reached[0]} steps" if len(reached) else f"is not there in {len(gap) - 1} steps"
        told.append(f"{name} {arrives}")
    ax.set_ylim(1e-12, 3)
    ax.legend(loc="upper right")
    ax.set_xlabel("step (logarithmic)")
    ax.set_ylabel("loss above the minimum (nats)")
    return fig, "Loss above its minimum against steps, both logarithmic: " + "; ".join(told) + "."
