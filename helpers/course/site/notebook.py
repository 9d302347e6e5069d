"""A notebook as the content of a page: prose, code, outputs, and the texts that the search looks through."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from helpers.course.site.formulas import FormulaError
from helpers.course.site.prose import Heading, Prose, code, plain, scrolling

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass
class Section:
    """What stands under one heading, for the search: its anchor, title, words and code as plain text."""

    anchor: str
    title: str
    words: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)


@dataclass
class Content:
    """A page's body, its headings in order, and its sections for the search."""

    body: str
    headings: list[Heading]
    sections: list[Section]

    @property
    def title(self) -> str:
        return next((h.plain for h in self.headings if h.level == 1), "")


def _joined(value: Any) -> str:
    return "".join(value) if isinstance(value, list) else str(value)


def output(out: Any) -> str:
    """One output as HTML: a widget by its static state, a figure by its image with alt text, else the text."""
    if out.output_type == "stream":
        return _text(_joined(out.text), "printed")
    if out.output_type == "error":
        return _text("\n".join(out.traceback), "error")
    data = out.get("data", {})
    if "text/html" in data:
        return f"<div class='output rich'>{scrolling(_joined(data['text/html']))}</div>"
    if "image/svg+xml" in data:
        return f"<div class='output rich'>{_joined(data['image/svg+xml'])}</div>"
    if "image/png" in data:
        image = _joined(data["image/png"]).strip()
        alt = html.escape(_joined(data.get("text/plain", "figure")), quote=True)
        return f"<div class='output rich'><img alt='{alt}' src='data:image/png;base64,{image}'></div>"
    return _text(_joined(data["text/plain"]), "value") if "text/plain" in data else ""


def _text(text: str, kind: str) -> str:
    return f"<pre class='output {kind}'>{html.escape(_ANSI.sub('', text).rstrip(chr(10)))}</pre>"


def _code_cell(cell: Any, tags: list[str]) -> str:
    source = code(cell.source)
    if "bootstrap" in tags:
        said = "The first cell of every notebook: it finds the course"
        source = f"<details class='bootstrap'><summary>{said}</summary>{source}</details>"
    kind = " exercise" if any(tag.startswith("exercise:") for tag in tags) else ""
    outputs = "".join(output(out) for out in cell.get("outputs", []))
    return f"<div class='cell{kind}'><div class='source'>{source}</div>{outputs}</div>\n"


def content(notebook: Any, link: Callable[[str], str] = str, *, strict: bool = True) -> Content:
    """The page of a notebook as it was executed and saved; nothing is run.

    link: target of a link in the notebook -> target on the site. strict: raise formulas.FormulaError, with the formula,
    where one cannot be drawn; else its cell is shown as it was written.
    """
    prose, parts, sections = Prose(link), [], [Section("", "")]
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "code":
            parts.append(_code_cell(cell, tags))
            if "bootstrap" not in tags:
                sections[-1].code.append(cell.source)
        elif cell.cell_type == "markdown":
            try:
                text = prose.render(cell.source)
            except FormulaError:
                if strict:
                    raise
                text = _text(cell.source, "printed")
            parts.append(text + "\n")
            divide(text, prose, sections)
    return Content("".join(parts), prose.headings, [s for s in sections if s.title])


def divide(text: str, prose: Prose, sections: list[Section]) -> None:
    """Give the words of a piece of HTML to the sections that its headings open."""
    known = {h.anchor: h.plain for h in prose.headings}
    pieces = re.split(r"<h\d id='([^']+)'>.*?</h\d>", text, flags=re.DOTALL)
    sections[-1].words.append(plain(pieces[0]))
    for anchor, rest in zip(pieces[1::2], pieces[2::2]):
        sections.append(Section(anchor, known[anchor], [plain(rest)]))


def read(path: Path) -> Any:
    """The notebook of a file. Raises ValueError with the file's name when it is none."""
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:
        raise ValueError(f"{path.name} is not a notebook that can be read: {error}") from error
