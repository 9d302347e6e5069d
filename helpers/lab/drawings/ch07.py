"""Drawings of chapter 07: data in, (Figure, alt text) or HTML out."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np

from helpers.lab import figures

C = figures.COLORS
STYLES = ["-", "--", "-.", ":"]
ARROW = {"arrowstyle": "->", "color": figures.GREY, "linewidth": 1.4}


def readable(text: str) -> str:
    """A token for a figure: its blank as a dot, what the font cannot draw as a question mark."""
    shown = text.replace(" ", "·").replace("\n", "¶")
    return "".join(c if c.isprintable() and ord(c) < 0x250 else "?" for c in shown)


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


# ------------------------------------------------------------------------------------------------- the unrolled network


def unrolled(x: Sequence[float], h: Sequence[float], w: float, u: float):
    """A network with one state, unrolled: inputs x (T,) below, states h (T + 1,) above, the first of them h_0."""
    T = len(x)
    fig, ax = figures.new(size=(1.15 * T + 1.7, 2.6))
    ax.axis("off")
    for t in range(T + 1):
        strong = min(1.0, abs(h[t]))
        ax.add_patch(_circle(t, 1.0, C["blue"] if h[t] >= 0 else C["red"], strong))
        ax.text(t, 1.0, f"{h[t]:.2f}", ha="center", va="center", fontsize=10, color="white" if strong > 0.55 else "black")
        ax.text(t, 1.47, f"$h_{{{t}}}$", ha="center", va="center", fontsize=10)
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


# ------------------------------------------------------------------------------------------------------------ curves


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
    """Labeled lines. series: name -> (x, y) or (x, y, low, high); values that are not finite or, on a log axis, not above 0
    are left out. shift: name -> by how many points its label moves up. room: free width on the right for the labels.
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
            ax.plot(x, y, marker="osD^"[number % 4], color=color, linestyle=STYLES[number % 4], markersize=5, label=name)
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


# --------------------------------------------------------------------------------------------------- states over a text


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


# ------------------------------------------------------------------------------------------------- sequence to sequence


def alignment(source: Sequence, target: Sequence, weights: np.ndarray, told: str):
    """Attention weights (target, source) as a heat map."""
    fig, ax = figures.new(size=(0.3 * len(source) + 1.6, 0.26 * len(target) + 1.1))
    ax.imshow(weights, cmap=figures.MAP, vmin=0, vmax=1, aspect="auto")
    ax.set_xticks(range(len(source)), source)
    ax.set_yticks(range(len(target)), target)
    ax.set(xlabel="read", ylabel="written")
    ax.grid(False)
    ax.tick_params(length=0)
    on = float(np.mean(np.argmax(weights, axis=1) == np.arange(len(weights)))) if len(weights) == len(source) else float("nan")
    return fig, f"{told} In {on:.0%} of the rows the largest weight is on the diagonal."


def copy_panel(source: Sequence[int], answers: dict[str, Sequence[int]], weights: np.ndarray) -> str:
    """HTML: a row of digits, what each model wrote with its errors marked, and the alignment map."""
    cell = "display:inline-block;width:1.25em;text-align:center;font-family:monospace;"
    rows = [("read", source)] + list(answers.items())
    parts = ["<table>"]
    for name, digits in rows:
        spans = "".join(
            f"<span style='{cell}{'' if d == s else 'background:#D55E00;color:white'}'>{d}</span>" for d, s in zip(digits, source)
        )
        wrong = sum(d != s for d, s in zip(digits, source))
        note = "" if name == "read" else "no error" if wrong == 0 else f"{wrong} of {len(source)} wrong"
        left = "<td style='text-align:left;white-space:nowrap'>"
        parts.append(f"<tr>{left}{html.escape(name)}</td>{left}{spans}</td>{left}{note}</td></tr>")
    fig, alt = alignment(source, source, weights, f"Alignment for {len(source)} digits.")
    return "".join(parts) + "</table>" + figures.html(fig, alt)


def written(name: str, prompt: str, text: str, alternatives: Sequence[tuple[str, float]], copied: str) -> str:
    """HTML: a text that a model wrote, its next-token probabilities at the start, and the longest run it copied."""
    body = html.escape(text).replace("\n", "<br>")
    rows = []
    for token, p in alternatives:
        bar = f"<span style='display:inline-block;height:0.8em;width:{1 + 220 * p:.0f}px;background:{C['blue']}'></span>"
        rows.append(
            f"<tr><td style='text-align:left;font-family:monospace;white-space:pre'>{html.escape(token)}</td>"
            f"<td style='text-align:left'>{bar} {p:.3f}</td></tr>"
        )
    head = "".join(f"<th style='text-align:left'>{name}</th>" for name in ("first token", "probability"))
    return (
        f"<p><b>{html.escape(name)}</b></p><p style='max-width:46em'>{html.escape(prompt)}<i>{body}</i></p>"
        f"<p style='font-size:0.9em'>longest run that stands in a training lead: <code>{html.escape(copied)}</code></p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )
