"""The chapter table of README.md, made from the catalog of chapters and the measurements in data/results.json."""

import json
from pathlib import Path

from helpers import chapters

ROOT = Path(__file__).resolve().parents[2]
BEGIN, END = "<!-- chapters: made by `python3 course.py run --record` -->", "<!-- end of chapters -->"


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


def hardware(results: dict) -> str:
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


def updated(text: str, results: dict) -> str:
    """README text with its table renewed. Raises ValueError when the markers are missing."""
    if BEGIN not in text or END not in text:
        raise ValueError(f"README.md lacks the marker lines {BEGIN} and {END}; put them where the table belongs")
    before, rest = text.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    return f"{before}{BEGIN}\n{table(results)}\n\n{hardware(results)}\n{END}{after}"


def update(root: Path = ROOT) -> None:
    """Renew the table of README.md in place."""
    file = root / "data" / "results.json"
    results = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    readme = root / "README.md"
    text = readme.read_text(encoding="utf-8")
    if BEGIN in text:
        readme.write_text(updated(text, results), encoding="utf-8")


if __name__ == "__main__":
    update()
