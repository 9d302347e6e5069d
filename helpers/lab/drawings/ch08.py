"""Drawings of chapter 08: curves, scores, costs. Every function is pure: numbers in, (Figure, alt text) or HTML out.

What shows who looks at whom (masks, attention maps, rotations, the logit lens) stands in ch08_maps.
"""

from __future__ import annotations

import numpy as np

from helpers.lab import figures
from helpers.models.sizes import Size, training_bytes

C = figures.COLORS


def curves(
    series: dict,
    xlabel: str,
    ylabel: str,
    told: str,
    *,
    size=(7.0, 3.4),
    logx: bool = False,
    logy: bool = False,
    marks: bool = True,
    shift: dict | None = None,
    room: float = 0.3,
):
    """Several labeled lines. series: name -> (x, y) or (x, y, low, high); shift: by how many points a label moves up.

    room: the share of the width that is kept free for the labels.
    """
    fig, ax = figures.new(size=size)
    for number, (name, values) in enumerate(series.items()):
        color, style = figures.CYCLE[number % 7], ["-", "--", "-.", ":"][number % 4]
        x, y = (np.asarray(v, dtype=float) for v in values[:2])
        ax.plot(x, y, marker="osD^v"[number % 5] if marks else None, color=color, linestyle=style)
        if len(values) == 4:
            ax.fill_between(x, values[2], values[3], color=color, alpha=0.18, linewidth=0)
        figures.label(ax, x[-1], y[-1], name, color=color, dx=7, dy=(shift or {}).get(name, 0))
    if logx:
        ax.set_xscale("log")
    if logy:
        ax.set_yscale("log")
    left, right = ax.get_xlim()
    ax.set_xlim(left, right * (right / left) ** (room / (1 - room)) if logx else right + room * (right - left))
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ends = {name: [(float(v[0][i]), float(v[1][i])) for i in (0, -1)] for name, v in series.items()}
    listed = "; ".join(f"{name}: from {a:.3g} at {at:.3g} to {b:.3g} at {end:.3g}" for name, ((at, a), (end, b)) in ends.items())
    return fig, f"{told} {listed}."


def activations():
    """ReLU, GELU and SiLU side by side, from -4 to 4."""
    import torch
    import torch.nn.functional as F

    x = torch.linspace(-4, 4, 161)
    series = {"ReLU": F.relu(x), "GELU": F.gelu(x), "SiLU": F.silu(x)}
    fig, ax = figures.new(size=(5.6, 3.0))
    for (name, y), color, style in zip(series.items(), ("black", "blue", "red"), ("-", "--", "-.")):
        ax.plot(x, y, color=C[color], linestyle=style, label=name)
    ax.legend(loc="upper left")
    ax.set(xlabel="input", ylabel="output")
    ax.axhline(0, color="#888888", linewidth=0.8)
    return fig, (
        "Three activations: ReLU is 0 up to 0 and then the input; GELU and SiLU dip a little below 0 before it and are smooth."
    )


def training(losses, evaluations, told: str, *, window: int = 20):
    """Training loss (thin: each step, thick: mean of the last `window`) and validation bits per byte over the steps."""
    fig, (left, right) = figures.new(1, 2, size=(8.2, 3.2))
    losses = np.asarray(losses)
    smooth = np.convolve(losses, np.ones(window) / window, mode="valid")
    left.plot(np.arange(1, len(losses) + 1), losses, color=C["sky"], linewidth=0.7)
    left.plot(np.arange(window, len(losses) + 1), smooth, color=C["blue"])
    left.set(xlabel="step", ylabel="nats per token", title="training loss")
    steps, values = zip(*evaluations)
    right.plot(steps, values, "o-", color=C["red"])
    for step, value in (evaluations[0], evaluations[-1]):
        figures.label(right, step, value, f"{value:.2f}", dx=-4, dy=10)
    right.set(xlabel="step", ylabel="bits per byte", title="validation leads")
    right.margins(y=0.15)
    return fig, (
        f"{told} The training loss falls from {losses[0]:.2f} to about {smooth[-1]:.2f} nats per token; validation: "
        + ", ".join(f"step {s} {v:.2f}" for s, v in evaluations)
        + " bits per byte."
    )


def spread(results: dict[str, list[float]], xlabel: str, told: str, baseline: str | None = None):
    """One row for each setting: a dot for each seed and a line at the mean, the best on top."""
    rows = sorted(results.items(), key=lambda item: np.mean(item[1]), reverse=True)
    fig, ax = figures.new(size=(7.2, 0.9 + 0.38 * len(rows)))
    for row, (name, values) in enumerate(rows):
        color = C["red"] if name == baseline else C["blue"]
        ax.plot([min(values), max(values)], [row, row], color=color, linewidth=2)
        ax.plot(values, [row] * len(values), "o", color=color)
        figures.label(ax, max(values), row, f"{np.mean(values):.2f}", color=color, dx=8)
    if baseline:
        ax.axvline(np.mean(results[baseline]), color=C["red"], linewidth=1, linestyle=":")
    ax.set_yticks(range(len(rows)), [name for name, _ in rows])
    ax.set(xlabel=xlabel)
    ax.margins(x=0.12)
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.grid(False, axis="y")
    listed = "; ".join(f"{name} {np.mean(v):.2f} ({min(v):.2f} to {max(v):.2f})" for name, v in reversed(rows))
    return fig, f"{told} {listed}."


def bowls(runs: list[dict], live: dict | None = None):
    """Bits per byte over the size of the model, a curve for each budget: means of the seeds, each seed a small dot."""
    from helpers.studies.scaling import bowl, lowest

    budgets = sorted({r["budget"] for r in runs})
    fig, ax = figures.new(size=(7.2, 3.8))
    told = []
    for number, budget in enumerate(budgets):
        color, marker = figures.CYCLE[number], "osD"[number % 3]
        sizes, bits = bowl(runs, budget)
        ax.plot(sizes, bits, color=color, marker=marker)
        chosen = [r for r in runs if r["budget"] == budget]
        ax.plot([r["parameters"] for r in chosen], [r["bits"] for r in chosen], ".", color=color, alpha=0.6, markersize=5)
        at, value = lowest(sizes, bits)
        ax.plot(at, value, "*", color="black", markersize=12, zorder=5)
        figures.label(ax, sizes[-1], bits[-1], f"{budget:.0e} operations", color=color, dx=8)
        told.append(f"{budget:.0e} operations: lowest at about {at:,.0f} parameters with {value:.2f} bits per byte")
    if live:
        ax.plot(live["parameters"], live["bits"], "P", color=C["red"], markersize=10, zorder=6)
        figures.label(ax, live["parameters"], live["bits"], "this session", color=C["red"], dx=-10, dy=14, ha="right")
    ax.set_xscale("log")
    left, right = ax.get_xlim()
    ax.set_xlim(left, right * 3)
    ax.set(xlabel="parameters of the model", ylabel="bits per byte (validation)")
    return fig, f"Loss over size for {len(budgets)} budgets: each curve is a bowl. {'; '.join(told)}."


def size_card(hidden_dim: int, n_layers: int, n_heads: int, sharing: int, vocab_size: int, tied: bool, context: int) -> str:
    """The calculator as an HTML table: parameters by part, memory in 16 and 32 bits, cache, operations, training.

    sharing: how many query heads use one key-value head; the number of query heads is lowered to a multiple of it.
    """
    shared = max(1, n_heads // sharing)
    heads = shared * min(sharing, n_heads)
    ffn = round(hidden_dim * 8 / 3 / 32) * 32
    size = Size(vocab_size, hidden_dim, n_layers, heads, ffn, n_kv_heads=shared, head_dim=hidden_dim // heads, tied=tied)
    parts = size.parameters()
    total = parts.pop("total")
    bars = "".join(
        f"<tr><td style='text-align:left'>{name}</td><td style='text-align:right'>{n:,}</td><td style='text-align:right'>"
        f"{n / total:.0%}</td><td style='text-align:left; min-width:170px'><div style='background:{C['blue']}; height:10px; "
        f"width:{max(1, round(160 * n / total))}px'></div></td></tr>"
        for name, n in parts.items()
        if n
    )
    cache = size.cache_bytes_per_token(2)
    tokens = 20 * total
    facts = [
        ("parameters", f"{total:,}"),
        ("weights in 16 bits", _bytes(2 * total)),
        ("weights in 32 bits", _bytes(4 * total)),
        ("training in 32 bits (weights, gradients, AdamW)", _bytes(training_bytes(total))),
        ("cache for one token, 16 bits", _bytes(cache)),
        (f"cache for {context:,} tokens", _bytes(cache * context)),
        (f"operations for one token after {context:,}", f"{size.flops_per_token(context):.2e}"),
        ("of these for looking back", f"{1 - size.flops_per_token(0) / size.flops_per_token(context):.0%}"),
        ("training on 20 tokens a parameter", f"{6 * total * tokens:.1e} operations"),
    ]
    listed = "".join(
        f"<tr><td style='text-align:left'>{name}</td><td style='text-align:right'><b>{value}</b></td></tr>"
        for name, value in facts
    )
    note = f"feed-forward width {ffn:,}; {heads} query heads of {hidden_dim // heads} channels, {shared} key-value heads"
    return (
        f"<div style='display:flex; flex-wrap:wrap; gap:24px; align-items:flex-start'><table>{listed}</table>"
        f"<table>{bars}</table></div><p style='font-size:0.9em'>{note}</p>"
    )


def _bytes(n: float) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n >= size:
            return f"{n / size:.3g} {unit}"
    return f"{n:.0f} B"
