"""What the tests of the set-up share: a small course in a folder of its own, and a pip and a uv that only pretend.

The pretended pip obeys a plan: rules that say which calls fail, with what output, or take long. The pretended uv calls
it, and the words "by uv" then stand before the arguments, and the variables for uv that it was given behind them.
Run as a program, this file is a set-up of such a course in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import textwrap
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

PIP = """
import json, os, re, shutil, sys, sysconfig, time
from pathlib import Path

def install(name):  # a minimal but complete installation: metadata, record, one module
    version = {"torch": "2.13.0+cpu"}.get(name, "1.5")
    site = Path(sysconfig.get_path("purelib"))
    info = site / f"{name}-{version}.dist-info"
    info.mkdir(exist_ok=True)
    package = site / name
    package.mkdir(exist_ok=True)
    (package / "__init__.py").write_text("")
    (package / "version.py").write_text(f"__version__ = '{version}'\\ncuda = None\\n")
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
    rows = [f"{name}/version.py,,{(package / 'version.py').stat().st_size}", f"{name}/__init__.py,,0"]
    (info / "RECORD").write_text("\\n".join(rows) + "\\n")

def main(arguments):
    here = Path(os.environ["FAKE_PIP"])
    if arguments == ["config", "list"]:
        print((here / "config").read_text() if (here / "config").exists() else "")
        return 0
    with (here / "calls").open("a") as calls:
        calls.write(" ".join(arguments) + "\\n")
    plan = json.loads((here / "plan.json").read_text())
    for rule in plan:
        if rule["when"] in " ".join(arguments) and rule.get("times", 99) > 0:
            rule["times"] = rule.get("times", 99) - 1
            (here / "plan.json").write_text(json.dumps(plan))
            print(rule.get("say", ""), flush=True)
            time.sleep(rule.get("sleep", 0))
            if rule.get("status", 1):
                return rule.get("status", 1)
    names = []
    for k, word in enumerate(arguments):
        if word == "-r":
            names += re.findall(r"^([a-z-]+)[=>]", Path(arguments[k + 1]).read_text(), re.MULTILINE)
    names += [word.split("=")[0] for word in arguments if re.match(r"[a-z]+==", word)]
    print("Installing collected packages: " + ", ".join(names), flush=True)
    site = Path(sysconfig.get_path("purelib"))
    for name in names:
        there = list(site.glob(name + "-*.dist-info"))
        if any(word.startswith(name + "==") for word in arguments) or "--force-reinstall" in arguments:
            for folder in there:
                shutil.rmtree(folder)
            there = []
        if not there:
            install(name)
    return 0
"""

UV = """
import os, sys
words = sys.argv[1:]
given = [f"{name}={value}" for name, value in os.environ.items() if name.startswith("UV_")]
if words[:2] == ["cache", "clean"]:
    with open(os.environ["FAKE_PIP"] + "/calls", "a") as calls:
        calls.write("uv " + " ".join(words) + "\\n")
    sys.exit(0)
python = words[words.index("--python") + 1]
words = words[words.index("--python") + 2:]
os.execv(python, [python, "-m", "pip", "by uv", *given, *words])
"""

PRETRAINED = """
import json, os, sys
from pathlib import Path
if __name__ == "__main__":
    folder = Path(os.environ["COURSE_CACHE"]) / "model"
    if sys.argv[1] == "verify":
        sys.exit(not (folder / "weights").exists() or (folder / "weights").read_text() != "w" * 2000)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "weights").write_text("w" * 2000)
    (folder / "manifest.json").write_text(json.dumps({"files": {"weights": {}}}))
    print(sys.argv[1])
"""


class Course:
    """A small course under `root` and the plan of its pretended pip."""

    def __init__(self, root: Path) -> None:
        self.root, self.pip = root, root.parent / "fake pip"

    def make(self) -> Course:
        """Write the files of the course."""
        (self.root / "helpers" / "data").mkdir(parents=True)
        (self.root / "data").mkdir()
        (self.root / "tests").mkdir()
        shutil.copytree(
            REPOSITORY / "helpers" / "course" / "commands",
            self.root / "helpers" / "course" / "commands",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        for name in ("__init__", "paths", "files", "hardware", "checkup"):
            shutil.copy(REPOSITORY / "helpers" / f"{name}.py", self.root / "helpers" / f"{name}.py")
        for name in ("course.py",):
            shutil.copy(REPOSITORY / name, self.root / name)
        (self.root / "helpers" / "data" / "weights.py").write_text(PRETRAINED)
        self.write_requirements()
        (self.root / "data" / "requirements.txt").write_text("boxed==1.5 --hash=sha256:00\n")
        (self.root / "tests" / "requirements.txt").write_text("tester>=1\n")
        self.pip.mkdir()
        self.uv = self.pip / "uv"
        self.uv.write_text(f"#!{sys.executable}\n{UV}")
        self.uv.chmod(0o755)
        self.plan()
        return self

    def write_requirements(self, more: str = "", locked: bool = True) -> None:
        """The two packages of the course, and perhaps a third, which may stand in the lock too."""
        (self.root / "requirements.txt").write_text(f"# two\ntorch>=2.9,<3\nalpha>=1\n{more}\n")
        exact = more.replace(">=1", "==1.5") if locked else ""
        (self.root / "data" / "requirements-lock.txt").write_text(f"alpha==1.5\n{exact}\n")

    def plan(self, *rules: dict) -> None:
        """What pip is to do: rules of {when: part of its arguments, say, status, sleep, times}."""
        (self.pip / "plan.json").write_text(json.dumps(rules))

    def calls(self) -> list[str]:
        """The arguments of all calls of pip so far; they are forgotten then."""
        path = self.pip / "calls"
        found = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return found

    @property
    def site(self) -> Path:
        """The folder of installed packages in .venv."""
        return next((self.root / ".venv").glob("[lL]ib/**/site-packages"))

    def venv_command(self, folder: Path) -> list[str]:
        """In place of `python -m venv`: without the real pip, which takes seconds, and with the pretended one."""
        import pip

        code = f"""
            import sys, venv
            from pathlib import Path
            folder = Path(sys.argv[1])
            venv.create(folder, with_pip=False, symlinks={sys.platform != "win32"})
            site = next(folder.glob("[lL]ib/**/site-packages"))
            (site / "pip").mkdir()
            (site / "pip" / "__init__.py").write_text("__path__.append({str(Path(pip.__file__).parent)!r})")
            (site / "pip" / "__main__.py").write_text({PIP!r} + "sys.exit(main(sys.argv[1:]))")
        """
        return [sys.executable, "-c", textwrap.dedent(code), str(folder)]

    def options(self, **changes: object) -> argparse.Namespace:
        """The options of the command line as `prepare` wants them."""
        return argparse.Namespace(**{"here": False, "gpu": False, "torch_index": "", **changes})


def install_fakes(course: Course, patch) -> None:
    """Put the pretended pieces in place; `patch(module, name, value)` does it (monkeypatch.setattr)."""
    from helpers.course.commands import installer, setup_steps, uv, venv_folder

    patch(uv, "program", lambda tools: str(course.pip / "uv") if sys.platform != "win32" else None)
    patch(venv_folder, "venv_command", course.venv_command)
    patch(setup_steps, "IMPORTS", ("alpha", "torch"))
    patch(installer, "PAUSE", 0.0)


def new_course(folder: Path, patch) -> Course:
    """A small course in a folder with a space and an accent, not set up."""
    course = Course(folder / "mon cours é").make()
    install_fakes(course, patch.setattr)
    patch.setenv("FAKE_PIP", str(course.pip))
    patch.setenv("COURSE_CACHE", str(folder / "cache"))
    return course


def prepare(course: Course, thorough: bool = False, tests: bool = False, **changes: object):
    """Set this course up."""
    from helpers.course.commands import environment

    return environment.prepare(course.options(**changes), thorough=thorough, tests=tests, root=course.root)


def problem(course: Course, **changes: object):
    """The Problem with which the set-up of this course ends."""
    from helpers.course.commands.console import Problem

    try:
        prepare(course, **changes)
    except Problem as found:
        return found
    raise AssertionError("the set-up went through")


FAILURES = [
    ("OSError: [Errno 28] No space left on device", "disk is full", "4 GB"),
    (
        "WARNING: Retrying (Retry(total=0)) ... NewConnectionError\nERROR: No matching distribution found for alpha "
        "(from versions: none)",
        "registry cannot be reached",
        "network connection",
    ),
    (
        "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE",
        "not the file the course was made with",
        "Try again later",
    ),
    ("zipfile.BadZipFile: File is not a zip file", "arrived broken", "Try again later"),
    ("error: externally-managed-environment", "belongs to the operating system", "--here"),
    ("PermissionError: [Errno 13] Permission denied", "may not be written", "folder of your own"),
    ("ERROR: Failed building wheel for alpha", "no ready-made package", "Python 3.12"),
    ("ERROR: No matching distribution found for alpha>=1 (from versions: 0.1, 0.2)", "no suitable version", "mirror"),
    ("something nobody foresaw", "could not be installed", "setup.log"),
]


if __name__ == "__main__":
    sys.path.insert(0, str(REPOSITORY))
    from helpers.course.commands import environment
    from helpers.course.commands.console import guarded

    mine = Course(Path(sys.argv[1]))
    install_fakes(mine, setattr)
    sys.exit(guarded(lambda options: environment.prepare(options, root=mine.root) and 0, mine.options()))
