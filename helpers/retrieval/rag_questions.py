"""The questions of chapter 11: 60 written by hand (data/questions.json) and 600 made from the leads without any labels."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from helpers.data import datasets
from helpers.features.words import tokenize
from helpers.paths import repository_root

__all__ = ["FILE", "Asked", "Query", "asked", "label_free", "ramble", "strip_words"]

FILE = repository_root() / "data" / "questions.json"


class Asked(NamedTuple):
    """A question. answers: what counts as right, empty where no lead answers it. title: the lead that does, or None.

    half: "valid" for choosing (a threshold), "test" for reporting; every second question of each kind.

    >>> Asked("What does an otter eat?", ("fish",), title=None, note="", half="test").answerable
    False
    """

    question: str
    answers: tuple[str, ...]
    title: str | None
    note: str
    half: str

    @property
    def answerable(self) -> bool:
        return self.title is not None


def asked(half: str | None = None, path: str | Path = FILE) -> list[Asked]:
    """The 60 questions, 48 of them answerable; or one half. Raises ValueError for an unknown half or a damaged file.

    >>> len(asked()), sum(question.answerable for question in asked()), len(asked("test"))
    (60, 48, 30)
    """
    if half not in (None, "valid", "test"):
        raise ValueError(f"expected the half 'valid' or 'test', or None for both, got {half!r}")
    try:
        rows = json.loads(Path(path).read_text(encoding="utf-8"))["questions"]
        kinds: Counter = Counter()
        out = []
        for row in rows:
            known = row["title"] is not None
            half_of = ("valid", "test")[kinds[known] % 2]
            out.append(Asked(row["question"], tuple(row["answers"]), row["title"], row["note"], half_of))
            kinds[known] += 1
    except (ValueError, KeyError, TypeError) as error:
        name = Path(path).name
        raise ValueError(f"{name} holds no questions ({error}); restore it: git checkout data/{name}") from error
    return [row for row in out if half in (None, row.half)]


class Query(NamedTuple):
    """A query with its one right document: the number of a lead in `datasets.leads()`.

    >>> Query("river of Africa", index=7).index
    7
    """

    text: str
    index: int  # type: ignore[assignment]  # hides tuple.index


def strip_words(text: str, words: str) -> str:
    """The text without the words of another one (a title): what is left must be found by what it says.

    >>> strip_words("river in southern Africa", "Zambezi River")
    'in southern Africa'
    """
    gone = set(tokenize(words))
    return " ".join(w for w in text.split() if not set(tokenize(w)) & gone)


def label_free(n: int = 600) -> list[Query]:
    """Queries that nobody had to write: the short description of an article, which is not part of the indexed text.

    Taken are descriptions that stand once and have at least three words left without those of the title; of these the n whose
    title has the smallest sha256, so that no seed and no order matters. Raises ValueError when there are fewer than n.

    >>> label_free(1)[0].text
    'Chemical element with atomic number 68 (Er)'
    """
    leads = datasets.leads()
    counts = Counter(lead.description for lead in leads)
    rows = []
    for index, lead in enumerate(leads):
        if lead.description and counts[lead.description] == 1:
            text = strip_words(lead.description, re.sub(r"\(.*?\)", "", lead.title))
            if len(text.split()) >= 3:
                rows.append((hashlib.sha256(lead.title.encode("utf-8")).digest(), Query(text, index)))
    if not 1 <= n <= len(rows):
        raise ValueError(f"expected from 1 to {len(rows)} queries, got {n}")
    return [query for _, query in sorted(rows)[:n]]


BEFORE = (
    "Hi there! My cousin and I argued about this over dinner last Sunday, and nobody had a phone. ",
    "Good morning, I hope you had a lovely weekend by the lake. I am writing a school report for my teacher. ",
    "Sorry to bother you again, yesterday's answer about the football match was great. ",
)
AFTER = (
    " Thanks so much, have a great evening with the family!",
    " I need it before the train leaves at noon, thank you.",
    " By the way, my daughter says hello.",
)


def ramble(question: str, number: int) -> str:
    """The question as people really send it: with talk around it. number: which of three wrappings.

    >>> ramble("How long is the Zambezi?", 2).endswith("How long is the Zambezi? By the way, my daughter says hello.")
    True
    """
    return BEFORE[number % len(BEFORE)] + question + AFTER[number % len(AFTER)]
