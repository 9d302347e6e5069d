"""The record of the exercises that a reader has solved on this machine."""

import json
import os
import secrets
import sys
import time
from datetime import date
from pathlib import Path

from helpers.files import locked, write_atomic
from helpers.paths import SettingError, cache_folder, named_path

_told = False  # that the record cannot be read or written


def _file() -> Path:
    return named_path("COURSE_PROGRESS") or cache_folder() / "progress.json"


def _read(path: Path) -> dict[str, str] | None:
    """What the file holds; None for one that cannot be read as a record."""
    if not path.is_file():
        return {}
    try:
        return {str(k): str(v) for k, v in json.loads(path.read_text(encoding="utf-8")).items()}
    except FileNotFoundError:
        return {}  # another notebook has just set it aside
    except (ValueError, AttributeError, RecursionError):
        return None


def _whole(path: Path) -> dict[str, str]:
    """What the file holds; a damaged one is set aside, and said. Only under the lock: else a good one that has just taken its
    place would be set aside in its stead."""
    record = _read(path)
    if record is None:
        aside = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}")
        os.replace(path, aside)
        print(f"The record of solved exercises could not be read; it was set aside as {aside.name}, and a new one begun.")
    return record or {}


def _tell(what: str, error: Exception) -> None:
    """Say once that the record is out of reach: it is a comfort, never a reason to stop."""
    global _told
    if not _told:
        print(f"({what}: {getattr(error, 'strerror', None) or error}.)", file=sys.stderr)
    _told = True


def solved() -> dict[str, str]:
    """Exercise id -> date on which its check first passed on this machine (kept in the cache folder, or COURSE_PROGRESS)."""
    try:
        record = _read(path := _file())
        if record is None:
            with locked(path):
                record = _whole(path)
        return record
    except (OSError, SettingError) as error:
        _tell("The record of solved exercises cannot be read", error)
        return {}


def remember(exercise_id: str) -> None:
    """Note that the exercise is solved; not in CI and not by a strict run. Where it cannot be written, that is said once."""
    if os.environ.get("CI") or os.environ.get("COURSE_STRICT"):
        return
    try:
        path = _file()
        if path.exists() and not path.is_file():
            return  # a device such as /dev/null: the new file would take its place
        if exercise_id in (_read(path) or {}):
            return
        with locked(path):  # other notebooks write as well
            record = _whole(path)
            record.setdefault(exercise_id, date.today().isoformat())
            write_atomic(path, json.dumps(record, indent=1, sort_keys=True))
    except (OSError, SettingError) as error:
        _tell("Not noted as solved", error)
