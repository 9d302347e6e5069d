"""Several notebooks write at once, files are damaged, disks are full: nothing is lost in silence."""

import errno
import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from helpers import files
from helpers.course.commands import address, console
from helpers.lab import ladder, record, runtime
from helpers.paths import SettingError, cache_folder, named_path

ROOT = Path(__file__).resolve().parents[2]

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
    monkeypatch.setattr(record, "_told", set())
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


def test_a_good_record_is_never_set_aside_in_place_of_a_damaged_one(progress, monkeypatch):
    """Another notebook mends the file between our look at it and our lock: what it wrote there stays."""
    progress.write_text("damaged")
    real = files.locked

    @contextmanager
    def after_another(path):
        progress.write_text('{"9.9": "2026-01-01"}')
        with real(path):
            yield

    monkeypatch.setattr(record, "locked", after_another)
    record.remember("1.2")
    assert set(record.solved()) == {"9.9", "1.2"} and not list(progress.parent.glob("*damaged*"))


def test_two_damaged_records_of_one_second_are_both_kept(progress):
    for text in ("one", "two"):
        progress.write_text(text)
        assert record.solved() == {}
    assert {p.read_text() for p in progress.parent.glob("*damaged*")} == {"one", "two"}


@pytest.mark.skipif(os.name == "nt", reason="POSIX locks")
def test_a_disk_without_locks_is_not_waited_for(progress, monkeypatch):
    import fcntl

    def none(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    begun = time.monotonic()
    record.remember("1.2")
    assert set(record.solved()) == {"1.2"} and time.monotonic() - begun < 5


def test_notebooks_that_record_at_once_lose_no_rung(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_RESULTS", str(tmp_path / "results.json"))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: ladder._write("classification", {"rung": f"r{n}", "chapter": "01", "score": n / 40}), range(40)))
    assert len(ladder.results()["classification"]) == 40


@pytest.mark.parametrize("variable", ["COURSE_CACHE", "COURSE_PROGRESS", "COURSE_RESULTS", "COURSE_DATA"])
def test_a_variable_that_names_no_place_is_told_by_its_name(variable, monkeypatch):
    monkeypatch.setenv(variable, "~nosuchuser/x")
    with pytest.raises(SettingError, match=variable):
        named_path(variable)
    monkeypatch.setenv(variable, "  ")
    assert named_path(variable) is None


@pytest.mark.parametrize("bad", ["\u00b2", "1e9", "99999999999", "1025", "-0", "2.0", "\u0663x"])
def test_odd_numbers_of_threads(monkeypatch, bad):
    monkeypatch.setenv("COURSE_THREADS", bad)
    with pytest.raises(SettingError, match="COURSE_THREADS is"):
        runtime.threads()
    done = subprocess.run(
        [sys.executable, "-m", "helpers.training.recipes", "lstm"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and "COURSE_THREADS" in done.stderr and "Traceback" not in done.stderr


def test_the_error_of_a_full_disk_names_the_file(tmp_path, monkeypatch, capsys):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert console.guarded(lambda _: files.write_atomic(tmp_path / "big.json", "x"), None) == 1
    said = capsys.readouterr().out
    assert "big.json cannot be used: No space left" in said and "Free some disk space" in said and not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", ["EIO", "EISDIR", "ENOENT", "ENAMETOOLONG", "EMFILE", "EFBIG", "ELOOP"])
def test_every_failing_file_is_told_in_words(capsys, number):
    def command(_):
        raise OSError(getattr(errno, number), os.strerror(getattr(errno, number)))  # without a name

    assert console.guarded(command, None) == 1 and "A file cannot be used" in capsys.readouterr().out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux only")
def test_a_command_whose_words_find_no_way_out_ends_without_a_traceback():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "course.py", "run", "99"], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1 and "could not be written: No space left" in done.stderr and "Traceback" not in done.stderr
    child = subprocess.Popen(
        [sys.executable, "course.py", "run", "99"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    child.stdout.close()  # as in: course.py ... | head -0
    assert child.stderr.read() == "" and child.wait() == 1


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes there")
@pytest.mark.parametrize("folder", ["k\u00fcrs \u00fc".encode(), b"k\xfcrs"], ids=["UTF-8", "Latin-1"])
def test_doctor_in_any_locale_and_folder(tmp_path, folder):
    root = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + folder))
    root.mkdir()
    for name in ("course.py", "requirements.txt"):
        shutil.copy(ROOT / name, root)
    shutil.copytree(ROOT / "helpers", root / "helpers", ignore=shutil.ignore_patterns("__pycache__"))
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "COURSE_CACHE": str(tmp_path / "file")}
    (tmp_path / "file").write_text("")
    done = subprocess.run(
        [sys.executable, "course.py", "doctor", "--here"],
        cwd=root,
        env={**os.environ, **locale},
        capture_output=True,
        check=False,
    )
    said = (done.stdout + done.stderr).decode(errors="replace")
    assert done.returncode == 1 and "Traceback" not in said and "things are missing" in said
    assert "MISSING  cache" in said and "unset COURSE_CACHE" in said


def test_a_site_is_renewed_whole_or_not_at_all(tmp_path, monkeypatch):
    from helpers.course.site import build

    monkeypatch.setattr(build, "files_of", lambda root: {"index.html": b"old", "gone.html": b"old"})
    build.write(ROOT, tmp_path / "site")
    (tmp_path / "site" / "CNAME").write_text("mine")
    monkeypatch.setattr(build, "files_of", lambda root: {"index.html": b"new", "site/a.js": b"new", "last.html": b"new"})
    write = build.write_atomic

    def full(path, data):
        if path.name == "last.html":
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(build, "write_atomic", full)
    before = {p.name: p.read_bytes() for p in (tmp_path / "site").iterdir()}
    with pytest.raises(OSError):
        build.write(ROOT, tmp_path / "site")
    assert {p.name: p.read_bytes() for p in (tmp_path / "site").iterdir()} == before
    monkeypatch.setattr(build, "write_atomic", write)
    (tmp_path / "site" / f"{build.ASIDE}dead").mkdir()  # of a build that was killed
    build.write(ROOT, tmp_path / "site")
    there = {p.relative_to(tmp_path / "site").as_posix() for p in (tmp_path / "site").rglob("*") if p.is_file()}
    assert there == {"index.html", "site/a.js", "last.html", "CNAME", build.MANIFEST}


def test_a_torn_or_hostile_list_of_a_site_deletes_nothing_else(tmp_path, monkeypatch):
    from helpers.course.site import build

    monkeypatch.setattr(build, "files_of", lambda root: {"index.html": b"new"})
    (tmp_path / "site").mkdir()
    (tmp_path / "thesis.txt").write_text("mine")
    (tmp_path / "site" / build.MANIFEST).write_text('["../thesis.txt", "index.html"]')
    build.write(ROOT, tmp_path / "site")
    assert (tmp_path / "thesis.txt").read_text() == "mine"
    (tmp_path / "site" / build.MANIFEST).write_text('["ind')
    with pytest.raises(console.Problem, match="cannot be read"):
        build.write(ROOT, tmp_path / "site")


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes there")
def test_an_environment_in_a_folder_whose_name_is_no_utf8_belongs_there(tmp_path):
    from helpers.course.commands import venv_folder

    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/k\xfcrs/.venv"))
    (folder / "bin").mkdir(parents=True)
    python = folder / "bin" / "python"
    python.write_bytes(b'#!/bin/sh\ncase "$*" in *pip*) echo "' + os.fsencode(folder.resolve()) + b'";; *) echo 3.12.1;; esac\n')
    python.chmod(0o755)
    assert venv_folder.works(folder, python) == ""
