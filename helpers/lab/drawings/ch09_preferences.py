"""Drawings of chapter 09, second half: rewards and preferences. Every function is pure: numbers in, (Figure, alt text) out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from helpers.lab import figures
from helpers.models.losses import log_sigmoid, sigmoid

C = figures.COLORS


def dpo_view(beta: float, chosen: float, rejected: float):
    """The DPO loss over the difference of the two changes of ln p, and how hard the next step pushes, for one pair.

    chosen, rejected: how far ln p of each answer has moved from the reference, in nats.
    """
    difference = chosen - rejected
    x = np.linspace(-20, 20, 201)
    loss, push = -log_sigmoid(beta * x), beta * sigmoid(-beta * x)
    here = float(-log_sigmoid(np.array(beta * difference))), float(beta * sigmoid(np.array(-beta * difference)))
    fig, (left, right) = figures.new(1, 2, size=(8.2, 3.2))
    for ax, y, at, name in ((left, loss, here[0], "loss"), (right, push, here[1], "push on ln p")):
        ax.plot(x, y, color=C["blue"])
        ax.plot(difference, at, "o", color=C["red"], markersize=9, zorder=5)
        figures.label(ax, difference, at, f"{at:.3f}", color=C["red"], dx=8, dy=9)
        ax.set(xlabel="chosen minus rejected (nats)", ylabel=name)
        ax.set_xlim(-20, 26)
        ax.set_ylim(0, max(float(y.max()), at) * 1.15)
    left.axhline(np.log(2), color=figures.GREY, linewidth=0.9, linestyle=":")
    figures.label(left, -20, np.log(2), "ln 2", color=figures.GREY, dx=3, dy=8)
    both = " Both answers have become less likely than under the reference." if max(chosen, rejected) < 0 else ""
    return fig, (
        f"beta {beta:.2f}: chosen moved by {chosen:+.1f}, rejected by {rejected:+.1f} nats, a difference of "
        f"{difference:+.1f}. Margin beta times that: {beta * difference:+.2f}. Loss {here[0]:.3f}, push on each ln p "
        f"{here[1]:.3f}.{both}"
    )


def margins(values: np.ndarray, kinds: Sequence[int], names: Sequence[str], told: str):
    """A histogram of reward(better) - reward(worse) for each kind of wrong answer; what lies left of 0 is judged wrongly."""
    values, kinds = np.asarray(values), np.asarray(kinds)
    fig, axes = figures.new(len(names), 1, size=(6.6, 1.25 * len(names) + 0.8), sharex=True)
    limit = float(np.abs(values).max()) * 1.05 or 1.0
    bins, parts = np.linspace(-limit, limit, 41), []
    for number, (ax, name) in enumerate(zip(np.atleast_1d(axes), names)):
        own = values[kinds == number]
        ax.hist(own[own > 0], bins=bins, color=C["blue"])
        ax.hist(own[own <= 0], bins=bins, color=C["red"])
        ax.axvline(0, color="black", linewidth=1)
        ax.set_title(f"{name}: {np.mean(own > 0):.0%} right", fontsize=10)
        ax.set_yticks([])
        ax.grid(False)
        parts.append(f"{name} {np.mean(own > 0):.0%} right")
    np.atleast_1d(axes)[-1].set_xlabel("reward of the better answer minus reward of the worse")
    return fig, f"{told} {np.mean(values > 0):.0%} of all pairs are right: {', '.join(parts)}."


def spread_over(
    x: Sequence[float],
    series: dict[str, np.ndarray],
    xlabel: str,
    ylabel: str,
    told: str,
    *,
    logx: bool = False,
    level: float | None = None,
    level_name: str = "",
    percent: bool = False,
):
    """Lines of the mean over seeds, each seed a small dot. series: name -> (len(x), seeds)."""
    x = np.asarray(x, dtype=float)
    fig, ax = figures.new(size=(7.0, 3.3))
    parts = []
    for number, (name, values) in enumerate(series.items()):
        values, color = np.asarray(values, dtype=float), figures.CYCLE[number % 7]
        mean = values.mean(1)
        ax.plot(x, mean, color=color, linestyle=["-", "--", "-."][number % 3])
        for column in values.T:
            ax.plot(x, column, ".", color=color, markersize=5, alpha=0.7)
        figures.label(ax, x[-1], mean[-1], name, color=color, dx=9)
        show = (lambda v: f"{v:.0%}") if percent else (lambda v: f"{v:.3g}")
        listed = ", ".join(f"{show(m)} ({show(v.min())} to {show(v.max())}) at {at:g}" for at, m, v in zip(x, mean, values))
        parts.append(f"{name}: {listed}")
    if level is not None:
        ax.axhline(level, color=figures.GREY, linestyle=":", linewidth=1)
        figures.label(ax, x[0], level, level_name, color=figures.GREY, dx=2, dy=8)
    if logx:
        ax.set_xscale("log", base=2)
        ax.set_xticks(x, [f"{v:g}" for v in x])
    left, right = ax.get_xlim()
    ax.set_xlim(left, right * (x[-1] / x[0]) ** 0.45 if logx else right + 0.35 * (right - left))
    ax.set(xlabel=xlabel, ylabel=ylabel)
    return fig, f"{told} {'; '.join(parts)}."


def picked(n: Sequence[int], rewards: dict[str, Sequence[float]], quality: dict[str, Sequence[float]]):
    """Best of n: what the reward model says of its pick, and what the pick is worth, for several reward models."""
    fig, (left, right) = figures.new(1, 2, size=(8.4, 3.2))
    parts = []
    for number, name in enumerate(rewards):
        color, style = figures.CYCLE[[0, 1, 3][number % 3]], ["-", "--", "-."][number % 3]
        for ax, values, every in ((left, rewards[name], rewards), (right, quality[name], quality)):
            ax.plot(n, values, marker="osD"[number % 3], color=color, linestyle=style)
            place = sum(v[-1] > values[-1] for v in every.values())  # labels of close ends move apart: the best up, the last down
            figures.label(ax, n[-1], values[-1], name, color=color, dx=7, dy=(6, 5, -7)[min(place, 2)])
        parts.append(
            f"{name}: reward {rewards[name][0]:.1f} to {rewards[name][-1]:.1f}, overlap {quality[name][0]:.2f} to "
            f"{quality[name][-1]:.2f}"
        )
    for ax, name in ((left, "reward of the pick"), (right, "words shared with the true one")):
        ax.set_xscale("log", base=4)
        ax.set_xticks(n, [str(v) for v in n])
        ax.set_xlim(n[0] * 0.8, n[-1] * 30)
        ax.set(xlabel="best of n", title=name)
    return fig, f"Best of {n[0]} to {n[-1]} by three reward models. {'; '.join(parts)}."


def moved(curves: dict[str, Sequence[tuple[float, float]]], told: str):
    """How ln p of right and wrong answers moves away from the reference, step by step, one panel for each run."""
    fig, axes = figures.new(1, len(curves), size=(min(4.1, 9.6 / len(curves)) * len(curves), 3.2), sharey=True)
    parts = []
    for ax, (name, rows) in zip(np.atleast_1d(axes), curves.items()):
        rows = np.asarray(rows, dtype=float)
        for column, label, color, style in ((0, "chosen", C["blue"], "-"), (1, "rejected", C["red"], "--")):
            ax.plot(np.arange(len(rows)), rows[:, column], color=color, linestyle=style)
            figures.label(ax, len(rows) - 1, rows[-1, column], label, color=color, dx=5)
        ax.axhline(0, color="#888888", linewidth=0.8)
        ax.set_xlim(0, len(rows) * 1.55)
        ax.set(xlabel="step", title=name)
        parts.append(f"{name}: chosen {rows[-1, 0]:+.2f}, rejected {rows[-1, 1]:+.2f}")
    np.atleast_1d(axes)[0].set_ylabel("change of ln p (nats)")
    return fig, f"{told} At the last step {'; '.join(parts)}."
