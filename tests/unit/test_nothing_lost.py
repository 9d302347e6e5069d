"""Several notebooks write at once, files are damaged, disks are full: nothing is lost in silence."""

import json
import os
import subprocess
import sys
import time

import pytest

from helpers.course.commands import address, console
from helpers.lab import record
from helpers.paths import SettingError, cache_folder

WRITER = """
import sys
from helpers.lab import record
for i in range(20):
    record.remember(f"{sys.argv[1]}.{i}")
    print(i, flush=True)
"""


@pytest.fixture
def progress(tmp_path, monkeypatch):
    for name in ("CI", "COURSE_STRICT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(record, "_told", False)
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "p.json"))
    return tmp_path / "p.json"


def test_ten_writers_lose_nothing_and_one_may_be_killed(progress):
    started = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(n)], stdout=subprocess.PIPE, text=True, env={**os.environ})
        for n in range(10)
    ]
    time.sleep(0.6)
    started[0].kill()  # at some moment
    said = {n: p.communicate(timeout=60)[0].split() for n, p in enumerate(started)}
    found = set(record.solved())
    assert len(said[1]) == 20 and {f"{n}.{i}" for n in said for i in said[n]} <= found
    assert not list(progress.parent.glob("*damaged*"))


@pytest.mark.parametrize("text", ["{", "[1, 2]", "", "\x00\x00", '{"1.1": "2026'])
def test_a_damaged_record_is_set_aside_and_said(progress, capsys, text):
    progress.write_text(text)
    record.remember("1.2")
    assert set(record.solved()) == {"1.2"} and "set aside" in capsys.readouterr().out
    assert [p.read_text() for p in progress.parent.glob("*damaged*")] == [text]


def test_a_record_that_cannot_be_written_is_said_once(progress, capsys, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(progress.parent / "file" / "p.json"))
    (progress.parent / "file").write_text("")
    record.remember("1.2"), record.remember("1.3")
    assert capsys.readouterr().err.count("Not noted") == 1 and record.solved() == {}


@pytest.mark.parametrize("value", ["~nosuchuser/x", "{tmp}/file", "{tmp}/file/deeper", "a\0b"])
def test_a_cache_that_cannot_be_is_told_with_its_cure(tmp_path, monkeypatch, capsys, value):
    (tmp_path / "file").write_text("")
    monkeypatch.setitem(os.environ, "COURSE_CACHE", "x")
    monkeypatch.setattr(os, "environ", {**os.environ, "COURSE_CACHE": value.format(tmp=tmp_path)})
    with pytest.raises(SettingError, match="COURSE_CACHE"):
        cache_folder()
    assert console.guarded(lambda _: cache_folder(), None) == 1
    assert "COURSE_CACHE" in "".join(capsys.readouterr())


@pytest.mark.parametrize("number", ["EACCES", "EROFS", "ENOSPC", "ENOTDIR"])
def test_a_command_that_cannot_write_says_so(capsys, number):
    import errno

    def command(_):
        raise OSError(getattr(errno, number), "no", "/somewhere/file.txt")

    assert console.guarded(command, None) == 1
    said = "".join(capsys.readouterr())
    assert "file.txt" in said and "/somewhere" not in said and "again" in said


def test_an_address_is_changed_everywhere_or_nowhere(tmp_path, monkeypatch):
    for name in "ab":
        (tmp_path / name).write_text("github.com/OWNER/from-counts-to-chat")
    known, new = address.Address("OWNER/from-counts-to-chat", "main"), address.Address("me/mine", "v1")
    monkeypatch.setattr(address, "files", lambda root: [tmp_path / "a", tmp_path / "b"])
    write, calls = address.write_atomic, []

    def full(path, text):
        calls.append(path)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        return write(path, text)

    monkeypatch.setattr(address, "write_atomic", full)
    with pytest.raises(console.Problem, match="stays as it was"):
        address.change(tmp_path, known, new)
    assert {(tmp_path / n).read_text() for n in "ab"} == {"github.com/OWNER/from-counts-to-chat"}
    assert json.dumps([p.name for p in calls]) == '["a", "b", "a"]'
