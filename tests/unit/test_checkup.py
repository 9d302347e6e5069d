"""The checks that need nothing installed, the hardware in words, and files that are written as a whole."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from helpers import checkup
from helpers import hardware as machine
from helpers.files import write_atomic
from helpers.hardware import hardware


def test_findings_of_every_check_say_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(checkup.shutil, "disk_usage", lambda folder: SimpleNamespace(free=2e8))
    low = checkup.disk(tmp_path / "not" / "there", 0.7e9, fix="delete files")
    assert (low.state, low.fix) == ("low", "delete files") and "0.2 GB, about 0.7 GB" in low.detail and not low.bad
    assert checkup.disk(tmp_path, 1e9, "disk", "free some space", "missing").bad
    monkeypatch.setattr(checkup, "available_memory", lambda: 10**9)
    assert checkup.memory().state == "low" and "close other programs" in checkup.memory().fix
    monkeypatch.setattr(checkup, "available_memory", lambda: 0)
    assert checkup.memory().name == "memory" and checkup.memory().state in ("ok", "low")
    monkeypatch.setattr(checkup, "total_memory", lambda: 0)
    assert checkup.memory().state == "note"


def test_memory_is_found():
    assert checkup.total_memory() > 5e8 and checkup.available_memory() > 1e8


@pytest.mark.parametrize(
    ("shares", "chosen", "expected"),
    [
        ([0.97], {}, None),
        ([0.6, 0.95], {}, None),
        ([0.7, 0.5, 0.6], {}, "PASSIVE"),
        ([], {"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE"),
        ([], {"COURSE_THREADS": "1"}, None),
    ],
)
def test_threads_sleep_only_beside_a_busy_process(monkeypatch, shares, chosen, expected):
    left = list(shares)
    monkeypatch.setattr(machine, "free_share", lambda: left.pop(0))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    for name in ("OMP_WAIT_POLICY", "COURSE_THREADS"):
        monkeypatch.setenv(name, chosen.get(name, "unset"))
        if name not in chosen:
            monkeypatch.delenv(name)
    machine.spare_the_neighbor()
    assert os.environ.get("OMP_WAIT_POLICY") == expected and left == []


def test_the_share_of_free_cores():
    assert 0 < machine.free_share(1) <= 1.05


def test_hardware_in_words():
    assert hardware().startswith(f"{os.cpu_count()} cores, ")
    assert hardware(1).startswith("1 thread, ") and hardware(2).startswith("2 threads, ") and "CPU, " in hardware(2)


# --- files as a whole -------------------------------------------------------------------------------------------------


def test_text_and_bytes_are_written_and_replaced_and_nothing_is_left_beside(tmp_path):
    path = tmp_path / "new" / "a.txt"
    assert write_atomic(path, "é\n") == path and path.read_bytes() == "é\n".encode()
    write_atomic(path, b"\x00\r\n")
    assert path.read_bytes() == b"\x00\r\n" and [p.name for p in path.parent.iterdir()] == ["a.txt"]


@pytest.mark.skipif(os.name == "nt", reason="links and rights of POSIX")
def test_a_link_stays_a_link_and_rights_stay(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to("real")
    write_atomic(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_text() == "new"
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_the_old_file_stays_when_writing_fails(tmp_path, monkeypatch, error):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fails(descriptor):
        raise error

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(type(error)):
        write_atomic(path, "new")
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_kill_leaves_the_old_file_whole(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    code = (
        "import os, signal, sys; from helpers.files import write_atomic; "
        "os.fsync = lambda d: os.kill(os.getpid(), signal.SIGKILL); write_atomic(sys.argv[1], 'x' * 10**6)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], cwd=checkup.__file__.rsplit("helpers", 1)[0], check=False)
    assert done.returncode == -9 and path.read_text() == "old"
