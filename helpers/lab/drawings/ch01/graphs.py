"""Drawings of chapter 01: a computation as boxes and arrows. Numbers in, (Figure, alt text) out."""

from __future__ import annotations

from helpers.lab import figures
from helpers.models.autodiff import Value, ordered

C = figures.COLORS


def graph(root: Value):
    """The computation that led to `root`, left to right: each box with its value and its gradient.

    The number on an arrow is the local slope. Meant for at most about 15 nodes.
    """
    order = ordered(root)
    depth: dict[int, int] = {}
    for v in order:
        depth[id(v)] = 1 + max((depth[id(p)] for p in v.parents), default=-1)
    for v in reversed(order):  # inputs stand just left of where they are used
        for p in v.parents:
            if not p.parents:
                depth[id(p)] = max(depth[id(p)], depth[id(v)] - 1)
    columns: dict[int, list[Value]] = {}
    for v in order:
        columns.setdefault(depth[id(v)], []).append(v)
    place = {}
    for column, values in columns.items():
        inner = [v for v in values if v.parents] + [v for v in values if not v.parents]
        for row, v in enumerate(inner):
            place[id(v)] = (column * 1.75, -row * 1.0)
    rows = max(len(c) for c in columns.values())
    fig, ax = figures.new(size=(8.0, 0.3 + 1.0 * rows))
    boxes = {}
    for v in order:
        constant = not v.parents and not v.label
        first = " = ".join(part for part in (v.label, v.op) if part) or f"{v.data:g}"
        text = f"{first}\n" + ("" if constant else f"value {v.data:.4g}\n") + f"grad {v.grad:,.5g}"
        edge = C["blue"] if v.label else figures.GREY
        boxes[id(v)] = ax.text(
            *place[id(v)],
            text,
            ha="center",
            va="center",
            fontsize=9,
            linespacing=1.25,
            bbox={"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": edge, "linewidth": 1.6},
        ).get_bbox_patch()
    for v in order:
        for p, slope in zip(v.parents, v.slopes):
            (px, py), (x, y) = place[id(p)], place[id(v)]
            style = {
                "arrowstyle": "->",
                "color": figures.GREY,
                "patchA": boxes[id(p)],
                "patchB": boxes[id(v)],
            }
            ax.annotate("", (x, y), (px, py), arrowprops=style | {"shrinkA": 0, "shrinkB": 0})
            ax.text(
                (x + px) / 2,
                (y + py) / 2,
                f"{slope:.3g}",
                color=C["red"],
                ha="center",
                va="center",
                fontsize=9.5,
                bbox={"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none"},
            )
    ax.set(xlim=(-0.75, max(columns) * 1.75 + 0.75), ylim=(-(rows - 1) - 0.5, 0.5))
    ax.axis("off")

    def name(v: Value) -> str:
        return v.label or (f"the result of {v.op}" if v.op else f"the constant {v.data:g}")

    told = "; ".join(f"{name(v)} has value {v.data:.4g} and gradient {v.grad:,.5g}" for v in order)
    return fig, f"Computation graph from left to right: {told}."
