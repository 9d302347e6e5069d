"""The commands doctor, lab and run: findings, ports, executions. The command test: test_suite_runner.py."""

import argparse
import json
import socket
import subprocess
import sys
from pathlib import Path

import cli_fakes
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers import paths
from helpers.course.commands import doctor, lab, notebooks, running
from helpers.course.commands.console import Problem, seconds, size
from helpers.course.site import checking
from helpers.course.site.run_pages import RunPages
from helpers.files import save_json

# --- doctor -----------------------------------------------------------------------------------------------------------


def test_doctor_before_setup_names_the_one_command(tmp_path):
    course = cli_fakes.Course(tmp_path / "cours").make()
    done = subprocess.run(
        [sys.executable, "course.py", "doctor"], cwd=course.root, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 1 and "MISSING  environment" in done.stdout and "course.py setup" in done.stdout
    for name in ("Python", "disk", "memory", "port 8888", "git", "Chromium", "network"):
        assert name in done.stdout
    assert not (course.root / "build").exists() and not (course.root / ".venv").exists()


def test_doctor_after_setup_finds_harm(tmp_path, monkeypatch):
    course = cli_fakes.new_course(tmp_path, monkeypatch)
    from helpers.course.commands import environment

    environment.prepare(course.options(), root=course.root)
    findings = {finding.name: finding for finding in doctor.examine(course.root)}
    assert findings["torch"].detail == "2.13.0+cpu (no CUDA)" and findings["packages"].state == "ok"
    assert findings["set-up"].state == "ok" and findings["test tools"].fix.endswith("course.py test")
    (course.site / "alpha" / "version.py").write_text("")
    (course.root / "requirements.txt").write_text("torch>=2.9,<3\nalpha>=9\nomega>=1\n")
    findings = {finding.name: finding for finding in doctor.examine(course.root) if finding.state == "missing"}
    assert "not installed" in findings["omega"].detail and "damaged" in findings["alpha"].detail
    assert "packages" in findings["set-up"].detail and findings["set-up"].fix.endswith("course.py setup")


def test_doctor_shows_what_the_notebook_shows():
    from helpers.course.commands.environment import Environment
    from helpers.lab import machine

    shown = {finding.name: finding.state for finding in doctor._inside(Environment.chosen(cli_fakes.REPOSITORY, here=True))}
    told = {finding.name: finding.state for finding in machine.findings(full=True) if finding.name not in doctor.TOLD}
    assert shown == told and {"device", "data", "smollm2", "free memory", "free disk"} <= set(shown)


def test_an_environment_that_cannot_look_at_itself_is_a_finding(tmp_path):
    from helpers.course.commands.environment import Environment

    (finding,) = doctor._inside(Environment(tmp_path, Path(sys.executable), True))
    assert finding.bad and "could not be examined" in finding.detail and finding.fix.endswith("course.py setup --here")


# --- lab --------------------------------------------------------------------------------------------------------------


def test_a_free_port_is_found_and_a_taken_one_refused():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not lab.port_is_free(port)
        with pytest.raises(Problem, match=f"Port {port} is used"):
            lab.choose_port(port)
    assert lab.choose_port(port) == port and lab.port_is_free(lab.choose_port(None))
    with pytest.raises(Problem, match="between 1 and 65535"):
        lab.choose_port(70000)


def test_the_token_is_not_on_the_command_line(tmp_path):
    from helpers.course.commands.environment import Environment

    words = lab.server_command(Environment(tmp_path, tmp_path / "python", False), 8889, False, ["--debug"])
    assert "--ServerApp.port=8889" in words and "--no-browser" in words and words[-1] == "--debug"
    assert f"--ServerApp.root_dir={tmp_path}" in words and not any("oken=" in word for word in words)


# --- run --------------------------------------------------------------------------------------------------------------


def write(path: Path, *sources: str) -> Path:
    nb = new_notebook(cells=[new_markdown_cell("# Title"), *map(new_code_cell, sources)])
    nb.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nb, path)
    return path


WIDGET = (
    "from IPython.display import display\ndisplay({'application/vnd.jupyter.widget-view+json': {'model_id': 'x'}, "
    "'text/html': '<b>STATIC ' + 'SHOWN</b>'}, raw=True)"
)


def test_execute_measures_and_leaves_the_file_alone(tmp_path):
    path = write(
        tmp_path / "01_a.ipynb",
        "x = bytearray(150_000_000)\nimport time; time.sleep(0.4)",
        "import os; print(os.environ['GIVEN'], os.getcwd())",
        WIDGET,
    )
    before = path.read_bytes()
    result = notebooks.execute(path, env={"GIVEN": "yes"})
    assert result.error is None and path.read_bytes() == before
    assert result.notebook.cells[2].outputs[0].text.split()[0] == "yes"
    assert str(tmp_path.resolve()) in result.notebook.cells[2].outputs[0].text
    assert 150 < result.peak_mb < 600 and 0.4 < result.seconds < 60
    page = RunPages(tmp_path / "pages", [path]).add(path, result.notebook).read_text(encoding="utf-8")
    assert "STATIC SHOWN" in page and "Loading widget" not in page and "model_id" not in page.split("<div class='output")[1]
    assert notebooks.WIDGET_VIEW in result.notebook.cells[3].outputs[0].data  # the original keeps its widget


def test_a_failing_cell_is_reported_with_its_line(tmp_path):
    result = notebooks.execute(write(tmp_path / "01_a.ipynb", "a = 1", "b = 2\nc = b / 0\nd = 3", "print('not reached')"))
    assert str(result.error) == "cell 3: ZeroDivisionError: division by zero   [at: c = b / 0]"
    assert not result.notebook.cells[3].outputs


def test_a_dead_kernel_and_an_endless_cell_are_reported(tmp_path):
    dead = notebooks.execute(write(tmp_path / "01_a.ipynb", "import os; os._exit(1)"))
    assert dead.error.cell == 2 and "kernel died" in dead.error.message
    slow = notebooks.execute(write(tmp_path / "02_a.ipynb", "while True: pass"), timeout=1)
    assert "longer than 1 s" in slow.error.message


def test_run_writes_pages_and_records(tmp_path, monkeypatch):
    root = tmp_path / "repo"
    (root / "notebooks").mkdir(parents=True)
    (root / "data").mkdir()
    save_json(root / "data" / "results.json", {"classification": [1], "notebooks": {"09": 1}})
    write(root / "notebooks" / "01_good.ipynb", "import os; assert os.environ['COURSE_RECORD'] == '1'")
    write(root / "notebooks" / "02_bad.ipynb", "1 / 0")
    monkeypatch.setattr(running, "repository_root", lambda: root)
    monkeypatch.delenv("COURSE_RESULTS", raising=False)
    monkeypatch.chdir(root)
    status = running.inside(argparse.Namespace(chapters=[], record=True, timeout=60))
    assert status == 1
    index = (root / "build" / "pages" / "index.html").read_text(encoding="utf-8")
    assert "01_good" in index and "ZeroDivisionError" in index and (root / "build" / "pages" / "02_bad.html").exists()
    assert "ZeroDivisionError" in (root / "build" / "pages" / "02_bad.html").read_text(encoding="utf-8")
    assert list(checking.findings(root / "build" / "pages")) == [], "the pages stand as firm as those of the site"
    data = json.loads((root / "data" / "results.json").read_text())
    assert data["classification"] == [1] and data["notebooks"]["09"] == 1 and "02" not in data["notebooks"]
    entry = data["notebooks"]["01"]
    assert {"seconds", "peak_mb", "profile", "hardware", "versions", "date"} == set(entry)
    assert socket.gethostname() not in json.dumps(entry)


def test_pages_of_a_run_lead_to_each_other_and_show_what_cannot_be_drawn(tmp_path):
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "00_old.html").write_text("a page of an earlier run")
    nb = new_notebook(
        cells=[
            new_markdown_cell("# T\n\n[next](02_b.ipynb#x) [data](../data/a.csv) [out](https://a.b)"),
            new_markdown_cell("A formula: $\\nosuch{x}$"),
        ]
    )
    paths = [tmp_path / "notebooks" / "01_a.ipynb", tmp_path / "notebooks" / "02_b.ipynb"]
    pages = RunPages(tmp_path / "pages", paths)
    text = pages.add(paths[0], nb).read_text(encoding="utf-8")
    assert 'href="02_b.html#x"' in text and 'href="../data/a.csv"' in text and 'href="https://a.b"' in text
    assert "\\nosuch{x}" in text and "00_old.html" in text
    index = pages.index([("01_a", 1.0, 2.0, "ok")], "note").read_text(encoding="utf-8")
    assert "page of an earlier run" in index and "00_old" in index


def test_chapters_are_named_in_several_ways(tmp_path):
    (tmp_path / "notebooks").mkdir()
    for name in ("00_start", "01_linear", "02_logistic", ".solved_01"):
        (tmp_path / "notebooks" / f"{name}.ipynb").touch()

    def names(*words):
        return [path.name[:2] for path in running.chosen(tmp_path, words)]

    assert names() == ["00", "01", "02"] and names("1") == ["01"] == names("01") == names("01_lin")
    assert names("01-02") == ["01", "02"] and names("2", "02") == ["02"]
    with pytest.raises(Problem, match="no notebook '7'"):
        names("7")


# --- places and words -------------------------------------------------------------------------------------------------


def test_the_cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "a b"))
    assert paths.cache_folder() == tmp_path / "a b"
    monkeypatch.setenv("COURSE_CACHE", " ")
    for system, variable in (("linux", "XDG_CACHE_HOME"), ("win32", "LOCALAPPDATA")):
        monkeypatch.setattr(paths.sys, "platform", system)
        monkeypatch.setenv(variable, str(tmp_path))
        assert paths.cache_folder() == tmp_path / "from-counts-to-chat"
    monkeypatch.setattr(paths.sys, "platform", "darwin")
    assert paths.cache_folder() == Path.home() / "Library" / "Caches" / "from-counts-to-chat"


def test_durations_and_sizes_for_people():
    assert [seconds(t) for t in (0.04, 9.94, 12.4, 125)] == ["0.0 s", "9.9 s", "12 s", "2 min 5 s"]
    assert [size(n) for n in (12, 3400, 3.55e6, 1.2e9)] == ["12 bytes", "3.4 kB", "3.5 MB", "1.2 GB"]


def test_a_file_given_by_a_relative_path_is_the_one_that_runs(tmp_path, monkeypatch):
    from types import SimpleNamespace

    from helpers.course.commands import environment

    (tmp_path / "01_linear_regression.ipynb").write_text("{}")  # the same name as one of the course
    monkeypatch.chdir(tmp_path)
    started = []
    monkeypatch.setattr(environment, "prepare", lambda options: SimpleNamespace(python="python", variables=lambda **kw: {}))
    monkeypatch.setattr(running, "run_foreground", lambda command, **kw: started.append(command) or 0)
    running.command(SimpleNamespace(chapters=["01_linear_regression.ipynb", "02"], timeout=9, record=False))
    assert started[0][3:5] == [str(tmp_path / "01_linear_regression.ipynb"), "02"]
