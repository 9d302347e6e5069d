"""Drawings of chapter 10: distributions and what filters leave of them, beams, curves, calibration.

Numbers in, (Figure, alt text) or HTML out.
"""

from __future__ import annotations

import html

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from helpers.generation import sampling
from helpers.lab import figures
from helpers.models.losses import softmax

C = figures.COLORS


def plain(token: str) -> str:
    """A token as it is: no formula between dollar signs, a visible line break."""
    return token.replace("\n", "\\n")


def distributions(rows: dict[str, np.ndarray], tokens: list[str], told: str):
    """Small bar charts side by side: one distribution over the tokens each; ruled out tokens are marked with a cross."""
    fig, axes = figures.new(1, len(rows), size=(2.0 * len(rows) + 1.0, 2.6), sharey=True)
    axes = np.atleast_1d(axes)
    for ax, (name, p) in zip(axes, rows.items()):
        ax.barh(range(len(tokens)), p, color=[C["blue"] if x > 0 else "none" for x in p])
        for y, x in enumerate(p):
            ax.annotate(
                f"{x:.2f}" if x > 0 else "×",
                (x, y),
                xytext=(3, 0),
                textcoords="offset points",
                va="center",
                color="black" if x > 0 else C["red"],
                fontsize=9,
            )
        ax.set(title=name, xlim=(0, 1.18))
        ax.set_yticks(range(len(tokens)), [plain(t) for t in tokens])
        ax.set_xticks([0, 0.5, 1])
        ax.grid(False, axis="y")
    axes[0].invert_yaxis()
    listed = "; ".join(f"{name}: " + ", ".join(f"{t} {x:.2f}" for t, x in zip(tokens, p) if x > 0) for name, p in rows.items())
    return fig, f"{told} {listed}."


def knobs(
    tokens: list[str],
    logits: np.ndarray,
    temperature: float,
    top_k: int,
    top_p: float,
    min_p: float,
    typical_p: float,
    repetition: float,
):
    """The live distribution: before (grey) and after (blue) all settings; the first token counts as already written."""
    sampler = sampling.Sampler(
        temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p, typical_p=typical_p, repetition=repetition
    )
    before, after = softmax(logits), sampler.probs(logits, [0])
    fig, ax = figures.new(size=(7.2, 0.9 + 0.3 * len(tokens)))
    rows = np.arange(len(tokens))
    ax.barh(rows - 0.18, before, height=0.34, color="#bbbbbb")
    ax.barh(rows + 0.18, after, height=0.34, color=C["blue"])
    for y, (b, a) in enumerate(zip(before, after)):
        figures.label(ax, max(a, b), y, f"{b:.3f} → {a:.3f}" if a > 0 else f"{b:.3f} → out", color="black" if a > 0 else C["red"])
    ax.set_yticks(rows, [plain(t) + " (written)" * (n == 0) for n, t in enumerate(tokens)])
    ax.invert_yaxis()
    ax.set(xlim=(0, 1.25), xlabel="probability: grey before, blue after")
    ax.grid(False, axis="y")
    entropy = float(-(after[after > 0] * np.log2(after[after > 0])).sum())
    ax.set_title(f"{int((after > 0).sum())} of {len(tokens)} tokens left, entropy {entropy:.2f} bits")
    listed, left = ", ".join(f"{t} {a:.3f}" for t, a in zip(tokens, after) if a > 0), int((after > 0).sum())
    return fig, f"After the settings {left} of {len(tokens)} tokens are left with entropy {entropy:.2f} bits: {listed}."


def quality(
    rows: list[dict],
    told: str,
    x: str = "perplexity",
    y: str = "distinct_2",
    xlabel: str = "perplexity per token",
    ylabel: str = "different pairs of tokens (distinct-2)",
    shift: dict | None = None,
):
    """One point for each sampler: mean over the seeds with a bar over their range; temperatures joined; human text as a star."""
    names = list(dict.fromkeys(r["sampler"] for r in rows))
    at = {n: np.array([[r[x], r[y]] for r in rows if r["sampler"] == n]) for n in names}
    fig, ax = figures.new(size=(7.4, 4.2))
    path = [at[n].mean(0) for n in names if n.startswith("T =")]
    ax.plot(*np.array(path).T, color="#bbbbbb", linewidth=1.2, zorder=1)
    for name in names:
        points, (mx, my) = at[name], at[name].mean(0)
        human = name == "human text"
        color = C["red"] if human else C["blue"] if name.startswith("T =") else C["green"]
        ax.plot([points[:, 0].min(), points[:, 0].max()], [my, my], color=color, linewidth=1)
        ax.plot([mx, mx], [points[:, 1].min(), points[:, 1].max()], color=color, linewidth=1)
        ax.plot(mx, my, "*" if human else "o" if name.startswith("T =") else "s", color=color, markersize=14 if human else 6)
        left = name.startswith("T =")  # temperatures are labeled on the left, all others on the right
        dx, dy = (shift or {}).get(name, (-8, 7) if left else (8, -8))
        figures.label(ax, mx, my, name, color=color, dx=dx, dy=dy, ha="right" if dx < 0 else "left")
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set(xlabel=xlabel + " (logarithmic)", ylabel=ylabel)
    ax.margins(x=0.14, y=0.1)
    listed = "; ".join(f"{n} {x} {p.mean(0)[0]:.3g}, {y} {p.mean(0)[1]:.2f}" for n, p in at.items())
    return fig, f"{told} {listed}."


def beam_tree(steps, decode, width: int, highlight: tuple[int, ...] = ()):
    """The tree of a beam search: every prefix that was kept, with its sum of log-probabilities; ended ones framed.

    steps: as `beam.beam_search(steps=...)` fills it. highlight: the ids of the winner, drawn in red.
    """
    columns = [[((), 0.0, False)]]
    for step in steps:
        column = [(b.ids, b.total, False) for b in step.kept] + [(b.ids, b.total, True) for b in step.ended]
        columns.append(sorted(column, key=lambda b: -b[1]))
    fig, ax = figures.new(size=(min(9.4, 1.5 + 1.45 * len(columns)), 0.8 + 0.62 * max(len(c) for c in columns)))
    places: dict[tuple, tuple[float, float]] = {}
    for x, column in enumerate(columns):
        for row, (ids, total, ended) in enumerate(column):
            y = -(row - (len(column) - 1) / 2)
            places[ids] = (x, y)
            won = highlight[: len(ids)] == ids
            if ids:
                px, py = places[ids[:-1]]
                ax.plot([px + 0.18, x - 0.18], [py, y], color=C["red"] if won else "#aaaaaa", linewidth=2 if won else 1, zorder=1)
            text = f"{plain(decode(ids[-1]))}\n{total:.2f}" if ids else "start"
            edge = C["red"] if won else C["blue"] if ended else "#aaaaaa"
            frame = dict(boxstyle="round,pad=0.25", facecolor="white", edgecolor=edge, linewidth=2 if ended else 1)
            ax.annotate(text, (x, y), ha="center", va="center", fontsize=8.5, bbox=frame, zorder=2)
    ax.set_xlim(-0.5, len(columns) - 0.5)
    tall = max(len(c) for c in columns)
    ax.set_ylim(-tall / 2 - 0.15, tall / 2 + 0.15)
    ax.axis("off")
    listed = " | ".join(", ".join(f"{''.join(decode(i) for i in ids)} {total:.2f}" for ids, total, _ in c) for c in columns[1:])
    return fig, f"Tree of a beam search of width {width}, by step: {listed}."


def acceptance(p: np.ndarray, q: np.ndarray, tokens: list[str]):
    """Speculative decoding on one token: what is accepted (the smaller of p and q), what must be added, what was too much."""
    fig, ax = figures.new(size=(6.6, 3.0))
    rows, both = np.arange(len(p)), np.minimum(p, q)
    ax.bar(rows, both, color=C["blue"], width=0.6)
    ax.bar(rows, np.maximum(p - q, 0), bottom=both, color=C["orange"], width=0.6, hatch="//")
    ax.bar(rows, np.maximum(q - p, 0), bottom=both, color="none", edgecolor=C["red"], width=0.6, linestyle="--")
    for x in rows.tolist():
        figures.label(ax, x, max(p[x], q[x]), f"p {p[x]:.2f}\nq {q[x]:.2f}", dx=0, dy=14, ha="center", fontsize=8.5)
    ax.set_xticks(rows, [plain(t) for t in tokens])
    ax.set(ylim=(0, max(p.max(), q.max()) * 1.3), ylabel="probability")
    ax.set_title("solid: kept guesses; hatched: drawn after a rejection; dashed: rejected", fontsize=9.5)
    listed = ", ".join(f"{t} p {a:.2f} q {b:.2f}" for t, a, b in zip(tokens, p, q))
    return fig, f"Guesses kept (the smaller of p and q) and made up for: {listed}; kept in all {both.sum():.2f}."


def bars(rows: dict[str, tuple[float, float, float]], xlabel: str, told: str):
    """One row for each setting: a share with its interval (share, low, high)."""
    fig, ax = figures.new(size=(7.0, 0.9 + 0.36 * len(rows)))
    for y, (share, low, high) in enumerate(rows.values()):
        ax.plot([low, high], [y, y], color=C["blue"])
        ax.plot(share, y, "o", color=C["blue"])
        figures.label(ax, high, y, f"{share:.2f} [{low:.2f}, {high:.2f}]", dx=8)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.invert_yaxis()
    ax.set(xlabel=xlabel, xlim=(-0.03, 1.32))
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1])
    ax.grid(False, axis="y")
    listed = "; ".join(f"{n} {s:.2f} ({a:.2f} to {b:.2f})" for n, (s, a, b) in rows.items())
    return fig, f"{told} {listed}."


def by_count(series: dict[str, tuple[list, list[list[float]]]], xlabel: str, ylabel: str, told: str):
    """Means over seeds joined by lines, every seed a small dot. series: name -> (x, values of each seed at each x)."""
    fig, ax = figures.new(size=(6.8, 3.2))
    listed, last = [], {name: float(np.mean(values[-1])) for name, (_, values) in series.items()}
    labels: dict[str, float] = {}
    for name in sorted(last, key=last.__getitem__):  # from the bottom up, so far apart that no label covers another
        labels[name] = max(last[name], max(labels.values(), default=-1) + 0.08)
    for number, (name, (x, values)) in enumerate(series.items()):
        color, places = figures.CYCLE[number % 7], range(len(x))
        means = [float(np.mean(v)) for v in values]
        ax.plot(places, means, color=color, marker="osD"[number % 3], linestyle=["-", "--", ":"][number % 3])
        for at, v in zip(places, values):
            ax.plot([at] * len(v), v, ".", color=color, alpha=0.55)
        figures.label(ax, len(x) - 1, labels[name], name, color=color, dx=9)
        listed.append(f"{name}: " + ", ".join(f"{a} {m:.2f} ({min(v):.2f} to {max(v):.2f})" for a, m, v in zip(x, means, values)))
    ax.set_xticks(places, [str(a) for a in x])
    ax.set_xlim(-0.3, len(x) * 1.28 - 0.7)
    ax.set(xlabel=xlabel, ylabel=ylabel, ylim=(-0.03, 1.03))
    return fig, f"{told} {'; '.join(listed)}."


def reliability(confidence: np.ndarray, frequency: np.ndarray, count: np.ndarray, title: str, told: str, intervals=None):
    """Reliability diagram: share right over stated confidence, the diagonal is perfect; the size of a dot shows how many."""
    fig, ax = figures.new(size=(4.9, 4.0))
    ax.plot([0, 1], [0, 1], color="#999999", linestyle="--", linewidth=1)
    figures.label(ax, 0.62, 0.62, "calibrated", dx=8, dy=-22, color="#777777")
    for n, (c, f, k) in enumerate(zip(confidence, frequency, count)):
        if intervals is not None:
            ax.plot([c, c], intervals[n], color=C["blue"], linewidth=1)
        ax.plot(c, f, "o", color=C["blue"], markersize=4 + 1.2 * np.sqrt(k))
        figures.label(ax, c, f, str(int(k)), dx=9, dy=-9, fontsize=8.5)
    ax.set(xlim=(-0.02, 1.05), ylim=(-0.02, 1.05), xlabel="confidence", ylabel="share of right answers", title=title)
    listed = "; ".join(f"confidence {c:.2f}: {f:.2f} right of {int(k)}" for c, f, k in zip(confidence, frequency, count))
    return fig, f"{told} {listed}."


def playground(columns: list[list[tuple[str, float]]], chosen: list[int], prompt: str, total: float) -> str:
    """Token by token: for each position the likeliest alternatives as a column, the chosen one framed; HTML."""
    show = lambda t: html.escape(t).replace(" ", "&nbsp;").replace("\n", "\\n")  # noqa: E731
    text = show(prompt) + "".join(f"<b style='text-decoration:underline'>{show(c[k][0])}</b>" for c, k in zip(columns, chosen))
    cells = ""
    for row in range(max(len(c) for c in columns)):
        line = ""
        for column, k in zip(columns, chosen):
            token, p = column[row]
            mark = f"outline: 2px solid {C['red']};" if row == k else ""
            bar = f"<div style='background:{C['blue']}; height:5px; width:{max(1, round(90 * p))}px'></div>"
            line += (
                f"<td style='text-align:left; {mark}'><code>{show(token)}</code><br>{bar}"
                f"<span style='font-size:0.85em'>{p:.3f}</span></td>"
            )
        cells += f"<tr>{line}</tr>"
    head = "".join(f"<th>token {n + 1}</th>" for n in range(len(columns)))
    return (
        f"<p>{text}</p><table><thead><tr>{head}</tr></thead><tbody>{cells}</tbody></table>"
        f"<p>log-probability of this path: {total:.2f}</p>"
    )


def lines(series: dict[str, tuple], xlabel: str, ylabel: str, told: str):
    """Lines with a legend; series: name -> (x, y)."""
    fig, ax = figures.new(size=(6.4, 3.2))
    for number, (name, (x, y)) in enumerate(series.items()):
        color = figures.CYCLE[number % 7]
        ax.plot(x, y, color=color, linestyle=["-", "--", ":"][number % 3], label=figures.named(name))
    ax.legend(loc="upper left")  # the curves cross too often for labels beside them
    ax.set(xlabel=xlabel, ylabel=ylabel, ylim=(0, None))
    ends = "; ".join(f"{n}: from {y[0]:.2f} at {x[0]:.2f} to {y[-1]:.2f} at {x[-1]:.2f}" for n, (x, y) in series.items())
    return fig, f"{told} {ends}."
