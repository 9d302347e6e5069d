"""Read a finished site again: are the pages well formed, and does every link lead somewhere?

Standard library only, so that `course.py site` can do it at the end of each build.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_LOADED = {"img": "src", "script": "src", "link": "href", "iframe": "src", "audio": "src", "video": "src", "source": "src"}


class Page(HTMLParser):
    """What a page holds: anchors, links (line, target), loaded files, and findings about its form."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.anchors: set[str] = set()
        self.links: list[tuple[int, str]] = []
        self.loads: list[tuple[int, str]] = []
        self.findings: list[str] = []
        self._open: list[tuple[str, int]] = []
        self.feed(text)
        self.close()
        self.findings += [f"line {line}: <{tag}> is never closed" for tag, line in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        line, names = self.getpos()[0], [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.findings.append(f"line {line}: <{tag}> has an attribute twice")
        given = dict(attrs)
        if given.get("id"):
            if given["id"] in self.anchors:
                self.findings.append(f"line {line}: the id {given['id']!r} stands twice")
            self.anchors.add(str(given["id"]))
        if tag == "a" and given.get("href") is not None:
            self.links.append((line, str(given["href"])))
        if given.get(_LOADED.get(tag, "")):
            self.loads.append((line, str(given[_LOADED[tag]])))
        if tag == "img" and not (given.get("alt") or "").strip():
            self.findings.append(f"line {line}: an image has no alt text")
        if tag not in _VOID:
            self._open.append((tag, line))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        line = self.getpos()[0]
        if self._open and self._open[-1][0] == tag:
            self._open.pop()
        elif any(tag == other for other, _ in self._open):
            wrong, begun = self._open[-1]
            self.findings.append(f"line {line}: </{tag}> comes while <{wrong}> of line {begun} is open")
            while self._open.pop()[0] != tag:
                pass
        else:
            self.findings.append(f"line {line}: </{tag}> closes nothing")


def findings(folder: Path) -> Iterator[str]:
    """What is wrong with the site in ``folder``, one sentence each: form, links within the site, files from outside."""
    pages = {path.name: Page(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.html"))}
    for name, page in pages.items():
        for found in page.findings:
            yield f"{name}, {found}"
        for line, target in page.loads:
            parts = urlsplit(target)
            if parts.scheme == "data":
                continue
            if parts.scheme or parts.netloc:
                yield f"{name}, line {line}: {target[:80]} is loaded from outside"
            elif not (folder / unquote(parts.path)).is_file():
                yield f"{name}, line {line}: {target[:80]} is not there"
        for line, target in page.links:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            other = posixpath.normpath(unquote(parts.path)) if parts.path else name
            if other not in pages:
                yield f"{name}, line {line}: the link {target} leads to no page"
            elif parts.fragment and unquote(parts.fragment) not in pages[other].anchors:
                yield f"{name}, line {line}: the link {target} leads to no anchor"
