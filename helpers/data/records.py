"""The records that helpers.data.datasets returns: small, frozen, typed."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Lead:
    """Opening paragraph of a Wikipedia article. ``topic`` and ``description`` are None where the set has none."""

    title: str
    text: str
    description: str | None
    topic: str | None
    language: str
    split: str

    @property
    def page(self) -> str:
        """Address of the article and its list of authors, for attribution (CC BY-SA 4.0)."""
        name = quote(self.title.replace(" ", "_"), safe="/()_,:")
        return f"https://{self.language}.wikipedia.org/wiki/{name}"


@dataclass(frozen=True, slots=True)
class Sms:
    """An SMS message and whether it is spam."""

    text: str
    spam: bool
    split: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question of TREC and the type of answer it asks for: ``coarse`` of 6 (say "NUM"), ``fine`` of 50 (say "date")."""

    text: str
    coarse: str
    fine: str
    split: str


@dataclass(frozen=True, slots=True)
class Snippet:
    """A sentence of a film review and its mean sentiment by about 20 raters, from -4 (worst) to +4 (best)."""

    text: str
    score: float
    split: str


@dataclass(frozen=True, slots=True)
class Review:
    """A film review (``source`` "imdb": long, raw HTML breaks; "rotten_tomatoes": one lower-case sentence)."""

    text: str
    positive: bool
    source: str
    split: str


@dataclass(frozen=True, slots=True)
class Speech:
    """What one character says in one go; ``text`` holds its lines, separated by newlines.

    ``speaker`` is empty where the edition names nobody (a few songs, prologues and monologues).
    """

    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class Play:
    """A play. ``speeches`` holds what is spoken; ``text`` is a clean script; ``markdown`` is the file as it is."""

    title: str
    kind: str  # comedies, histories, problems, roman, romances, tragedies
    speeches: tuple[Speech, ...]
    markdown: str
    split: str

    @property
    def text(self) -> str:
        """``NAME:``, the lines of the speech, a blank line, and so on: no headings, no stage directions."""
        named = ((f"{row.speaker}:\n" if row.speaker else "") + row.text for row in self.speeches)
        return "".join(f"{speech}\n\n" for speech in named)


@dataclass(frozen=True, slots=True)
class Manual:
    """A long document: one reference topic of the Python manual, lightly marked-up text."""

    title: str
    text: str
    split: str


@dataclass(frozen=True, slots=True)
class WordPair:
    """Two words and the mean score people gave them, 0 (unrelated) to 10 (the same)."""

    first: str
    second: str
    score: float


@dataclass(frozen=True, slots=True)
class Analogy:
    """``a`` is to ``b`` as ``c`` is to ``d``; ``section`` names the kind of relation."""

    a: str
    b: str
    c: str
    d: str
    section: str
