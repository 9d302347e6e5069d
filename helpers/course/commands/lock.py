"""One set-up at a time: a lock held by the operating system, which ends with the processes that hold it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.course.commands.console import Live, say, seconds
from helpers.files import take_lock


@contextmanager
def setup_lock(path: Path, patience: float = 3600.0) -> Iterator[tuple[int, bool]]:
    """Hold the lock file `path`; yields its descriptor and whether another holder was waited for.

    On POSIX the lock belongs to the open file, so a child that was given the descriptor keeps it alive when its parent
    is killed: the next set-up does not start while an orphaned installer is still writing. uv locks an environment by
    itself, but only while it installs; a set-up also makes and deletes environments and converts weights. Raises
    TimeoutError with the holder in words.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        waited = not take_lock(descriptor)
        if waited:
            _wait(descriptor, path, patience)
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, json.dumps({"pid": os.getpid(), "since": time.strftime("%H:%M:%S")}).encode())
        try:
            yield descriptor, waited
        finally:
            os.ftruncate(descriptor, 0)
            take_lock(descriptor, release=True)
    finally:
        os.close(descriptor)


def _wait(descriptor: int, path: Path, patience: float) -> None:
    say(f"Another set-up of this course is running ({holder(path)}). Waiting for it to end.")
    start = time.monotonic()
    with Live("waiting", lambda elapsed, note: f"  waiting for {holder(path)} ... {seconds(elapsed)}"):
        while not take_lock(descriptor):
            if time.monotonic() - start > patience:
                raise TimeoutError(holder(path))
            time.sleep(0.2)


def holder(path: Path) -> str:
    """Who holds the lock, in words."""
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
        known = f"process {int(note['pid'])}, since {note['since']}"
        if os.name != "nt":  # where asking would end it
            os.kill(int(note["pid"]), 0)
        return known
    except ProcessLookupError:
        return f"a step that process {note['pid']} left behind, since {note['since']}"
    except PermissionError:
        return known
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
