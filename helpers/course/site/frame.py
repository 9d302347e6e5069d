"""The frame of every page: header with search and colors, contents at the side, neighbors at the end."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from helpers.course.site.prose import Heading

TITLE = "From Counts to Chat"


@dataclass(frozen=True)
class Entry:
    """A line of the contents: number, title, and the page's file ("" for a chapter that is in work)."""

    number: str
    title: str
    file: str

    @property
    def name(self) -> str:
        return f"{self.number} {self.title}".strip()


def _inner(headings: Sequence[Heading]) -> str:
    """The headings of this page as a list within the contents: level 2, and below each its level 3."""
    groups: list[tuple[str, list[str]]] = []
    for h in headings:
        link = f"<a href='#{h.anchor}'>{html.escape(h.plain, quote=False)}</a>"
        if h.level == 2:
            groups.append((link, []))
        elif h.level == 3 and groups:
            groups[-1][1].append(f"<li>{link}</li>")
    items = "".join(f"<li>{link}{f'<ul>{chr(10).join(inner)}</ul>' if inner else ''}</li>\n" for link, inner in groups)
    return f"<ul class='headings'>{items}</ul>" if items else ""


def contents(entries: Sequence[Entry], current: str, headings: Sequence[Heading]) -> str:
    """The navigation of the whole site; the chapter that is open shows its headings."""
    lines = []
    for entry in entries:
        name = f"<span class='number'>{html.escape(entry.number)}</span> {html.escape(entry.title)}"
        if not entry.file:
            lines.append(f"<li><span class='work'>{name} <small>(in work)</small></span></li>")
        elif entry.file == current:
            lines.append(f"<li><a href='{entry.file}' aria-current='page'>{name}</a>{_inner(headings)}</li>")
        else:
            lines.append(f"<li><a href='{entry.file}'>{name}</a></li>")
    return (
        "<nav class='contents' aria-label='Contents'><details open><summary>Contents</summary>\n<ul>\n"
        + "\n".join(lines)
        + "\n</ul></details>\n<script>if (matchMedia('(max-width: 62rem)').matches)"
        " document.querySelector('.contents details').open = false</script></nav>"
    )


def neighbors(entries: Sequence[Entry], current: str) -> str:
    """Links to the chapter before and the one after; a chapter in work is named without a link."""
    at = next((k for k, entry in enumerate(entries) if entry.file == current), None)
    if at is None:
        return ""
    parts = []
    for step, word in ((-1, "Previous"), (1, "Next")):
        if 0 <= at + step < len(entries):
            entry = entries[at + step]
            text = f"<small>{word}</small> {html.escape(entry.name)}"
            kind = word.lower()
            parts.append(
                f"<a class='{kind}' rel='{kind[:4]}' href='{entry.file}'>{text}</a>"
                if entry.file
                else f"<span class='{kind} work'>{text} <small>(in work)</small></span>"
            )
    return f"<nav class='neighbors' aria-label='Chapters before and after'>{''.join(parts)}</nav>"


def page(*, title: str, description: str, body: str, entries: Sequence[Entry], current: str, headings: Sequence[Heading]) -> str:
    """A whole page as HTML, for the file ``current``. It refers only to files beside it."""
    full = TITLE if current == "index.html" else f"{title} - {TITLE}"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(full)}</title>
<meta name="description" content="{html.escape(description, quote=True)}">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="site/icon.svg">
<link rel="stylesheet" href="site/site.css">
<script src="site/theme.js"></script>
<script src="site/site.js" defer></script>
</head>
<body>
<a class="skip" href="#main">Skip to the text</a>
<header class="top">
<a class="home" href="index.html">{TITLE}</a>
<search hidden>
<label class="hidden" for="search">Search the course</label>
<input id="search" type="search" placeholder="Search ( / )" autocomplete="off" spellcheck="false">
<div id="found" hidden><p id="count" role="status"></p><ul></ul></div>
</search>
<button id="theme" type="button" hidden>Colors: <span>system</span></button>
</header>
<div class="columns">
{contents(entries, current, headings)}
<main id="main" tabindex="-1">
{body}
{neighbors(entries, current)}
</main>
</div>
<footer><p>Prose and figures: CC BY 4.0. Code: MIT. Excerpts of Wikipedia: CC BY-SA 4.0, by its authors.
The pages show the notebooks as they were last run; nothing is computed here.</p></footer>
</body>
</html>
"""
