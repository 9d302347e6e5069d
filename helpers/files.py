"""Files written as a whole: who reads one finds the old content or the new one, never half of it. Standard library only."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path


def write_atomic(path: str | os.PathLike[str], data: bytes | str) -> Path:
    """Write ``data`` (text as UTF-8) beside ``path`` and put it in its place when all of it is on the disk.

    The folder is made if it is not there. When writing fails or is interrupted, the old file stays as it was and nothing
    is left beside it; the error (OSError: full disk, no right to write) goes on. Returns the path.
    """
    path = Path(path)
    target = Path(os.path.realpath(path))  # a link stays a link
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f"{target.name}.{os.getpid()}.tmp")
    try:
        with open(aside, "wb") as file:
            file.write(data.encode("utf-8") if isinstance(data, str) else data)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, aside)
        os.replace(aside, target)
    except BaseException:
        with suppress(OSError):
            aside.unlink()
        raise
    return path
