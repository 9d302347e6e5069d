"""course.py doctor: what is found, what is missing, and for each the one command that mends it. No network.

It works before set-up, after it, and with a broken environment.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from helpers import checkup
from helpers.checkup import FIX, Finding
from helpers.course.commands import disk_space, torch_build, venv_folder
from helpers.course.commands.console import Problem, say
from helpers.course.commands.environment import Environment, Setup
from helpers.course.commands.lab import PORT, port_is_free
from helpers.hardware import hardware
from helpers.paths import SettingError, cache_folder, environment_folder, repository_root

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
)
TOLD = ("Python", "libraries")  # what the environment finds out about itself and stands here already


def call(words: str, here: bool = False) -> str:
    """How to call course.py on this system."""
    return ("py" if os.name == "nt" else "python3") + f" course.py {words}" + (" --here" if here else "")


def examine(root: Path, here: bool = False) -> Iterator[Finding]:
    """All findings, one after the other: the installation, then what the notebook of chapter 00 shows too, then the rest."""
    environment = Environment.chosen(root, here)
    yield Finding("Python", "ok", f"{checkup.python().detail}, at {sys.executable}")
    answer, finding = _environment(environment)
    yield finding
    if answer is not None:
        yield from _packages(environment, answer)
        yield from _inside(environment)
        yield _finished(environment)
    else:
        yield checkup.memory()
    yield from _machine(root, answer is not None)


def _environment(environment: Environment) -> tuple[dict[str, Any] | None, Finding]:
    fix = call("setup", environment.here)
    if not environment.here:
        folder = environment_folder(environment.root)
        trouble = venv_folder.works(folder, environment.python) if folder.exists() else "it is not there yet"
        if trouble:
            return None, Finding("environment", "missing", f".venv: {trouble}", fix)
    files = [
        str(environment.root / name)
        for name in ("requirements.txt", "data/requirements.txt", "tests/requirements.txt")
        if (environment.root / name).exists()
    ]
    try:
        answer = environment.probe("check", *files)
    except Problem as problem:
        return None, Finding("environment", "missing", problem.sentence, fix)
    kind = "the active environment" if environment.here else ".venv"
    return answer, Finding("environment", "ok", f"{kind}, Python {answer['version']}, {len(answer['found'])} packages")


def _packages(environment: Environment, answer: dict[str, Any]) -> Iterator[Finding]:
    fix = call("setup", environment.here)
    torch = answer["torch"]
    if torch is None:
        yield Finding("torch", "missing", "not installed", fix)
    else:
        build = f"CUDA {torch['cuda']}" if torch["cuda"] else "no CUDA"
        good = torch_build.suitable(torch["version"])
        yield Finding("torch", "ok" if good else "missing", f"{torch['version']} ({build})", "" if good else fix)
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in answer["requirements"]:
        groups.setdefault(Path(row["file"]).relative_to(environment.root).as_posix(), []).append(row)
    for file, rows in groups.items():
        name = {"requirements.txt": "packages", "data/requirements.txt": "data packages"}.get(file, "test tools")
        bad = [row for row in rows if not row["good"]]
        if bad and name == "test tools":
            yield Finding(
                name,
                "note",
                f"{len(bad)} of {len(rows)} are not installed; only the tests need them",
                call("setup", environment.here).replace("setup", "test"),
            )
            continue
        for row in bad:
            yield Finding(row["name"], "missing", f"{row['found'] or 'not installed'}, wanted {row['wanted']}", fix)
        if not bad:
            yield Finding(name, "ok", ", ".join(f"{row['name']} {row['found']}" for row in rows))
    for name, reason in answer["broken"].items():
        state = "note" if environment.here else "missing"
        yield Finding(
            name, state, reason, f"{environment.python} -m pip install --force-reinstall {name}" if environment.here else fix
        )


def _inside(environment: Environment) -> Iterator[Finding]:
    """What helpers.lab.machine finds inside the environment: device, data, weights, memory, room for the weights."""
    done = subprocess.run(
        [str(environment.python), "-m", "helpers.lab.machine"],
        env=environment.variables(),
        check=False,
        cwd=environment.root,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    line = next((text for text in done.stdout.splitlines() if text.startswith("FOUND ")), None)
    if line is None:
        why = (done.stderr.strip().splitlines() or ["?"])[-1]
        yield Finding("data and weights", "missing", f"they could not be examined: {why}", call("setup", environment.here))
        return
    for row in json.loads(line[6:]):
        if row["name"] not in TOLD:
            fix = row["fix"].replace(FIX, call("setup", environment.here))
            yield Finding(row["name"], row["state"], row["detail"], fix)


def _finished(environment: Environment) -> Finding:
    """Whether the last set-up went through to its end."""
    try:
        stale = [step.name for step in Setup(environment).stale()]
    except SettingError:
        stale = ["weights"]  # the cache has a line of its own
    if stale:
        return Finding("set-up", "missing", "not finished: " + ", ".join(stale), call("setup", environment.here))
    return Finding("set-up", "ok", "complete")


def _machine(root: Path, installed: bool) -> Iterator[Finding]:
    steps = ("environment", "torch", "packages", "data", "weights")
    needed = 0.5e9 if installed else sum(disk_space.NEEDS[name] for name in steps)
    yield checkup.disk(root, needed, "disk", f"free some space where {root} lies", "missing")
    yield _cache()
    yield Finding("processor", "ok", hardware())
    free = port_is_free(PORT)
    yield Finding(
        f"port {PORT}",
        "ok" if free else "note",
        "free" if free else "in use; lab takes another one",
        "" if free else call("lab --port 8899"),
    )
    yield _program(
        "git",
        shutil.which("git"),
        "only needed to update the course",
        {"linux": "sudo apt install git", "darwin": "xcode-select --install", "win32": "winget install Git.Git"},
    )
    yield _program(
        "Chromium",
        chromium(),
        "only the browser tests need it",
        {
            "linux": "sudo apt install chromium",
            "darwin": "brew install --cask google-chrome",
            "win32": "winget install Google.Chrome",
        },
    )
    yield Finding("network", "ok", "not needed any more" if installed else "needed once, for set-up; not checked here")


def _cache() -> Finding:
    """The folder of the converted weights, where those that lie there are looked at elsewhere; it may still have to be made."""
    try:
        folder = cache_folder()
    except SettingError as error:
        return Finding("cache", "missing", str(error), "unset COURSE_CACHE")
    if os.access(disk_space.existing_parent(folder), os.W_OK) or disk_space.weight_files(folder):
        return Finding("cache", "ok", str(folder))
    return Finding("cache", "missing", f"{folder} cannot be written", "set COURSE_CACHE to a folder of your own")


def _program(name: str, found: str | None, purpose: str, fixes: dict[str, str]) -> Finding:
    if found:
        return Finding(name, "ok", found)
    return Finding(name, "note", f"not found; {purpose}", fixes.get(sys.platform, fixes["linux"]))


def chromium() -> str | None:
    """The system's Chromium or Chrome: COURSE_CHROMIUM, else on PATH, else in the usual places."""
    candidates: list[Callable[[], str | None]] = [lambda: os.environ.get("COURSE_CHROMIUM")]
    candidates += [partial(shutil.which, name) for name in CHROMIUM]
    candidates += [partial(lambda place: place if Path(place).exists() else None, place) for place in CHROMIUM_PLACES]
    return next(filter(None, (candidate() for candidate in candidates)), None)


def command(options: Any) -> int:
    """course.py doctor"""
    missing = 0
    for finding in examine(repository_root(), options.here):
        missing += finding.bad
        say(f"  {finding.state.upper() if finding.bad else finding.state:<8} {finding.name:<20} {finding.detail}")
        if finding.fix:
            say(f"  {'':<8} {'':<20} -> {finding.fix}")
    say("\n" + {0: "All that is needed is there.", 1: "One thing is missing."}.get(missing, f"{missing} things are missing."))
    return 1 if missing else 0
