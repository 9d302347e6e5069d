"""Reading one's own text files: what is taken, what is left out, and why. Only hidden files are skipped in silence."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from helpers.data import datasets

__all__ = ["Document", "Folder", "drop_duplicates", "lead_documents", "read_folder"]

ENDINGS = (".txt", ".md", ".rst")
MOST_BYTES = 2_000_000  # a file; longer ones are no notes but dumps
MOST_FILES = 2_000


class Document(NamedTuple):
    """A text with a name. White space in the text is single spaces, so that a quote of it can be looked for.

    >>> Document("Otter", "An otter swims.").title
    'Otter'
    """

    title: str
    text: str


class Folder(NamedTuple):
    """What was read, and (file, reason) of what was not.

    >>> Folder([Document("a.txt", "One.")], [("b.png", "ending .png is not among .txt")]).skipped[0][0]
    'b.png'
    """

    documents: list[Document]
    skipped: list[tuple[str, str]]


def plain(text: str) -> str:
    """The text with every run of white space (no-break spaces and line ends included) as one space."""
    return " ".join(text.split())


def lead_documents() -> list[Document]:
    """The 10,033 English leads as documents, in the order of `datasets.leads()`.

    >>> len(lead_documents())
    10033
    """
    return [Document(lead.title, plain(lead.text)) for lead in datasets.leads()]


def drop_duplicates(documents: Sequence[Document]) -> tuple[list[Document], list[tuple[str, str]]]:
    """The documents without those whose text (case and punctuation aside) came before, and (title, reason) of the others.

    A text that stands twice would take two places in every result, and say nothing new in the second.

    >>> drop_duplicates([Document("a", "Hello, you."), Document("b", "hello you!")])
    ([Document(title='a', text='Hello, you.')], [('b', 'same text as a')])
    """
    seen: dict[bytes, str] = {}
    kept, dropped = [], []
    for document in documents:
        text = unicodedata.normalize("NFKC", document.text).casefold()
        key = hashlib.sha256((re.sub(r"[\W_]+", "", text) or text).encode()).digest()  # digits stay: an invoice differs by them
        if key in seen:
            dropped.append((document.title, f"same text as {seen[key]}"))
        else:
            seen[key] = document.title
            kept.append(document)
    return kept, dropped


def read_folder(path: str | Path, endings: Sequence[str] = ENDINGS) -> Folder:
    """All text files of a folder and its subfolders, in alphabetical order; hidden ones, binary, huge and empty ones left out.

    Raises FileNotFoundError when there is no such folder, NotADirectoryError for a file, ValueError when no text is left: the
    message lists the reasons.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     length = Path(folder, "note.txt").write_text("An  otter swims."), Path(folder, "photo.png").write_text("...")
    ...     read_folder(folder).documents
    [Document(title='note.txt', text='An otter swims.')]
    """
    root = Path(path).expanduser()
    if not root.exists():
        raise FileNotFoundError(f"there is no folder {root.name!r} at the given place; check the path")
    if not root.is_dir():
        raise NotADirectoryError(f"expected a folder, got the file {root.name!r}; give the folder that holds it")
    hidden = lambda p: any(part.startswith(".") for part in p.relative_to(root).parts)  # noqa: E731
    found = sorted(p for p in root.rglob("*") if p.is_file() and not hidden(p))
    documents, skipped = [], []
    for file in found:
        name = file.relative_to(root).as_posix()
        text, reason = _read(file, endings) if len(documents) < MOST_FILES else ("", f"more than {MOST_FILES:,} files")
        if reason:
            skipped.append((name, reason))
        else:
            documents.append(Document(name, text))
    documents, dropped = drop_duplicates(documents)
    skipped += dropped
    if not documents:
        listed = "; ".join(f"{name}: {reason}" for name, reason in skipped[:5])
        raise ValueError(
            f"expected at least one text file ({', '.join(endings)}) in the folder {root.name!r}, got none"
            + (f". Left out: {listed}" if listed else "; it is empty")
        )
    return Folder(documents, skipped)


def _read(file: Path, endings: Sequence[str]) -> tuple[str, str]:
    """(text, "") or ("", why not)."""
    if file.suffix.lower() not in endings:
        return "", f"ending {file.suffix or 'missing'} is not among {', '.join(endings)}"
    size = file.stat().st_size
    if size > MOST_BYTES:
        return "", f"{size:,} bytes, more than {MOST_BYTES:,}"
    data = file.read_bytes()
    if b"\0" in data:
        return "", "holds zero bytes, so it is no text"
    try:
        text = plain(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return "", f"is not UTF-8 (byte {error.start}); save it as UTF-8"
    return (text, "") if text else ("", "holds no text")
