"""The two ladders of the course: classifiers by accuracy, language models by bits per byte.

The committed rungs stand in ``data/results.json``; a rung added in a session is shown beside them, and is written to the
file only when the notebook runs under ``course.py run --record``.
"""

import html
import os
from pathlib import Path

from helpers.files import load_json, locked, save_json
from helpers.lab import figures
from helpers.paths import named_path, repository_root

BOARDS = {
    "classification": {"unit": "accuracy", "axis": "accuracy on the test leads (11 topics), 95 % interval", "higher": True},
    "language_models": {"unit": "bits per byte", "axis": "bits per byte on the test leads, 95 % interval", "higher": False},
}
FIELDS = ("rung", "chapter", "score", "low", "high", "n", "seconds", "parameters", "note")
STYLE = {"indent": 1, "sort_keys": True, "ensure_ascii": False}  # of data/results.json
_session: dict[str, dict[str, dict]] = {}


def results_file() -> Path:
    """The file of the committed results: ``data/results.json``, or COURSE_RESULTS."""
    return named_path("COURSE_RESULTS") or repository_root() / "data" / "results.json"


def results() -> dict:
    """All committed results; empty when there are none yet. Raises ValueError when the file is damaged."""
    path = results_file()
    if not path.exists():
        return {}
    try:
        return load_json(path)
    except ValueError as error:
        cure = "delete it" if named_path("COURSE_RESULTS") else "restore it: git checkout -- data/results.json"
        raise ValueError(f"{path.name} is damaged ({error}); {cure}") from error


def _board(board: str) -> dict:
    if board not in BOARDS:
        raise ValueError(f"there is no ladder {board!r}; the ladders are {', '.join(BOARDS)}")
    return BOARDS[board]


def add(
    board: str,
    *,
    rung: str,
    chapter: str,
    score: float,
    low: float,
    high: float,
    n: int,
    seconds: float,
    parameters: int,
    note: str = "",
) -> None:
    """Put a rung on a ladder: ``score`` with its 95 % interval [low, high] over ``n`` test items (documents).

    seconds: training time. parameters: learned numbers. Raises ValueError for an unknown ladder, an interval that does
    not hold the score, or n < 1.
    """
    _board(board)
    if not low <= score <= high:
        raise ValueError(f"the interval [{low}, {high}] must contain the score {score}")
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    entry = dict(
        rung=rung,
        chapter=str(chapter).zfill(2),
        score=round(float(score), 6),
        low=round(float(low), 6),
        high=round(float(high), 6),
        n=int(n),
        seconds=float(f"{seconds:.2g}"),
        parameters=int(parameters),
        note=note,
    )
    _session.setdefault(board, {})[rung] = entry
    if os.environ.get("COURSE_RECORD"):
        _write(board, entry)


def _write(board: str, entry: dict) -> None:
    sign = 1 if _board(board)["higher"] else -1
    with locked(results_file()):  # other notebooks record as well
        everything = results()
        rungs = [r for r in everything.get(board, []) if r["rung"] != entry["rung"]]
        everything[board] = sorted([*rungs, entry], key=lambda r: (r["chapter"], r["score"] * sign))
        save_json(results_file(), everything, **STYLE)


def rungs(board: str, through: str = "99") -> list[dict]:
    """The rungs of a ladder from the lowest to the best: the committed ones, replaced by this session's where both exist.

    through: leave out the committed rungs of later chapters than this one.
    """
    info = _board(board)
    committed = {r["rung"]: r for r in results().get(board, []) if r["chapter"] <= through.zfill(2)}
    return sorted((committed | _session.get(board, {})).values(), key=lambda r: r["score"], reverse=not info["higher"])


def chart(board: str, through: str = "99"):
    """Draw a ladder: one row a rung, a dot with its interval. Returns (Figure, alt text)."""
    info, listed = _board(board), rungs(board, through)
    fig, ax = figures.new(size=(7.6, 1.1 + 0.36 * max(1, len(listed))))
    for row, r in enumerate(listed):
        new = r["rung"] in _session.get(board, {})
        color = figures.COLORS["red" if new else "blue"]
        ax.plot([r["low"], r["high"]], [row, row], color=color, linewidth=2)
        ax.plot(r["score"], row, "D" if new else "o", color=color)
        figures.label(ax, r["high"], row, f"{r['score']:.3f}", color=color, dx=6)
    ax.set_yticks(range(len(listed)), [f"{r['rung']} ({r['chapter']})" for r in listed])
    ax.set_ylim(-0.6, max(1, len(listed)) - 0.4)
    ax.margins(x=0.12)
    ax.set_xlabel(info["axis"], loc="right")  # not cut off where long names leave little room
    ax.grid(False, axis="y")
    told = "; ".join(f"{r['rung']} {r['score']:.3f} ({r['low']:.3f} to {r['high']:.3f})" for r in listed)
    return fig, f"Ladder of {info['unit']}, lowest rung first: {told or 'no rung yet'}."


def table(board: str, through: str = "99") -> str:
    """A ladder as an HTML table: score, interval, test items, training time, parameters."""
    rows = "".join(
        f"<tr><td style='text-align:left'>{html.escape(r['rung'])}</td><td>{html.escape(r['chapter'])}</td>"
        f"<td>{r['score']:.3f}</td><td>{r['low']:.3f} to {r['high']:.3f}</td>"
        f"<td>{r['n']}</td><td>{r['seconds']:g}</td><td>{r['parameters']:,}</td></tr>"
        for r in reversed(rungs(board, through))
    )
    head = "".join(
        f"<th>{t}</th>"
        for t in ("rung", "chapter", _board(board)["unit"], "95 % interval", "test items", "seconds to train", "parameters")
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def show(board: str, *, through: str = "99", alt: str = "", caption: str = "") -> None:
    """Show a ladder as chart and table, up to chapter ``through``: committed rungs as circles, this session's as diamonds."""
    from IPython.display import display

    fig, told = chart(board, through)
    caption = (
        caption or "The ladder so far. Circles: committed results; diamonds: this session. The number in brackets is the chapter."
    )
    figures.show(fig, alt=alt or told, caption=caption)
    lines = [f"{r['rung']}: {r['score']:.3f} [{r['low']:.3f}, {r['high']:.3f}]" for r in reversed(rungs(board, through))]
    display({"text/html": table(board, through), "text/plain": "\n".join(lines)}, raw=True)
