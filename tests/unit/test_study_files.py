"""A study's file whose numbers are not those that were written is refused, in words that say how to get it back."""

import importlib
import json
import re
import shutil

import pytest

from helpers.retrieval import stored_vectors
from helpers.studies.study import DIGEST, StudyFile

STUDIES = [
    importlib.import_module(f"helpers.studies.{name}").STUDY
    for name in ("finetuning", "preferences", "rag", "sampling", "scaling")
]


@pytest.mark.parametrize("study", STUDIES, ids=lambda s: s.name)
def test_one_changed_digit_is_noticed(study, tmp_path):
    path = tmp_path / study.file.name
    text = study.file.read_text(encoding="utf-8")
    places = [m.start() for m in re.finditer(r"(?<=\.)\d", text)]
    at = places[len(places) // 2]
    path.write_text(text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :], encoding="utf-8")
    with pytest.raises(ValueError, match=f"git checkout data/{path.name}"):
        study.load(path)
    shutil.copy(study.file, path)
    assert study.load(path) == study.load() and DIGEST not in study.load()


def test_what_is_kept_is_read_again_and_written_over_what_was_there(tmp_path):
    study = StudyFile("made_up", "study of nothing", holds=lambda content: content["runs"])
    path = tmp_path / "made_up.json"
    study.keep({"runs": [0.1, (1, 2)], "of": {3: "three"}}, path)
    assert study.load(path) == study.so_far(path) == {"runs": [0.1, [1, 2]], "of": {"3": "three"}}
    study.keep(study.so_far(path) | {"more": 1}, path)
    assert study.load(path)["more"] == 1 and json.loads(path.read_text())[DIGEST]
    path.write_text('{"runs": [0.1]}')
    with pytest.raises(ValueError, match="not those that were written"):
        study.load(path)


def test_a_flipped_bit_among_the_stored_vectors_is_noticed(tmp_path):
    path = tmp_path / stored_vectors.FILE.name
    data = bytearray(stored_vectors.FILE.read_bytes())
    data[-1000] ^= 1
    path.write_bytes(data)
    shutil.copy(stored_vectors.NUMBERS, tmp_path)
    with pytest.raises(ValueError, match="git checkout data"):
        stored_vectors.load(path)
    assert stored_vectors.load().shape == (10_033, 384)
