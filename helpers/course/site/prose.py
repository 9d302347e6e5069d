"""Markdown as HTML: headings with anchors, formulas as MathML, links that lead to the pages of the site."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mistune import import_plugin
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer, TextLexer, get_lexer_by_name
from pygments.util import ClassNotFound

from helpers.course.site import formulas


@dataclass(frozen=True)
class Heading:
    """A heading of a page: its level (1 to 6), its anchor, its text as HTML (without links)."""

    level: int
    anchor: str
    text: str

    @property
    def plain(self) -> str:
        return plain(self.text)


def plain(text: str) -> str:
    """HTML as plain text, blanks evened out."""
    text = re.sub(r"</?(?:p|div|td|th|tr|li|h\d|pre|br|summary|details|table|figcaption|blockquote)\b[^>]*>", " ", text)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", text)).split())


def code(source: str, language: str = "python") -> str:
    """Source code as a ``<pre>`` with the highlighter's classes."""
    try:
        lexer = PythonLexer() if language in ("python", "py") else get_lexer_by_name(language)
    except ClassNotFound:
        lexer = TextLexer()
    return f"<pre><code>{highlight(source, lexer, HtmlFormatter(nowrap=True)).rstrip(chr(10))}</code></pre>"


def scrolling(text: str) -> str:
    """Each table put into a box that scrolls sideways when the page is too narrow for it."""
    text = re.sub(r"<table\b", "<div class='scroll'><table", text)
    return text.replace("</table>", "</table></div>")


class _Renderer(IPythonRenderer):
    """nbconvert's renderer, with the house's headings, formulas, code, tables and links."""

    def __init__(self, anchor: Callable[[str], str], link: Callable[[str], str]) -> None:
        super().__init__(escape=False)
        self.anchor, self.target, self.headings = anchor, link, []

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        anchor = self.anchor(text)
        self.headings.append(Heading(level, anchor, re.sub(r"</?a\b[^>]*>", "", text)))
        return f"<h{level} id='{anchor}'>{text}</h{level}>\n"

    def block_math(self, body: str) -> str:
        return f"<span class='formula'>{formulas.mathml(body, display=True)}</span>"

    def inline_math(self, body: str) -> str:
        text = formulas.mathml(body)
        return f"<span class='long'>{text}</span>" if len(body) > formulas.LONG else text

    def latex_environment(self, name: str, body: str) -> str:
        return self.block_math(f"\\begin{{{name}}}{body}\\end{{{name}}}")

    def block_html(self, html: str) -> str:
        return formulas.within(html) + "\n"

    def block_code(self, source: str, info: str | None = None) -> str:
        return code(source, (info or "text").split()[0]) + "\n"

    def link(self, text: str, url: str, title: str | None = None) -> str:
        return f'<a href="{html.escape(self.target(url))}">{text}</a>'

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return f'<img src="{html.escape(self.target(url))}" alt="{html.escape(text)}">'


class Prose:
    """Turns the Markdown of one page into HTML; keeps its headings, whose anchors are unique on the page.

    link: target in the source -> target on the site.
    """

    def __init__(self, link: Callable[[str], str] = str) -> None:
        self._seen: set[str] = set()
        self._renderer = _Renderer(self._anchor, link)
        tables = ("mistune.plugins.table.table_in_quote", "mistune.plugins.table.table_in_list")
        plugins = [*MarkdownWithMath.DEFAULT_PLUGINS, *tables]
        self._markdown = MarkdownWithMath(renderer=self._renderer, plugins=[import_plugin(name) for name in plugins])

    @property
    def headings(self) -> list[Heading]:
        return self._renderer.headings

    def _anchor(self, text: str) -> str:
        base = re.sub(r"[^\w]+", "-", plain(text).lower()).strip("-") or "section"
        anchor, number = base, 2
        while anchor in self._seen:
            anchor, number = f"{base}-{number}", number + 1
        self._seen.add(anchor)
        return anchor

    def render(self, source: str) -> str:
        """The HTML of a piece of Markdown. Raises formulas.FormulaError."""
        source = re.sub(r"(?<=\S)\s*</details>", "\n\n</details>", source)  # else a list before it would hold its end
        text = self._markdown.render(source)
        text = re.sub(r"<thead>\s*<tr>(?:\s*<th[^>]*></th>)+\s*</tr>\s*</thead>\s*", "", text)  # a box without a head
        return scrolling(text)
