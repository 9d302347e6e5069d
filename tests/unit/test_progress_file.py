"""The record of solved exercises never takes the place of a device: COURSE_PROGRESS=/dev/null is how a run keeps none."""

import os

import pytest

from helpers.lab import progress


@pytest.mark.skipif(os.name == "nt", reason="devices are files on POSIX systems only")
def test_a_device_stays_a_device(tmp_path, monkeypatch):
    link = tmp_path / "null"  # a link, so that a failure of this test spoils the link and not the machine
    link.symlink_to(os.devnull)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("COURSE_STRICT", raising=False)
    monkeypatch.setenv("COURSE_PROGRESS", str(link))
    progress.remember("0.1")
    assert link.is_symlink() and progress.solved() == {}


def test_an_ordinary_file_is_written(tmp_path, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("COURSE_STRICT", raising=False)
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "p.json"))
    progress.remember("0.1")
    assert set(progress.solved()) == {"0.1"}
