"""Drawings of chapter 09, finetuning. Every function is pure: numbers in, (Figure, alt text) or HTML out."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np

from helpers.lab import figures

C = figures.COLORS
KINDS = {"weights": "blue", "gradients": "orange", "AdamW's two averages": "green", "kept for the backward pass": "purple"}


def loss_mask(pieces: Sequence[str], learned: Sequence[bool], note: str = "") -> str:
    """A chat cut into its tokens as HTML: dark, framed tokens count in the loss, grey ones do not. A line break is shown as ↵."""
    cells = []
    for piece, counts in zip(pieces, learned, strict=True):
        text = html.escape(piece.replace("\n", "↵")) or "&nbsp;"
        look = (
            f"background:{C['blue']}; color:white; border:2px solid #00304d"
            if counts
            else "background:#eeeeee; color:#444444; border:2px dotted #bbbbbb"
        )
        cells.append(f"<span style='{look}; padding:1px 3px; margin:1px; white-space:pre; display:inline-block'>{text}</span>")
    n = sum(map(bool, learned))
    return (
        f"<p style='line-height:1.9'>{''.join(cells)}</p><p>{n} of {len(learned)} tokens count in the loss (white on blue, "
        f"solid frame).{' ' + html.escape(note) if note else ''}</p>"
    )


def memory(table: dict[str, dict[str, float]]):
    """Stacked bars of megabytes. table: method -> {one of KINDS: bytes}."""
    fig, ax = figures.new(size=(7.4, 0.9 + 0.42 * len(table)))
    names = list(table)[::-1]
    left = np.zeros(len(names))
    for kind, color in KINDS.items():
        values = np.array([table[n].get(kind, 0) / 1e6 for n in names])
        ax.barh(names, values, left=left, color=C[color], label=kind, edgecolor="white")
        left += values
    for row, total in enumerate(left):
        figures.label(ax, total, row, f"{total:,.0f} MB", dx=5)
    ax.legend(loc="upper right", fontsize=9)
    ax.margins(x=0.14)
    ax.grid(False, axis="y")
    ax.set_xlabel("megabytes in 32 bits")
    told = "; ".join(f"{n} {total:,.0f} MB" for n, total in zip(names[::-1], left[::-1]))
    return fig, f"Memory of training by method, stacked: weights, gradients, AdamW, backward pass. {told}."


def intervals(rows: dict[str, tuple[float, float, float]], xlabel: str, told: str, zero: bool = False):
    """One row for each entry, first on top: a dot and its interval. rows: name -> (value, low, high)."""
    fig, ax = figures.new(size=(7.2, 0.9 + 0.38 * len(rows)))
    for row, (value, low, high) in enumerate(reversed(rows.values())):
        color = figures.CYCLE[(len(rows) - 1 - row) % 6]
        ax.plot([low, high], [row, row], color=color, linewidth=2)
        ax.plot(value, row, "o", color=color)
        figures.label(ax, max(high, value), row, f"{value:.2f}", color=color, dx=8)
    if zero:
        ax.axvline(0, color="#666666", linewidth=1, linestyle=":")
    ax.set_yticks(range(len(rows)), list(reversed(rows)))
    ax.set(xlabel=xlabel)
    ax.margins(x=0.12)
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.grid(False, axis="y")
    listed = "; ".join(f"{n} {v:.2f} ({low:.2f} to {high:.2f})" for n, (v, low, high) in rows.items())
    return fig, f"{told} {listed}."


def low_rank(singular: np.ndarray, other: np.ndarray, rank: int, shape: tuple[int, int], names=("update", "weights")):
    """The relative error that is left when a matrix is cut to a rank, for an update and for the weights it changes.

    singular, other: singular values, largest first. The vertical line stands at `rank`.
    """
    fig, ax = figures.new(size=(7.2, 3.5))
    left = []
    for values, color, name in ((singular, "red", names[0]), (other, "blue", names[1])):
        energy = np.concatenate([[0], np.cumsum(values**2)]) / np.sum(values**2)
        error = np.sqrt(np.clip(1 - energy, 0, None))
        ax.plot(range(len(error)), error, color=C[color])
        at = len(error) // 3
        figures.label(ax, at, error[at], name, color=color, dx=8, dy=8)
        ax.plot(rank, error[rank], "o", color=C[color])
        left.append(error[rank])
    ax.axvline(rank, color="#666666", linewidth=1, linestyle=":")
    n, m = shape
    numbers = rank * (n + m)
    ax.set(
        xlabel="rank r that is kept",
        ylabel="relative error",
        ylim=(-0.03, 1.05),
        title=f"rank {rank}: {numbers:,} numbers for {n * m:,} ({numbers / (n * m):.1%})",
    )
    return fig, (
        f"Error of the best approximation by rank. At rank {rank}, with {numbers:,} numbers in place of {n * m:,}, "
        f"{left[0]:.0%} of the {names[0]} and {left[1]:.0%} of the {names[1]} is left unexplained."
    )


def codebooks(weights: np.ndarray, books: dict[str, np.ndarray]):
    """A histogram of weights divided by the largest of their block, with the levels of each codebook below it."""
    fig, ax = figures.new(size=(7.2, 3.3))
    heights, edges = np.histogram(weights, bins=81, range=(-1, 1), density=True)
    ax.stairs(heights, edges, fill=True, color="#c9d8e6")
    top = heights.max()
    for row, ((name, levels), color) in enumerate(zip(books.items(), ("red", "green"))):
        y = -0.12 * top * (row + 1)
        ax.plot(levels, [y] * len(levels), "|", color=C[color], markersize=14, markeredgewidth=2)
        figures.label(ax, 1.0, y, name, color=color, dx=10)
    ax.set(xlabel="weight / largest of its block", ylabel="density", xlim=(-1.05, 1.45), ylim=(-0.36 * top, 1.05 * top))
    listed = "; ".join(
        f"{n}: {len(v)} levels, {np.mean(np.abs(v) < 0.5):.0%} of them inside half of the range" for n, v in books.items()
    )
    return fig, f"Weights of a matrix in units of their block's largest: most are small. {listed}."


def before_after(item: dict[str, str], replies: dict[str, str]) -> str:
    """One test item as an HTML table: title, text, and what each model replies; the reference last."""
    cell = "style='text-align:left; vertical-align:top; white-space:pre-wrap; max-width:520px'"
    rows = [("text", item["text"]), *replies.items(), ("reference", item["reference"])]
    body = "".join(
        f"<tr><th {cell}>{html.escape(name)}</th><td {cell}>{html.escape(value) or '(nothing)'}</td></tr>" for name, value in rows
    )
    return f"<table><caption>{html.escape(item['title'])}</caption><tbody>{body}</tbody></table>"


def tradeoff(points: Sequence[tuple[str, float, float]], start: tuple[float, float], xlabel: str, ylabel: str, told: str):
    """What is learned (x) against what is lost (y): one mark for each run, the same color and form for runs of one name.

    start: the model before. Runs of one name are labeled once.
    """
    fig, ax = figures.new(size=(7.2, 3.8))
    ax.plot(*start, "*", color="black", markersize=13)
    figures.label(ax, *start, "before", dx=8, dy=8)
    names = list(dict.fromkeys(name for name, _, _ in points))
    means = {}
    for number, name in enumerate(names):
        x, y = (np.array([p[i] for p in points if p[0] == name]) for i in (1, 2))
        ax.plot(x, y, "osD^vP"[number % 6], color=figures.CYCLE[number % 6])
        means[name] = (x.mean(), y.mean())
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.margins(0.15)
    figures.measure(fig)  # axes get their limits
    marks = {name: ax.transData.transform([p[1:] for p in points if p[0] == name]) for name in names}  # (runs, 2), pixels
    for number, name in enumerate(names):
        at = marks[name][:, 0].argmax()  # the label stands on the right of the rightmost mark, moved off marks of other runs
        others = np.concatenate([marks[n] for n in names if n != name] or [np.empty((0, 2))]) - marks[name][at]
        hit = others[(others[:, 0] > 0) & (others[:, 0] < 8 * len(name)) & (abs(others[:, 1]) < 14)]
        shift = 0 if not len(hit) else -9 if hit[0, 1] > 0 else 9
        _, x, y = [p for p in points if p[0] == name][at]
        figures.label(ax, x, y, name, color=figures.CYCLE[number % 6], dx=9, dy=shift, fontsize=9)
    listed = "; ".join(f"{n}: {a:.2f} and {b:.2f}" for n, (a, b) in means.items())
    return fig, f"{told} Before: {start[0]:.2f} and {start[1]:.2f}. Means: {listed}."
