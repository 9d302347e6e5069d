"""The recorded runs of chapter 09's second half are whole, and SmolLM2's own run works on a tiny model."""

import json

import numpy as np
import pytest
import torch

from helpers.files import save_json
from helpers.finetuning import dpo
from helpers.finetuning.preferences import answer_log_probs
from helpers.models.transformer import Config, Transformer
from helpers.studies import preferences as preference_study


def test_the_committed_study_is_whole():
    parts = preference_study.load()["parts"]
    assert set(parts) == set(preference_study.PARTS)
    for part in parts.values():
        assert part["hardware"] and part["seconds"] > 0
    assert len({run["seed"] for run in parts["arithmetic"]["runs"]}) >= 3
    assert {run["negatives"] for run in parts["retrieval"]["runs"]} == {"in the batch", "hard, 3 skipped", "hardest"}
    assert {run["k"] for run in parts["fewshot"]["runs"]} == {8, 16}


def test_what_the_notebook_says_of_the_study():
    parts = preference_study.load()["parts"]
    for run in parts["arithmetic"]["runs"]:
        drawn = {name: run[name][1] for name in ("start", "rejection", "all samples", "dpo 0.1")}
        assert drawn["rejection"] > drawn["start"] > drawn["all samples"] and drawn["dpo 0.1"] < drawn["start"]
    for run in parts["fewshot"]["runs"]:
        assert run["tuned"] > run["frozen"] > run["tfidf"]
    before = np.mean(1 / np.array(parts["retrieval"]["facts"]["before"]))
    for run in parts["retrieval"]["runs"]:
        if run["negatives"] == "in the batch":
            assert np.mean(1 / np.array(run["ranks"])) > before


@pytest.mark.parametrize(
    "content",
    [{}, {"parts": {}}, {"parts": {name: {"runs": []} for name in preference_study.PARTS}}],
)
def test_an_unfinished_study_is_refused(tmp_path, content):
    path = tmp_path / "preferences.json"
    save_json(path, content)
    with pytest.raises(ValueError, match="no preference study"):
        preference_study.load(path)


def test_an_unknown_part_is_refused(capsys):
    assert preference_study.main(["nothing"]) == 2 and "unknown part nothing" in capsys.readouterr().err


class Words:
    """A tokenizer of single letters, with the marks of a chat."""

    special_tokens = {"<|im_end|>": 1}

    def encode(self, text):
        return [2 + ord(c) % 28 for c in text]

    def decode(self, ids):
        return " ".join(map(str, ids))


def test_dpo_with_lora_leaves_the_model_as_it_was():
    model = Transformer(Config(30, context_length=32, hidden_dim=16, n_layers=1, n_heads=2), seed=0).eval()
    pairs = [dpo.Pair([3 + i, 4, 5], [6, 7, 1], [8 + i, 9, 1], "6 7") for i in range(4)]
    before = {name: p.clone() for name, p in model.named_parameters()}
    references = [dpo.log_probs_of(model, pairs)] * 2
    told = dpo.tune_and_measure(model, Words(), pairs, pairs, references, beta=0.5, seed=0, steps=8, batch_size=4, peak=0.05)
    assert all(torch.equal(p, before[name]) for name, p in model.named_parameters())
    assert told["losses"][0] == pytest.approx(0.6931, abs=1e-3) and told["losses"][-1] < 0.6
    after = told["after"]
    assert after["beats"] == 4 and len(after["kl_each"]) == 4 and after["chosen"] - after["rejected"] > 0
    x, y = dpo.batch_of([(p.prompt, p.chosen) for p in pairs])
    assert torch.allclose(answer_log_probs(model, x, y), references[0][0], atol=1e-5)
    assert after["nll"] > 0 and np.isfinite(after["kl"])


def test_the_first_sentence():
    assert dpo.first_sentence("It is a river. It is long.") == "It is a river."
    assert dpo.first_sentence("Born 3.5 km from here in 1950. Then") == "Born 3.5 km from here in 1950."
    assert len(dpo.first_sentence("a" * 500)) == 130


def test_a_stopped_study_goes_on(tmp_path, monkeypatch):
    def part(add, fact, done):
        fact(n=1)
        for seed in range(3):
            if not done(seed=seed):
                calls.append(seed)
                add({"seed": seed})
                if seed == stop:
                    raise KeyboardInterrupt

    calls, stop = [], 1
    monkeypatch.setattr(preference_study.STUDY, "file", tmp_path / "preferences.json")
    monkeypatch.setattr(preference_study, "PARTS", {"small": part})
    threads = torch.get_num_threads()
    with pytest.raises(KeyboardInterrupt):
        preference_study.main([])
    stop = None
    assert preference_study.main(["small"]) == 0 and calls == [0, 1, 2]
    torch.set_num_threads(threads)
    runs = preference_study.load(tmp_path / "preferences.json")["parts"]["small"]["runs"]
    assert [run["seed"] for run in runs] == [0, 1, 2]


def test_any_text_can_be_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(preference_study.STUDY, "file", tmp_path / "preferences.json")
    study = {"parts": {"dpo": {"text": 'a {"b": {', "runs": [{"n": 1}]}}}
    preference_study.STUDY.keep(study)
    assert study.items() <= json.loads((tmp_path / "preferences.json").read_text()).items()
    assert study == preference_study.STUDY.so_far()
