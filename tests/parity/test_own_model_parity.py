"""SmolLM2 on a reader's own parts is SmolLM2: same ids, same logits, same reply; and the parts are what runs."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from helpers.data import datasets
from helpers.lab import checks, own_package, record
from helpers.lab.own_model import PLACES, OwnChat, Search, model_on, tokenizer_on, weights_on
from helpers.models.pretrained import load_own_smollm2
from helpers.paths import repository_root
from helpers.retrieval import BM25
from helpers.tokenizers import BPE, encode_prompt, user

SOURCES = [
    ("Otter", "The otter is a mammal of rivers. It can stay under water for 8 minutes."),
    ("Lone", "The Lone is a river of 212 km. It rises on Mount Harl."),
    ("Beaver", "The beaver builds dams of wood. A dam can be 850 m long."),
]


def counted(called: set) -> dict:
    """The reference solutions as a reader's parts, each noting that it was called."""

    def noting(id):
        solution = checks.find(id).solution

        def part(*args, **kwargs):
            called.add(id)
            return solution(*args, **kwargs)

        return part

    return {id: noting(id) for id in PLACES}


@pytest.fixture(scope="module")
def ids():
    return encode_prompt(BPE.from_smollm2(), [user("Why is the sky blue?")])


def test_the_parts_give_the_ids_the_logits_and_the_reply_of_the_course(ids):
    called: set = set()
    parts, base = counted(called), BPE.from_smollm2()
    tokenizer = tokenizer_on(parts, base)
    texts = [lead.text for lead in datasets.leads("en")[:12]] + ["naïve 日本 🙂", "  two  blanks\n\n1234", ""]
    assert [tokenizer.encode(t) for t in texts] == [base.encode(t) for t in texts] and "5.5" in called
    plain, own = load_own_smollm2(), model_on(parts, load_own_smollm2())
    with torch.inference_mode():
        difference = (plain(torch.tensor([ids]))[0] - own(torch.tensor([ids]))[0]).abs().max()
    assert difference < 2e-3
    replies = [
        OwnChat(chosen, model, tokenizer, Search(SOURCES, weights_on(chosen))).ask("How long can a dam be?", max_tokens=12)
        for chosen, model in (({}, plain), (parts, own))
    ]
    assert replies[0] == replies[1] and replies[0].source == "Beaver" and replies[0].text
    OwnChat(parts, own, tokenizer).write(ids, 2, temperature=0.8)
    assert called == set(PLACES)


def test_one_part_alone_is_enough(ids):
    plain = load_own_smollm2()
    with torch.inference_mode():
        want = plain(torch.tensor([ids]))[0]
        for id in ("8.3", "8.4", "8.5"):
            got = model_on({id: checks.find(id).solution}, load_own_smollm2())(torch.tensor([ids]))[0]
            assert (got - want).abs().max() < 2e-3, id


def test_a_wrong_part_shows(ids):
    wrong = next(w.answer for w in checks.find("8.4").wrong if w.answer.__name__ == "rotate_even_odd")
    with torch.inference_mode():
        want = load_own_smollm2()(torch.tensor([ids]))[0]
        assert (model_on({"8.4": wrong}, load_own_smollm2())(torch.tensor([ids]))[0] - want).abs().max() > 1


def test_the_search_ranks_as_the_course_s_bm25():
    index = BM25().fit([f"{title}. {text}" for title, text in SOURCES])
    for query in ("How long is the river?", "a dam of wood", "minutes under water", "Mount Harl"):
        assert Search(SOURCES, weights_on({})).best(query) == SOURCES[index.search(query, k=1)[0].index]
    assert Search(SOURCES, weights_on({})).best("quantum") is None


@pytest.fixture
def desk(tmp_path, monkeypatch):
    for name in ("CI", "COURSE_STRICT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))
    return tmp_path


def test_mine_lists_and_writes_a_package_that_is_tested_and_chats(desk):
    for id in ("8.5", "10.1", "4.4"):
        source = "import math\nimport numpy as np\nimport torch\n\n\n" + checks.solution_source(id)
        record.keep(id, checks.find(id).name, source)
    lines = own_package.listed()
    assert any(line.startswith("  yours   8.5") for line in lines) and lines[-1].startswith("3 of ")
    assert own_package.write(desk / "my_model") == 3 and own_package.write(desk / "my_model") == 3
    env = {**os.environ, "PYTHONPATH": str(repository_root()), "COURSE_QUIET": "1"}
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "my_model"],
        cwd=desk,
        env=env,
        capture_output=True,
        text=True,
    )
    assert tested.returncode == 0 and "3 passed" in tested.stdout, tested.stdout + tested.stderr
    chat = subprocess.run(
        [sys.executable, "-m", "my_model.chat"], cwd=desk, env=env, capture_output=True, text=True, input="Where is Oslo?\n\n"
    )
    assert chat.returncode == 0 and "yours  8.5" in chat.stdout and "course 8.3" in chat.stdout, chat.stdout + chat.stderr
    assert "Model: " in chat.stdout


@pytest.mark.parametrize("name", ["my model", "1st", "my-model"])
def test_a_name_that_can_be_no_package_is_refused(desk, name):
    with pytest.raises(ValueError, match="package"):
        own_package.write(desk / name)


def test_another_folder_is_left_alone(desk):
    (desk / "work").mkdir()
    (desk / "work" / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="holds something else"):
        own_package.write(desk / "work")
    assert json.dumps([p.name for p in (desk / "work").iterdir()]) == '["thesis.txt"]'


def test_the_sampler_draws_from_the_nucleus():
    parts = {id: checks.find(id).solution for id in ("10.1", "10.2")}
    chat = OwnChat(parts, None, None)
    logits = np.log(np.array([0.6, 0.3, 0.06, 0.04]))
    drawn = {chat.choose(logits, 1.0, 0.85) for _ in range(60)}
    assert drawn == {0, 1} and OwnChat({}, None, None).choose(logits, 0.0, 0.9) == 0
