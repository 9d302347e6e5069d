"""What set-up has done already: one small file per environment, so that a second start is quick.

Each step leaves a key (a hash of all that it depends on) and the files that must still be there. A step whose key
or files differ is done again, the others are not. The file is replaced as a whole, so a kill cannot tear it; if it
is unreadable all the same, every step runs again and finds most of its work done.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from helpers.files import write_atomic

FORMAT = 1


def digest(*parts: object) -> str:
    """A hash of texts and of files' contents (Path objects; a missing file counts as such)."""
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            data = part.read_bytes() if part.is_file() else b"(none)"
        else:
            data = str(part).encode()
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()[:24]


class Stamp:
    """The record of the steps done in one environment."""

    def __init__(self, path: Path, root: Path) -> None:
        self.path, self.root = path, root
        self.moved = False  # whether the stamp was written for another place: the folder was moved or copied
        self.data: dict[str, Any] = self._empty()
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            self.moved = data["root"] != str(root)
            if data["format"] == FORMAT and not self.moved and isinstance(data["steps"], dict):
                self.data = self._empty() | data
        except (OSError, ValueError, KeyError, TypeError):
            pass

    def _empty(self) -> dict[str, Any]:
        return {"format": FORMAT, "root": str(self.root), "version": "", "gpu": False, "steps": {}}

    def clear(self) -> None:
        """Forget everything: the environment is made again."""
        self.data = self._empty()

    def fresh(self, step: str, key: str) -> bool:
        """Whether a step was done with this key and its files are still there, unchanged in size and time."""
        done = self.data["steps"].get(step)
        if not isinstance(done, dict) or done.get("key") != key:
            return False
        return all(signature(path) == known for path, known in done.get("files", {}).items())

    def undo(self, *steps: str) -> None:
        """Note that steps are not done, or no longer: as each begins, and when its work was found damaged."""
        for step in steps:
            self.data["steps"].pop(step, None)
        self.save()

    def end(self, step: str, key: str, files: dict[str, str]) -> None:
        """Note that a step is done."""
        self.data["steps"][step] = {"key": key, "files": files}
        self.save()

    def save(self) -> None:
        """Write the file as a whole."""
        write_atomic(self.path, json.dumps(self.data, indent=1))


def signature(path: str | Path) -> str:
    """Size and time of the last change of a file, "" when it is not there."""
    try:
        status = os.stat(path)
    except OSError:
        return ""
    return f"{status.st_size}:{status.st_mtime_ns}"


def signatures(paths: Iterable[str | Path]) -> dict[str, str]:
    """The signature of each file."""
    return {str(path): signature(path) for path in paths}


def weight_files(cache: Path) -> list[Path]:
    """The files of the converted models in the cache, by the manifests that lie beside them."""
    found = []
    for manifest in sorted(cache.glob("[!.]*/manifest.json")):
        try:
            names = list(json.loads(manifest.read_text(encoding="utf-8"))["files"])
        except (OSError, ValueError, KeyError, TypeError):
            names = []
        found += [manifest, *(manifest.parent / name for name in names)]
    return found


def recorded_files(distribution: Path, least: int = 50_000) -> list[Path]:
    """The larger files of an installed distribution, by the RECORD in its metadata folder."""
    with open(distribution / "RECORD", encoding="utf-8", newline="") as file:
        return [distribution.parent / row[0] for row in csv.reader(file) if len(row) > 2 and int(row[2] or 0) >= least]


def interpreter_version(python: Path) -> str:
    """The version of an interpreter such as "3.11.7" by running it, "" when it does not run."""
    code = "import sys; print('.'.join(map(str, sys.version_info[:3])))"
    try:
        done = subprocess.run([str(python), "-I", "-S", "-c", code], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
