"""Reading one's own text files: what is taken, what is left out, and why. Only hidden files are skipped in silence."""

from __future__ import annotations

import codecs
import hashlib
import os
import re
import stat
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from helpers.data import datasets
from helpers.features.spelling import CONTROL, without_controls

__all__ = ["Document", "Folder", "drop_duplicates", "lead_documents", "read_folder"]

ENDINGS = (".txt", ".md", ".rst", ".markdown", ".text", ".log", ".csv", ".tsv", ".org", ".adoc", ".tex")
MOST_BYTES = 2_000_000  # a file; longer ones are no notes but dumps
MOST_FILES = 5_000
WRAPPED = range(50, 121)  # characters of a paragraph's longest line, where an editor may have broken the lines

_sentence = re.compile(r"[^\W\d_a-z].*[^.!?:;](\n[a-z].*[^.!?:;])*\n[a-z].*[.!?]")
_between = re.compile(r"(?<!\d)[.,;:!?]|[.,;:!?](?!\d)")  # "1.5" is not "15", and "C++" not "C"
_item = re.compile(
    r"\s|[-*+\u2022\u2013>#|=~`:]|\(?\w{1,3}[.)]\s|\["
)  # a list, a quote, a heading, a table, code: a line of its own


class Document(NamedTuple):
    """A text with a name. White space in it is single spaces and line ends, so that a quote of it can be looked for.

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


def lines(text: str) -> str:
    """The text of a file: one line for each paragraph, and for each line of a list, a table or a poem; none is empty.

    Lines are joined where an editor has broken them: where the first word of each did not fit into the line before, or where
    they make one sentence.

    >>> lines("- a\\r\\n-  b\\n\\nc")
    '- a\\n- b\\nc'
    """
    joined = []
    for block in re.split(r"\n\s*\n", "\n".join(without_controls(text).splitlines())):
        rows = [row.rstrip() for row in block.split("\n") if row.strip()]
        longest = max(map(len, rows), default=0)
        firsts = [row.split(None, 1)[0] for row in rows[1:]]
        full = longest in WRAPPED and all(len(row) + 1 + len(first) > longest for row, first in zip(rows, firsts))
        if (full or _sentence.fullmatch("\n".join(rows))) and not any(_item.match(row) for row in rows[1:]):
            rows = [" ".join(rows)]
        joined += [plain(row) for row in rows]
    return "\n".join(joined)


def lead_documents() -> list[Document]:
    """The 10,033 English leads as documents, in the order of `datasets.leads()`.

    >>> len(lead_documents())
    10033
    """
    return [Document(lead.title, plain(lead.text)) for lead in datasets.leads()]


def drop_duplicates(documents: Sequence[Document]) -> tuple[list[Document], list[tuple[str, str]]]:
    """The documents whose text did not come before (case and the marks of sentences aside), and (title, reason) of the others.

    A text that stands twice would take two places in every result, and say nothing new in the second.

    >>> drop_duplicates([Document("a", "Hello, you."), Document("b", "hello you!")])
    ([Document(title='a', text='Hello, you.')], [('b', 'same text as a')])
    """
    seen: dict[bytes, str] = {}
    kept, dropped = [], []
    for document in documents:
        text = unicodedata.normalize("NFC", document.text).casefold()
        words = _between.sub(" ", text).split() or text.split()
        key = hashlib.sha256(" ".join(words).encode("utf-8", "surrogatepass")).digest()
        if key in seen:
            dropped.append((document.title, f"same text as {seen[key]}"))
        else:
            seen[key] = document.title
            kept.append(document)
    return kept, dropped


def read_folder(path: str | Path, endings: Sequence[str] = ENDINGS, stop: Callable[[], bool] = lambda: False) -> Folder:
    """All text files of a folder and its subfolders, in alphabetical order, and what was left out, each with reason and cure.

    Hidden files and folders are skipped in silence. stop: asked before each file; the rest is not read once it is true.
    Raises FileNotFoundError when there is no such folder, NotADirectoryError for a file, ValueError when no text is left: the
    message lists the reasons; InterruptedError when stopped.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     length = Path(folder, "note.txt").write_text("An  otter swims."), Path(folder, "photo.png").write_text("...")
    ...     read_folder(folder).documents
    [Document(title='note.txt', text='An otter swims.')]
    """
    if not str(path).strip():
        raise ValueError("expected the path of a folder, got an empty one")
    try:
        root = Path(path).expanduser()
        there, is_folder = root.exists(), root.is_dir()
    except (RuntimeError, ValueError, OSError) as error:  # ~nouser, a zero byte, a name that is too long
        raise FileNotFoundError(f"cannot look for the folder {str(path)[:80]!r}: {_why(error)}; check the path") from None
    if not there:
        raise FileNotFoundError(f"there is no folder {root.name!r} at the given place; check the path")
    if not is_folder:
        raise NotADirectoryError(f"expected a folder, got the file {root.name!r}; give the folder that holds it")
    documents, skipped = [], []
    for file, reason in _walk(root):
        if stop():
            raise InterruptedError("stopped by you")
        name = os.fsencode(file.relative_to(root)).decode("utf-8", "replace").replace(os.sep, "/")
        text = ""
        if not reason and len(documents) >= MOST_FILES:
            reason = f"more than {MOST_FILES:,} files; take a smaller folder"
        if not reason:
            text, reason = _read(file, endings)
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


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__


def _walk(root: Path) -> Iterator[tuple[Path, str]]:
    """(path, "") of each visible file below root in alphabetical order, and (path, why not) of what cannot be opened."""
    try:
        entries = sorted((e for e in os.scandir(root) if not e.name.startswith(".")), key=lambda e: e.name)
    except OSError as error:
        yield root, f"the folder cannot be opened ({_why(error)}); change its permissions"
        return
    for entry in entries:
        file = Path(entry.path)
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(file)
            elif entry.is_symlink() and entry.is_dir():
                yield file, "a link to a folder, which may lead in a circle; give that folder itself"
            else:
                yield file, "" if stat.S_ISREG(file.stat().st_mode) else "no regular file; take it out of the folder"
        except OSError as error:
            yield file, "a link to nothing; delete it" if entry.is_symlink() else f"cannot be opened ({_why(error)})"


_BOMS = {  # the longer first
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def _read(file: Path, endings: Sequence[str]) -> tuple[str, str]:
    """(text, "") or ("", why not)."""
    if file.suffix.lower() not in endings:
        return "", f"ending {file.suffix or 'missing'} is not among {', '.join(endings)}; save it as plain text (.txt)"
    try:
        size = file.stat().st_size
        if size > MOST_BYTES:
            return "", f"{size:,} bytes, more than {MOST_BYTES:,}; split it"
        data = file.read_bytes()
    except OSError as error:
        return "", f"cannot be read ({_why(error)}); change its permissions, or take it out of the folder"
    wide = next((name for mark, name in _BOMS.items() if data.startswith(mark)), "")
    zeros = data.count(0)
    if wide or (zeros and max(data[::2].count(0), data[1::2].count(0)) > 0.4 * len(data) / 2 and _is_utf16(data)):
        return "", f'is {wide or "UTF-16"}, as Windows saves text as "Unicode"; save it as UTF-8'
    if zeros:
        return "", "holds zero bytes, so it is no text; take it out of the folder"
    try:
        text = lines(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return "", f"is not UTF-8 (byte {error.start}); save it as UTF-8"
    return (text, "") if text else ("", "holds no text")


def _is_utf16(data: bytes) -> bool:
    """Whether UTF-16 without its mark gives text without control characters."""
    for encoding in ("utf-16-le", "utf-16-be"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not CONTROL.search(text):
            return True
    return False
