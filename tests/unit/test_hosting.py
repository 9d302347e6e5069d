"""Where the course runs elsewhere: Binder, dev container, JupyterHub, and the workflow that tests it and publishes the site."""

import json
import os
import re
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

import helpers
from helpers import chapters
from helpers.course.commands import address
from helpers.course.commands.testing import STEPS
from helpers.data import weights_cache

ROOT = Path(__file__).resolve().parents[2]
RESULTS = json.loads((ROOT / "data" / "results.json").read_text(encoding="utf-8"))
BINDER_MB = 2000  # what a session may hold before its kernel is ended
SERVER_MB = 250  # JupyterLab's server with its extensions, and a terminal beside it


# --- Binder ---------------------------------------------------------------------------------------------------------------


def test_only_files_that_binder_knows_and_no_other_way_to_choose_python():
    """environment.yml, a Dockerfile or setup.py in the folder would make Binder pass over runtime.txt."""
    assert sorted(p.name for p in (ROOT / "binder").iterdir()) == ["postBuild", "requirements.txt", "runtime.txt"]
    version = re.fullmatch(r"python-(\d+)\.(\d+)", (ROOT / "binder" / "runtime.txt").read_text().strip())
    assert (3, 11) <= (int(version[1]), int(version[2])) <= (3, 13)


def test_the_build_script_starts_on_linux():
    script = ROOT / "binder" / "postBuild"
    assert script.read_bytes().startswith(b"#!/usr/bin/env bash\n") and b"\r" not in script.read_bytes()
    if os.name != "nt":
        assert script.stat().st_mode & stat.S_IXUSR


@pytest.mark.skipif(os.name == "nt", reason="the script is for Binder's Linux")
def test_the_build_does_what_setup_does_and_stops_at_the_first_failure(tmp_path):
    """A python3 that only writes down how it was called stands in for the real one."""
    calls = tmp_path / "calls"
    fake = tmp_path / "python3"
    fake.write_text(f'#!/bin/sh\necho "$PIP_NO_CACHE_DIR $COURSE_CACHE|$@" >> {calls}\nexit "${{FAIL:-0}}"\n')
    fake.chmod(0o755)
    env = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}
    subprocess.run(["bash", ROOT / "binder" / "postBuild"], cwd=ROOT, env=env, check=True)
    lines = calls.read_text().splitlines()
    # The cache folder is the default one, in the image's home: so the converted weights are there when a session starts.
    assert lines[0] == "1 |course.py setup --here"
    assert not any("rm " in line for line in (ROOT / "binder" / "postBuild").read_text().splitlines())
    calls.unlink()
    failed = subprocess.run(["bash", ROOT / "binder" / "postBuild"], cwd=ROOT, env={**env, "FAIL": "3"}, check=False)
    assert failed.returncode == 3 and len(calls.read_text().splitlines()) == 1


def test_the_set_up_that_binder_runs_converts_the_weights():
    from helpers.course.commands.environment import Environment, Setup

    names = [step.name for step in Setup(Environment(ROOT, Path(sys.executable), True)).steps()]
    assert names == ["torch", "packages", "data", "check", "weights"]


@pytest.mark.parametrize("number", sorted(RESULTS["notebooks"]))
def test_each_notebook_leaves_room_for_the_server_on_binder(number):
    run = RESULTS["notebooks"][number]
    assert run["peak_mb"] + SERVER_MB < BINDER_MB, f"chapter {number} holds {run['peak_mb']} MB"


def test_every_ready_chapter_was_measured_on_a_machine_like_binder():
    for c in chapters.CHAPTERS:
        if c.ready:
            run = RESULTS["notebooks"][c.number]
            assert run["profile"] == "cpu" and "Linux" in run["hardware"] and "+cu" not in run["versions"]["torch"]


@pytest.mark.parametrize("chapter", [c for c in chapters.CHAPTERS if c.ready], ids=lambda c: c.number)
def test_the_links_open_the_chapter_that_they_name(chapter):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    links = chapters.links(chapter.number)
    binder = urlsplit(links["Binder"])
    assert binder.netloc == "mybinder.org" and binder.path == f"/v2/gh/{helpers.REPOSITORY}/{helpers.RELEASE}"
    opened = parse_qs(binder.query)["urlpath"][0]
    assert opened.startswith("lab/tree/") and (ROOT / opened.removeprefix("lab/tree/")).exists()
    colab = urlsplit(links["Colab"]).path.removeprefix(f"/github/{helpers.REPOSITORY}/blob/{helpers.RELEASE}/")
    assert (ROOT / colab).exists()
    assert links["Binder"] in readme and links["Colab"] in readme


# --- dev container ----------------------------------------------------------------------------------------------------------


def container() -> dict:
    text = (ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8")
    return json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE))


def test_the_container_sets_the_course_up():
    from helpers.course.commands.lab import PORT

    made = container()
    known = {
        "name",
        "image",
        "hostRequirements",
        "containerEnv",
        "postCreateCommand",
        "forwardPorts",
        "portsAttributes",
        "customizations",
    }
    assert set(made) <= known, "a key that the format does not have?"
    major, minor = map(int, re.fullmatch(r"python:(\d)\.(\d+)-\w+", made["image"]).groups())
    assert (3, 11) <= (major, minor) <= (3, 13)
    assert made["forwardPorts"] == [PORT] and list(made["portsAttributes"]) == [str(PORT)]
    assert made["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"].endswith("/.venv/bin/python")
    assert made["hostRequirements"]["cpus"] >= 2 and int(made["hostRequirements"]["memory"].removesuffix("gb")) >= 4
    assert_course_command(made["postCreateCommand"])


def assert_course_command(line: str) -> None:
    """Whether course.py understands a command line that a file names."""
    sys.path.insert(0, str(ROOT))
    import course

    words = line.split()
    assert words[0] in ("python", "python3") and words[1] == "course.py"
    course.parse(words[2:])


# --- workflow ---------------------------------------------------------------------------------------------------------------

WORKFLOW = ROOT / ".github" / "workflows" / "course.yml"


@pytest.fixture(scope="module")
def workflow() -> dict:
    loaded = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    loaded["on"] = loaded.pop(True)  # YAML 1.1 reads the key `on` as true
    return loaded


def steps(workflow: dict):
    for name, job in workflow["jobs"].items():
        for step in job["steps"]:
            yield name, step


def test_the_workflow_has_only_known_keys(workflow):
    assert set(workflow) <= {"name", "on", "permissions", "concurrency", "jobs", "env"}
    assert set(workflow["on"]) == {"push", "pull_request", "workflow_dispatch"}
    job_keys = {"name", "runs-on", "timeout-minutes", "strategy", "steps", "needs", "if", "permissions", "environment", "env"}
    for job in workflow["jobs"].values():
        assert set(job) <= job_keys and job["timeout-minutes"] <= 180
    for _, step in steps(workflow):
        assert set(step) <= {"name", "id", "if", "uses", "with", "run", "env"} and ("uses" in step) != ("run" in step)


def test_three_systems_and_three_pythons(workflow):
    matrix = workflow["jobs"]["test"]["strategy"]["matrix"]
    assert sorted(name.split("-")[0] for name in matrix["system"]) == ["macos", "ubuntu", "windows"]
    assert matrix["python"] == ["3.11", "3.12", "3.13"], "a version must be a string: 3.10 would be 3.1"
    assert workflow["jobs"]["test"]["strategy"]["fail-fast"] is False


def test_each_action_is_pinned_by_its_commit_and_names_the_tag(workflow):
    text = WORKFLOW.read_text(encoding="utf-8")
    used = [step["uses"] for _, step in steps(workflow) if "uses" in step]
    assert used
    for action in used:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", action), action
        assert re.search(re.escape(action) + r" # v\d+\.\d+\.\d+$", text, re.MULTILINE), action


def test_permissions_are_the_least_that_will_do(workflow):
    assert workflow["permissions"] == {"contents": "read"}
    granted = {name: job["permissions"] for name, job in workflow["jobs"].items() if "permissions" in job}
    assert granted == {"publish": {"pages": "write", "id-token": "write"}}
    for _, step in steps(workflow):
        if step.get("uses", "").startswith("actions/checkout"):
            assert step["with"]["persist-credentials"] is False
    assert "secrets." not in WORKFLOW.read_text(encoding="utf-8") and "pull_request_target" not in workflow["on"]


def test_it_publishes_only_from_main_and_only_what_was_tested(workflow):
    publish = workflow["jobs"]["publish"]
    assert (
        "refs/heads/main" in publish["if"]
        and "pull_request" in publish["if"]
        and set(publish["needs"]) == {"test", "site", "old"}
    )
    upload = next(s for n, s in steps(workflow) if n == "site" and "upload-pages" in s.get("uses", ""))
    build = next(s for n, s in steps(workflow) if n == "site" and "run" in s)
    assert build["run"].endswith("--out " + upload["with"]["path"])


def test_its_commands_are_course_commands_and_name_real_steps(workflow):
    for _, step in steps(workflow):
        if "course.py" in step.get("run", ""):
            assert_course_command(step["run"])
            chosen = re.search(r"--steps (\S+)", step["run"])
            assert not chosen or set(chosen[1].split(",")) <= set(STEPS)
            assert "browser" not in chosen[1] if chosen else True
    assert (
        sum("course.py test" in s.get("run", "") for _, s in steps(workflow)) == 3
    )  # all, all but the browser, the oldest versions
    chromium = next(s for _, s in steps(workflow) if "chromium" in s.get("run", ""))
    assert "Linux" in chromium["if"]


def test_caches_depend_on_files_that_exist(workflow):
    text = WORKFLOW.read_text(encoding="utf-8")
    for step in (s for _, s in steps(workflow) if "with" in s):
        for name in step["with"].get("cache-dependency-path", "").split():
            assert (ROOT / name).is_file(), name
    for group in re.findall(r"hashFiles\(([^)]+)\)", text):
        for name in re.findall(r"'([^']+)'", group):
            assert (ROOT / name).is_file(), name
    assert "from-counts-to-chat" in text


# --- JupyterHub ---------------------------------------------------------------------------------------------------------------

HUB = (ROOT / "docs" / "jupyterhub.md").read_text(encoding="utf-8")


def test_the_link_for_a_class_names_the_repository_the_release_and_a_notebook():
    link = re.search(r"https://HUB/hub/user-redirect/git-pull\?\S+", HUB)[0]
    asked = {key: value[0] for key, value in parse_qs(urlsplit(link).query).items()}
    assert asked["repo"] == f"https://github.com/{helpers.REPOSITORY}" and asked["branch"] == helpers.RELEASE
    folder, name = asked["urlpath"].removeprefix("lab/tree/").split("/", 1)
    assert folder == helpers.REPOSITORY.split("/")[1] and (ROOT / name).exists()


def test_the_address_command_reaches_the_page():
    assert ROOT / "docs" / "jupyterhub.md" in address.files(ROOT)
    assert list(address.places(HUB, address.current(ROOT)))
    assert address.disagreeing(ROOT, address.current(ROOT)) == []


def test_the_settings_and_commands_that_the_page_names_exist():
    sources = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "helpers").rglob("*.py"))
    for name in set(re.findall(r"COURSE_[A-Z]+", HUB)):
        assert f'"{name}"' in sources, name
    values = yaml.safe_load(re.search(r"```\n# Zero[^\n]*\n(.*?)```", HUB, re.DOTALL)[1])["singleuser"]
    assert values["memory"]["limit"] == "2G" and values["cpu"]["limit"] == 2
    assert all(isinstance(value, str) for value in values["extraEnv"].values()), "an environment variable is a text"
    commands = set(re.findall(r"course\.py [a-z]+(?: --[a-z]+)?", HUB))
    assert {"course.py setup --here", "course.py doctor --here"} <= commands
    for target in re.findall(r"`(helpers/[\w/]+)`", HUB):
        assert (ROOT / target).exists(), target


def test_the_page_promises_no_more_memory_than_the_limit():
    largest = max(run["peak_mb"] for run in RESULTS["notebooks"].values())
    told = float(re.search(r"no notebook may hold more than ([\d.]+) GB", HUB)[1])
    assert largest / 1000 <= told and told + SERVER_MB / 1000 < 2


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become somebody else")
def test_a_shared_cache_may_be_read_only():
    """A process without rights uses a cache that belongs to somebody else, and keeps its progress elsewhere."""
    code = """
import os, pathlib, sys
from helpers.data import weights_cache
from helpers.lab import record as progress
cache, own = map(pathlib.Path, sys.argv[1:])
os.setgid(65534); os.setuid(65534)
weights_cache.check(cache / "weights-1")
weights_cache.check(cache / "weights-1", full=True)
try:
    (cache / "x").write_text("x")
    print("the cache can be written")
except PermissionError:
    print("read-only")
os.environ.update(COURSE_CACHE=str(cache)); os.environ.pop("COURSE_PROGRESS", None)
progress.remember("1.1"); print(progress.solved())
os.environ["COURSE_PROGRESS"] = str(own / "progress.json")
progress.remember("1.1"); print(list(progress.solved()))
"""
    with tempfile.TemporaryDirectory() as folder:
        cache, own = Path(folder, "cache"), Path(folder, "own")
        for path in (cache, own):
            path.mkdir()
        weights_cache.build(cache / "weights-1", lambda aside: (aside / "w").write_bytes(b"123") and None, {}, 1000)
        subprocess.run(["chmod", "-R", "a+rX", cache], check=True)  # as the page says
        os.chmod(folder, 0o755)
        os.chmod(own, 0o777)
        env = {k: v for k, v in os.environ.items() if k not in ("CI", "COURSE_STRICT")}
        command = [sys.executable, "-c", code, cache, own]
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["read-only", "{}", "['1.1']"], done.stdout + done.stderr
