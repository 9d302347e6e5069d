"""What is kept of a reader's work on this machine: when each exercise was solved, and the answers that passed."""

import json
import os
import secrets
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from helpers.files import locked, write_atomic
from helpers.paths import SettingError, cache_folder, named_path

_told: set[str] = set()  # which records cannot be read or written, as far as that was said


def _file() -> Path:
    return named_path("COURSE_PROGRESS") or cache_folder() / "progress.json"


class Record:
    """A JSON file that several notebooks read and change: exercise id -> entry.

    name: of the file, "" for the record of solved exercises itself; the others lie beside it. what: for sentences. entry: makes
    an entry of what the file holds, and raises ValueError, TypeError or AttributeError for anything else.
    """

    def __init__(self, name: str, what: str, entry: Callable[[Any], Any]) -> None:
        self.name, self.what, self.entry = name, what, entry

    def path(self) -> Path:
        """Where the file is. Raises SettingError for a COURSE_PROGRESS or COURSE_CACHE that names no place."""
        return _file().with_name(self.name) if self.name else _file()

    def _read(self, path: Path) -> dict[str, Any] | None:
        """What the file holds; None for one that cannot be read as a record."""
        if not path.is_file():
            return {}
        try:
            return {str(k): self.entry(v) for k, v in json.loads(path.read_text(encoding="utf-8")).items()}
        except FileNotFoundError:
            return {}  # another notebook has just set it aside
        except (ValueError, TypeError, AttributeError, RecursionError):
            return None

    def _whole(self, path: Path) -> dict[str, Any]:
        """What the file holds; a damaged one is set aside, and said. Only under the lock: else a good one that has just taken its
        place would be set aside in its stead."""
        record = self._read(path)
        if record is None:
            aside = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}")
            os.replace(path, aside)
            print(f"The record of {self.what} could not be read; it was set aside as {aside.name}, and a new one begun.")
        return record or {}

    def _tell(self, done: str, error: Exception) -> None:
        """Say once that the record is out of reach: it is a comfort, never a reason to stop."""
        if self.what not in _told:
            print(f"({done}: {getattr(error, 'strerror', None) or error}.)", file=sys.stderr)
        _told.add(self.what)

    def read(self) -> dict[str, Any]:
        """The whole record; {} where it cannot be read, which is said once."""
        try:
            record = self._read(path := self.path())
            if record is None:
                with locked(path):
                    record = self._whole(path)
            return record
        except (OSError, SettingError) as error:
            self._tell(f"The record of {self.what} cannot be read", error)
            return {}

    def note(self, exercise_id: str, entry: Any, first: bool) -> bool:
        """Write an entry and say whether one is there now. Not in CI and not by a strict run. first: leave one that is there."""
        if os.environ.get("CI") or os.environ.get("COURSE_STRICT"):
            return False
        try:
            path = self.path()
            if (_file().exists() and not _file().is_file()) or (path.exists() and not path.is_file()):
                return False  # a device such as /dev/null: the new file would take its place
            before = (self._read(path) or {}).get(exercise_id)
            if before is not None and (first or before == entry):
                return True
            with locked(path):  # other notebooks write as well
                record = self._whole(path)
                if not first or exercise_id not in record:
                    record[exercise_id] = entry
                write_atomic(path, json.dumps(record, indent=1, sort_keys=True))
            return True
        except (OSError, SettingError) as error:
            self._tell(f"Not noted among the {self.what}", error)
            return False


_SOLVED = Record("", "solved exercises", str)


def _answer(value: Any) -> dict[str, str]:
    return {name: str(value[name]) for name in ("name", "source", "date")}


_ANSWERS = Record("answers.json", "answers that passed", _answer)


def solved() -> dict[str, str]:
    """Exercise id -> date on which its check first passed on this machine (kept in the cache folder, or COURSE_PROGRESS)."""
    return _SOLVED.read()


def remember(exercise_id: str) -> None:
    """Note that the exercise is solved. Where it cannot be written, that is said once."""
    _SOLVED.note(exercise_id, date.today().isoformat(), first=True)


def answers() -> dict[str, dict[str, str]]:
    """Exercise id -> name, source and date of the latest answer that passed (beside the record of solved exercises)."""
    return _ANSWERS.read()


def keep(exercise_id: str, name: str, source: str) -> bool:
    """Keep the source of an answer that passed. Returns whether it is kept: not in CI, not where nothing can be written."""
    return _ANSWERS.note(exercise_id, {"name": name, "source": source, "date": date.today().isoformat()}, first=False)
