"""The pages of `course.py run`: each notebook as it was just executed, in the frame of the site, and how the runs went."""

from __future__ import annotations

import html
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from helpers.course.site import build, notebook
from helpers.course.site.frame import Entry, page
from helpers.course.site.notebook import Content
from helpers.files import write_atomic


class RunPages:
    """The folder of pages of one run over the notebooks ``paths``; pages of earlier runs in it stay.

    Each page can be read as soon as its notebook has run. `add` them one by one; `index` writes the start page.
    """

    def __init__(self, folder: Path, paths: Sequence[Path]) -> None:
        self.folder, self.contents = folder, {"index.html": Content("", [], [])}
        names = [path.stem for path in paths]
        self.earlier = sorted({old.stem for old in folder.glob("*.html")} - {"index", *names})
        self.entries = [Entry("", "This run", "index.html")]
        self.entries += [Entry("", name, f"{name}.html") for name in [*names, *self.earlier]]
        for file in build.STATIC.iterdir():
            write_atomic(folder / "site" / file.name, file.read_bytes())

    def add(self, path: Path, executed: Any) -> Path:
        """Write the page of a notebook, executed from the file ``path``; a failing cell shows its error."""

        def link(target: str) -> str:
            name, _, anchor = target.partition("#")
            if not name or ":" in name:
                return target
            own = Path(name).with_suffix(".html").name
            known = name.endswith(".ipynb") and any(entry.file == own for entry in self.entries)
            there = own if known else Path(os.path.relpath(path.parent / name, self.folder)).as_posix()
            return there + (f"#{anchor}" if anchor else "")

        content = notebook.content(executed, link, strict=False)
        self.contents[f"{path.stem}.html"] = content
        self._write(f"{path.stem}.html", content, content.title or path.stem)
        shown = [entry for entry in self.entries if entry.file in self.contents]
        write_atomic(self.folder / "site" / "search-index.js", build.index(shown, self.contents))
        return self.folder / f"{path.stem}.html"

    def index(self, rows: Sequence[tuple[str, float, float, str]], note: str) -> Path:
        """Write the start page: a row (name, seconds, peak MB, result) for each notebook of this run, then earlier pages."""
        lines = [
            f"<tr><th scope='row'><a href='{html.escape(name)}.html'>{html.escape(name)}</a></th><td>{time:.1f}</td>"
            f"<td>{peak:.0f}</td><td>{html.escape(result)}</td></tr>"
            for name, time, peak, result in rows
        ]
        lines += [
            f"<tr><th scope='row'><a href='{html.escape(name)}.html'>{html.escape(name)}</a></th><td></td><td></td>"
            "<td>page of an earlier run</td></tr>"
            for name in self.earlier
        ]
        head = "".join(f"<th scope='col'>{name}</th>" for name in ("Notebook", "Seconds", "Peak memory, MB", "Result"))
        body = (
            f"<h1>Executed notebooks</h1>\n<p>{html.escape(note)}</p>\n<div class='scroll'><table>"
            f"<thead><tr>{head}</tr></thead><tbody>{chr(10).join(lines)}</tbody></table></div>"
        )
        return self._write("index.html", Content(body, [], []), "Executed notebooks")

    def _write(self, file: str, content: Content, title: str) -> Path:
        text = page(
            title=title,
            description=f"{title}, as it ran on this machine",
            body=content.body,
            entries=self.entries,
            current=file,
            headings=content.headings,
        )
        return write_atomic(self.folder / file, text)
