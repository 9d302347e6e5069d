"""The shipped models: what their recipes say, a whole run on a small scale, and the files themselves."""

import json
import math

import pytest
import torch

from helpers.data import datasets
from helpers.evaluation import yardstick
from helpers.models import language_model
from helpers.models.neural import count_parameters
from helpers.models.rnn import RecurrentLM
from helpers.models.transformer import Config, Transformer
from helpers.tokenizers import course_tokenizer
from helpers.training import recipes
from helpers.training.checkpoint import load_tensors
from helpers.training.recipes import RECIPES, Recipe
from helpers.training.schedule import Plan

SHIPPED = sorted(p.stem for p in recipes.FOLDER.glob("*.safetensors") if p.stem in RECIPES)  # the others are updates, features
SMALL = {
    "lstm": Recipe(
        "rnn",
        dict(kind="lstm", embedding_dim=8, hidden_dim=12, dropout=0.2),
        dict(batch_size=4, length=8),
        dict(steps=6, peak=1e-2, warmup=2, average=0.5),
    ),
    "transformer": Recipe(
        "transformer",
        dict(context_length=16, hidden_dim=16, n_layers=1, n_heads=2, dropout=0.1),
        dict(batch_size=4, length=16),
        dict(steps=9, peak=1e-2, warmup=2, average=0.5),
        (3, 3),
    ),
}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_fits_together_and_its_weights_fit_into_20_mb(name):
    recipe = RECIPES[name]
    plan = Plan(**recipe.plan)
    assert plan.warmup < plan.steps and plan.average > 0 and sum(recipe.cool_down or [plan.steps]) <= plan.steps
    common = dict(vocab_size=4096, start_id=0)
    with torch.device("meta"):
        model = Transformer(Config(**common, **recipe.model), seed=None) if recipe.kind == "transformer" else None
    if model is None:
        model = RecurrentLM(**common, **recipe.model)
    else:
        assert recipe.batches["length"] <= model.context_length
    assert 2 * count_parameters(model) < 20e6
    json.dumps(recipe._asdict())  # it is written beside the weights


def test_an_unknown_name(capsys):
    with pytest.raises(ValueError, match="expected one of lstm, transformer, got 'gpt-5'"):
        recipes.make("gpt-5")
    with pytest.raises(SystemExit) as end:
        recipes.main(["gpt-5"])
    assert end.value.code == 2 and "invalid choice: 'gpt-5'" in capsys.readouterr().err


def test_a_model_that_is_not_there_or_damaged(tmp_path, monkeypatch):
    monkeypatch.setattr(recipes, "FOLDER", tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no checkpoint lstm.safetensors in"):
        recipes.load("lstm")
    (tmp_path / "lstm.safetensors").write_bytes(b"x" * 1000)
    with pytest.raises(ValueError, match="lstm.safetensors cannot be used as a checkpoint: it is damaged"):
        recipes.load("lstm")


def test_documents_are_closed_and_their_bytes_are_those_of_the_texts():
    documents, n_bytes = recipes.documents_of("valid")
    leads = datasets.leads(split="valid")
    tokenizer = course_tokenizer()
    assert len(documents) == len(leads) and n_bytes == sum(len(lead.text.encode()) for lead in leads)
    assert all(d[-1] == tokenizer.end_of_text for d in documents)
    assert tokenizer.decode(documents[3][:-1].tolist()) == leads[3].text


def test_quick_bits_are_the_yardstick_s():
    texts = [lead.text for lead in datasets.leads(split="valid")[:3]]
    tokenizer = course_tokenizer()
    model = RecurrentLM(4096, embedding_dim=4, hidden_dim=4)
    quick = recipes.bits_of(model, language_model.encode_documents(tokenizer, texts), sum(len(t.encode()) for t in texts))
    assert quick == pytest.approx(yardstick.bits_per_byte(model, tokenizer, texts, n_contexts=2).score, rel=1e-6)


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Recipes that take a second, on few leads, in folders of our own."""
    few = {split: datasets.leads(split=split)[:n] for split, n in (("train", 20), ("valid", 3), ("test", 3))}
    monkeypatch.setattr(datasets, "leads", lambda language="en", split=None: few[split])
    monkeypatch.setattr(recipes, "RECIPES", SMALL)
    monkeypatch.setattr(recipes, "FOLDER", tmp_path / "shipped")
    monkeypatch.setattr(recipes, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.delenv("RANK", raising=False)
    threads = torch.get_num_threads()
    yield tmp_path
    torch.set_num_threads(threads)


@pytest.mark.parametrize("name", SMALL)
def test_a_run_that_is_stopped_and_goes_on_ships_what_it_measured(name, small):
    said = []
    place = recipes.train(name, threads=1, steps=4, report=said.append)
    assert place == small / "cache" / "training" / f"{name}-0.safetensors" and place.is_file()
    assert said[-1] == "stopped after step 4; run the same command again to go on" and not (small / "shipped").exists()
    path = recipes.train(name, threads=1, report=said.append)
    assert path == small / "shipped" / f"{name}.safetensors"
    model, facts = recipes.load(name)
    assert facts["command"] == f"python -m helpers.training.recipes {name} --seed 0" and facts["seed"] == 0
    assert facts["tokens"] == 6 * 4 * SMALL[name].batches["length"] and facts["hardware"].startswith("1 thread, ")
    assert [step for step, _, _ in facts["curve"]][-1] == 6 and facts["recipe"] == json.loads(json.dumps(SMALL[name]._asdict()))
    texts = [lead.text for lead in datasets.leads(split="test")]
    measured = yardstick.bits_per_byte(model, course_tokenizer(), texts)
    assert facts["test"] == pytest.approx([measured.score, measured.low, measured.high], abs=2e-4)
    assert load_tensors(path)[0]["embedding.weight"].dtype == torch.float16
    # what is shipped is the average, not the last weights
    kept, _ = load_tensors(place)
    assert torch.equal(model.embedding.weight, kept["average.embedding.weight"].half().float())
    assert not torch.equal(model.embedding.weight, kept["model.embedding.weight"].half().float())


def test_the_command(small, capsys):
    assert recipes.main(["lstm", "--steps", "2", "--threads", "1", "--seed", "7"]) == 0
    out = capsys.readouterr().out
    assert "stopped after step 2" in out and "written: lstm-7.safetensors" in out
    assert (small / "cache" / "training" / "lstm-7.safetensors").is_file()


@pytest.mark.parametrize("name", SHIPPED or ["none"])
def test_a_shipped_model_is_small_documented_and_as_good_as_it_says(name):
    if name == "none":
        pytest.skip("data/checkpoints holds no model yet: python -m helpers.training.recipes NAME makes one")
    path = recipes.FOLDER / f"{name}.safetensors"
    assert path.stat().st_size < 20e6
    model, facts = recipes.load(name)
    assert not facts.get("stand_in"), f"{name} is a stand-in: train it with python -m helpers.training.recipes {name}"
    assert facts["recipe"] == json.loads(json.dumps(RECIPES[name]._asdict())), "the file was made by another recipe"
    assert facts["command"].startswith("python -m helpers.training.recipes ") and facts["hardware"] and facts["seconds"] > 0
    steps, values = [c[0] for c in facts["curve"]], [c[2] for c in facts["curve"]]
    assert steps[-1] == sum(RECIPES[name].cool_down or [RECIPES[name].plan["steps"]]) and values[-1] < values[0]
    texts = [lead.text for lead in datasets.leads(split="test")[:12]]
    measured = yardstick.bits_per_byte(model, course_tokenizer(), texts, n_contexts=5)
    score, low, high = facts["test"]
    assert low < score < high < 1.62  # below the Kneser-Ney 5-gram
    # the interval is four standard errors wide, over all test leads; over so few of them one is that much larger
    spread = (high - low) * math.sqrt(len(datasets.leads(split="test")) / len(texts))
    assert abs(measured.score - score) < spread
