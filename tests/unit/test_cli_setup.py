"""Set-up on a small course with a pretended pip: what is done, what is not done twice, and each way it can fail."""

import json
import os
import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import cli_fakes
import pytest

from helpers.course.commands import disk_space, environment, installer, torch_build, uv, venv_folder
from helpers.course.commands.console import Problem
from helpers.course.commands.setup_record import Stamp

POSIX = os.name != "nt"


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of this test's own, not set up."""
    return cli_fakes.new_course(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A course that the tests of this file share, because a set-up takes a second."""
    with pytest.MonkeyPatch.context() as patch:
        yield cli_fakes.new_course(tmp_path_factory.mktemp("shared"), patch)


@pytest.fixture
def ready(shared, monkeypatch):
    """The shared course, set up, with a pip that does as it is told and no calls so far."""
    cli_fakes.install_fakes(shared, monkeypatch.setattr)
    monkeypatch.setenv("FAKE_PIP", str(shared.pip))
    monkeypatch.setenv("COURSE_CACHE", str(shared.root.parent / "cache"))
    shared.plan()
    shared.write_requirements()
    environment.prepare(shared.options(), thorough=True, root=shared.root)
    shared.calls()
    return shared


def prepare(course, **changes):
    return environment.prepare(course.options(**changes), root=course.root)


def problem(course, **changes):
    with pytest.raises(Problem) as caught:
        prepare(course, **changes)
    return caught.value


def test_a_fresh_setup_does_each_step_once_and_torch_first(course, capsys):
    prepare(course)
    said, calls = capsys.readouterr().out, course.calls()
    for step in ("environment", "torch", "packages", "data", "check", "weights", "Set-up is complete"):
        assert step in said
    assert [call.split(" ")[-1].split("/")[-1] for call in calls] == [
        "torch==2.13.0+cpu", "requirements-lock.txt", "requirements.txt"]
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
    environment.prepare(ready.options(), tests=True, root=ready.root)
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


FAILURES = [
    ("OSError: [Errno 28] No space left on device", "disk is full", "4 GB"),
    ("WARNING: Retrying (Retry(total=0)) ... NewConnectionError\nERROR: No matching distribution found for alpha "
     "(from versions: none)", "registry cannot be reached", "network connection"),
    ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "not the file the course was made with",
     "Try again later"),
    ("zipfile.BadZipFile: File is not a zip file", "arrived broken", "Try again later"),
    ("error: externally-managed-environment", "belongs to the operating system", "--here"),
    ("PermissionError: [Errno 13] Permission denied", "may not be written", "folder of your own"),
    ("ERROR: Failed building wheel for alpha", "no ready-made package", "Python 3.12"),
    ("ERROR: No matching distribution found for alpha>=1 (from versions: 0.1, 0.2)", "no suitable version", "mirror"),
    ("something nobody foresaw", "could not be installed", "setup.log"),
]


@pytest.mark.parametrize("said, sentence, way_out", FAILURES)
def test_each_failure_of_pip_is_a_sentence_with_a_way_out(said, sentence, way_out):
    trouble = installer.problem(installer.kind_of_failure(said.split("\n")), "the packages", said.split("\n"), Path("setup.log"))
    assert sentence in trouble.sentence and way_out in trouble.fix and trouble.evidence


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
        call, = ready.calls()
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
    listing = ("global.extra-index-url='https://a/simple https://b/simple'\nglobal.timeout='180'\nglobal.proxy='me:pw@p:3128'\n"
               "global.cert='/old.pem'\n:env:.cert='/etc/cert.pem'\n:env:.no-cache-dir='1'\nglobal.no-input='1'\n"
               "install.constraint='c.txt'\nlist.format='columns'\n")
    assert uv.translated(listing) == {
        "UV_INDEX": "https://a/simple https://b/simple", "UV_INDEX_STRATEGY": "unsafe-best-match", "UV_CONSTRAINT": "c.txt",
        "ALL_PROXY": "http://me:pw@p:3128", "SSL_CERT_FILE": "/etc/cert.pem", "UV_NO_CACHE": "1"}
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
    for line in (root / environment.LOCK).read_text(encoding="utf-8").splitlines():
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
    environment.prepare(ready.options(), thorough=True, root=ready.root)
    assert "damaged" in capsys.readouterr().out
    cleaned = [call for call in ready.calls() if call.startswith("uv cache clean")]
    assert ("alpha" in cleaned[0] if POSIX else not cleaned), "the copy in uv's cache is the same file, so it is damaged too"
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
    environment.prepare(ready.options(), thorough=True, root=ready.root)
    assert weights.read_text() == "w" * 2000


def test_packages_that_do_not_load_are_reported_with_their_error(ready, monkeypatch):
    monkeypatch.setattr(environment, "IMPORTS", ("alpha", "gone"))
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
    monkeypatch.setattr(environment.sys, "executable", str(python))
    chosen = prepare(ready, here=True)
    assert chosen.python == python and chosen.stamp_path.parent.name == "build" and chosen.stamp_path.exists()
    ready.calls()
    prepare(ready, here=True)
    assert ready.calls() == []


def test_the_kind_of_failure_is_read_in_the_right_order():
    assert installer.kind_of_failure(["NewConnectionError", "No matching distribution found (from versions: none)"]) == "network"
    assert installer.kind_of_failure(["NewConnectionError", "No matching distribution (from versions: 1.0)"]) == "absent"
    assert installer.kind_of_failure(["BadZipFile", "[Errno 28] No space left on device"]) == "disk"
    assert installer.kind_of_failure(["Retrying ... 'NewConnectionError'", "THESE PACKAGES DO NOT MATCH"]) == "hash"
    assert installer.kind_of_failure([]) == "other"


def test_lines_of_pip_and_uv_become_short_notes():
    assert installer.activity("Collecting numpy<3,>=2.0 (from -r requirements.txt (line 3))") == "collecting numpy<3,>=2.0"
    assert installer.activity("  Downloading numpy-2.4.6-cp311-any.whl (16.6 MB)") == (
        "downloading numpy-2.4.6-cp311-any.whl (16.6 MB)")
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


def test_a_stamp_is_written_as_a_whole(tmp_path):
    stamp = Stamp(tmp_path / "s.json", tmp_path)
    stamp.end("torch", "key", {})
    assert json.loads((tmp_path / "s.json").read_text())["steps"] == {"torch": {"key": "key", "files": {}}}
    assert [p.name for p in tmp_path.iterdir()] == ["s.json"]
    assert Stamp(tmp_path / "s.json", tmp_path).fresh("torch", "key")
    assert Stamp(tmp_path / "s.json", tmp_path / "other").moved
