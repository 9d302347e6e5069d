"""The study behind chapter 10: its parts run with any model over SmolLM2's tokens; the committed file is complete."""

import json

import numpy as np
import pytest

from helpers.data.datasets import leads
from helpers.files import save_json
from helpers.generation import sampling
from helpers.models.transformer import Config, Transformer
from helpers.studies import sampling as study
from helpers.studies import sampling_tasks
from helpers.tokenizers.bpe import BPE


@pytest.fixture(scope="module")
def tokenizer():
    return BPE.from_smollm2()


@pytest.fixture(scope="module")
def tiny(tokenizer):
    """An untrained model of 8 channels over SmolLM2's 49,152 tokens."""
    return Transformer(Config(tokenizer.vocab_size, context_length=1024, hidden_dim=8, n_layers=1, n_heads=1), seed=0).eval()


def test_what_fits_the_schema():
    good = {"name": "Nile", "kind": "place", "living": False}
    assert sampling_tasks.fits(good)
    for change in ({"kind": "river"}, {"living": "false"}, {"name": ""}, {"name": 3}, {"name": "x" * 41}, {"more": 1}):
        assert not sampling_tasks.fits(good | change)
    assert not sampling_tasks.fits([good]) and not sampling_tasks.fits({"name": "Nile"})


def test_the_last_number_is_the_answer():
    assert sampling_tasks.last_number(" 5 + 3 = 8, 8 + 1 = 9") == 9 and sampling_tasks.last_number(" 17.") == 17
    assert sampling_tasks.last_number("none") is None


def test_examples_are_of_different_topics_and_never_of_the_test():
    chosen = sampling_tasks.topic_examples(3, 8)
    assert len({x.topic for x in chosen}) == 8
    assert chosen == sampling_tasks.topic_examples(3, 8) != sampling_tasks.topic_examples(4, 8)
    assert not {x.title for x in chosen} & {x.title for x in leads(split="valid")}
    with pytest.raises(ValueError, match="at most 11"):
        sampling_tasks.topic_examples(0, 12)


def test_votes_shots_and_thought_count_what_they_say(tiny, tokenizer):
    rows = study.votes(tiny, tokenizer, n=2, items=1)["rows"]
    assert len(rows) == 9 and all(len(r["answers"]) == len(r["log_probs"]) == 2 and len(r["numbers"]) == 2 for r in rows)
    assert {r["kind"] for r in rows} == {"one digit", "two digits"} and {r["seed"] for r in rows} == {0, 1, 2}
    made = study.shots(tiny, tokenizer, items=2, seeds=(0,))
    assert len(made["rows"]) == 10 and len(made["orders"]) == 12 and all(0 <= r["right"] <= r["n"] == 2 for r in made["rows"])
    styles = study.thought(tiny, tokenizer, items=2, seeds=(0,))["rows"]
    assert [r["style"] for r in styles] == ["direct", "steps", "filler"]


def test_a_mask_makes_every_answer_fit_even_of_an_untrained_model(tiny, tokenizer):
    rows = study.json_(tiny, tokenizer, items=2, seeds=(0,))["rows"]
    assert [r["way"] for r in rows] == ["prompt", "prompt", "example", "example", "mask", "mask"]
    assert all(r["valid"] and r["fits"] for r in rows if r["way"] == "mask") and not any(r["fits"] for r in rows[:4])


def test_curve_and_injection(tiny, tokenizer):
    made = study.curve(tiny, tokenizer, n_texts=2, n_tokens=6, settings={"greedy": sampling.GREEDY}, seeds=(0,))["rows"]
    assert [r["sampler"] for r in made] == ["human text", "greedy"] and all(r["perplexity"] > 1 for r in made)
    assert len(study.injection(tiny, tokenizer, items=1)["rows"]) == 2 * len(sampling_tasks.ATTACKS)


def test_the_committed_study_is_complete():
    made = study.load()
    assert set(made["parts"]) == set(study.PARTS) and made["command"] == "python -m helpers.studies.sampling"
    rows = made["parts"]["votes"]["rows"]
    assert len(rows) == 54 and all(len(r["answers"]) == 64 for r in rows)
    assert all(sampling_tasks.fits(json.loads(r["text"])) for r in made["parts"]["json"]["rows"] if r["way"] == "mask")
    confident = made["parts"]["confidence"]["rows"]
    assert sum(r["kind"] == "invented" for r in confident) == 60 and all(0 <= r["p"] <= 1 for r in confident)
    assert np.mean([r["right"] for r in confident if r["kind"] == "capital"]) > 0.3


def test_an_unfinished_study_is_told(tmp_path):
    file = tmp_path / "sampling.json"
    save_json(file, {"parts": {}})  # as it was written, but not a whole study
    with pytest.raises(ValueError, match="holds no sampling study .*git checkout -- data/sampling.json"):
        study.load(file)
    with pytest.raises(FileNotFoundError):
        study.load(tmp_path / "nothing.json")


def test_unknown_parts_are_refused(capsys):
    assert study.main(["votes", "nonsense"]) == 2 and "nonsense" in capsys.readouterr().err
