"""Write the site: a page for each notebook that is there, a start page, the teachers' pages, the search index."""

from __future__ import annotations

import html
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

from helpers import chapters
from helpers.course.commands.address import current as address
from helpers.course.commands.console import Problem
from helpers.course.commands.readme import recorded
from helpers.course.site import notebook
from helpers.course.site.formulas import FormulaError
from helpers.course.site.frame import TITLE, Entry, page
from helpers.course.site.notebook import Content, Section
from helpers.course.site.prose import Prose
from helpers.files import write_atomic

MANIFEST = ".course-site.json"  # the files that were written: the next build may delete these, and nothing else
ASIDE = ".course-site-new-"  # folders in which a build is written before it takes the place of the last
STATIC = Path(__file__).with_name("static")
SUMMARY = ("What makes it different", "For teachers")  # sections of README.md on the start page, after the start itself


def entries(root: Path) -> list[Entry]:
    """The contents of the site: the start page, all chapters (those in work without a file), the pages in docs."""
    listed = [Entry("", "The course", "index.html")]
    for c in chapters.CHAPTERS:
        listed.append(Entry(c.number, c.title, f"{Path(c.file).stem}.html" if (root / c.file).exists() else ""))
    for path in sorted((root / "docs").glob("*.md")):
        listed.append(Entry("", _first_heading(path), f"{path.stem}.html"))
    return listed


def _first_heading(path: Path) -> str:
    found = re.search(r"^# (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1].strip() if found else path.stem


def linker(root: Path, folder: str) -> Callable[[str], str]:
    """How links of a source file in ``folder`` ("" for the root) read on the site.

    A link to a notebook or a page in docs leads to its page, one to another file of the course to that file on GitHub;
    addresses and anchors stay.
    """
    public = address(root)

    def link(target: str) -> str:
        if re.match(r"[a-z]+:|#|//", target):
            return target
        path, _, anchor = target.partition("#")
        where = (root / folder / path).resolve()
        anchor = f"#{anchor}" if anchor else ""
        if not where.is_relative_to(root) or not where.exists():
            raise Problem(
                f"A link leads to {target}, which is not there (seen from {folder or 'the root of the course'}).",
                "Correct the link.",
            )
        inside = where.relative_to(root).as_posix()
        if inside.startswith("notebooks/") and where.suffix == ".ipynb":
            return f"{where.stem}.html{anchor}"
        if re.fullmatch(r"docs/[^/]+\.md", inside):
            return f"{where.stem}.html{anchor}"
        if inside.startswith("data/pictures/"):
            return f"site/{where.name}"
        kind = "tree" if where.is_dir() else "blob"
        return f"https://github.com/{public.repository}/{kind}/{public.tag}/{inside}{anchor}"

    return link


def _table(root: Path) -> str:
    """The chapter table of the start page, with time and memory from data/results.json."""
    measured = recorded(root / "data" / "results.json").get("notebooks", {})
    rows = []
    for c in chapters.CHAPTERS:
        ready, run, links = (root / c.file).exists(), measured.get(c.number), chapters.links(c.number)
        title = f"<a href='{Path(c.file).stem}.html'>{html.escape(c.title)}</a>" if ready else html.escape(c.title)
        cost = (f"{run['seconds']:.0f} s", f"{run['peak_mb']:.0f} MB") if run and ready else ("", "")
        where = ", ".join(
            f"<a href='{html.escape(links[p])}' aria-label='Chapter {c.number} in {p}'>{p}</a>" for p in ("Colab", "Binder")
        )
        rows.append(
            f"<tr><td>{c.number}</td><th scope='row'>{title}</th><td>{html.escape(c.builds)}</td>"
            + (f"<td>{cost[0]}</td><td>{cost[1]}</td><td>{where}</td></tr>" if ready else "<td colspan='3'>in work</td></tr>")
        )
    head = "".join(f"<th scope='col'>{h}</th>" for h in ("No.", "Chapter", "You build", "Time to run", "Memory", "Run it in"))
    return (
        f"<div class='scroll'><table class='chapters'><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _home(root: Path, prose: Prose) -> str:
    """The start page: the README's introduction, the chapter table, how to start, and more of the README."""
    text = (root / "README.md").read_text(encoding="utf-8")
    parts = {title: body for title, body in re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)}
    introduction = text.split("\n## ")[0]
    body = prose.render(introduction) + prose.render("## Chapters") + _table(root)
    for title in ("Start", *SUMMARY):
        if title in parts:
            body += prose.render(f"## {title if title != 'Start' else 'Run it yourself'}\n{parts[title]}")
    return body


def contents_of(root: Path, listed: list[Entry]) -> dict[str, Content]:
    """The content of every page of the site: file -> content. Raises Problem for what cannot be shown."""
    found: dict[str, Content] = {}
    for c in chapters.CHAPTERS:
        path = root / c.file
        if path.exists():
            try:
                found[f"{path.stem}.html"] = notebook.content(notebook.read(path), linker(root, "notebooks"))
            except (FormulaError, ValueError) as error:
                raise Problem(f"Chapter {c.number} cannot be shown: {error}", "Correct that cell of the notebook.") from error
    home = Prose(linker(root, ""))
    found["index.html"] = Content(_home(root, home), home.headings, [])
    for path in sorted((root / "docs").glob("*.md")):
        prose = Prose(linker(root, "docs"))
        body = prose.render(path.read_text(encoding="utf-8"))
        sections = [Section("", "")]
        notebook.divide(body, prose, sections)
        found[f"{path.stem}.html"] = Content(body, prose.headings, [s for s in sections if s.title])
    return {entry.file: found[entry.file] for entry in listed if entry.file}


def index(listed: list[Entry], pages: dict[str, Content]) -> str:
    """The search index as a script: a file of data cannot be fetched where there is no server, a script can be loaded."""
    data = {
        "pages": [[entry.name, entry.file] for entry in listed if entry.file],
        "sections": [
            [at, s.anchor, s.title, " ".join(s.words), "\n".join(s.code)]
            for at, entry in enumerate(e for e in listed if e.file)
            for s in pages[entry.file].sections
        ],
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("\u2028", " ").replace("\u2029", " ")
    return f"window.courseIndex = {text};\n"


def files_of(root: Path) -> dict[str, bytes]:
    """All files of the site: name -> content."""
    listed = entries(root)
    pages = contents_of(root, listed)
    files: dict[str, bytes] = {}
    summaries = {f"{Path(c.file).stem}.html": c.builds for c in chapters.CHAPTERS}
    for entry in (e for e in listed if e.file):
        content = pages[entry.file]
        body = f"<p class='above'>Chapter {entry.number}</p>\n{content.body}" if entry.number else content.body
        text = page(
            title=content.title or entry.title,
            description=summaries.get(entry.file, f"{TITLE}: {entry.title}"),
            body=body,
            entries=listed,
            current=entry.file,
            headings=content.headings,
        )
        files[entry.file] = text.encode("utf-8")
    files["site/search-index.js"] = index(listed, pages).encode("utf-8")
    for path in [*STATIC.iterdir(), *(root / "data" / "pictures").glob("*.[ps][nv]g")]:
        files[f"site/{path.name}"] = path.read_bytes()
    files[".nojekyll"] = b""  # GitHub Pages then serves the files as they are
    return files


def write(root: Path, folder: Path) -> list[str]:
    """Build the site into ``folder``, in place of an earlier one; returns the names of its pages.

    Raises Problem when the folder holds something else: nothing of it is touched.
    """
    files, manifest, old, place = files_of(root), folder / MANIFEST, set(), folder.resolve()
    if folder.exists() and not folder.is_dir():
        raise Problem(f"{folder} is a file.", "Name a folder with --out.")
    if manifest.exists():
        try:
            named = json.loads(manifest.read_text(encoding="utf-8"))
            old = {name for name in named if (place / name).resolve().is_relative_to(place)}
        except (ValueError, TypeError) as error:
            raise Problem(f"{manifest} cannot be read ({error}).", "Delete that folder, or name another with --out.") from error
    elif folder.exists() and any(not path.name.startswith(ASIDE) for path in folder.iterdir()):
        raise Problem(
            f"The folder {folder} is not empty, and holds no site of this course.", "Name a new or an empty folder with --out."
        )
    for rest in folder.glob(f"{ASIDE}*"):  # of a build that was killed
        shutil.rmtree(rest, ignore_errors=True)
    aside = folder / f"{ASIDE}{secrets.token_hex(4)}"  # on the same disk: when all of it is there, it only needs new names
    try:
        for name, data in files.items():
            write_atomic(aside / name, data)
        write_atomic(manifest, json.dumps(sorted(old | set(files))))
        for name in files:
            (folder / name).parent.mkdir(exist_ok=True)
            os.replace(aside / name, folder / name)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    for name in old - set(files):
        (folder / name).unlink(missing_ok=True)
    write_atomic(manifest, json.dumps(sorted(files)))
    return [name for name in files if name.endswith(".html")]
