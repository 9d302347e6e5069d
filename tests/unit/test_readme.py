"""README, catalog of chapters, Binder files and license: what stands there is true."""

import json
import re
from pathlib import Path

import pytest

import helpers
from helpers import chapters
from helpers.course.commands import readme

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
RESULTS = json.loads((ROOT / "data" / "results.json").read_text(encoding="utf-8"))


def test_the_table_is_made_from_the_results():
    assert readme.updated(README, RESULTS) == README, "run: python3 course.py run --record"


def test_every_ready_chapter_is_measured_and_within_its_budget():
    for c in chapters.CHAPTERS:
        if c.ready:
            run = RESULTS["notebooks"][c.number]
            assert run["seconds"] < 120 and run["peak_mb"] < 1500, (c.number, run)


def test_a_readme_without_markers_is_refused():
    with pytest.raises(ValueError, match="marker"):
        readme.updated("# nothing", RESULTS)


def test_unmeasured_and_planned_chapters_say_so():
    text = readme.table({})
    assert "not measured" in text and ("in work" in text or all(c.ready for c in chapters.CHAPTERS))


def test_chapters_need_only_earlier_ones():
    numbers = [c.number for c in chapters.CHAPTERS]
    assert numbers == [f"{k:02d}" for k in range(12)]
    for c in chapters.CHAPTERS:
        assert all(n < c.number for n in c.needs)
    with pytest.raises(ValueError, match="00 to 11"):
        chapters.chapter("12")


def test_links_carry_the_address():
    for address in chapters.links("01").values():
        assert helpers.REPOSITORY in address and helpers.RELEASE in address and address.endswith("01_linear_regression.ipynb")


def test_local_links_of_the_readme_exist():
    for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
    for target in re.findall(r'src="(?!https?://)([^"]+)"', README):
        assert (ROOT / target).exists(), target


def test_pictures_of_the_readme_have_alt_text():
    assert all(len(alt) > 25 for alt in re.findall(r"!\[([^\]]*)\]", README))
    assert re.search(r"!\[", README), "the picture is missing"


def test_binder_installs_through_course_py_and_never_plain_torch():
    assert (ROOT / "binder" / "runtime.txt").read_text().strip() == "python-3.12"
    build = (ROOT / "binder" / "postBuild").read_text()
    assert "set -e" in build and "course.py setup --here" in build
    packages = [
        line for line in (ROOT / "binder" / "requirements.txt").read_text().splitlines() if line and not line.startswith("#")
    ]
    assert not [p for p in packages if p.startswith(("torch", "transformers"))], "these would pull the CUDA build of torch"


# The hosts are put together from parts, so that this file names none of them either.
HOSTS = ["py" + "pi.org", "python" + "hosted.org", "download.py" + "torch.org", "ana" + "conda.org", "npm" + "js.org"]
OWN_PATHS = re.compile(r"(?<![\w.])/(?:root|work|home/(?!me\b|jovyan\b)\w+)/")


def tracked():
    skip = {".git", ".venv", "build", "__pycache__", ".ruff_cache", ".pytest_cache", ".hypothesis", ".ipynb_checkpoints"}
    for path in ROOT.rglob("*"):
        if path.is_file() and not skip & set(path.relative_to(ROOT).parts) and path.suffix not in {".png", ".safetensors"}:
            yield path


def test_no_file_names_a_package_host_or_a_path_of_our_machines():
    for path in tracked():
        text = path.read_text(encoding="utf-8", errors="ignore")
        assert not [h for h in HOSTS if h in text], path
        found = OWN_PATHS.search(text)
        assert not found or "tests" in path.relative_to(ROOT).parts, (path, found and found[0])


def test_the_ladders_of_the_readme_tell_every_rung():
    for board, file in readme.PICTURES.items():
        assert (ROOT / file).read_bytes().startswith(b"\x89PNG")
        told = next(line for line in README.splitlines() if file in line)
        for rung in RESULTS[board]:
            assert f"{rung['rung']} {rung['score']:.3f} ({rung['low']:.3f} to {rung['high']:.3f})" in told
