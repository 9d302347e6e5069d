"""Files written as a whole: who reads one finds the old content or the new one, never half of it. Standard library only.

`save_json` adds a digest, and `load_json` refuses content that has another: no flipped bit becomes a number of a page.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

DIGEST = "sha256"  # its key in a file

if os.name == "nt":
    import msvcrt
else:
    import fcntl


def write_atomic(path: str | os.PathLike[str], data: bytes | str) -> Path:
    """Write ``data`` (text as UTF-8) beside ``path`` and put it in its place when all of it is on the disk.

    The folder is made if it is not there. When writing fails or is interrupted, the old file stays as it was and nothing
    is left beside it; the error (OSError: full disk, no right to write) goes on. Returns the path.
    """
    path = Path(path)
    target = Path(os.path.realpath(path))  # a link stays a link
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f"{target.name}.{os.getpid()}-{secrets.token_hex(3)}.tmp")  # threads have one number
    try:
        with open(aside, "wb") as file:
            file.write(data.encode("utf-8") if isinstance(data, str) else data)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, aside)
        os.replace(aside, target)
    except BaseException as error:
        with suppress(OSError):
            aside.unlink()
        if isinstance(error, OSError) and not error.filename:
            error.filename = str(target)  # that of a full disk names no file
        raise
    return path


def digest(content: dict[str, Any]) -> str:
    """sha256 of what a JSON file holds, whatever its order and spaces.

    >>> digest({"a": 1, "b": [0.5]}) == digest({"b": [0.5], "a": 1})
    True
    """
    plain = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(plain.encode("ascii")).hexdigest()


def load_json(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What `save_json` wrote. Raises ValueError, without a cure, where it is no JSON or not what was written; OSError."""
    content = json.loads(Path(path).read_text(encoding="utf-8"))
    if not isinstance(content, dict) or content.pop(DIGEST, None) != digest(content):
        raise ValueError("its content is not what was written")
    return content


def save_json(path: str | os.PathLike[str], content: dict[str, Any], **style: Any) -> Path:
    """Write the content and its digest, whole or not at all. style: arguments of `json.dumps`."""
    read = json.loads(json.dumps(content))  # as it will be read: keys that are numbers are texts then
    return write_atomic(path, json.dumps({**content, DIGEST: digest(read)}, **style) + "\n")


_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)
_FAR = 1 << 30  # Windows locks are mandatory: a byte far behind the text leaves the text readable


def take_lock(descriptor: int, release: bool = False) -> bool:
    """Try to take the system's lock on an open file without waiting, or let it go. It ends with the process that holds it.

    A file system without locks (some network disks) counts as free: to wait there would be to wait for nobody.
    """
    try:
        if os.name == "nt":
            os.lseek(descriptor, _FAR, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK if release else msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_UN if release else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in _NO_LOCKS
    return True


@contextmanager
def locked(path: str | os.PathLike[str], patience: float = 10.0) -> Iterator[None]:
    """One process at a time for reading, changing and writing ``path``. Raises TimeoutError when it is not free in time."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.with_name(f".{path.name}.lock"), "ab") as lock:
        end = time.monotonic() + patience
        while not take_lock(lock.fileno()):
            if time.monotonic() > end:
                raise TimeoutError(f"{path.name} is in use by another process")
            time.sleep(0.01)
        yield
