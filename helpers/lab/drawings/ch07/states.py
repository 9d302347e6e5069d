"""Drawings of chapter 07: states and gates of a recurrent network. Numbers in, (Figure, alt text) or HTML out."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np

from helpers.lab import figures
from helpers.lab.drawings.ch07.curves import STYLES

C = figures.COLORS
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
ARROW = {"arrowstyle": "->", "color": figures.GREY, "linewidth": 1.4}


def readable(text: str) -> str:
    """A token for a figure: its space as a dot, what cannot be seen as a question mark."""
    shown = text.replace(" ", "·").replace("\n", "¶")
    return "".join(c if c.isprintable() else "?" for c in shown)


def _box(ax, x: float, y: float, text: str, color: str) -> None:
    ax.text(
        x,
        y,
        text,
        ha="center",
        va="center",
        fontsize=10,
        zorder=3,
        bbox={"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": color, "linewidth": 1.6},
    )


def unrolled(x: Sequence[float], h: Sequence[float], w: float, u: float):
    """A network with one state, unrolled: inputs x (T,) below, states h (T + 1,) above, the first of them h_0."""
    T = len(x)
    fig, ax = figures.new(size=(1.15 * T + 1.7, 2.6))
    ax.axis("off")
    for t in range(T + 1):
        strong = min(1.0, abs(h[t]))
        ax.add_patch(_circle(t, 1.0, C["blue"] if h[t] >= 0 else C["red"], strong))
        ax.text(t, 1.0, f"{h[t]:.2f}", ha="center", va="center", fontsize=10, color="white" if strong > 0.55 else "black")
        ax.text(t, 1.47, f"h{t}".translate(SUBSCRIPTS), ha="center", va="center", fontsize=10)
        if t < T:
            ax.annotate("", (t + 0.70, 1.0), (t + 0.30, 1.0), arrowprops=ARROW)
            ax.text(t + 0.5, 1.13, "u" if t else f"u = {u:.2g}", ha="center", fontsize=8.5, color=figures.GREY)
            _box(ax, t + 1, 0.05, f"{x[t]:g}", C["green"])
            ax.annotate("", (t + 1, 0.69), (t + 1, 0.30), arrowprops=ARROW)
            ax.text(t + 1.08, 0.46, "w" if t else f"w = {w:.2g}", fontsize=8.5, color=figures.GREY)
    ax.text(0, 0.05, "input", ha="center", va="center", fontsize=10, color=C["green"])
    ax.set_xlim(-0.5, T + 0.6)
    ax.set_ylim(-0.3, 1.65)
    inputs, states = ", ".join(f"{v:g}" for v in x), ", ".join(f"{v:.2f}" for v in h)
    return fig, f"A recurrent network unrolled over {T} steps, w = {w:.2g}, u = {u:.2g}. Inputs {inputs}; states {states}."


def _circle(x: float, y: float, color: str, strong: float):
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Ellipse

    face = [1 - strong * (1 - v) for v in to_rgb(color)]
    return Ellipse((x, y), 0.56, 0.62, facecolor=face, edgecolor=color, linewidth=1.5, zorder=2)


def memory_lane(rows: dict[str, np.ndarray], told: str):
    """Rows of numbers over time as a heat map with the values written in. rows: name -> (T,)."""
    names, values = list(rows), np.array(list(rows.values()), dtype=float)
    fig, ax = figures.new(size=(0.62 * values.shape[1] + 1.6, 0.42 * len(names) + 0.9))
    ax.imshow(values, cmap=figures.SIGNED, vmin=-1.4, vmax=1.4, aspect="auto")
    for i in range(values.shape[0]):
        for t in range(values.shape[1]):
            ink = "white" if abs(values[i, t]) > 0.95 else "black"
            ax.text(t, i, f"{values[i, t]:.2f}", ha="center", va="center", fontsize=9, color=ink)
    ax.set_yticks(range(len(names)), names)
    ax.set_xticks(range(values.shape[1]), range(1, values.shape[1] + 1))
    ax.set(xlabel="step")
    ax.grid(False)
    ax.tick_params(length=0)
    listed = "; ".join(f"{name}: " + ", ".join(f"{v:.2f}" for v in row) for name, row in rows.items())
    return fig, f"{told} {listed}."


def unit_map(tokens: Sequence[str], rows: dict[str, np.ndarray], told: str):
    """Values of a few units over a text, as colored text: one block of lines per unit. Returns HTML.

    tokens (T,); rows: name -> (T,) values from -1 to 1, blue above 0, red below.
    """
    parts = [f"<div role='img' aria-label='{html.escape(told, quote=True)}'>"]
    for name, values in rows.items():
        parts.append(
            f"<p style='margin:0.5em 0 0.1em 0'><b>{html.escape(name)}</b></p><p style='margin:0;line-height:1.75;"
            "background:white;color:black;padding:2px;font-family:monospace;font-size:0.92em'>"
        )
        parts += [_token(token, float(v)) for token, v in zip(tokens, values)]
        parts.append("</p>")
    low, high = _token("-1 ", -1.0), _token(" +1", 1.0)
    note = f"{low} to {high}: the value of the unit after reading the token."
    parts.append(f"<p style='font-size:0.85em;margin-top:0.5em'>{note}</p></div>")
    return "".join(parts)


def _token(token: str, value: float) -> str:
    value = max(-1.0, min(1.0, value))
    weak = round(255 * (1 - 0.75 * abs(value)))  # 255: white
    middle = int(weak + (255 - weak) * 0.3)
    rgb = f"{weak},{middle},255" if value >= 0 else f"255,{middle},{weak}"
    shown = html.escape(token).replace("\n", "⏎") or "·"
    return f"<span title='{value:.2f}' style='background:rgb({rgb});color:#000'>{shown}</span>"


def gate_panel(tokens: Sequence[str], gates: dict[str, np.ndarray], unit: int, which: str):
    """One unit's gates, cell and state over a text; below, one gate for the most restless units.

    gates: "i", "f", "g", "o", "c", "h" -> (T, H) each.
    """
    T = len(tokens)
    fig, (top, low) = figures.new(2, 1, size=(max(6.4, 0.34 * T + 1.6), 5.0), height_ratios=[1.25, 1], sharex=True)
    for number, key in enumerate("ifoc"):
        y = gates[key][:, unit]
        width = 2.2 if key == "c" else 1.5
        top.plot(range(T), y, color=figures.CYCLE[number], linestyle=STYLES[number], marker=".", linewidth=width)
    ends = sorted((float(gates[k][-1, unit]), n) for n, k in enumerate("ifoc"))
    lowest, names = -1e9, ("i", "f", "o", "c")
    span = max(1.0, float(np.abs(gates["c"][:, unit]).max()))
    for value, n in ends:  # keep the labels apart
        lowest = max(value, lowest + 0.16 * span)
        top.text(T - 0.7, lowest, names[n], color=figures.CYCLE[n], va="center")
    top.axhline(0, color=figures.GREY, linewidth=0.8)
    top.set(ylabel=f"unit {unit}")
    top.set_title(f"Unit {unit}: input gate i, forget gate f, output gate o, cell c")
    values = gates[which]
    restless = np.argsort(-values.std(axis=0), kind="stable")[:12]
    signed = which in "gch"
    cmap, least = (figures.SIGNED, -1) if signed else (figures.MAP, 0)
    low.imshow(values[:, restless].T, cmap=cmap, vmin=least, vmax=1, aspect="auto")
    low.set_yticks(range(len(restless)), restless, fontsize=7.5)
    low.set_xticks(range(T), [readable(t) for t in tokens], rotation=60, ha="right", fontsize=8.5)
    low.grid(False)
    low.set(ylabel="unit")
    low.set_title(f"{which} of the twelve units in which it changes most")
    low.set_xlim(-0.6, T + 0.2)
    f, c = gates["f"][:, unit], gates["c"][:, unit]
    told = ", ".join(f"{readable(t)} f {f[k]:.2f} c {c[k]:.2f}" for k, t in list(enumerate(tokens))[:10])
    return fig, f"Gates of unit {unit} over a text of {T} tokens: {told}. Below, {which} of twelve units as a heat map."
