"""How much disk space the set-up needs, measured, and whether it is there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from helpers.course.commands.console import Problem, size
from helpers.course.commands.setup_record import weight_files
from helpers.paths import cache_folder

# Bytes that each step may take with its downloads and temporary copies, measured on Linux and rounded up.
NEEDS = {"environment": 0.05e9, "torch": 1.2e9, "packages": 1.1e9, "data": 0.6e9, "test tools": 0.4e9, "weights": 0.7e9}


def existing_parent(path: Path) -> Path:
    """The folder itself, or the nearest one above it that exists."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def demand_space(root: Path, steps: Iterable[str]) -> None:
    """Raise Problem when the disks of the repository and of the cache lack room for these steps."""
    demands: dict[int, tuple[Path, float]] = {}
    for step in steps:
        if step == "weights" and weight_files(cache_folder()):
            continue  # converted before, perhaps by another copy of the course
        place = existing_parent(cache_folder() if step == "weights" else root)
        device = os.stat(place).st_dev
        known, total = demands.get(device, (place, 0.0))
        demands[device] = (known, total + NEEDS.get(step, 0.0))
    for place, needed in demands.values():
        free = shutil.disk_usage(place).free
        if free < needed:
            raise Problem(
                f"Not enough disk space: about {size(needed)} are needed where {place} lies, {size(free)} are free.",
                "Free some space, or put the course on another disk (COURSE_CACHE moves the weights). "
                "Then start the same command again.",
            )
