"""Made-up classes: notebooks with answers, honest and hostile, in folders as students hand them in."""

import json
from pathlib import Path

from helpers.lab import checks
from helpers.paths import repository_root

RIGHT = 'def bytes_per_character(text):\n    return len(text.encode("utf-8")) / len(text)\n'
STUB = 'def bytes_per_character(text):\n    """A docstring."""\n    ...\n'
WRONG = "def bytes_per_character(text):\n    return len(text) / len(text.encode('utf-8'))\n"


def course_notebook(chapter: str) -> dict:
    return json.loads(next((repository_root() / "notebooks").glob(f"{chapter}_*.ipynb")).read_text(encoding="utf-8"))


def with_answers(chapter: str, answers: dict[str, str]) -> dict:
    """The chapter's notebook with these cells in the place of the stubs; exercise id -> source."""
    nb = course_notebook(chapter)
    for cell in nb["cells"]:
        for tag in cell["metadata"].get("tags", []):
            if tag.removeprefix("exercise:") in answers and tag.startswith("exercise:"):
                cell["source"] = answers[tag.removeprefix("exercise:")]
    return nb


def solved(chapter: str, but: tuple[str, ...] = ()) -> dict:
    """The chapter's notebook with all reference solutions, but for some exercises."""
    return with_answers(chapter, {e.id: checks.solution_source(e.id) for e in checks.exercises(chapter) if e.id not in but})


def small(source: str, tags: tuple[str, ...] = ("exercise:0.1",)) -> dict:
    """A notebook of chapter 00 with nothing but one answer."""
    cell = {
        "cell_type": "code",
        "id": "a",
        "metadata": {"tags": list(tags)},
        "outputs": [],
        "execution_count": None,
        "source": source,
    }
    return {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def hand_in(folder: Path, student: str, nb: dict, chapter: str = "00") -> Path:
    """Write a notebook to folder/student/NN_handed_in.ipynb."""
    (folder / student).mkdir(parents=True, exist_ok=True)
    path = folder / student / f"{chapter}_handed_in.ipynb"
    path.write_text(json.dumps(nb), encoding="utf-8")
    return path
