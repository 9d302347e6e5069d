"""course.py doctor: what is found, what is missing, and for each the one command that mends it. No network.

It works before set-up, after it, and with a broken environment.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.course.commands import disk_space, torch_build, venv_folder
from helpers.course.commands.console import Problem, say, size
from helpers.course.commands.environment import Environment, Setup
from helpers.course.commands.lab import PORT, port_is_free
from helpers.paths import cache_folder, environment_folder, repository_root

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_PLACES = ("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
                   "C:/Program Files/Google/Chrome/Application/chrome.exe")
MEMORY = 2e9  # bytes; the notebooks stay under 1.5 GB
LABELS = {"ok": "ok", "note": "note", "missing": "MISSING"}
FILES_CODE = """
import json
from helpers.data import sources, weights
rows = [("data", f.name, f.ok, f.detail) for f in sources.check(full=False)]
rows += [("weights", f.name, f.ok, f.detail) for f in weights.status()]
print("FILES " + json.dumps(rows))
"""


@dataclass(frozen=True)
class Finding:
    """One line of the report. state: "ok", "note" (not needed to learn) or "missing"; fix: one command."""

    state: str
    name: str
    detail: str
    fix: str = ""


def call(words: str, here: bool = False) -> str:
    """How to call course.py on this system."""
    return ("py" if os.name == "nt" else "python3") + f" course.py {words}" + (" --here" if here else "")


def examine(root: Path, here: bool = False) -> Iterator[Finding]:
    """All findings, one after the other."""
    environment = Environment.chosen(root, here)
    yield Finding("ok", "Python", f"{platform.python_version()} at {sys.executable}")
    answer, finding = _environment(environment)
    yield finding
    if answer is not None:
        yield from _packages(environment, answer)
        yield from _files(environment)
        yield _finished(environment)
    yield from _machine(root, answer is not None)


def _environment(environment: Environment) -> tuple[dict[str, Any] | None, Finding]:
    fix = call("setup", environment.here)
    if not environment.here:
        folder = environment_folder(environment.root)
        trouble = venv_folder.works(folder, environment.python) if folder.exists() else "it is not there yet"
        if trouble:
            return None, Finding("missing", "environment", f".venv: {trouble}", fix)
    files = [str(environment.root / name) for name in
             ("requirements.txt", "data/requirements.txt", "tests/requirements.txt") if (environment.root / name).exists()]
    try:
        answer = environment.probe("check", *files)
    except Problem as problem:
        return None, Finding("missing", "environment", problem.sentence, fix)
    kind = "the active environment" if environment.here else ".venv"
    return answer, Finding("ok", "environment", f"{kind}, Python {answer['version']}, {len(answer['found'])} packages")


def _packages(environment: Environment, answer: dict[str, Any]) -> Iterator[Finding]:
    fix = call("setup", environment.here)
    torch = answer["torch"]
    if torch is None:
        yield Finding("missing", "torch", "not installed", fix)
    else:
        build = f"CUDA {torch['cuda']}" if torch["cuda"] else "no CUDA"
        good = torch_build.suitable(torch["version"])
        yield Finding("ok" if good else "missing", "torch", f"{torch['version']} ({build})", "" if good else fix)
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in answer["requirements"]:
        groups.setdefault(Path(row["file"]).relative_to(environment.root).as_posix(), []).append(row)
    for file, rows in groups.items():
        name = {"requirements.txt": "packages", "data/requirements.txt": "data packages"}.get(file, "test tools")
        bad = [row for row in rows if not row["good"]]
        if bad and name == "test tools":
            yield Finding("note", name, f"{len(bad)} of {len(rows)} are not installed; only the tests need them",
                          call("setup", environment.here).replace("setup", "test"))
            continue
        for row in bad:
            yield Finding("missing", row["name"], f"{row['found'] or 'not installed'}, wanted {row['wanted']}", fix)
        if not bad:
            yield Finding("ok", name, ", ".join(f"{row['name']} {row['found']}" for row in rows))
    for name, reason in answer["broken"].items():
        state = "note" if environment.here else "missing"
        yield Finding(state, name, reason, f"{environment.python} -m pip install --force-reinstall {name}"
                      if environment.here else fix)


def _files(environment: Environment) -> Iterator[Finding]:
    """The data files and the weights, by the course's own modules, inside the environment."""
    fix = call("setup", environment.here)
    done = subprocess.run([str(environment.python), "-c", FILES_CODE], env=environment.variables(), check=False,
                          cwd=environment.root, capture_output=True, encoding="utf-8", errors="replace")
    line = next((text for text in done.stdout.splitlines() if text.startswith("FILES ")), None)
    if line is None:
        yield Finding("missing", "data files", "they could not be examined: " + (done.stderr.strip().splitlines() or ["?"])[-1],
                      fix)
        return
    for kind, name, good, detail in json.loads(line[6:]):
        yield Finding("ok" if good else "missing", f"{kind}: {name}", detail, "" if good else fix)


def _finished(environment: Environment) -> Finding:
    """Whether the last set-up went through to its end."""
    stale = [step.name for step in Setup(environment).stale()]
    if stale:
        return Finding("missing", "set-up", "not finished: " + ", ".join(stale), call("setup", environment.here))
    return Finding("ok", "set-up", "complete")


def _machine(root: Path, installed: bool) -> Iterator[Finding]:
    needed = 0.5e9 if installed else sum(disk_space.NEEDS[name] for name in ("environment", "torch", "packages", "data", "weights"))
    free = shutil.disk_usage(root).free
    yield Finding("ok" if free >= needed else "missing", "disk", f"{size(free)} free, about {size(needed)} needed",
                  "" if free >= needed else f"free some space where {root} lies")
    cache = cache_folder()
    yield Finding("ok", "cache", f"{cache} ({size(shutil.disk_usage(disk_space.existing_parent(cache)).free)} free there)")
    memory = total_memory()
    if memory:
        good = memory >= MEMORY * 0.95
        yield Finding("ok" if good else "note", "memory", f"{size(memory)}; the notebooks need up to 1.5 GB",
                      "" if good else "close other programs, or use Colab (see README.md)")
    cores = os.cpu_count() or 1
    yield Finding("ok", "processor", f"{cores} cores, {platform.machine()}, {platform.system()}")
    free_port = port_is_free(PORT)
    yield Finding("ok" if free_port else "note", f"port {PORT}", "free" if free_port else "in use; lab takes another one",
                  "" if free_port else call("lab --port 8899"))
    yield _program("git", shutil.which("git"), "only needed to update the course", {
        "linux": "sudo apt install git", "darwin": "xcode-select --install", "win32": "winget install Git.Git"})
    yield _program("Chromium", chromium(), "only the browser tests need it", {
        "linux": "sudo apt install chromium", "darwin": "brew install --cask google-chrome",
        "win32": "winget install Google.Chrome"})
    yield Finding("ok", "network", "not needed any more" if installed else "needed once, for set-up; not checked here")


def _program(name: str, found: str | None, purpose: str, fixes: dict[str, str]) -> Finding:
    if found:
        return Finding("ok", name, found)
    return Finding("note", name, f"not found; {purpose}", fixes.get(sys.platform, fixes["linux"]))


def chromium() -> str | None:
    """The system's Chromium or Chrome: COURSE_CHROMIUM, else on PATH, else in the usual places."""
    candidates: list[Callable[[], str | None]] = [lambda: os.environ.get("COURSE_CHROMIUM")]
    candidates += [lambda name=name: shutil.which(name) for name in CHROMIUM]
    candidates += [lambda place=place: place if Path(place).exists() else None for place in CHROMIUM_PLACES]
    return next(filter(None, (candidate() for candidate in candidates)), None)


def total_memory() -> int:
    """Bytes of memory that programs may use here (of the container, if it is less); 0 when it is not known."""
    try:
        if sys.platform == "win32":
            import ctypes

            class Status(ctypes.Structure):
                _fields_ = [("length", ctypes.c_ulong), ("load", ctypes.c_ulong)] + [
                    (name, ctypes.c_ulonglong) for name in ("total", "available", "a", "b", "c", "d", "e")]

            status = Status(length=ctypes.sizeof(Status))
            ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
            return int(status.total)
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError, AttributeError):
        return 0
    limit = Path("/sys/fs/cgroup/memory.max")
    text = limit.read_text().strip() if limit.exists() else ""
    return min(total, int(text)) if text.isdigit() else total


def command(options: Any) -> int:
    """course.py doctor"""
    missing = 0
    for finding in examine(repository_root(), options.here):
        missing += finding.state == "missing"
        say(f"  {LABELS[finding.state]:<8} {finding.name:<20} {finding.detail}")
        if finding.fix:
            say(f"  {'':<8} {'':<20} -> {finding.fix}")
    say("\n" + {0: "All that is needed is there.", 1: "One thing is missing."}.get(missing, f"{missing} things are missing."))
    return 1 if missing else 0
