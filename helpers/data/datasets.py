"""The data sets of the course as typed records: real text, fixed splits, known origin.

Every set is read from a file inside an installed package that is never imported (``helpers.data.sources``), its size and
sha256 are checked first, and nothing touches the network. Each function returns a new list of frozen records in the
order of the file. The split of a record - train 90 %, valid 5 %, test 5 % - follows from its title or text alone
(``split_of``), so it is the same in every chapter, on every machine, and nothing leaks from one part to another.

    from helpers.data import datasets
    train = datasets.leads(split="train")
    train[0].title, train[0].topic, train[0].text
    datasets.about("leads").license

Standard library only.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TypeVar

from helpers.data import shakespeare
from helpers.data.records import Analogy, Lead, Manual, Play, Question, Review, Sms, Snippet, WordPair
from helpers.data.sources import DataError, about, checked

__all__ = [
    "analogies",
    "leads",
    "manuals",
    "normalize",
    "plays",
    "questions",
    "reviews",
    "sms",
    "snippets",
    "split_of",
    "word_similarity",
]

SPLITS = ("train", "valid", "test")
LANGUAGES = {"en": "summaries_en-us.json", "fr": "summaries_fr-fr.json", "es": "summaries_es-es.json"}
PAIRS = {"wordsim353": "wordsim353.tsv", "simlex999": "simlex999.txt"}
REVIEW_SOURCES = ("imdb", "rotten_tomatoes")
Record = TypeVar("Record", bound=Lead | Manual | Sms | Play | Question | Review | Snippet)


def normalize(text: str) -> str:
    """What is left of ``text`` when case, spaces and punctuation do not count and every digit is a 0.

    Two texts with the same result are near-duplicates and always share a split. A text without any letter or digit
    is only folded in case.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"\d", "0", re.sub(r"[\W_]+", "", folded)) or folded.strip()


def split_of(key: str) -> str:
    """The split of a document: "train" (90 %), "valid" (5 %) or "test" (5 %).

    ``key`` is the title of the document, or ``normalize(text)`` where there is no title. The answer depends on
    nothing else: the first 8 bytes of sha256(key in UTF-8) make a number in [0, 1); below 0.90 is train, below 0.95
    valid. Python's own hash() would not do, as it differs from run to run.

    Raises TypeError when ``key`` is not a string.
    """
    if not isinstance(key, str):
        raise TypeError(f"expected key to be a string (the title of the document), got {type(key).__name__}")
    digest = hashlib.sha256(unicodedata.normalize("NFC", key).encode("utf-8")).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    return "train" if place < 0.90 else "valid" if place < 0.95 else "test"


def leads(language: str = "en", split: str | None = None) -> list[Lead]:
    """Wikipedia lead paragraphs: 10,033 in English ("en"), 9,951 in French ("fr"), 6,226 in Spanish ("es").

    The text is left as it is: where the set's makers dropped a formula, two spaces stand (about 130 leads).
    In English 1,000 leads have topic None and 171 have description None. Topics are named in their own language.

    Raises ValueError for an unknown language or split, DataError when the file is missing or damaged.
    """
    _choice("language", language, LANGUAGES)
    return _pick(_leads(_file("leads", LANGUAGES[language]), language), split)


def sms(split: str | None = None, deduplicate: bool = True, repair: bool = True) -> list[Sms]:
    """SMS messages, 13 % of them spam: 5,171 distinct ones, or all 5,574 with ``deduplicate=False``.

    In the file, eight rows have swallowed 737 others, with their labels inside: whoever made it took a quotation mark in
    a text for the start of a quoted field. ``repair=False`` gives the 4,837 rows as they stand (4,522 distinct).

    Raises ValueError for an unknown split, DataError when the file is missing or damaged.
    """
    return _distinct(_pick(_sms(_file("sms"), repair), split), deduplicate)


def questions(split: str | None = None, deduplicate: bool = True) -> list[Question]:
    """TREC questions with 6 coarse and 50 fine types: 5,382 distinct ones, or 15,452 with ``deduplicate=False``.

    One text stands twice among the distinct ones, with two fine types.

    Raises ValueError for an unknown split, DataError when the file is missing or damaged.
    """
    return _distinct(_pick(_questions(_file("questions")), split), deduplicate)


def snippets(split: str | None = None) -> list[Snippet]:
    """10,605 film review snippets, each with a sentiment score.

    Two texts were rated twice, with different scores; both ratings are kept (and share a split).

    Raises ValueError for an unknown split, DataError when the file is missing or damaged.
    """
    return _pick(_snippets(_file("snippets")), split)


def reviews(source: str | None = None, split: str | None = None, deduplicate: bool = True) -> list[Review]:
    """Film reviews: 24,904 distinct of IMDB and 8,530 of Rotten Tomatoes (33,530 with ``deduplicate=False``).

    IMDB texts hold ``<br />`` marks. Many Rotten Tomatoes sentences are those of ``snippets()``; a text that stands
    in both sets has the same split in both, as far as ``normalize`` can tell.

    Raises ValueError for an unknown source or split, DataError when the file is missing or damaged.
    """
    if source is not None:
        _choice("source", source, REVIEW_SOURCES)
    rows = _pick(_reviews(_file("reviews")), split)
    return _distinct([row for row in rows if source in (None, row.source)], deduplicate)


def plays(split: str | None = None) -> list[Play]:
    """38 plays of Shakespeare by title (34 train, 2 valid, 2 test): about 0.9 million words.

    Raises ValueError for an unknown split, DataError when a file is missing or damaged.
    """
    source = about("plays")
    return _pick(_plays(checked(source.files[0], source), source.files[0].path), split)


def manuals(split: str | None = None) -> list[Manual]:
    """About 80 documents from the reference topics that come with Python, for cutting into chunks: nearly half of them are
    longer than 2 kB, the longest has about 60 kB.

    Their text differs a little between versions of Python, so no exact number may hang on it.

    Raises ValueError for an unknown split, DataError when this Python was built without them.
    """
    return _pick(_manuals(), split)


def word_similarity(name: str = "wordsim353") -> list[WordPair]:
    """Word pairs scored by people: "wordsim353" (353 pairs, relatedness) or "simlex999" (999 pairs, similarity).

    Raises ValueError for an unknown name, DataError when the file is missing or damaged.
    """
    _choice("name", name, PAIRS)
    return list(_word_pairs(_file("word_similarity", PAIRS[name])))


def analogies(section: str | None = None) -> list[Analogy]:
    """19,544 analogy questions in 14 sections, or those of one section (say "capital-common-countries").

    Raises ValueError for an unknown section, DataError when the file is missing or damaged.
    """
    every = _analogies(_file("analogies"))
    if section is not None:
        _choice("section", section, dict.fromkeys(row.section for row in every))
    return [row for row in every if section in (None, row.section)]


def _choice(what: str, value: object, choices: Iterable[str]) -> None:
    names = list(choices)
    if value not in names:
        raise ValueError(f"expected {what} to be one of {', '.join(map(repr, names))}, got {value!r}")


def _pick(rows: tuple[Record, ...], split: str | None) -> list[Record]:
    if split is None:
        return list(rows)
    _choice("split", split, SPLITS)
    return [row for row in rows if row.split == split]


def _distinct(rows: list[Record], deduplicate: bool) -> list[Record]:
    return list(dict.fromkeys(rows)) if deduplicate else rows


def _file(name: str, ending: str = "") -> Path:
    source = about(name)
    return checked(next(file for file in source.files if file.path.endswith(ending)), source)


@cache
def _leads(path: Path, language: str) -> tuple[Lead, ...]:
    rows: dict[str, Lead] = {}
    for entry in json.loads(path.read_text(encoding="utf-8")).values():
        title, topic = entry["title"], entry["topic"]
        if title not in rows:  # in French and Spanish a few articles stand twice, under two names
            topic = None if topic == "Uncategorized" else topic or None
            rows[title] = Lead(title, entry["extract"], entry["description"] or None, topic, language, split_of(title))
    return tuple(rows.values())


def _text_split(text: str) -> str:
    return split_of(normalize(text))


@cache
def _sms(path: Path, repair: bool) -> tuple[Sms, ...]:
    rows = []
    for row in _table(path):
        own, *swallowed = re.split(r"\n(?=(?:ham|spam)\t)", row["text"]) if repair else [row["text"]]
        labeled = [line.split("\t", 1) for line in swallowed]
        texts = [(own, row["spam"] == "1"), *((text, label == "spam") for label, text in labeled)]
        rows += [Sms(text, spam, _text_split(text)) for text, spam in texts]
    return tuple(rows)


@cache
def _questions(path: Path) -> tuple[Question, ...]:
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        label, text = line.split(" ", 1)
        coarse, fine = label.split(":")
        rows.append(Question(text, coarse, fine, _text_split(text)))
    return tuple(rows)


@cache
def _snippets(path: Path) -> tuple[Snippet, ...]:
    lines = path.read_text(encoding="utf-8").split("\n")[1:]
    rows = (line.split("\t") for line in lines if line)
    return tuple(Snippet(text, float(score), _text_split(text)) for _, score, text in rows)


@cache
def _reviews(path: Path) -> tuple[Review, ...]:
    return tuple(Review(row["text"], row["label"] == "1", row["source"], _text_split(row["text"])) for row in _table(path))


@cache
def _plays(root: Path, pattern: str) -> tuple[Play, ...]:
    rows = []
    for path in root.glob(pattern):
        markdown = path.read_text(encoding="utf-8")
        title = shakespeare.title_of(markdown, path.stem)
        rows.append(Play(title, path.parent.name, shakespeare.speeches(markdown), markdown, split_of(title)))
    return tuple(sorted(rows, key=lambda play: play.title))


@cache
def _manuals() -> tuple[Manual, ...]:
    try:
        from pydoc_data.topics import topics
    except ImportError as error:
        raise DataError(
            "This Python comes without its reference topics (the module pydoc_data.topics). Install Python's standard "
            "library in full, or use a Python from python.org."
        ) from error
    return tuple(Manual(title, text.strip("\n"), split_of(title)) for title, text in sorted(topics.items()))


@cache
def _word_pairs(path: Path) -> tuple[WordPair, ...]:
    lines = (line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#"))
    return tuple(WordPair(a, b, float(score)) for a, b, score in (line.split("\t") for line in lines))


@cache
def _analogies(path: Path) -> tuple[Analogy, ...]:
    rows, section = [], ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith(":"):
            section = line[1:].strip()
        elif line:
            rows.append(Analogy(*[*line.split(), section]))
    return tuple(rows)


def _table(path: Path) -> csv.DictReader:
    return csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))
