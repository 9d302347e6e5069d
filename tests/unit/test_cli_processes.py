"""Set-ups in processes of their own: interrupted at any step, killed, and two at the same time; and the lock."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cli_fakes
import pytest

from helpers.course.commands.lock import setup_lock

POSIX = os.name != "nt"


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of this test's own, not set up."""
    return cli_fakes.new_course(tmp_path, monkeypatch)


def start(course, tmp_path, name):
    out = open(tmp_path / f"{name}.out", "w")
    return subprocess.Popen([sys.executable, cli_fakes.__file__, str(course.root)], stdout=out, stderr=subprocess.STDOUT)


def wait_for(path: Path, text: str, patience: float = 20.0):
    end = time.monotonic() + patience
    while not (path.exists() and text in path.read_text(encoding="utf-8", errors="replace")):
        assert time.monotonic() < end, f"{text!r} did not come in {path.name}"
        time.sleep(0.03)


@pytest.mark.skipif(not POSIX, reason="signals of POSIX")
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_setup_goes_on_where_it_stopped(course, tmp_path, kind):
    course.plan({"when": "requirements-lock.txt", "say": "Collecting alpha", "sleep": 1.5, "status": 0, "times": 1})
    first = start(course, tmp_path, "first")
    wait_for(course.root / "build" / "setup.log", "Collecting alpha")
    first.send_signal(kind)
    status = first.wait(20)
    assert status == (130 if kind != signal.SIGKILL else -9)
    if kind != signal.SIGKILL:
        assert "Stopped" in (tmp_path / "first.out").read_text()
    course.calls()
    second = start(course, tmp_path, "second")
    assert second.wait(30) == 0
    said = (tmp_path / "second.out").read_text()
    assert "complete" in said and not any("torch==" in call for call in course.calls())
    if kind == signal.SIGKILL:  # the installer outlives its parent and holds the lock until it has ended
        assert "left behind" in said


@pytest.mark.skipif(not POSIX, reason="counts on quick starts")
def test_a_second_setup_at_the_same_time_waits_and_then_has_nothing_to_do(course, tmp_path):
    course.plan({"when": "data/requirements.txt", "say": "Collecting boxed", "sleep": 1.5, "status": 0, "times": 1})
    first = start(course, tmp_path, "first")
    wait_for(course.root / "build" / "setup.log", "Collecting boxed")
    second = start(course, tmp_path, "second")
    assert first.wait(30) == 0 and second.wait(30) == 0
    said = (tmp_path / "second.out").read_text()
    assert f"process {first.pid}" in said and "The other set-up has done everything" in said
    assert len(course.calls()) == 3


HOLD = """
import sys, time
sys.path.insert(0, {root!r})
from pathlib import Path
from helpers.course.commands.lock import setup_lock
with setup_lock(Path({path!r})):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_lock_dies_with_its_process(tmp_path):
    path = tmp_path / "build" / "setup.lock"
    code = HOLD.format(root=str(cli_fakes.REPOSITORY), path=str(path))
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(TimeoutError, match=f"process {holder.pid}"), setup_lock(path, patience=0.3):
        pass
    holder.kill()
    holder.wait()
    holder.stdout.close()
    with setup_lock(path, patience=5.0):
        pass
    with setup_lock(path) as (_, waited):  # and it can be taken again by the same process
        assert not waited
