"""A file in data/ whose content is not what was written is refused, in words that say how to get it back."""

import importlib
import json
import random
import re
import shutil

import pytest

from helpers.course.commands.console import Problem
from helpers.course.commands.readme import recorded
from helpers.files import DIGEST, load_json
from helpers.lab import ladder
from helpers.retrieval import stored_vectors
from helpers.studies.study import StudyFile

STUDIES = [
    importlib.import_module(f"helpers.studies.{name}").STUDY
    for name in ("finetuning", "preferences", "rag", "sampling", "scaling")
]
FILES = [study.file for study in STUDIES] + [ladder.results_file()]


def another_digit(text: str) -> str:
    """The text with one of its decimals changed: still a whole JSON file."""
    places = [m.start() for m in re.finditer(r"(?<=\.)\d", text)]
    at = places[len(places) // 2]
    return text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :]


@pytest.mark.parametrize("study", STUDIES, ids=lambda s: s.name)
def test_one_changed_digit_is_noticed(study, tmp_path):
    path = tmp_path / study.file.name
    path.write_text(another_digit(study.file.read_text(encoding="utf-8")), encoding="utf-8")
    for read in (study.load, study.so_far):  # what goes on from damaged numbers would give them a new digest
        with pytest.raises(ValueError, match=f"git checkout -- data/{path.name}"):
            read(path)
    shutil.copy(study.file, path)
    assert study.load(path) == study.load() and DIGEST not in study.load()


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_a_flipped_bit_is_noticed_or_changes_nothing(file, tmp_path):
    data, whole, draw, refused = file.read_bytes(), load_json(file), random.Random(0), 0
    for _ in range(200):
        flipped = bytearray(data)
        flipped[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        (tmp_path / file.name).write_bytes(flipped)
        try:
            assert load_json(tmp_path / file.name) == whole
        except ValueError:
            refused += 1
    assert refused > 150


def test_damaged_results_are_refused_by_all_who_read_them(tmp_path, monkeypatch):
    path = tmp_path / "results.json"
    path.write_text(another_digit(ladder.results_file().read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(Problem) as told:
        recorded(path)
    assert told.value.fix == "Restore it: git checkout -- data/results.json"
    monkeypatch.setattr(ladder, "results_file", lambda: path)
    monkeypatch.delenv("COURSE_RESULTS", raising=False)
    with pytest.raises(ValueError, match="git checkout -- data/results.json"):
        ladder.rungs("classification")
    monkeypatch.setenv("COURSE_RESULTS", str(path))
    with pytest.raises(ValueError, match="delete it"):
        ladder.rungs("classification")


def test_what_is_kept_is_read_again_and_written_over_what_was_there(tmp_path):
    study = StudyFile("made_up", "study of nothing", holds=lambda content: content["runs"])
    path = tmp_path / "made_up.json"
    assert study.so_far(path) == {}
    study.keep({"runs": [0.1, (1, 2)], "of": {3: "three"}}, path)
    assert study.load(path) == study.so_far(path) == {"runs": [0.1, [1, 2]], "of": {"3": "three"}}
    study.keep(study.so_far(path) | {"more": 1}, path)
    assert study.load(path)["more"] == 1 and json.loads(path.read_text())[DIGEST]
    for text in ('{"runs": [0.1]}', "[]", "{"):
        path.write_text(text)
        for read in (study.load, study.so_far):
            with pytest.raises(ValueError, match="git checkout -- data/made_up.json"):
                read(path)


@pytest.mark.parametrize("place", [0, 9, 200, 5000, -1000])  # length, shape, facts and numbers
def test_a_flipped_bit_among_the_stored_vectors_is_noticed(place, tmp_path):
    path = tmp_path / stored_vectors.FILE.name
    data = bytearray(stored_vectors.FILE.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    for digest in (False, True):
        if digest:
            shutil.copy(stored_vectors.DIGEST, tmp_path)
        with pytest.raises(ValueError, match="git checkout -- data/leads_minilm.safetensors data/leads_minilm.sha256"):
            stored_vectors.load(path)


def test_a_checkout_with_line_ends_of_windows_is_whole(tmp_path):
    path = shutil.copy(stored_vectors.FILE, tmp_path)
    (tmp_path / stored_vectors.DIGEST.name).write_bytes(stored_vectors.DIGEST.read_bytes().replace(b"\n", b"\r\n"))
    assert stored_vectors.load(path).shape == (10_033, 384)
    (tmp_path / "results.json").write_bytes(ladder.results_file().read_bytes().replace(b"\n", b"\r\n"))
    assert recorded(tmp_path / "results.json") == ladder.results()
