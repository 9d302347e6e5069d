"""Drawings of chapter 07: sequence to sequence, and what a model wrote. Numbers in, (Figure, alt text) or HTML out."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np

from helpers.lab import figures

C = figures.COLORS


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
