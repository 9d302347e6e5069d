"""What was handed in: finding the notebooks, reading them without trusting them, and finding the answers inside."""

import json
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers.chapters import CHAPTERS
from helpers.lab.exercise import Exercise

MAX_BYTES, MAX_CELLS, MAX_FILES = 20_000_000, 5_000, 2_000
MAX_SOURCE = 1_000_000  # characters of all code of a notebook
# What systems and archives leave beside the work; nobody handed it in.
_LEFTOVERS = {"__macosx", "thumbs.db", "desktop.ini", "__pycache__", "$recycle.bin", "system volume information"}
_OURS = re.compile(r"(?:exercise|check):\d{1,2}\.\d{1,3}")


class Refused(Exception):
    """A file that is not graded; the message says why."""


@dataclass
class Submission:
    """One student's file: whose it is by its place in the folder, never by what it says."""

    student: str
    path: Path
    refused: str = ""


@dataclass
class Notebook:
    """The code of a submission. cells: (source, tags) of the code cells, in order; chapter: "03", or "" if it does not say."""

    cells: list[tuple[str, list[str]]]
    chapter: str = ""
    notes: list[str] = field(default_factory=list)


@dataclass
class Found:
    """The cell of one exercise. where: its place among the code cells; note: how it was found, when not by its tag."""

    source: str
    where: int
    note: str = ""


def leftover(name: str) -> bool:
    """Whether a file or folder comes from a system or an archive, such as __MACOSX and hidden files.

    >>> leftover("__MACOSX"), leftover("._ada.ipynb"), leftover("ada")
    (True, True, False)
    """
    return name.startswith(".") or name.lower() in _LEFTOVERS


def ignored(folder: Path) -> list[str]:
    """The visible entries of a folder that are nobody's work, in alphabetical order."""
    return sorted(_text(e.name) for e in os.scandir(folder) if leftover(e.name) and not e.name.startswith("."))


def collect(folder: Path) -> list[Submission]:
    """Every notebook in a folder, as student/[...]/file.ipynb or as student.ipynb; links are listed and refused.

    What `leftover` says is nobody's is passed over.
    """
    found: list[Submission] = []
    for entry in sorted(os.scandir(folder), key=lambda e: e.name):
        if leftover(entry.name):
            continue
        if entry.is_symlink():
            found.append(Submission(_text(entry.name.removesuffix(".ipynb")), Path(entry.path), "it is a link, not a file"))
        elif entry.is_dir():
            inside = _notebooks(Path(entry.path))
            found += [Submission(_text(entry.name), path, why) for path, why in inside]
            if not inside:
                found.append(Submission(_text(entry.name), Path(entry.path), "the folder holds no notebook"))
        elif entry.name.lower().endswith(".ipynb"):
            found.append(Submission(_text(entry.name[:-6]), Path(entry.path)))
    return found


def _text(name: str) -> str:
    """A file name for people: bytes that are no UTF-8 show as question marks."""
    return name.encode("utf-8", "replace").decode("utf-8")


def _notebooks(folder: Path) -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = []
    for directory, folders, files in os.walk(folder, followlinks=False):
        folders[:] = sorted(n for n in folders if not leftover(n))
        for name in [n for n in folders if os.path.islink(os.path.join(directory, n))]:
            found.append((Path(directory) / name, "it is a link, not a folder"))
        for name in sorted(files):
            path = Path(directory) / name
            if name.lower().endswith(".ipynb") and not leftover(name):
                found.append((path, "it is a link, not a file" if path.is_symlink() else ""))
            if len(found) >= MAX_FILES:
                return found[:MAX_FILES]
    return found


def read(path: Path) -> Notebook:
    """The code of a notebook file. Raises Refused for anything that is not a readable notebook of usual size."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Refused("it is not an ordinary file")
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Refused(f"it cannot be opened ({error.strerror})") from error
    if len(data) > MAX_BYTES:
        raise Refused(f"it is larger than {MAX_BYTES // 1_000_000} MB")
    if not data.strip():
        raise Refused("it is empty")
    try:
        content = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Refused("it is not UTF-8 text") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise Refused(f"it is not valid JSON ({str(error)[:80]})") from error
    return from_content(content)


def from_content(content: Any) -> Notebook:
    """The code of a parsed notebook. Raises Refused when it is none."""
    cells = content.get("cells") if isinstance(content, dict) else None
    if not isinstance(cells, list):
        raise Refused("it is JSON, but not a notebook of format 4 (it has no list of cells)")
    if len(cells) > MAX_CELLS:
        raise Refused(f"it has more than {MAX_CELLS} cells")
    found: list[tuple[str, list[str]]] = []
    for cell in cells:
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = cell.get("source", "")
        source = "".join(x for x in source if isinstance(x, str)) if isinstance(source, list) else source
        found.append((source.encode("utf-8", "replace").decode("utf-8") if isinstance(source, str) else "", _tags(cell)))
    if sum(len(source) for source, _ in found) > MAX_SOURCE:
        raise Refused(f"its code is longer than {MAX_SOURCE} characters")
    if not found:
        raise Refused("it has no code cells")
    metadata = content.get("metadata")
    course = metadata.get("course") if isinstance(metadata, dict) else None
    chapter = course.get("chapter") if isinstance(course, dict) else None
    return Notebook(found, chapter if isinstance(chapter, str) and re.fullmatch(r"\d\d", chapter) else "")


def _tags(cell: dict) -> list[str]:
    """The course's own tags of a cell, each once; the id that nbgrader kept counts as one too."""
    metadata = cell.get("metadata")
    if not isinstance(metadata, dict):
        return []
    tags = metadata.get("tags")
    ours = (t for t in tags if isinstance(t, str) and _OURS.fullmatch(t)) if isinstance(tags, list) else ()
    found = list(dict.fromkeys(ours))
    nbgrader = metadata.get("nbgrader")
    grade_id = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
    match = re.fullmatch(r"(exercise|check)-(\d+)-(\d+)", grade_id) if isinstance(grade_id, str) else None
    if match and f"{match[1]}:{match[2]}.{match[3]}" not in found:
        found.append(f"{match[1]}:{match[2]}.{match[3]}")
    return found


def chapter_of(path: Path, notebook: Notebook) -> str:
    """The chapter that a submission belongs to: as its metadata, its tags or its file name say; "" when nothing does."""
    known = {c.number for c in CHAPTERS}
    tagged = [
        t.split(":")[1].split(".")[0].zfill(2)
        for _, tags in notebook.cells
        for t in tags
        if re.fullmatch(r"exercise:\d{1,2}\.\d{1,3}", t)
    ]
    named = [c.number for c in CHAPTERS if c.name in path.stem] + re.findall(r"(?<!\d)(\d\d)_", path.name)
    candidates = [notebook.chapter, *([max(set(tagged), key=tagged.count)] if tagged else []), *named]
    return next((c for c in candidates if c in known), "")


def defines(source: str, name: str) -> bool:
    """Whether a cell gives a value to the name at its top level (seen by its text alone)."""
    return (
        re.search(
            rf"^(?:async\s+def|def|class)\s+{re.escape(name)}\b|^{re.escape(name)}\s*(?::[^=\n]+)?=(?!=)", source, re.MULTILINE
        )
        is not None
    )


def find_answer(notebook: Notebook, exercise: Exercise, course_cells: set[str]) -> Found:
    """The cell of an exercise. course_cells: the code of the chapter's own cells. Raises Refused with the reason."""
    tag = f"exercise:{exercise.id}"
    tagged = [i for i, (_, tags) in enumerate(notebook.cells) if tag in tags]
    good = [i for i in tagged if defines(notebook.cells[i][0], exercise.name)]
    if good:
        sources = {notebook.cells[i][0].strip() for i in good}
        note = f"{len(good)} different cells carry the tag of this exercise; the last one counts" if len(sources) > 1 else ""
        return Found(notebook.cells[good[-1]][0], good[-1], note)
    others = [
        i
        for i, (source, tags) in enumerate(notebook.cells)
        if defines(source, exercise.name)
        and source.strip() not in course_cells
        and not any(t.startswith("exercise:") for t in tags)
    ]
    if others:
        note = f"the cell had lost its tag; it was found by the name {exercise.name}"
        return Found(notebook.cells[others[-1]][0], others[-1], note)
    if tagged and notebook.cells[tagged[-1]][0].strip():
        raise Refused(f"the cell of this exercise does not define {exercise.name}")
    if tagged:
        raise Refused("the cell of this exercise is empty")
    raise Refused(f"there is no cell for this exercise, and none that defines {exercise.name}")
