"""course.py test itself: which steps run, what is counted, what is told; and --changed: what a change concerns."""

import argparse
import json
import os
import subprocess
import sys

import cli_fakes
import pytest

from helpers.course.commands import changed, testing
from helpers.course.commands.console import Problem
from tests.tools import balance

REPORT = """<testsuites><testsuite tests="6">
<testcase classname="tests.unit.test_a" name="a" time="0.5"/>
<testcase classname="tests.unit.test_a" name="b[x]" time="7.25"><failure message="no"/></testcase>
<testcase classname="tests.browser.test_site" name="c" time="0"><skipped type="pytest.skip" message="no  Chromium
here"/></testcase>
<testcase classname="notebooks.01_linear.ipynb" name="Cell 3" time="1"><error message="teardown"/></testcase>
<testcase classname="notebooks.01_linear.ipynb" name="in the browser" time="2"/>
<testcase classname="" name="tests.parity.test_x" time="0"><error message="collection failure"/></testcase>
</testsuite></testsuites>"""


def read(tmp_path, text: str | None, *steps: str) -> testing.Session:
    if text is not None:
        (tmp_path / "r.xml").write_text(text)
    session = testing.Session({name: testing.Outcome(name) for name in steps})
    testing.read_report(tmp_path / "r.xml", session)
    return session


def test_counts_are_read_by_step(tmp_path):
    session = read(tmp_path, REPORT)
    counts = {name: (o.passed, o.failed, o.skipped) for name, o in session.steps.items()}
    assert counts == {"unit": (1, 1, 0), "browser": (1, 0, 1), "nbval": (0, 1, 0), "parity": (0, 1, 0)}
    assert session.steps["browser"].reasons == {"no Chromium here": 1} and not session.good
    assert session.steps["unit"].seconds == 7.75 and (7.25, "unit.test_a::b[x]") in session.times


@pytest.mark.parametrize("text", [None, "", "<testsuites><testsuite>"])
def test_a_missing_or_torn_report_is_a_failure(tmp_path, text):
    session = read(tmp_path, text, "unit")
    assert not session.good and "no report" in testing.summary(session)


def test_the_summary_tells_steps_slowest_tests_skips_and_ends_with_the_plain_line(tmp_path):
    session = read(tmp_path, REPORT)
    session.times += [(0.1 + n / 1000, f"unit.test_many::{n}") for n in range(30)]
    lines = testing.summary(session).splitlines()
    assert lines[-1] == "2 passed, 3 failed, 1 skipped"
    assert any("1 x no Chromium here" in line for line in lines) and sum("FAILED" in line for line in lines) == 3
    start = next(n for n, line in enumerate(lines) if "the slowest 20" in line)
    assert "7.2 s  unit.test_a::b[x]" in lines[start + 1] and "::29" in lines[start + 5] and "::15" in lines[start + 19]
    assert not any("::10" in line for line in lines)


def test_the_steps_are_chosen(tmp_path):
    for folder in ("tests/unit", "tests/parity", "tests/mutation", "tests/browser", "tests/old", "notebooks"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "test_x.py").touch()
    (tmp_path / "notebooks" / "01.ipynb").touch()

    def steps(**changes):
        return testing.chosen_steps(argparse.Namespace(**{"steps": "", "fast": False, **changes}), tmp_path)

    assert steps() == ["unit", "parity", "mutation", "nbval", "browser"]
    assert steps(fast=True) == ["unit", "parity"]
    assert steps(steps="nbval, unit") == ["unit", "nbval"] and steps(steps="old") == ["old"]
    with pytest.raises(Problem, match="no test step speed"):
        steps(steps="speed")


def test_the_browser_brings_the_notebooks_along():
    assert testing.arguments_for(["unit", "browser"])[-4:] == [testing.IN_THE_BROWSER, "tests/unit", "tests/browser", "notebooks"]
    assert testing.IN_THE_BROWSER not in testing.arguments_for(["nbval"])


def test_a_session_runs_pytest_and_counts(tmp_path):
    (tmp_path / "test_it.py").write_text(
        "import os, pytest\ndef test_a(): assert os.environ['HF_HUB_OFFLINE'] == '1' and 'MPLBACKEND' not in os.environ\n"
        "def test_b(): pytest.skip('not today')\n"
    )
    clean = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    clean["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    here = argparse.Namespace(
        root=tmp_path, python=sys.executable, variables=lambda **more: clean | {k: v for k, v in more.items() if v is not None}
    )
    session = testing.run_session(["-p", "no:cacheprovider", "test_it.py"], here)
    outcome = session.steps["others"]
    assert (outcome.passed, outcome.failed, outcome.skipped, session.good) == (1, 0, 1, True)
    assert not testing.run_session(["-p", "no:cacheprovider", "test_it.py"], here, ["unit"]).good  # no test of that step ran
    (tmp_path / "test_it.py").write_text("syntax error")
    assert not testing.run_session(["test_it.py"], here, empty_is_fine=True).good


def test_an_empty_session_is_a_failure_unless_tests_were_selected(tmp_path, monkeypatch):
    monkeypatch.setattr(testing, "run_foreground", lambda *args, **options: testing.NO_TESTS)
    here = argparse.Namespace(root=tmp_path, python=sys.executable, variables=lambda **v: {})
    assert testing.run_session(["-k", "no such"], here, ["unit"], empty_is_fine=True).good
    assert not testing.run_session([], here, ["unit"]).good


def test_named_paths_replace_the_steps():
    assert testing.paths_in(["tests/unit/test_cli_entry.py::test_the_command_line", "-x"], cli_fakes.REPOSITORY)
    assert not testing.paths_in(["-k", "unit", "-x"], cli_fakes.REPOSITORY)


def test_the_longest_files_come_first_and_exist():
    found = [
        p.relative_to(cli_fakes.REPOSITORY).as_posix()
        for top in ("tests", "notebooks")
        for p in (cli_fakes.REPOSITORY / top).rglob("*")
    ]
    assert [start for start in balance.LONG if not any(file.startswith(start) for file in found)] == []
    items = [
        argparse.Namespace(nodeid=n)
        for n in (
            "tests/unit/test_a.py::x",
            "notebooks/00_a.ipynb::Cell 1",
            "notebooks/08_b.ipynb::Cell 2",
            "notebooks/00_a.ipynb::Cell 0",
        )
    ]
    balance.pytest_collection_modifyitems(items)
    assert [item.nodeid[10:14] for item in items] == ["08_b", "00_a", "00_a", "/tes"]


# --- what a change concerns -------------------------------------------------------------------------------------------

TREE = {
    "helpers/__init__.py": "",
    "helpers/deep.py": "",
    "helpers/room/__init__.py": "_HOME = {'Thing': 'thing', 'other': ('make', 'mend')}\ndef __getattr__(name): ...",
    "helpers/room/thing.py": "from .. import deep\nclass Thing: ...",
    "helpers/room/other.py": "def make(): ...",
    "helpers/lab/__init__.py": "",
    "helpers/lab/checks.py": "from importlib import import_module\ndef f(n): return import_module(f'helpers.exercises.ch{n}')",
    "helpers/exercises/__init__.py": "",
    "helpers/exercises/ch01.py": "def later():\n    from helpers.room.other import make",
    "helpers/exercises/ch02/__init__.py": "",
    "helpers/page/__init__.py": "",
    "helpers/page/build.py": "",
    "helpers/page/look/page.css": "",
    "tests/__init__.py": "",
    "tests/conftest.py": "",
    "tests/unit/test_thing.py": '"""Not of helpers.room.other."""\nfrom helpers.room import Thing',
    "tests/unit/test_other.py": "from helpers.room import make",
    "tests/unit/test_command.py": "COMMAND = ['-m', 'helpers.deep']",
    "tests/unit/test_page.py": "from helpers.page import build",
    "tests/exercises/test_all.py": "from helpers.lab import checks",
    "tests/mutation/mutants.py": "M = [('a bug', 'deep', 'unit/test_thing.py::x')]",
    "tests/mutation/test_mutants.py": "from tests.mutation import mutants",
    "tests/old/test_old.py": "from helpers import deep",
    "notebooks/01_one.ipynb": ["from helpers.lab import checks", "%time 1\nfrom helpers.room import Thing"],
    "notebooks/02_two.ipynb": ["from helpers.lab import checks"],
    "README.md": "",
    "data/x.json": "",
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("tree")
    for name, content in TREE.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".ipynb"):
            content = json.dumps({"cells": [{"cell_type": "code", "source": [source]} for source in content]})
        (root / name).write_text(content)
    return root


@pytest.mark.parametrize(
    "file, expected",
    [
        ("helpers/deep.py", {"test_thing", "test_command", "test_mutants", "01_one"}),
        ("helpers/room/thing.py", {"test_thing", "01_one", "test_mutants"}),
        ("helpers/room/other.py", {"test_other", "test_all", "01_one"}),
        ("helpers/exercises/ch01.py", {"test_all", "01_one"}),
        ("helpers/exercises/ch02/__init__.py", {"test_all", "02_two"}),
        ("helpers/page/look/page.css", {"test_page"}),
        ("tests/unit/test_page.py", {"test_page"}),
        ("tests/conftest.py", {"test_thing", "test_other", "test_command", "test_page", "test_all", "test_mutants"}),
        ("notebooks/02_two.ipynb", {"02_two"}),
        ("README.md", {"test_thing", "test_other", "test_command", "test_page"}),
    ],
)
def test_a_change_concerns_what_needs_it(tree, file, expected):
    choice = changed.choose(tree, [file])
    assert {name.rpartition("/")[2].split(".")[0] for name in choice.files} == expected and not choice.everything
    assert all(file.rpartition("/")[2] in why or why == "changed" for why in choice.files.values())


def test_data_and_requirements_concern_everything_and_say_so(tree):
    for file in ("data/x.json", "tests/requirements.txt", "pyproject.toml"):
        assert file in next(changed.choose(tree, [file]).lines())


def test_a_deleted_module_concerns_its_importers(tree):
    (tree / "tests" / "unit" / "test_gone.py").write_text("from helpers.gone import x")
    try:
        assert set(changed.choose(tree, ["helpers/gone.py"]).files) == {"tests/unit/test_gone.py"}
    finally:
        (tree / "tests" / "unit" / "test_gone.py").unlink()


def test_the_way_is_told(tree):
    why = changed.choose(tree, ["helpers/deep.py"]).files["notebooks/01_one.ipynb"]
    assert why == "<- helpers/room/thing.py <- helpers/deep.py"


def test_changes_since_main_are_found(tmp_path):
    def git(*words):
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)

    with pytest.raises(Problem, match="no git history"):
        changed.changed_files(tmp_path / "..")
    git("init", "-b", "main")
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    git("add", ".")
    git("commit", "-m", "one")
    assert changed.changed_files(tmp_path)[1] == []
    git("checkout", "-b", "work")
    (tmp_path / "a").write_text("changed")
    git("commit", "-am", "two")
    (tmp_path / "b").unlink()
    (tmp_path / "new").touch()
    assert changed.changed_files(tmp_path)[1] == ["a", "b", "new"]
