"""The house, read off its imports: which room opens which, circles, and the picture in data/pictures.

python -m tests.tools.architecture      draws the picture and prints what the tables in the two pages should say
"""

from __future__ import annotations

import ast
import json
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE, PICTURE, README = ROOT / "docs/architecture.md", ROOT / "data/pictures/architecture.svg", ROOT / "helpers/README.md"
GROUND = "ground floor"  # the files of helpers/ that are in no room
ALGORITHMS = ("data", "features", "tokenizers", "models", "evaluation", "generation", "training", "finetuning", "retrieval")
ROW = re.compile(r"^\| `?([\w ]+?)/?`? \| (.*?) \|", re.MULTILINE)

Graph = dict[str, set[str]]


def modules() -> dict[str, Path]:
    """Dotted name below helpers -> file; a package by its name."""
    found = {}
    for path in sorted((ROOT / "helpers").rglob("*.py")):
        parts = path.relative_to(ROOT / "helpers").with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(source: str, known: Mapping[str, Path]) -> set[str]:
    """The modules below helpers that a source imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "helpers":
            base = (node.module or "").removeprefix("helpers").lstrip(".")
            for alias in node.names:
                inner = f"{base}.{alias.name}".lstrip(".")
                found.add(inner if inner in known else base)
        elif isinstance(node, ast.Import):
            found |= {a.name.removeprefix("helpers.") for a in node.names if a.name.startswith("helpers.")}
    return found


def files() -> Graph:
    """Module -> the modules that it imports."""
    known = modules()
    return {name: imported(path.read_text(encoding="utf-8"), known) - {name} for name, path in known.items()}


def room(module: str) -> str:
    """The room of a module: the folder below helpers."""
    return module.split(".")[0] if (ROOT / "helpers" / module.split(".")[0]).is_dir() and module else GROUND


def rooms(graph: Graph | None = None) -> Graph:
    """Room -> the other rooms that its files import."""
    found: Graph = defaultdict(set)
    for module, others in (graph or files()).items():
        found[room(module)] |= {room(other) for other in others} - {room(module)}
    return dict(found)


def circles(graph: Graph) -> list[list[str]]:
    """Groups of nodes that reach each other; empty where imports only go down."""
    reach = {node: _reached(graph, node) for node in graph}
    groups = {
        tuple(sorted({node} | {o for o in reach[node] if node in reach.get(o, ())})) for node in graph if node in reach[node]
    }
    return [list(group) for group in sorted(groups)]


def _reached(graph: Graph, start: str) -> set[str]:
    seen: set[str] = set()
    todo = list(graph.get(start, ()))
    while todo:
        node = todo.pop()
        if node not in seen:
            seen.add(node)
            todo += graph.get(node, ())
    return seen


def floors(graph: Graph) -> dict[str, int]:
    """Each room's floor: one above the highest room that it opens. Raises ValueError where there is a circle."""
    if circles(graph):
        raise ValueError(f"expected imports that only go down, got the circles {circles(graph)}")
    found: dict[str, int] = {}
    while len(found) < len(graph):
        for node, others in graph.items():
            if node not in found and all(o in found for o in others if o in graph):
                found[node] = 1 + max((found[o] for o in others if o in graph), default=-1)
    return found


def table(page: Path = PAGE) -> Graph:
    """The rule as docs/architecture.md tells it: room -> the rooms that it may import."""
    text = page.read_text(encoding="utf-8").split("## Which room may import which")[1].split("\n## ")[0]
    rows = {name: set(re.findall(r"`([\w ]+)`", cell)) for name, cell in ROW.findall(text)}
    return {name: cell for name, cell in rows.items() if name != "room"}


def chapters_of_rooms() -> dict[str, list[str]]:
    """Room -> the numbers of the chapters whose notebooks open it."""
    known, found = modules(), defaultdict(set)
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        for source in ("".join(c["source"]) for c in cells if c["cell_type"] == "code"):
            for module in imported(source, known):
                if module:
                    found[room(module)].add(path.name[:2])
    return {name: sorted(numbers) for name, numbers in found.items()}


def picture(graph: Graph | None = None) -> str:
    """The rooms as SVG: boxes on floors, an arrow from each room down to those that it opens (implied arrows left out)."""
    graph = graph or rooms()
    level = floors(graph)
    wide, high, box_w, box_h = 150, 84, 122, 34
    rows: dict[int, list[str]] = defaultdict(list)
    for name in sorted(graph, key=lambda n: (level[n], n)):
        rows[level[name]].append(name)
    width, top = max(map(len, rows.values())) * wide + 20, max(rows)
    x = {n: width / 2 + (i - (len(row) - 1) / 2) * wide for row in rows.values() for i, n in enumerate(row)}
    y = {n: 20 + (top - level[n]) * high + box_h / 2 for n in graph}
    lines, boxes = [], []
    for name in sorted(graph):
        direct = {o for o in graph[name] if not any(o in _reached(graph, p) for p in graph[name] - {o})}
        lines += [
            f'<path d="M{x[name]:.0f} {y[name] + box_h / 2:.0f} L{x[o]:.0f} {y[o] - box_h / 2 - 4:.0f}" marker-end="url(#a)"/>'
            for o in sorted(direct)
        ]
        boxes.append(
            f'<rect x="{x[name] - box_w / 2:.0f}" y="{y[name] - box_h / 2:.0f}" width="{box_w}" height="{box_h}" rx="6"/>'
            f'<text x="{x[name]:.0f}" y="{y[name] + 5:.0f}">{name}</text>'
        )
    height = 40 + top * high + box_h
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        'aria-label="The rooms of helpers; each arrow goes from a room to one that it imports, always down">\n'
        "<style>rect{fill:#eef3f8;stroke:#3b6ea5}path{stroke:#7a8793;fill:none}"
        "text{font:15px sans-serif;fill:#1d2a36;text-anchor:middle}</style>\n"
        f'<rect width="{width}" height="{height}" style="fill:#fff;stroke:none"/>\n'
        '<defs><marker id="a" markerWidth="8" markerHeight="8" refX="6" refY="4" orient="auto">'
        '<path d="M0 0L8 4L0 8z" style="fill:#7a8793"/></marker></defs>\n' + "\n".join([*lines, *boxes]) + "\n</svg>\n"
    )


def main() -> None:
    """Draw the picture, print the rows of the two tables."""
    PICTURE.write_text(picture(), encoding="utf-8")
    graph = rooms()
    for name in sorted(graph, key=lambda n: (floors(graph)[n], n)):
        print(f"| `{name}` | {', '.join(f'`{o}`' for o in sorted(graph[name]))} |")
    for name, numbers in chapters_of_rooms().items():
        print(name, " ".join(numbers))


if __name__ == "__main__":
    main()
