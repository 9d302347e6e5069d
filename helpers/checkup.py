"""What a machine check finds, and the checks that need nothing installed. The notebook's table and course.py doctor show them.

Standard library only; psutil is used for the free memory where it is there.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

FIX = "python3 course.py setup"
NEEDED_MEMORY = 1.5e9  # bytes: the budget of a notebook


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a machine check: what was looked at, its state, what was found, and the one command that mends it.

    state: "ok"; "absent" (optional, not there), "note" and "low" can be lived with; "missing" and "damaged" cannot.
    """

    name: str
    state: str
    detail: str
    fix: str = ""

    @property
    def ok(self) -> bool:
        return self.state in ("ok", "absent")

    @property
    def bad(self) -> bool:
        """Whether the course does not run like this."""
        return self.state in ("missing", "damaged")


def python() -> Finding:
    """The version of this Python and the system that it runs on."""
    return Finding("Python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def disk(folder: Path, needed: float, name: str = "free disk", fix: str = "", state: str = "low") -> Finding:
    """The room on the disk where ``folder`` lies or will lie; ``state`` is that of too little."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    detail = f"{free / 1e9:.0f} GB" if free >= 10e9 else f"{free / 1e9:.1f} GB"
    if free >= needed:
        return Finding(name, "ok", detail)
    return Finding(name, state, f"{detail}, about {needed / 1e9:.1f} GB are needed", fix)


def memory() -> Finding:
    """The memory that is free for a notebook; where that is not known, all that there is."""
    free, total = available_memory(), total_memory()
    count, name = (min(free, total or free), "free memory") if free else (total, "memory")
    if not count:
        return Finding(name, "note", "not known; a notebook needs up to 1.5 GB")
    enough = count > NEEDED_MEMORY
    return Finding(
        name,
        "ok" if enough else "low",
        f"{count / 1e9:.1f} GB; a notebook needs up to 1.5 GB",
        "" if enough else "close other programs, or shut down other notebooks",
    )


def available_memory() -> int:
    """Bytes that new programs can have; 0 when it is not known."""
    try:
        import psutil

        return psutil.virtual_memory().available
    except ImportError:
        pass
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, ValueError, StopIteration):
        return 0


def total_memory() -> int:
    """Bytes of memory that programs may use here (of the container, if it is less); 0 when it is not known."""
    try:
        if sys.platform == "win32":
            import ctypes

            class Status(ctypes.Structure):
                _fields_ = [("length", ctypes.c_ulong), ("load", ctypes.c_ulong)] + [
                    (name, ctypes.c_ulonglong) for name in ("total", "available", "a", "b", "c", "d", "e")
                ]

            status = Status(length=ctypes.sizeof(Status))
            ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
            return int(status.total)
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError, AttributeError):
        return 0
    limit = Path("/sys/fs/cgroup/memory.max")
    text = limit.read_text().strip() if limit.exists() else ""
    return min(total, int(text)) if text.isdigit() else total
