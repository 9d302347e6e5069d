"""Where things live: the repository, its environment, its build folder and the cache outside it.

Standard library only and instant to import: course.py uses it before anything is installed, and
helpers.data.weights uses it for the converted weights.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

NAME = "from-counts-to-chat"

__all__ = [
    "NAME",
    "SettingError",
    "build_folder",
    "cache_folder",
    "environment_folder",
    "environment_python",
    "named_path",
    "repository_root",
]


def repository_root() -> Path:
    """The folder that holds course.py and helpers/."""
    return Path(__file__).resolve().parents[1]


def build_folder(root: Path | None = None) -> Path:
    """The folder of logs, stamps and executed pages; it can be deleted at any time."""
    return (root or repository_root()) / "build"


def environment_folder(root: Path | None = None) -> Path:
    """The virtual environment that set-up makes when --here is not given."""
    return (root or repository_root()) / ".venv"


def environment_python(folder: Path) -> Path:
    """The interpreter inside the virtual environment `folder`."""
    if os.name == "nt":
        return folder / "Scripts" / "python.exe"
    return folder / "bin" / "python"


class SettingError(ValueError):
    """An environment variable of the course that cannot be used, in words."""


def named_path(variable: str) -> Path | None:
    """The file or folder that an environment variable names, None where it is not set or blank.

    Raises SettingError for a name that cannot be one, such as that of a user who does not exist (~nobody/x).
    """
    chosen = os.environ.get(variable, "").strip()
    try:
        return Path(chosen).expanduser().resolve() if chosen else None
    except (RuntimeError, OSError, ValueError) as error:
        raise SettingError(f"{variable} is {chosen!r}, which names no place ({error}); set it to another, or unset it") from None


def cache_folder() -> Path:
    """The folder for converted weights: COURSE_CACHE, else a folder in the user's cache.

    The default is %LOCALAPPDATA% on Windows, ~/Library/Caches on macOS, and $XDG_CACHE_HOME or ~/.cache
    elsewhere, each with the subfolder from-counts-to-chat. The folder is not created here.
    Raises SettingError when COURSE_CACHE cannot be a folder, or there is no home folder.
    """
    folder = named_path("COURSE_CACHE")
    if folder:
        try:
            blocked = next((p for p in (folder, *folder.parents) if p.exists()), folder)
        except OSError as error:  # above it lies a folder that may not be looked into
            raise SettingError(
                f"COURSE_CACHE is {str(folder)!r} ({error.strerror}); set it to another folder, or unset it"
            ) from None
        if blocked.exists() and not blocked.is_dir():
            raise SettingError(
                f"COURSE_CACHE is {str(folder)!r}, but {blocked.name!r} is a file; set it to a folder, or unset it"
            )
        return folder
    try:
        home = Path.home()
    except RuntimeError:
        raise SettingError("no home folder was found for the converted weights; set COURSE_CACHE to a folder") from None
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA", "").strip()
        base = Path(local) if local else home / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        xdg = os.environ.get("XDG_CACHE_HOME", "").strip()
        base = Path(xdg) if xdg and Path(xdg).is_absolute() else home / ".cache"
    return base / NAME
