"""What the course finds on this machine, as a table for a notebook: each finding with the command that mends it.

python -m helpers.lab.machine        the same as JSON, every byte read: course.py doctor asks its environment this way
"""

import html
import json
import os
import re
import sys
from dataclasses import asdict
from importlib.metadata import version

from helpers import checkup
from helpers.checkup import Finding
from helpers.data import sources, weights
from helpers.data.sources import FIX
from helpers.lab import runtime
from helpers.paths import SettingError, cache_folder

NEEDED_DISK = 0.7e9  # bytes: the converted weights


def findings(full: bool = False) -> list[Finding]:
    """All findings of the machine check; with ``full`` every byte of data and weights is compared with its digest."""
    return [
        checkup.python(),
        *_software(),
        *_files(full),
        checkup.memory(),
        checkup.disk(cache_folder(), NEEDED_DISK, fix="delete files, or set COURSE_CACHE to a folder on another disk"),
    ]


def _software() -> list[Finding]:
    threads = runtime.threads()
    names = ("numpy", "matplotlib", "scikit-learn", "torch", "transformers")
    return [
        Finding("libraries", "ok", ", ".join(f"{name} {version(name)}" for name in names)),
        Finding("device", "ok", f"{runtime.device()}, profile {runtime.profile()}"),
        Finding("threads", "ok", f"{threads} of {os.cpu_count()} processor cores" + ("" if threads > 1 else "; two are faster")),
    ]


def _files(full: bool) -> list[Finding]:
    """The data sets in one line when all is well, else those in trouble; then each of the pretrained models."""
    rows = list(sources.check(full))
    bad = [f for f in rows if not f.ok]
    found = [Finding("data", "ok", f"{len(rows)} sets found, {'unchanged' if full else 'sizes right'}")] if not bad else bad
    return found + [Finding(f.name, f.state, f.detail, f.fix or ("" if f.ok else FIX)) for f in weights.status(full)]


def _without_folders(text: str) -> str:
    """The text with each absolute path cut to its last part: a shared notebook should not tell where its author works."""
    return re.sub(r"(?:[A-Za-z]:)?(?:[/\\][^/\\\s,;]+){2,}", lambda m: re.split(r"[/\\]", m[0])[-1], text)


def table() -> str:
    """The findings as an HTML table: what, state, detail, and the fix where one is needed."""
    rows = ""
    for f in findings():
        cells = (f.name, f.state if f.ok else f.state.upper(), _without_folders(f.detail), f.fix if not f.ok else "")
        rows += "<tr>" + "".join(f"<td style='text-align:left'>{html.escape(cell)}</td>" for cell in cells) + "</tr>"
    head = "".join(f"<th style='text-align:left'>{name}</th>" for name in ("", "State", "Found", "To mend it, run"))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


if __name__ == "__main__":
    try:
        print("FOUND " + json.dumps([asdict(finding) for finding in findings(full=True)]))
    except SettingError as error:
        sys.exit(str(error))
