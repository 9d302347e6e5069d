"""One set-up at a time: a lock held by the operating system, which ends with the processes that hold it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from types import TracebackType

from helpers.course.commands.console import Live, say, seconds

_FAR = 1 << 30  # Windows locks are mandatory: a byte far behind the text leaves the text readable


class SetupLock:
    """A lock file as a context manager; waits for another holder and says who that is.

    On POSIX the lock belongs to the open file, so a child that was given `descriptor` keeps it alive when
    its parent is killed: the next set-up does not start while an orphaned installer is still writing.
    """

    def __init__(self, path: Path, patience: float = 3600.0) -> None:
        self.path, self.patience = path, patience
        self.descriptor = -1
        self.waited = False

    def __enter__(self) -> SetupLock:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            if not _take(self.descriptor):
                self._wait()
            note = json.dumps({"pid": os.getpid(), "since": time.strftime("%H:%M:%S")}).encode()
            os.ftruncate(self.descriptor, 0)
            os.lseek(self.descriptor, 0, os.SEEK_SET)
            os.write(self.descriptor, note)
        except BaseException:
            self._close()
            raise
        return self

    def holder(self) -> str:
        """Who holds the lock, in words."""
        try:
            note = json.loads(self.path.read_text(encoding="utf-8"))
            if not _lives(int(note["pid"])):
                return f"a step that process {note['pid']} left behind, since {note['since']}"
            return f"process {note['pid']}, since {note['since']}"
        except (OSError, ValueError, KeyError, TypeError):
            return "another process"

    def _wait(self) -> None:
        self.waited = True
        say(f"Another set-up of this course is running ({self.holder()}). Waiting for it to end.")
        start = time.monotonic()
        with Live("waiting", lambda elapsed, note: f"  waiting for {self.holder()} ... {seconds(elapsed)}"):
            while not _take(self.descriptor):
                if time.monotonic() - start > self.patience:
                    raise TimeoutError(self.holder())
                time.sleep(0.2)

    def _close(self) -> None:
        os.close(self.descriptor)
        self.descriptor = -1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        os.ftruncate(self.descriptor, 0)
        _release(self.descriptor)
        self._close()


def _lives(process_id: int) -> bool:
    """Whether a process exists; on Windows, where asking would end it, it is taken for granted."""
    if os.name == "nt":
        return True
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def _take(descriptor: int) -> bool:
    """Try to take the lock on an open file without waiting."""
    try:
        if os.name == "nt":
            import msvcrt

            os.lseek(descriptor, _FAR, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _release(descriptor: int) -> None:
    if os.name == "nt":
        import msvcrt

        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_UN)
