"""Set-up on a small course with a pretended pip: what is done, what is not done twice, and each way it can fail."""

import json
import os
import shutil
import time
from types import SimpleNamespace

import pytest
from cli_fakes import FAILURES, prepare, problem

from helpers.course.commands import disk_space, environment, setup_steps, venv_folder
from helpers.course.commands.setup_record import Stamp

POSIX = os.name != "nt"


def test_a_fresh_setup_does_each_step_once_and_torch_first(course, capsys):
    prepare(course)
    said, calls = capsys.readouterr().out, course.calls()
    for step in ("environment", "torch", "packages", "data", "check", "weights", "Set-up is complete"):
        assert step in said
    assert [call.split(" ")[-1].split("/")[-1] for call in calls] == [
        "torch==2.13.0+cpu",
        "requirements-lock.txt",
        "requirements.txt",
    ]
    assert all(call.startswith("by uv") == POSIX for call in calls)
    assert "--no-deps --require-hashes" in calls[1]
    assert "--no-deps --require-hashes" in calls[2]
    assert (course.root / "build" / "setup.log").read_text(encoding="utf-8").count("=== exit status 0") >= 4


def test_a_second_setup_calls_nothing_and_takes_under_half_a_second(ready, capsys):
    capsys.readouterr()
    times = []
    for _ in range(3):
        begin = time.monotonic()
        prepare(ready)
        times.append(time.monotonic() - begin)
    assert min(times) < 0.5
    assert ready.calls() == [] and capsys.readouterr().out == ""


def test_only_what_changed_is_done_again(ready):
    ready.write_requirements("beta>=1")
    prepare(ready)
    assert len(ready.calls()) == 1
    assert list(ready.site.glob("beta-*"))


def test_test_tools_come_only_with_the_tests(ready):
    assert not list(ready.site.glob("tester-*"))
    prepare(ready, tests=True)
    assert list(ready.site.glob("tester-*"))
    ready.calls()
    assert not environment.Setup(environment.Environment.chosen(ready.root, False)).stale()
    assert not environment.Setup(environment.Environment.chosen(ready.root, False), tests=True).stale()


@pytest.mark.parametrize("version, kept", [("2.9.1+cu128", True), ("2.8.0", False)])
def test_a_suitable_torch_is_kept_and_an_old_one_replaced(ready, version, kept):
    info = next(ready.site.glob("torch-*.dist-info")).rename(ready.site / f"torch-{version}.dist-info")
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: torch\nVersion: {version}\n")
    (ready.site / "torch" / "version.py").write_text(f"__version__ = '{version}'\ncuda = '12.8'\n")
    (info / "RECORD").write_text("")
    prepare(ready)
    assert any("torch==" in call for call in ready.calls()) != kept


@pytest.mark.parametrize("said, sentence, way_out", FAILURES[:3])
def test_the_start_after_a_failure_recovers(ready, said, sentence, way_out):
    ready.write_requirements("gamma>=1")
    ready.plan({"when": "requirements-lock.txt", "say": said})
    assert sentence in problem(ready).sentence
    ready.plan()
    prepare(ready)
    assert not environment.Setup(environment.Environment.chosen(ready.root, False)).stale()


def test_a_broken_file_is_fetched_a_second_time_past_the_cache(ready):
    ready.write_requirements("delta>=1")
    ready.plan({"when": "requirements-lock.txt", "say": "Bad CRC-32 for file 'delta'", "times": 1})
    prepare(ready)
    assert sum("--no-cache-dir" in call for call in ready.calls()) == 1


def test_a_short_loss_of_the_network_is_survived(ready):
    ready.write_requirements("epsilon>=1")
    ready.plan({"when": "requirements-lock.txt", "say": "ReadTimeoutError", "times": 1})
    prepare(ready)


def test_too_little_disk_space_is_told_before_anything_is_made(course, monkeypatch):
    monkeypatch.setattr(disk_space.shutil, "disk_usage", lambda path: SimpleNamespace(free=1e9))
    trouble = problem(course)
    assert "Not enough disk space" in trouble.sentence and "1.0 GB are free" in trouble.sentence
    assert not (course.root / ".venv").exists()


@pytest.mark.parametrize("harm", ["half made", "no pip", "python gone"])
def test_a_broken_environment_is_made_anew(ready, harm):
    venv, python = ready.root / ".venv", environment.Environment.chosen(ready.root, False).python
    if harm == "half made":
        shutil.rmtree(venv)
        (venv / "bin").mkdir(parents=True)
    elif harm == "no pip":
        (ready.site / "pip" / "__init__.py").write_text("raise ImportError")
        (venv / "course-setup.json").unlink()
    else:
        python.unlink()
        if POSIX:
            python.symlink_to("/nowhere/bin/python")
    prepare(ready)
    assert len(ready.calls()) == 3 and not list(ready.root.glob(".venv-old-*"))


def test_a_folder_that_is_not_ours_is_never_deleted(course):
    (course.root / ".venv").mkdir()
    (course.root / ".venv" / "thesis.txt").write_text("years of work")
    assert "thesis.txt" in problem(course).sentence
    assert (course.root / ".venv" / "thesis.txt").exists()


def test_a_moved_course_gets_a_new_environment(course, tmp_path, monkeypatch):
    prepare(course)
    course.root = course.root.rename(tmp_path / "elsewhere")
    monkeypatch.setattr(venv_folder, "venv_command", course.venv_command)
    course.calls()
    prepare(course)
    assert len(course.calls()) == 3


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', '{"format": 1, "root": "x", "steps": 3}', "\0\0"])
def test_a_torn_stamp_counts_as_none(tmp_path, text):
    (tmp_path / "s.json").write_text(text)
    stamp = Stamp(tmp_path / "s.json", tmp_path)
    assert stamp.data["steps"] == {} and not stamp.fresh("torch", "key")


def test_a_torn_stamp_only_costs_another_look(ready):
    (ready.root / ".venv" / "course-setup.json").write_text('{"format": 1, "ro')
    prepare(ready)
    stamp = Stamp(ready.root / ".venv" / "course-setup.json", ready.root)
    assert set(stamp.data["steps"]) == {"torch", "packages", "data", "check", "weights"}
    assert not any("torch==" in call for call in ready.calls())


def test_damaged_and_half_installed_packages_are_installed_again(ready, capsys):
    (ready.site / "alpha" / "version.py").write_text("cut")
    next(ready.site.glob("boxed-*.dist-info/RECORD")).unlink()
    (ready.site / "~lpha").mkdir()
    prepare(ready, thorough=True)
    assert "damaged" in capsys.readouterr().out
    cleaned = [call for call in ready.calls() if call.startswith("uv cache clean")]
    assert "alpha" in cleaned[0] if POSIX else not cleaned, "the copy in uv's cache is the same file, so it is damaged too"
    assert "1.5" in (ready.site / "alpha" / "version.py").read_text()
    assert list(ready.site.glob("boxed-*.dist-info/RECORD")) and not list(ready.site.glob("~*"))


def test_missing_weights_are_converted_again(ready):
    weights = ready.root.parent / "cache" / "model" / "weights"
    weights.unlink()
    prepare(ready)
    assert weights.exists() and ready.calls() == []


def test_a_changed_byte_is_found_by_setup_whatever_the_time_of_the_file_says(ready):
    weights = ready.root.parent / "cache" / "model" / "weights"
    before = weights.stat()
    weights.write_text("w" * 1999 + "x")
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))
    prepare(ready)
    assert weights.read_text().endswith("x"), "a quick start looks at size and time only"
    prepare(ready, thorough=True)
    assert weights.read_text() == "w" * 2000


def test_packages_that_do_not_load_are_reported_with_their_error(ready, monkeypatch):
    monkeypatch.setattr(setup_steps, "IMPORTS", ("alpha", "gone"))
    ready.write_requirements("zeta>=1")
    trouble = problem(ready)
    assert "do not load: gone" in trouble.sentence and "No module named 'gone'" in trouble.evidence[0]


def test_failing_weights_are_a_sentence(ready):
    module = ready.root / "helpers" / "data" / "weights.py"
    before = module.read_text()
    module.write_text("raise SystemExit('the file is truncated')")
    trouble = problem(ready)
    module.write_text(before)
    assert "weights could not be converted" in trouble.sentence and "truncated" in trouble.evidence[-1]


def test_here_uses_the_active_environment_and_keeps_its_marks_outside(ready, monkeypatch):
    python = environment.Environment.chosen(ready.root, False).python
    monkeypatch.setattr(venv_folder.sys, "executable", str(python))
    chosen = prepare(ready, here=True)
    assert chosen.python == python and chosen.stamp_path.parent.name == "build" and chosen.stamp_path.exists()
    ready.calls()
    prepare(ready, here=True)
    assert ready.calls() == []


def test_a_stamp_is_written_as_a_whole(tmp_path):
    stamp = Stamp(tmp_path / "s.json", tmp_path)
    stamp.end("torch", "key", {})
    assert json.loads((tmp_path / "s.json").read_text())["steps"] == {"torch": {"key": "key", "files": {}}}
    assert [p.name for p in tmp_path.iterdir()] == ["s.json"]
    assert Stamp(tmp_path / "s.json", tmp_path).fresh("torch", "key")
    assert Stamp(tmp_path / "s.json", tmp_path / "other").moved
