"""uv and pip: which is asked for what, what each failure reads like, which torch is taken, what the lock holds."""

import os
from pathlib import Path
from types import SimpleNamespace

import cli_fakes
import pytest
from cli_fakes import FAILURES, prepare, problem

from helpers.course.commands import environment, installer, setup_steps, torch_build, uv
from helpers.course.commands.console import Problem

POSIX = os.name != "nt"


@pytest.mark.parametrize("said, sentence, way_out", FAILURES)
def test_each_failure_of_pip_is_a_sentence_with_a_way_out(said, sentence, way_out):
    trouble = installer.problem(installer.kind_of_failure(said.split("\n")), "the packages", said.split("\n"), Path("setup.log"))
    assert sentence in trouble.sentence and way_out in trouble.fix and trouble.evidence


def without_uv(course, monkeypatch):
    monkeypatch.setattr(uv, "program", lambda tools: None)


def test_where_uv_cannot_be_had_pip_does_everything(course, monkeypatch):
    without_uv(course, monkeypatch)
    course.plan({"when": uv.WANTED, "say": "No matching distribution found for uv"})
    prepare(course)
    calls = course.calls()
    assert sum(uv.WANTED in call for call in calls) == 1, "it is asked for once, not before each step"
    assert not any("by uv" in call for call in calls) and len(calls) == 4
    assert not environment.Setup(environment.Environment.chosen(course.root, False)).stale()


@pytest.mark.parametrize("said, sentence, way_out", FAILURES[:3])
def test_pip_alone_says_what_failed_and_recovers(ready, monkeypatch, said, sentence, way_out):
    without_uv(ready, monkeypatch)
    ready.write_requirements("eta>=1")
    ready.plan({"when": "requirements-lock.txt", "say": said})
    assert sentence in problem(ready).sentence
    ready.plan()
    prepare(ready)


@pytest.mark.skipif(not POSIX, reason="the pretended uv is a script")
@pytest.mark.parametrize("said", ["error: Failed to fetch", "thread main panicked", "error: unexpected argument --no-deps"])
def test_what_uv_cannot_do_pip_does(ready, said):
    ready.write_requirements("theta>=1")
    ready.plan({"when": "by uv", "say": said})
    prepare(ready)
    assert ["by uv" in call for call in ready.calls()] == [True, False]
    assert list(ready.site.glob("theta-*"))


@pytest.mark.skipif(not POSIX, reason="the pretended uv is a script")
def test_a_full_disk_is_told_at_once(ready):
    ready.write_requirements("iota>=1")
    ready.plan({"when": "by uv", "say": "error: failed to copy file\n  cause: No space left on device (os error 28)"})
    assert "disk is full" in problem(ready).sentence
    assert len(ready.calls()) == 1


@pytest.mark.skipif(not POSIX, reason="the pretended uv is a script")
def test_a_mirror_of_pip_serves_uv_too_and_a_setting_without_an_equal_leads_to_pip(ready):
    listing = ready.pip / "config"
    try:
        listing.write_text("global.index-url='https://mirror.school/simple'\n:env:.find-links='/a /b'\n")
        ready.write_requirements("kappa>=1")
        prepare(ready)
        (call,) = ready.calls()
        assert "by uv" in call and "UV_DEFAULT_INDEX=https://mirror.school/simple" in call and "UV_FIND_LINKS=/a,/b" in call
        listing.write_text("global.keyring-provider='subprocess'\n")
        ready.write_requirements("lambda>=1")
        prepare(ready)
        assert [call.startswith("by uv") for call in ready.calls()] == [False]
    finally:
        listing.unlink()


def test_settings_of_pip_in_the_words_of_uv(monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("UV_HTTP_TIMEOUT", "7")
    listing = (
        "global.extra-index-url='https://a/simple https://b/simple'\nglobal.timeout='180'\nglobal.proxy='me:pw@p:3128'\n"
        "global.cert='/old.pem'\n:env:.cert='/etc/cert.pem'\n:env:.no-cache-dir='1'\nglobal.no-input='1'\n"
        "install.constraint='c.txt'\nlist.format='columns'\n"
    )
    assert uv.translated(listing) == {
        "UV_INDEX": "https://a/simple https://b/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_CONSTRAINT": "c.txt",
        "ALL_PROXY": "http://me:pw@p:3128",
        "SSL_CERT_FILE": "/etc/cert.pem",
        "UV_NO_CACHE": "1",
    }
    assert uv.translated("") == {}
    for unknown in ("global.no-binary=':all:'", "global.no-index='1'", "global.index-url=https://no quotes"):
        assert uv.translated(unknown) is None, unknown


def test_versions_that_a_mirror_lacks_are_replaced_by_others_that_will_do(ready):
    ready.write_requirements("mu>=1")
    ready.plan({"when": "requirements-lock.txt", "say": "No matching distribution found for mu==1.5 (from versions: 1.4)"})
    prepare(ready)
    assert ready.calls()[-1].endswith("/requirements.txt") and list(ready.site.glob("mu-*"))


def test_a_package_that_the_lock_lacks_comes_all_the_same(ready):
    ready.write_requirements("nu>=1", locked=False)
    prepare(ready)
    assert list(ready.site.glob("nu-*"))


def test_a_file_that_is_not_the_locked_one_is_not_passed_over(ready):
    ready.write_requirements("xi>=1")
    ready.plan({"when": "requirements-lock.txt", "say": "Hash mismatch for xi==1.5"})
    assert "not the file the course was made with" in problem(ready).sentence
    assert not list(ready.site.glob("xi-*"))


def test_the_lock_holds_what_the_requirements_ask_for():
    from packaging.requirements import Requirement

    root = cli_fakes.REPOSITORY
    locked = {}
    for line in (root / setup_steps.LOCK).read_text(encoding="utf-8").splitlines():
        if "==" in line:
            name, version = line.split(" ")[0].split("==")
            locked.setdefault(name, []).append(version)
    for line in (root / "requirements.txt").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            wanted = Requirement(line.split("#")[0])
            versions = locked.get(wanted.name.lower(), [])
            if wanted.name != "torch":
                assert versions and all(wanted.specifier.contains(v) for v in versions), f"{line}: python -m tests.tools.lock"
    assert "torch" not in locked and not any(name.startswith("nvidia") for name in locked)


class Recorder:
    """In place of an Installer: notes what is asked for; `answers` maps a part of the arguments to a kind of failure."""

    def __init__(self, root, **answers):
        self.root, self.python, self.log, self.answers, self.asked = root, root / "python", root / "log", answers, []

    def attempt(self, arguments, line, backend=""):
        words = " ".join([*arguments, *(["--torch-backend", backend] if backend else [])])
        self.asked.append(words)
        return next((kind for part, kind in self.answers.items() if part in words), ""), ["what was said"]


def install(pip, monkeypatch, cuda=True, system="linux", **options):
    monkeypatch.setattr(torch_build, "brings_cuda", lambda: cuda)
    monkeypatch.setattr(torch_build.sys, "platform", system)
    monkeypatch.setattr(torch_build.shutil, "disk_usage", lambda path: SimpleNamespace(free=1e13))
    torch_build.install(pip, SimpleNamespace(note="", interrupt=lambda text: None), **options)
    return pip.asked


def test_the_cpu_build_is_tried_first_then_uv_then_the_plain_package(tmp_path, monkeypatch):
    assert install(Recorder(tmp_path), monkeypatch) == ["torch==2.13.0+cpu"]
    pip = Recorder(tmp_path, **{"+cpu": "absent"})
    assert install(pip, monkeypatch) == ["torch==2.13.0+cpu", "torch==2.13.0 --torch-backend cpu"]
    pip = Recorder(tmp_path, **{"+cpu": "absent", "--torch-backend": "network"})
    assert install(pip, monkeypatch) == ["torch==2.13.0+cpu", "torch==2.13.0 --torch-backend cpu", "torch==2.13.0"]


def test_where_the_plain_package_is_the_cpu_build_uv_is_not_asked(tmp_path, monkeypatch):
    pip = Recorder(tmp_path, **{"+cpu": "absent"})
    assert install(pip, monkeypatch, cuda=False, system="win32") == ["torch==2.13.0+cpu", "torch==2.13.0"]
    assert install(Recorder(tmp_path), monkeypatch, cuda=False, system="darwin") == ["torch==2.13.0"]


def test_an_index_given_by_the_reader_and_the_gpu_build(tmp_path, monkeypatch):
    assert install(Recorder(tmp_path), monkeypatch, index="file:///w") == ["torch==2.13.0 --extra-index-url file:///w"]
    assert install(Recorder(tmp_path), monkeypatch, gpu=True) == ["torch==2.13.0"]
    assert install(Recorder(tmp_path), monkeypatch, gpu=True, swap=True) == ["torch==2.13.0 --reinstall-package torch"]
    windows = install(Recorder(tmp_path), monkeypatch, gpu=True, system="win32", cuda=False)
    assert windows == ["torch==2.13.0 --torch-backend auto"]


def test_pip_replaces_a_build_in_its_own_words(tmp_path, monkeypatch):
    pip, said = installer.Installer(Path("python"), tmp_path, tmp_path / "log", here=True), []
    monkeypatch.setattr(pip, "run", lambda command, line, **env: said.append(command) or ("", []))
    pip.attempt(["torch==2.13.0", "--reinstall-package", "torch"], SimpleNamespace(note=""))
    assert said[0][-2:] == ["torch==2.13.0", "--force-reinstall"] and "pip" in said[0]


def test_without_network_no_other_build_is_tried(tmp_path, monkeypatch):
    pip = Recorder(tmp_path, torch="network")
    with pytest.raises(Problem, match="registry cannot be reached"):
        install(pip, monkeypatch)
    assert len(pip.asked) == 1


def test_a_system_without_torch_is_said_so(tmp_path, monkeypatch):
    with pytest.raises(Problem, match="no torch 2.13.0 for this Python and system"):
        install(Recorder(tmp_path, torch="absent"), monkeypatch, cuda=False, system="darwin")


def test_little_space_stops_the_large_build(tmp_path, monkeypatch):
    monkeypatch.setattr(torch_build.shutil, "disk_usage", lambda path: SimpleNamespace(free=5e9))
    with pytest.raises(Problem, match="5.0 GB are free"):
        torch_build._announce_plain(tmp_path, SimpleNamespace(), gpu=True)


def test_the_kind_of_failure_is_read_in_the_right_order():
    assert installer.kind_of_failure(["NewConnectionError", "No matching distribution found (from versions: none)"]) == "network"
    assert installer.kind_of_failure(["NewConnectionError", "No matching distribution (from versions: 1.0)"]) == "absent"
    assert installer.kind_of_failure(["BadZipFile", "[Errno 28] No space left on device"]) == "disk"
    assert installer.kind_of_failure(["Retrying ... 'NewConnectionError'", "THESE PACKAGES DO NOT MATCH"]) == "hash"
    assert installer.kind_of_failure([]) == "other"


def test_lines_of_pip_and_uv_become_short_notes():
    assert installer.activity("Collecting numpy<3,>=2.0 (from -r requirements.txt (line 3))") == "collecting numpy<3,>=2.0"
    assert installer.activity("  Downloading numpy-2.4.6-cp311-any.whl (16.6 MB)") == (
        "downloading numpy-2.4.6-cp311-any.whl (16.6 MB)"
    )
    assert installer.activity("Downloading torch (180.2MiB)") == "downloading torch (180.2MiB)"
    assert installer.activity("Resolved 141 packages in 24ms") == "fetching 141 packages"
    assert installer.activity("Prepared 1 package in 2.00s") == "unpacking 1 package"
    assert installer.activity("Installing collected packages: a, b, c") == "unpacking 3 packages"
    assert installer.activity("Requirement already satisfied: numpy") == ""


def test_the_floor_of_torch_is_the_one_in_requirements():
    text = (cli_fakes.REPOSITORY / "requirements.txt").read_text(encoding="utf-8")
    floor, ceiling = ".".join(map(str, torch_build.FLOOR)), torch_build.CEILING[0]
    assert f"torch>={floor},<{ceiling}" in text
    assert torch_build.suitable(torch_build.PIN) and torch_build.suitable("2.10.0+cu128")
    assert not any(map(torch_build.suitable, ("2.8.1", "1.13", "3.0.0", "")))


def test_requirement_files_name_no_index_and_bound_every_package():
    for name in ("requirements.txt", "tests/requirements.txt"):
        for line in (cli_fakes.REPOSITORY / name).read_text(encoding="utf-8").splitlines():
            code, _, reason = line.partition("#")
            assert not code.startswith("-") and "://" not in line
            assert not code.strip() or (">=" in code and "<" in code and reason.strip()), line
