"""A folder of files that took long to make, outside the repository: made once, whole or not at all, then checked.

A build goes into a folder aside, gets a manifest (size and sha256 of each file), is flushed to disk and renamed into
place, all under a lock of the operating system. So an interrupted build leaves nothing that a later start takes for
good, and two processes at once make it once. A finished folder is checked at every use: all sizes always; the sha256
of a file whenever it is not the very file (size and time of change) that was last checked in full.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.data.sources import FIX, DataError, sha256_of
from helpers.files import write_atomic

MANIFEST = "manifest.json"
STAMP = "checked.json"  # size and time of change of the files whose sha256 was last found right
PARTIAL = ".partial-"
PATIENCE = 1800.0  # seconds to wait for another process


def exists(folder: Path) -> bool:
    """Is there a finished build, good or damaged? (Only a finished one ever gets this name.)"""
    return folder.is_dir()


def check(folder: Path, full: bool = False) -> None:
    """Raise DataError unless every file of a finished build is there and unchanged.

    With ``full`` every sha256 is computed; otherwise only those of files that changed since the last full check.
    """
    files = _manifest(folder)["files"]
    seen = {} if full else _read(folder / STAMP)
    now = {}
    for name, pinned in files.items():
        path = folder / name
        try:
            status = path.stat()
        except OSError:
            raise DataError(f"{path} is missing. To convert it again, run: {FIX}") from None
        if status.st_size != pinned["bytes"]:
            size = f"{status.st_size:,} bytes instead of {pinned['bytes']:,}"
            raise DataError(f"{path} has {size}: it is truncated or was changed. To convert it again, run: {FIX}")
        now[name] = [status.st_size, status.st_mtime_ns]
        if seen.get(name) != now[name] and sha256_of(path) != pinned["sha256"]:
            raise DataError(f"{path} was changed (its sha256 is not the recorded one). To convert it again, run: {FIX}")
    if seen != now:
        _stamp(folder, now)


def build(
    folder: Path,
    make: Callable[[Path], None],
    facts: dict[str, object],
    room: int,
    waiting: Callable[[str], None] = lambda text: None,
) -> Path:
    """``folder``, made by ``make(aside)`` unless a good one is there already; returns it.

    Args: ``facts`` go into the manifest; ``room`` is the free space in bytes that the build needs; ``waiting`` is
    told when another process is at work on the same folder.

    Raises DataError when there is not enough room or the other process does not end; what ``make`` raises passes.
    """
    parent = folder.parent
    parent.mkdir(parents=True, exist_ok=True)
    with _lock(parent / f".{folder.name}.lock", waiting):
        # 1. a good one is there: nothing to do
        if exists(folder):
            try:
                check(folder, full=True)
                return folder
            except DataError:
                pass  # damaged: make it again
        # 2. room: what interrupted builds left goes, and the disk must hold what comes
        for rest in parent.glob(f"{PARTIAL}{folder.name}-*"):
            shutil.rmtree(rest, ignore_errors=True)  # nobody works on it: the lock is ours
        free = shutil.disk_usage(parent).free
        if free < room:
            raise DataError(
                f"No space left for the converted weights: {room / 1e9:.1f} GB are needed in {parent}, {free / 1e9:.1f} "
                f"GB are free. Make room, or name another folder in COURSE_CACHE; then run: {FIX}"
            )
        # 3. build aside, and put it into its place when it is whole
        aside = parent / f"{PARTIAL}{folder.name}-{uuid.uuid4().hex[:8]}"
        aside.mkdir()
        try:
            make(aside)
            _finish(aside, facts)
            if exists(folder):
                os.replace(folder, parent / f"{PARTIAL}{folder.name}-old-{uuid.uuid4().hex[:8]}")
            os.replace(aside, folder)
            _sync(parent)
            check(folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
            for rest in parent.glob(f"{PARTIAL}{folder.name}-*"):
                shutil.rmtree(rest, ignore_errors=True)
    return folder


def _finish(folder: Path, facts: dict[str, object]) -> None:
    """Write the manifest and see that everything is on the disk."""
    files, stamps = {}, {}
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        _sync(path)
        status = path.stat()
        files[path.name] = {"bytes": status.st_size, "sha256": sha256_of(path)}
        stamps[path.name] = [status.st_size, status.st_mtime_ns]
    _stamp(folder, stamps)
    write_atomic(folder / MANIFEST, json.dumps({**facts, "files": files}, indent=1) + "\n")
    _sync(folder)


def _manifest(folder: Path) -> dict[str, dict]:
    found = _read(folder / MANIFEST)
    files = found.get("files")
    if not isinstance(files, dict) or not files:
        raise DataError(f"{folder / MANIFEST} is missing or unreadable. To convert the weights again, run: {FIX}")
    return found


def _read(path: Path) -> dict:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _stamp(folder: Path, stamps: dict[str, list[int]]) -> None:
    try:
        write_atomic(folder / STAMP, json.dumps(stamps))
    except OSError:
        pass  # a read-only cache only costs a full check each time


def _sync(path: Path) -> None:
    """Flush a file (or, where the system can, a folder) to the disk."""
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _lock(path: Path, waiting: Callable[[str], None]) -> Iterator[None]:
    """A lock that ends with the process that holds it, whatever happens to that process."""
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        waiting("another process is at work on the same weights; waiting for it")
        try:
            lock.acquire(timeout=PATIENCE)
        except Timeout:
            raise DataError(f"Another process has held {path} for {PATIENCE / 60:.0f} minutes. End it, then run: {FIX}") from None
    try:
        yield
    finally:
        lock.release()
