"""The record of the exercises that a reader has solved on this machine."""

import json
import os
import sys
import time
from datetime import date
from pathlib import Path

from helpers.files import locked, write_atomic
from helpers.paths import SettingError, cache_folder

_told = False  # that the record cannot be written


def _file() -> Path:
    return Path(os.environ.get("COURSE_PROGRESS") or cache_folder() / "progress.json")


def _read(path: Path) -> dict[str, str]:
    """What the file holds; one that cannot be read as a record is set aside, and said."""
    if not path.is_file():
        return {}
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return {str(k): str(v) for k, v in record.items()}
    except (ValueError, AttributeError, RecursionError):
        aside = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
        os.replace(path, aside)
        print(f"The record of solved exercises could not be read; it was set aside as {aside.name}, and a new one begun.")
        return {}


def solved() -> dict[str, str]:
    """Exercise id -> date on which its check first passed on this machine (kept in the cache folder, or COURSE_PROGRESS)."""
    try:
        return _read(_file())
    except (OSError, SettingError):
        return {}  # progress is a comfort, never a reason to stop


def remember(exercise_id: str) -> None:
    """Note that the exercise is solved; not in CI and not by a strict run. Where it cannot be written, that is said once."""
    global _told
    if os.environ.get("CI") or os.environ.get("COURSE_STRICT"):
        return
    try:
        path = _file()
        if path.exists() and not path.is_file():
            return  # a device such as /dev/null: the new file would take its place
        if exercise_id in _read(path):
            return
        with locked(path):  # other notebooks write as well
            record = _read(path)
            record.setdefault(exercise_id, date.today().isoformat())
            write_atomic(path, json.dumps(record, indent=1, sort_keys=True))
    except (OSError, SettingError) as error:
        if not _told:
            print(f"(Not noted as solved: {getattr(error, 'strerror', None) or error}.)", file=sys.stderr)
        _told = True
