"""course.py itself: old Pythons, the command line, and what it may import."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import course  # noqa: E402
from helpers.course.commands import venv_folder  # noqa: E402


def test_the_file_can_be_read_by_an_old_python():
    text = (ROOT / "course.py").read_text(encoding="utf-8")
    ast.parse(text, feature_version=(3, 7))
    assert not any(isinstance(node, ast.JoinedStr | ast.AnnAssign) for node in ast.walk(ast.parse(text)))  # 2.7 and 3.5


@pytest.mark.parametrize(
    "version, good",
    [((2, 7), False), ((3, 8), False), ((3, 10), False), ((3, 11), True), ((3, 12), True), ((3, 13), True), ((3, 14), False)],
)
def test_the_version_is_judged(version, good):
    sentence = course.python_problem((*version, 1))
    assert (sentence == "") == good
    assert good or ("3.11, 3.12 or 3.13" in sentence and "python3.12" in sentence)
    assert good or "py -3.13 course.py" in course.python_problem(version, ["py -3.13"])
    assert good or "uv brings a suitable one. Run:  uv run" in course.python_problem(version, ["uv run python"])


def test_uv_is_named_where_no_suitable_python_is_found(monkeypatch):
    asked = []
    monkeypatch.setattr(subprocess, "call", lambda words, **streams: asked.append(words) or int(words[0] != "uv"))
    assert course.suitable_pythons() == ["uv run --no-project --python 3.12 python"] and len(asked) == 7
    monkeypatch.setattr(subprocess, "call", lambda words, **streams: int(words[0] != "python3.13"))
    assert course.suitable_pythons() == ["python3.13"]


def test_the_versions_are_the_same_everywhere():
    assert (course.OLDEST, course.NEWEST) == (venv_folder.OLDEST, venv_folder.NEWEST)
    assert 'requires-python = ">=3.11,<3.14"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_a_wrong_python_stops_before_anything_of_ours_is_imported(monkeypatch, capsys):
    monkeypatch.setattr(course.sys, "version_info", (3, 8, 18))
    monkeypatch.setattr(course, "suitable_pythons", lambda: [])
    monkeypatch.setattr(course, "parse", None)
    assert course.main(["lab"]) == 1
    assert "this is Python 3.8" in capsys.readouterr().err


def test_the_command_line():
    lab = course.parse(["lab", "--no-browser", "--port", "9000", "--", "--debug"])
    assert (lab.command, lab.no_browser, lab.port, lab.extra, lab.here) == ("lab", True, 9000, ["--debug"], False)
    test = course.parse(["test", "--fast", "--steps", "unit,parity", "-k", "softmax", "-x", "tests/unit"])
    assert test.fast and not test.changed and course.parse(["test", "--changed"]).changed
    assert test.steps == "unit,parity" and test.extra == ["-k", "softmax", "-x", "tests/unit"]
    run = course.parse(["run", "01", "02", "--record", "--here"])
    assert run.chapters == ["01", "02"] and run.record and run.here
    setup = course.parse(["setup", "--gpu", "--torch-index", "U"])
    assert setup.gpu and setup.torch_index == "U"
    address = course.parse(["address", "ada/course", "--tag", "v1"])
    assert (address.repository, address.tag, address.check) == ("ada/course", "v1", False)


@pytest.mark.parametrize("words", [["lab", "--prot", "1"], ["run", "--", "x"], ["nonsense"], []])
def test_a_wrong_command_line_is_refused(words, capsys):
    with pytest.raises(SystemExit) as end:
        course.parse(words)
    assert end.value.code == 2


def test_nothing_but_the_standard_library_is_needed_before_setup():
    names = sorted(
        path.stem for path in (ROOT / "helpers" / "course" / "commands").glob("*.py") if path.stem not in ("notebooks",)
    )
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); "
        + "; ".join(f"import helpers.course.commands.{name}" for name in names if name != "__init__")
        + "; import course; course.build_parser()"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_no_host_of_a_registry_is_named():
    hosts = ("pypi" + ".org", "python" + "hosted", "download.py" + "torch", "pypi" + "-")
    for path in [
        ROOT / "course.py",
        ROOT / ".ci" / "run",
        *(ROOT / "helpers" / "course" / "commands").glob("*.py"),
        ROOT / "requirements.txt",
        ROOT / "tests" / "requirements.txt",
    ]:
        text = path.read_text(encoding="utf-8")
        assert not any(host in text for host in hosts), path
