"""Drawings of chapter 00: the map of the course, and what a language model says next."""

import html

from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from helpers import chapters
from helpers.lab import figures

# Where each chapter stands on the map (column, row from the top), by the part of the course it belongs to.
_PLACES = {
    "01": (0, 0),
    "02": (1, 0),
    "03": (0, 1),
    "04": (1, 1),
    "05": (2, 1),
    "06": (3, 1),
    "07": (2, 2),
    "08": (3, 2),
    "09": (3, 3),
    "10": (2, 3),
    "11": (1, 3),
}
_PARTS = (("Fitting", "blue"), ("Text as numbers", "green"), ("Neural language models", "orange"), ("Using a model", "purple"))
_WIDTH, _HEIGHT, _DROP = 0.78, 0.42, 1.0


def course_map():
    """The chapters as boxes and what one hands to another as arrows. Returns (Figure, alt text)."""
    fig, ax = figures.new(size=(8.4, 5.4))
    ax.set_axis_off()
    ax.set_xlim(-0.95, 3.6)
    ax.set_ylim(-3 * _DROP - 0.45, 0.45)
    for row, (part, color) in enumerate(_PARTS):
        ax.text(-0.93, -row * _DROP, part.replace(" ", "\n", 1), va="center", color=figures.COLORS["black"], fontsize=9.5)
        ax.axhspan(-row * _DROP - 0.36, -row * _DROP + 0.36, color=figures.COLORS[color], alpha=0.08)
    for chapter in chapters.CHAPTERS[1:]:
        for source in chapter.needs:
            _arrow(ax, _PLACES[source], _PLACES[chapter.number])
    for chapter in chapters.CHAPTERS[1:]:
        _box(ax, chapter)
    told = "; ".join(
        f"{c.number} {c.title} takes {', '.join(f'{what} from {n}' for n, what in c.needs.items())}"
        for c in chapters.CHAPTERS
        if c.needs
    )
    planned = [c.number for c in chapters.CHAPTERS if not c.ready]
    later = f" Still being written (dashed boxes): {', '.join(planned)}." if planned else ""
    return fig, f"Map of the chapters with arrows from a chapter to those that use its results. {told}.{later}"


def _box(ax, chapter) -> None:
    column, row = _PLACES[chapter.number]
    x, y = column - _WIDTH / 2, -row * _DROP - _HEIGHT / 2
    color = figures.COLORS[_PARTS[row][1]]
    ax.add_patch(
        FancyBboxPatch(
            (x, y),
            _WIDTH,
            _HEIGHT,
            boxstyle="round,pad=0.02,rounding_size=0.06",
            facecolor="white",
            edgecolor=color,
            linewidth=2,
            linestyle="-" if chapter.ready else (0, (3, 2)),
            zorder=3,
        )
    )
    words = {
        "n-gram language models": "n-gram\nlanguage models",
        "Retrieval-augmented generation": "Retrieval-aug-\nmented generation",
    }
    title = words.get(chapter.title, chapter.title.replace(" ", "\n", 1))
    ax.text(
        column,
        -row * _DROP,
        f"{chapter.number}  {title}" if "\n" not in title else f"{chapter.number}\n{title}",
        ha="center",
        va="center",
        fontsize=8.5,
        zorder=4,
        linespacing=1.15,
    )


def _arrow(ax, start, end) -> None:
    (x0, r0), (x1, r1) = start, end
    side, bend = (1 if x1 > x0 else -1), 0.0
    if r0 == r1 and abs(x1 - x0) <= 1:
        ends = ((x0 + side * (_WIDTH / 2 + 0.02), -r0), (x1 - side * (_WIDTH / 2 + 0.03), -r1))
    elif r0 == r1:
        ends, bend = ((x0 + 0.2, -r0 + _HEIGHT / 2 + 0.03), (x1 - 0.2, -r1 + _HEIGHT / 2 + 0.03)), -0.12
    else:
        shift = 0.25 * max(-1.0, min(1.0, x1 - x0))
        ends = ((x0 + shift, -r0 * _DROP - _HEIGHT / 2 - 0.03), (x1 - shift, -r1 * _DROP + _HEIGHT / 2 + 0.03))
    ax.add_patch(
        FancyArrowPatch(
            *ends,
            arrowstyle="-|>",
            mutation_scale=11,
            color=figures.GREY,
            linewidth=1.2,
            connectionstyle=f"arc3,rad={bend}",
            zorder=2,
        )
    )


def chapter_table() -> str:
    """The chapters as an HTML table: number, title, what the reader builds, what it takes from earlier ones."""
    rows = ""
    for c in chapters.CHAPTERS:
        takes = ", ".join(f"{what} ({n})" for n, what in c.needs.items()) or "-"
        ready = "ready" if c.ready else "in work"
        cells = (c.number, c.title, c.builds, takes, ready)
        rows += "<tr>" + "".join(f"<td style='text-align:left'>{html.escape(t)}</td>" for t in cells) + "</tr>"
    head = "".join(f"<th style='text-align:left'>{t}</th>" for t in ("", "Chapter", "You build", "It takes over", "State"))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def next_tokens(tokens: list[str], probabilities: list[float], temperature: float):
    """The most likely next tokens as bars, the rest as one bar. Returns (Figure, alt text)."""
    fig, ax = figures.new(size=(7, 3.7))
    names = [repr(t)[1:-1].replace(" ", "␣") for t in tokens] + ["all others"]
    values = [*probabilities, max(0.0, 1 - sum(probabilities))]
    colors = [figures.COLORS["blue"]] * len(tokens) + [figures.GREY]
    ax.barh(range(len(values)), values, color=colors)
    for row, value in enumerate(values):
        figures.label(ax, value, row, f"{value:.3f}")
    ax.set_yticks(range(len(values)), names)
    ax.invert_yaxis()
    ax.set_xlim(0, 1.12)
    ax.set_xlabel(f"probability of the next token at temperature {temperature:g}")
    ax.grid(False, axis="y")
    told = ", ".join(f"{n} {v:.3f}" for n, v in zip(names, values))
    return fig, f"Bars with the probability of the next token at temperature {temperature:g}: {told}."


def speech(question: str, answer: str) -> str:
    """A question and its answer as two boxes of HTML that fit light and dark pages."""
    box = "border: 1px solid currentColor; border-radius: 8px; padding: 6px 10px; margin: 6px 0; max-width: 620px"
    return (
        f"<div style='{box}; opacity: 0.85'><b>You:</b> {html.escape(question)}</div>"
        f"<div style='{box}'><b>SmolLM2:</b> {html.escape(answer)}</div>"
    )
