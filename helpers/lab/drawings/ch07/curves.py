"""Drawings of chapter 07: curves and bars. Numbers in, (Figure, alt text) out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from helpers.lab import figures

C = figures.COLORS
STYLES = ["-", "--", "-.", ":"]


def lines(
    series: dict,
    xlabel: str,
    ylabel: str,
    told: str,
    *,
    log_x: bool = False,
    log_y: bool = False,
    size=(7.0, 3.5),
    shift: dict | None = None,
    ylim=None,
    room: float = 0.3,
    marker: bool = True,
    ticks: Sequence[float] | None = None,
):
    """Labeled lines.

    series: name -> (x, y) or (x, y, low, high); values that are not finite or, on a log axis, not above 0 are left out.
    shift: name -> by how many points its label moves up. room: free width on the right for the labels.
    """
    fig, ax = figures.new(size=size)
    for number, (name, values) in enumerate(series.items()):
        color = figures.CYCLE[number % 7]
        x, y = (np.asarray(v, dtype=float) for v in values[:2])
        shown = np.isfinite(y) & ((y > 0) | (not log_y))
        ax.plot(
            x[shown],
            y[shown],
            marker="osD^v"[number % 5] if marker else None,
            color=color,
            linestyle=STYLES[number % 4],
            markersize=5,
            linewidth=1.9,
        )
        if len(values) == 4:
            ax.fill_between(x, values[2], values[3], color=color, alpha=0.18, linewidth=0)
        inside = shown & ((y >= ylim[0]) & (y <= ylim[1]) if ylim else True)
        if inside.any():
            last = np.flatnonzero(inside)[-1]
            figures.label(ax, x[last], y[last], name, color=color, dx=7, dy=(shift or {}).get(name, 0), fontsize=9.5)
    if log_x:
        ax.set_xscale("log", base=2)
    if log_y:
        ax.set_yscale("log")
    if ylim:
        ax.set_ylim(*ylim)
    left, right = ax.get_xlim()
    if ticks is None and not log_x:  # no ticks in the room for labels
        last = max(float(np.max(values[0])) for values in series.values())
        ticks = [t for t in ax.get_xticks() if left <= t <= last]
    if ticks is not None:
        ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
        ax.minorticks_off()
    ax.set_xlim(left, right * (right / left) ** room if log_x else right + room * (right - left))
    ax.set(xlabel=xlabel, ylabel=ylabel)
    return fig, f"{told} {told_lines(series)}."


def told_lines(series: dict, most: int = 6) -> str:
    """The lines in words: at most `most` points of each."""
    parts = []
    for name, (x, y, *_) in series.items():
        picked = np.unique(np.linspace(0, len(x) - 1, min(most, len(x))).round().astype(int))
        parts.append(f"{name}: " + ", ".join(f"{x[i]:.4g} -> {y[i]:.3g}" for i in picked))
    return "; ".join(parts)


def gradient_panel(norms: np.ndarray, reference: dict, title: str):
    """Gradient norm against distance on a log scale. norms (T,): of distance 1, 2, ...; reference: name -> norms, drawn grey."""
    fig, ax = figures.new(size=(7.2, 3.7))
    low, high = 1e-12, 1e6
    for name, values in reference.items():
        ax.plot(range(1, len(values) + 1), np.clip(values, low, high), color="#a0a0a0", linewidth=1.1, linestyle="--")
        figures.label(ax, len(values), float(np.clip(values[-1], low, high)), name, color=figures.GREY, fontsize=8.5)
    d = np.arange(1, len(norms) + 1)
    known = np.nan_to_num(norms, nan=high, posinf=high)
    ax.plot(d, np.clip(known, low, high), color=C["blue"], linewidth=2.4)
    ax.axhline(1, color=figures.GREY, linewidth=0.8)
    ax.set_yscale("log")
    ax.set(xlabel="distance in steps", ylabel="norm of the gradient", ylim=(low, high), xlim=(0, len(norms) * 1.3))
    ax.set_title(title)
    at = [k for k in (1, 8, 32, len(norms)) if k <= len(norms)]
    told = ", ".join(f"{norms[k - 1]:.1e} at distance {k}" for k in at)
    return fig, f"{title}: norm of the gradient on a log scale, {told}."


def two_panels(series: dict, xs: dict, ylabel: str, told: str, xlabels: Sequence[str], *, levels: dict[str, float] | None = None):
    """The same y against two different x. series: name -> y; xs: name -> (x of the left panel, x of the right panel).

    levels: name -> y of a dotted line across both panels.
    """
    fig, axes = figures.new(1, 2, size=(8.4, 3.6), sharey=True)
    for side, ax in enumerate(axes):
        for number, (name, y) in enumerate(series.items()):
            x = xs[name][side]
            color = figures.CYCLE[number % 7]
            ax.plot(
                x,
                y,
                marker="osD^"[number % 4],
                color=color,
                linestyle=STYLES[number % 4],
                markersize=5,
                label=figures.named(name),
            )
        for name, y in (levels or {}).items():
            ax.axhline(y, color=figures.GREY, linewidth=1.2, linestyle=":")
            if side == 0:
                ax.text(
                    0.98, y, name, color=figures.GREY, fontsize=9, ha="right", va="bottom", transform=ax.get_yaxis_transform()
                )
        ax.set(xlabel=xlabels[side])
    axes[0].set(ylabel=ylabel)
    axes[1].legend(loc="upper right")
    ends = ", ".join(f"{name} {y[-1]:.3f} after {xs[name][1][-1]:.1f}" for name, y in series.items())
    ends += "".join(f"; line at {y:.3f}: {name}" for name, y in (levels or {}).items())
    return fig, f"{told} At the end: {ends}."


def bars(shares: dict[str, float], told: str, unit: str = "parameters"):
    """One long bar per name with its number and share."""
    total = sum(shares.values())
    fig, ax = figures.new(size=(7.2, 0.7 + 0.36 * len(shares)))
    for row, n in enumerate(shares.values()):
        ax.barh(row, n, color=figures.CYCLE[row % 7], height=0.6)
        figures.label(ax, n, row, f"{n:,}  ({n / total:.1%})", fontsize=9.5)
    ax.set_yticks(range(len(shares)), list(shares))
    ax.invert_yaxis()
    ax.grid(False, axis="y")
    ax.margins(x=0.25)
    ax.set(xlabel=unit)
    listed = ", ".join(f"{name} {n:,} ({n / total:.1%})" for name, n in shares.items())
    return fig, f"{told} {listed}."
