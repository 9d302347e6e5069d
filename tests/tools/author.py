"""Write and look at notebooks: `author.py pull|push|execute|figures|text|lint|sync CHAPTER [FILE or FOLDER]`.

The notebooks are the source. `pull` writes one as a percent script to edit, `push` makes the notebook from such a script
(cell ids are kept), executes it and strips what must not be committed.
"""

import argparse
import base64
import hashlib
import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import jupytext  # noqa: E402
import nbformat  # noqa: E402

from helpers import chapters  # noqa: E402
from helpers.lab import bootstrap  # noqa: E402
from tests.tools import style  # noqa: E402

NAMES = {c.number: c.name for c in chapters.CHAPTERS}


def notebook_path(chapter: str) -> Path:
    return ROOT / chapters.chapter(chapter).file


def badges(chapter: str) -> str:
    """The badge row of a notebook: plain links, so that it needs no network to look right."""
    return " · ".join(
        f"[{'Source on' if place == 'GitHub' else 'Open in'} {place}]({address})"
        for place, address in chapters.links(chapter).items()
    )


def build(chapter: str, script: Path) -> nbformat.NotebookNode:
    """The notebook of a percent script, with bootstrap cell, badges, stable ids and clean metadata."""
    nb = jupytext.read(script, fmt="py:percent")
    nb.nbformat, nb.nbformat_minor = 4, 5
    nb.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"},
        }
    )
    seen: set[str] = set()
    for number, cell in enumerate(nb.cells):
        cell.metadata.pop("lines_to_next_cell", None)
        if "bootstrap" in cell.metadata.get("tags", []):
            cell.source = bootstrap.cell()
        elif cell.source.strip() == "BADGES":
            cell.source = badges(chapter)
        given = cell.metadata.pop("cid", None)
        digest = hashlib.sha256(cell.source.encode()).hexdigest()[:8]
        cell.id = given if given and given not in seen else f"c{chapter}-{digest}"
        if cell.id in seen:
            cell.id = f"{cell.id}-{number}"
        seen.add(cell.id)
    return nb


def clean(nb: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy without widget views (their static alternative stays), widget state and execution times."""
    from helpers.course.commands.notebooks import without_widgets

    copy = without_widgets(nb)
    for cell in copy.cells:
        cell.metadata.pop("execution", None)
        if "outputs" in cell:  # a progress bar leaves only its plain text: nothing to keep
            bars = [str(o.get("data", {}).get("text/plain", "")).startswith("  0%|") for o in cell.outputs]
            cell.outputs = [o for o, bar in zip(cell.outputs, bars) if not bar]
    return copy


def execute(nb: nbformat.NotebookNode, chapter: str):
    """Execute in place as the cpu profile and print how it went. Returns whether it went through."""
    from helpers.course.commands.notebooks import execute as run

    plain = {"COURSE_PROFILE": "cpu", "COURSE_QUIET": "1", "COURSE_PROGRESS": os.devnull}
    result = run(notebook_path(chapter), notebook=nb, env=plain)
    print(f"{result.seconds:.1f} s, peak {result.peak_mb:.0f} MB, {'failed: ' + str(result.error) if result.error else 'ok'}")
    return not result.error


def push(chapter: str, script: Path, run: bool = True) -> int:
    path = notebook_path(chapter)
    nb = build(chapter, script)
    nbformat.write(nb, path)
    return finish(chapter, nb, run)


def finish(chapter: str, nb: nbformat.NotebookNode, run: bool = True) -> int:
    path = notebook_path(chapter)
    good = execute(nb, chapter) if run else True
    nbformat.write(clean(nb), path)
    return lint(chapter) or int(not good)


def lint(chapter: str) -> int:
    path = notebook_path(chapter)
    nb = nbformat.read(path, 4)
    print({k: round(v, 2) for k, v in style.stats(nb).items()}, f"{path.stat().st_size} bytes")
    found = style.findings(nb, path.stat().st_size, chapter)
    print("\n".join(f"- {f}" for f in found) or "no findings")
    return int(bool(found))


def pull(chapter: str, script: Path) -> int:
    nb = nbformat.read(notebook_path(chapter), 4)
    for cell in nb.cells:
        cell.metadata["cid"] = cell.id
        if "bootstrap" in cell.metadata.get("tags", []):
            cell.source = ""
        elif cell.source == badges(chapter):
            cell.source = "BADGES"
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    script.parent.mkdir(parents=True, exist_ok=True)
    jupytext.write(nb, script, fmt="py:percent")
    print(f"wrote {script}")
    return 0


def figures(chapter: str, folder: Path) -> int:
    """Write every image of the notebook as PNG, numbered by code cell."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    nb = nbformat.read(notebook_path(chapter), 4)
    for number, cell in enumerate(nb.cells):
        for k, data in enumerate(re.findall(r"data:image/png;base64,([A-Za-z0-9+/=]+)", style.output_text(cell))):
            (folder / f"cell{number:03d}_{k}.png").write_bytes(base64.b64decode(data))
    print("\n".join(sorted(p.name for p in folder.glob("*.png"))))
    return 0


def text(chapter: str) -> int:
    """Print the notebook with its outputs as text (images as their alt text)."""
    for number, cell in enumerate(nbformat.read(notebook_path(chapter), 4).cells):
        print(f"\n--- [{number}] {cell.cell_type} {cell.id} {style.tags(cell) or ''}\n{cell.source}")
        for out in cell.get("outputs", []):
            shown = out.get("text") or out.get("data", {}).get("text/plain") or "\n".join(out.get("traceback", []))
            print("    >> " + str(shown).rstrip().replace("\n", "\n    >> "))
    return 0


def sync(chapter: str) -> int:
    """Renew the bootstrap cell and the badges of a notebook without running it."""
    path = notebook_path(chapter)
    nb = nbformat.read(path, 4)
    for cell in nb.cells:
        if "bootstrap" in style.tags(cell):
            cell.source = bootstrap.cell()
        elif cell.source.startswith("[Open in Colab]"):
            cell.source = badges(chapter)
    nbformat.write(nb, path)
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("pull", "push", "execute", "figures", "text", "lint", "sync"))
    parser.add_argument("chapter", choices=sorted(NAMES))
    parser.add_argument("path", nargs="?", type=Path)
    parser.add_argument("--no-run", action="store_true", help="with push: do not execute")
    args = parser.parse_args()
    if args.what in ("pull", "push", "figures") and args.path is None:
        parser.error(f"{args.what} needs a path")
    os.chdir(ROOT)
    if args.what == "push":
        return push(args.chapter, args.path, not args.no_run)
    if args.what == "execute":
        return finish(args.chapter, nbformat.read(notebook_path(args.chapter), 4))
    if args.what in ("pull", "figures"):
        return {"pull": pull, "figures": figures}[args.what](args.chapter, args.path)
    return {"text": text, "lint": lint, "sync": sync}[args.what](args.chapter)


if __name__ == "__main__":
    sys.exit(main())
