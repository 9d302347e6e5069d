"""The linters, over everything that is ours: rules and form (ruff), types (mypy, basic). pyproject.toml says what they want."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = ["course.py", "helpers", "tests"]
LINTERS = {
    "ruff check": ["ruff", "check", *CODE, "notebooks"],
    "ruff format": ["ruff", "format", "--check", *CODE],
    "mypy": ["mypy"],
}


def complaints(command: list[str], folder: Path) -> str:
    """What a linter prints in `folder`, or "" when it is content."""
    done = subprocess.run([sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout[-3000:] + done.stderr[-1000:]


@pytest.mark.parametrize("name", LINTERS)
def test_the_linter_is_content(name):
    assert complaints(LINTERS[name], ROOT) == ""


@pytest.mark.parametrize(
    "name, source, told",
    [
        ("ruff check", "import os\n", "F401"),
        ("ruff format", "x = {'a':1}\n", "would be reformatted"),
        ("mypy", 'def f(n: int) -> str:\n    return n\n\n\nf("a")\n', "return-value"),
    ],
)
def test_the_linter_would_complain(name, source, told, tmp_path):
    (tmp_path / "helpers").mkdir()
    (tmp_path / "helpers" / "wrong.py").write_text(source)
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    command = [word for word in LINTERS[name] if word not in ("course.py", "tests", "notebooks")]
    assert told in complaints([*command, "helpers/wrong.py"] if name == "mypy" else command, tmp_path)
