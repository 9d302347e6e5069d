"""What the course finds on this machine, as a table for a notebook: each finding with the command that mends it."""

import html
import os
import platform
import re
import shutil
from importlib.metadata import version

from helpers.data import sources, weights
from helpers.data.sources import FIX, Finding
from helpers.lab import runtime
from helpers.paths import cache_folder

NEEDED_MEMORY = 1.5e9  # bytes: the budget of a notebook
NEEDED_DISK = 0.7e9  # bytes: the converted weights


def findings() -> list[Finding]:
    """All findings of the machine check. No path of the machine appears in them."""
    return [*_software(), *_files(), *_room()]


def _software() -> list[Finding]:
    threads = runtime.threads()
    return [
        Finding("Python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        Finding(
            "libraries",
            "ok",
            ", ".join(f"{name} {version(name)}" for name in ("numpy", "matplotlib", "scikit-learn", "torch", "transformers")),
        ),
        Finding("device", "ok", f"{runtime.device()}, profile {runtime.profile()}"),
        Finding("threads", "ok", f"{threads} of {os.cpu_count()} processor cores" + ("" if threads > 1 else "; two are faster")),
    ]


def _files() -> list[Finding]:
    rows = list(sources.check(full=False))
    bad = [f for f in rows if not f.ok]
    found = [Finding("data", "ok", f"{len(rows)} sets found, sizes right")] if not bad else bad
    return found + [Finding(f.name, f.state, f.detail, f.fix or ("" if f.ok else FIX)) for f in weights.status()]


def _room() -> list[Finding]:
    import psutil

    memory = psutil.virtual_memory().available
    cache = next(folder for folder in (cache_folder(), *cache_folder().parents) if folder.exists())
    disk = shutil.disk_usage(cache).free
    return [
        Finding(
            "free memory",
            "ok" if memory > NEEDED_MEMORY else "low",
            f"{memory / 1e9:.1f} GB; a notebook needs up to 1.5 GB",
            "" if memory > NEEDED_MEMORY else "close other programs, or shut down other notebooks",
        ),
        Finding(
            "free disk",
            "ok" if disk > NEEDED_DISK else "low",
            f"{disk / 1e9:.0f} GB",
            "" if disk > NEEDED_DISK else "delete files, or set COURSE_CACHE to a folder on another disk",
        ),
    ]


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
