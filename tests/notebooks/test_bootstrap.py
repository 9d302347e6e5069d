"""The bootstrap cell: from the root, from notebooks/, with a foreign `helpers`, on Colab, and outside the course."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import helpers
from helpers.lab import bootstrap

ROOT = Path(__file__).resolve().parents[2]
SHOW = "\nimport helpers; print('MARKER', helpers.MARKER)"


def run(folder: Path, code: str, **env: str) -> subprocess.CompletedProcess:
    """Run code in a new Python that knows nothing of the course (isolated from this one's path)."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env={**clean, **env}, capture_output=True, text=True, timeout=60
    )


@pytest.fixture
def foreign(tmp_path):
    """A folder with somebody else's package of the same name."""
    (tmp_path / "site" / "helpers").mkdir(parents=True)
    (tmp_path / "site" / "helpers" / "__init__.py").write_text("__version__ = '0.2.0'\n")
    return str(tmp_path / "site")


@pytest.mark.parametrize("folder", [".", "notebooks", "tests/notebooks"])
def test_it_finds_the_course(folder):
    done = run(ROOT / folder, bootstrap.cell() + SHOW)
    assert "MARKER from-counts-to-chat" in done.stdout, done.stderr


@pytest.mark.parametrize("folder", [".", "notebooks"])
def test_a_foreign_helpers_on_the_path_does_not_win(folder, foreign):
    done = run(ROOT / folder, bootstrap.cell() + SHOW, PYTHONPATH=foreign)
    assert "MARKER from-counts-to-chat" in done.stdout, done.stderr


def test_a_foreign_helpers_already_imported_stops_with_the_fix(foreign):
    done = run(ROOT / "notebooks", "import helpers\n" + bootstrap.cell(), PYTHONPATH=foreign)
    assert done.returncode != 0
    assert "is not the course's" in done.stderr and "pip uninstall helpers" in done.stderr


def test_outside_the_course_it_says_what_to_do(tmp_path, foreign):
    done = run(tmp_path, bootstrap.cell(), PYTHONPATH=foreign)
    assert "No course folder" in done.stderr and "course.py lab" in done.stderr


def test_running_it_twice_changes_nothing(foreign):
    done = run(ROOT / "notebooks", bootstrap.cell() + "\n" + bootstrap.cell() + "\nprint(sys.path.count(str(root)))")
    assert done.stdout.strip() == "1", done.stderr


FAKE_COLAB = """
import subprocess, sys, types, pathlib
sys.modules["google.colab"] = types.ModuleType("google.colab")
calls = []
def fake(command, **kw):
    calls.append([str(c) for c in command])
    if command[0] == "git":
        import shutil
        shutil.copytree({root!r} + "/helpers", str(command[-1]) + "/helpers")
        for name in ("requirements.txt", "data/requirements.txt"):
            target = pathlib.Path(command[-1], name)
            target.parent.mkdir(exist_ok=True)
            shutil.copy({root!r} + "/" + name, target)
subprocess.run = fake
"""


def test_on_colab_it_clones_the_release_and_installs_only_what_is_missing(tmp_path):
    code = FAKE_COLAB.format(root=str(ROOT)) + bootstrap.cell() + SHOW + "\nprint(calls)"
    done = run(tmp_path, code)
    assert "MARKER" in done.stdout, done.stderr
    calls = eval(done.stdout.splitlines()[-1])
    assert calls[0][:2] == ["git", "clone"] and calls[0][6] == helpers.RELEASE and helpers.REPOSITORY in calls[0][7]
    for call in calls[1:]:
        assert "pip" in call and not {"torch", "numpy", "ipywidgets"} & {part.split(">")[0].split("=")[0] for part in call}


def test_missing_names_only_what_cannot_be_imported():
    text = "torch>=2\nnumpy>=2\nscikit-learn>=1.4\nno-such-package>=1  # a reason\n# a comment\n\n"
    assert bootstrap.missing(text) == ["no-such-package>=1"]
