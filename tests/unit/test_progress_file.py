"""The record of solved exercises never takes the place of a device: COURSE_PROGRESS=/dev/null is how a run keeps none."""

import os

import pytest

from helpers.lab import record


@pytest.mark.skipif(os.name == "nt", reason="devices are files on POSIX systems only")
def test_a_device_stays_a_device(tmp_path, monkeypatch):
    link = tmp_path / "null"  # a link, so that a failure of this test spoils the link and not the machine
    link.symlink_to(os.devnull)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("COURSE_STRICT", raising=False)
    monkeypatch.setenv("COURSE_PROGRESS", str(link))
    record.remember("0.1")
    assert link.is_symlink() and record.solved() == {}


def test_an_ordinary_file_is_written(tmp_path, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("COURSE_STRICT", raising=False)
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "p.json"))
    record.remember("0.1")
    assert set(record.solved()) == {"0.1"}
