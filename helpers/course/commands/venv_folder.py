"""An environment, and the folder .venv: made when missing, made again when broken, left alone when it is something else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.course.commands.console import Live, Problem
from helpers.course.commands.disk_space import demand_space
from helpers.course.commands.installer import Installer, evidence, kind_of_failure, problem
from helpers.course.commands.process import child_environment, run_logged
from helpers.course.commands.setup_record import Stamp, digest, interpreter_version
from helpers.paths import build_folder, environment_folder, environment_python

OLDEST, NEWEST = (3, 11), (3, 13)
_OURS = {
    "bin",
    "lib",
    "lib64",
    "include",
    "share",
    "etc",
    "scripts",
    "pyvenv.cfg",
    ".gitignore",
    "cachedir.tag",
    ".lock",
}  # the last is uv's


@dataclass
class Environment:
    """A Python environment of the course: its interpreter, and whether it is the active one (--here)."""

    root: Path
    python: Path
    here: bool

    @classmethod
    def chosen(cls, root: Path, here: bool) -> Environment:
        """The active environment with --here, else the repository's own .venv (which may not exist yet)."""
        python = Path(sys.executable) if here else environment_python(environment_folder(root))
        return cls(root, python, here)

    @property
    def stamp_path(self) -> Path:
        if self.here:
            return build_folder(self.root) / f"setup-{digest(sys.prefix)[:12]}.json"
        return environment_folder(self.root) / "course-setup.json"

    def probe(self, *arguments: str) -> dict[str, Any]:
        """What helpers/course/commands/inspect_environment.py finds in this environment. Raises Problem when it cannot run."""
        script = Path(__file__).with_name("inspect_environment.py")
        done = subprocess.run(
            [str(self.python), str(script), *arguments],
            env=child_environment(self.python),
            cwd=self.root,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        for line in done.stdout.splitlines():
            if line.startswith("PROBE "):
                return json.loads(line[6:])
        raise Problem("The Python environment does not work.", fix(self.here), evidence(done.stderr.splitlines()))

    def variables(self, **changes: str | None) -> dict[str, str]:
        """Environment variables for programs that run inside."""
        return child_environment(self.python, **changes)


def fix(here: bool) -> str:
    """What to do about an environment that cannot be mended by itself."""
    if here:
        return "Leave --here away: the course then makes its own environment in .venv."
    return "Delete the folder .venv and start the same command again."


def base_python() -> str:
    """The interpreter to make the environment with: this one, or the one behind it if this is a virtual one."""
    base = getattr(sys, "_base_executable", "") or sys.executable
    return base if os.path.exists(base) else sys.executable


def venv_command(folder: Path) -> list[str]:
    """The command that makes a new virtual environment."""
    return [base_python(), "-m", "venv", str(folder)]


def works(folder: Path, python: Path) -> str:
    """Why the environment cannot be used, or "" when it can."""
    if not python.exists():
        return "its Python is gone" if os.path.lexists(python) else "it is only half made"
    version = interpreter_version(python)
    if not version:
        return "its Python does not run"
    if not OLDEST <= tuple(map(int, version.split(".")[:2])) <= NEWEST:
        return f"it has Python {version}, which the course does not support"
    done = subprocess.run(
        [str(python), "-I", "-c", "import pip, sys; print(sys.prefix)"],
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",  # as the names of files are read
        check=False,
        env=child_environment(PYTHONUTF8="1"),
    )
    if done.returncode:
        return "it has no pip"
    if Path(done.stdout.strip()).resolve() != folder.resolve():
        return "it belongs to another place"
    return ""


def ensure(environment: Environment, stamp: Stamp, pip: Installer) -> None:
    """Make .venv, or make it again when it is broken; with --here only look. Fills in the stamp's version."""
    if not environment.here:
        folder = environment_folder(environment.root)
        trouble = "it was moved or copied here" if stamp.moved else works(folder, environment.python)
        if trouble:
            with Live("environment") as line:
                _make(folder, trouble, environment, pip)
                stamp.clear()
                line.done(f"made with Python {interpreter_version(environment.python)}")
    version = interpreter_version(environment.python)
    if stamp.data["version"] != version:
        stamp.clear()
        stamp.data["version"] = version
        stamp.save()


def _make(folder: Path, trouble: str, environment: Environment, pip: Installer) -> None:
    """By Python's own venv: it brings pip without a network, and `%pip` in a notebook then works; uv's has none."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise Problem(f"{folder.name} is there but is not a folder.", "Move it away, then start again.")
    if folder.exists():
        strange = [p.name for p in folder.iterdir() if p.name.lower() not in _OURS and not p.name.startswith("course-setup.json")]
        if strange:
            raise Problem(
                f"The folder {folder.name} does not work ({trouble}), and it holds things that are not the "
                f"course's: {', '.join(sorted(strange)[:3])}.",
                f"Move or delete the folder {folder.name}, then start the same command again.",
            )
        try:
            environment.stamp_path.unlink(missing_ok=True)  # first: a folder that is half deleted is never taken for whole
            shutil.rmtree(folder)
        except OSError as error:
            raise Problem(
                f"The old environment could not be deleted: {error}.",
                f"Close programs that use it, delete {folder.name} and start the same command again.",
            ) from error
    demand_space(environment.root, ["environment", "torch", "packages", "data", "weights"])
    status, lines = run_logged(
        venv_command(folder), pip.log, env=child_environment(), cwd=environment.root, keep_open=pip.keep_open
    )
    if status and kind_of_failure(lines) == "disk":
        raise problem("disk", "the environment", lines, pip.log)
    if status and any("ensurepip" in text for text in lines):
        raise Problem(
            "This Python cannot make a virtual environment: its parts venv and ensurepip are missing.",
            "On Debian and Ubuntu: sudo apt install python3-venv. Elsewhere install Python from its "
            "website. Then start the same command again.",
            evidence(lines),
        )
    trouble = works(folder, environment.python)
    if status or trouble:
        raise Problem(
            "The virtual environment .venv could not be made" + (f": {trouble}." if not status else "."),
            "Put the course into a folder of your own where programs may run, then start again.",
            evidence(lines),
        )


def damage(answer: dict[str, Any], environment: Environment) -> dict[Path, str]:
    """The metadata folders of incomplete distributions in .venv and pip's leftovers, each with the reason.

    `answer` is that of the probe in mode "broken". Packages outside .venv are not ours to mend.
    """
    site = Path(answer["site"])
    if environment.here or environment_folder(environment.root).resolve() not in site.resolve().parents:
        return {}
    found = {path: "leftover of an interrupted installation" for path in (*site.glob("~*"), *site.glob(".tmp*"))}
    for name, reason in answer["broken"].items():
        folder = Path(answer["found"][name]["folder"])
        if folder.parent.resolve() == site.resolve() and name != "pip":
            found[folder] = reason
    for folder in site.glob("*.dist-info"):  # cut short before even its METADATA was written
        if not (folder / "METADATA").exists():
            found[folder] = "its installation was cut short"
    return found


def forget(damaged: dict[Path, str]) -> None:
    """Delete these folders: without its metadata a distribution counts as missing, and is written again."""
    for path in damaged:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
