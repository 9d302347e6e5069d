"""The made parts of README.md: the chapter table and the two ladders, from the measurements in data/results.json."""

import sys
from pathlib import Path
from typing import Any

from helpers import chapters
from helpers.course.commands.console import Problem, guarded
from helpers.files import load_json, write_atomic

ROOT = Path(__file__).resolve().parents[3]
BEGIN, END = "<!-- chapters: made by `python3 course.py run --record` -->", "<!-- end of chapters -->"

LADDERS, LADDERS_END = "<!-- ladders: made by `python3 course.py run --record` -->", "<!-- end of ladders -->"
PICTURES = {
    "classification": "data/pictures/ladder_classifiers.png",
    "language_models": "data/pictures/ladder_language_models.png",
}


def recorded(path: Path) -> dict[str, Any]:
    """What `course.py run --record` wrote so far; nothing without a file. Raises Problem when it is damaged."""
    if not path.exists():
        return {}
    try:
        return load_json(path)
    except ValueError as error:
        raise Problem(f"{path.name} is damaged ({error}).", f"Restore it: git checkout -- data/{path.name}") from error


def table(results: dict) -> str:
    """The chapter table in Markdown. ``results`` is the content of data/results.json."""
    measured = results.get("notebooks", {})
    lines = ["| | Chapter | You build | Time | Memory | Open in |", "|---|---|---|---|---|---|"]
    for c in chapters.CHAPTERS:
        if not c.ready:
            lines.append(f"| {c.number} | {c.title} | {c.builds} | in work | | |")
            continue
        run = measured.get(c.number)
        cost = (f"{run['seconds']:.0f} s", f"{run['peak_mb']:.0f} MB") if run else ("not measured", "")
        links = chapters.links(c.number)
        lines.append(
            f"| {c.number} | [{c.title}]({c.file}) | {c.builds} | {cost[0]} | {cost[1]} "
            f"| [Colab]({links['Colab']}), [Binder]({links['Binder']}) |"
        )
    return "\n".join(lines)


def measured_on(results: dict) -> str:
    """The sentence below the table: on what the numbers were measured."""
    runs = list(results.get("notebooks", {}).values())
    if not runs:
        return "Time and memory have not been measured yet."
    kinds = sorted({r["hardware"] for r in runs})
    dates = sorted({r["date"] for r in runs})
    when = dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
    return (
        f"Time is the run from top to bottom without the reader, memory the most that the notebook's process held at any moment; "
        f"profile cpu, on {' and '.join(kinds)}, {when}."
    )


def ladders() -> str:
    """The two ladders as pictures, each with its alt text; needs matplotlib."""
    from helpers.lab import ladder

    return "\n\n".join(f"![{ladder.chart(board)[1]}]({file})" for board, file in PICTURES.items())


def draw_ladders(root: Path = ROOT) -> None:
    """Draw the pictures of `ladders` again."""
    from helpers.lab import figures, ladder

    for board, file in PICTURES.items():
        write_atomic(root / file, figures.png(ladder.chart(board)[0]))


def between(text: str, begin: str, end: str, new: str) -> str:
    """``text`` with ``new`` between two marker lines. Raises ValueError when they are missing."""
    if begin not in text or end not in text:
        raise ValueError(f"README.md lacks the marker lines {begin} and {end}; put them where this part belongs")
    before, rest = text.split(begin, 1)
    return f"{before}{begin}\n{new}\n{end}{rest.split(end, 1)[1]}"


def updated(text: str, results: dict) -> str:
    """README text with its made parts renewed. Raises ValueError when the markers are missing."""
    text = between(text, BEGIN, END, f"{table(results)}\n\n{measured_on(results)}")
    return between(text, LADDERS, LADDERS_END, ladders())


def update(root: Path = ROOT) -> None:
    """Renew README.md and its pictures in place."""
    results = recorded(root / "data" / "results.json")
    readme = root / "README.md"
    text = readme.read_text(encoding="utf-8")
    if BEGIN in text:
        new = updated(text, results)
        draw_ladders(root)
        write_atomic(readme, new)


def _command(_: None) -> int:
    update()
    return 0


if __name__ == "__main__":
    sys.exit(guarded(_command, None))
