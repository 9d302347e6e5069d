"""Models on disk: every number back, refused when damaged, never half written."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch

from helpers.models.rnn import RecurrentLM
from helpers.models.transformer import Config, Transformer
from helpers.training import checkpoint
from helpers.training.checkpoint import FORMAT, build, load_model, load_tensors, save_model, save_tensors

ROOT = Path(__file__).resolve().parents[2]
IDS = torch.tensor([[1, 5, 2, 8, 3]])
MODELS = {
    "lstm": lambda: RecurrentLM(11, kind="lstm", embedding_dim=6, hidden_dim=8, dropout=0.1, start_id=2, seed=3),
    "untied own gru": lambda: RecurrentLM(11, kind="gru", embedding_dim=6, hidden_dim=6, n_layers=2, tied=False, backend="own"),
    "transformer": lambda: Transformer(Config(11, context_length=8, hidden_dim=16, n_layers=2, n_heads=4, n_kv_heads=2), seed=3),
    "untied transformer": lambda: Transformer(
        Config(11, hidden_dim=16, n_layers=1, tied=False, norm="layer", positions="learned", activation="gelu", start_id=4)
    ),
}
every_model = pytest.mark.parametrize("name", MODELS)


@every_model
def test_a_model_comes_back_bit_for_bit(name, tmp_path):
    model = MODELS[name]()
    path = save_model(model, tmp_path / "a" / "m.safetensors", {"seed": 3, "curve": [[1, 2.5]]})
    other, facts = load_model(path)
    assert facts["seed"] == 3 and facts["curve"] == [[1, 2.5]] and facts["class"] == type(model).__name__
    assert other.settings == model.settings and not other.training
    theirs = other.state_dict()
    assert list(theirs) == list(model.state_dict())
    for key, t in model.state_dict().items():
        assert theirs[key].dtype == t.dtype and torch.equal(theirs[key], t), key
    a, b = model.eval()(IDS)[0], other(IDS)[0]
    # torch's kernels and the written-out loop round differently in the last place
    assert torch.equal(a, b) if "own" not in name else torch.allclose(a, b, atol=1e-6)


@every_model
def test_sixteen_bits_round_once_and_to_the_nearest(name, tmp_path):
    model = MODELS[name]()
    whole = save_model(model, tmp_path / "whole.safetensors")
    path = save_model(model, tmp_path / "half.safetensors", dtype=torch.float16)
    other, _ = load_model(path)
    for key, t in model.state_dict().items():
        back = other.state_dict()[key]
        assert back.dtype == torch.float32 and torch.equal(back, t.half().float())
        assert ((back - t).abs() <= t.abs() * 2**-11 + 2**-25).all()  # half a unit in the last place of 11 bits
    again = save_model(other, tmp_path / "again.safetensors", dtype=torch.float16)
    assert all(torch.equal(a, b) for a, b in zip(load_tensors(path)[0].values(), load_tensors(again)[0].values()))
    assert path.stat().st_size < whole.stat().st_size
    assert (model.eval()(IDS)[0] - other(IDS)[0]).abs().max() < 0.05


def test_tied_weights_are_stored_once_and_stay_tied(tmp_path):
    model = MODELS["transformer"]()
    path = save_model(model, tmp_path / "m.safetensors")
    assert not any("out" in key for key in load_tensors(path)[0])
    other, _ = load_model(path)
    assert other.output()[0] is other.embedding.weight


def test_tensors_that_share_memory_can_be_saved(tmp_path):
    x = torch.arange(6.0).view(2, 3)
    path = save_tensors(tmp_path / "t.safetensors", {"a": x, "b": x, "c": x.T, "d": x[0]}, {"k": [1, None, "é"]})
    tensors, facts = load_tensors(path)
    assert torch.equal(tensors["a"], x) and torch.equal(tensors["c"], x.T) and torch.equal(tensors["d"], x[0])
    assert facts == {"k": [1, None, "é"]}


# ---------------------------------------------------------------------------------------------------------- damaged files


def spoil(path, how):
    data = path.read_bytes()
    if how == "truncated":
        path.write_bytes(data[: len(data) // 2])
    elif how == "cut in the header":
        path.write_bytes(data[:20])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "garbage":
        path.write_bytes(bytes(range(256)) * 20)
    elif how == "header overwritten":
        path.write_bytes(data[:8] + b"x" * 40 + data[48:])
    elif how == "too long":
        path.write_bytes(data + b"more")
    elif how == "another program's":
        safetensors.torch.save_file({"w": torch.zeros(2)}, path, metadata={"format": "pt"})
    elif how == "no metadata":
        safetensors.torch.save_file({"w": torch.zeros(2)}, path)
    elif how == "facts missing":
        safetensors.torch.save_file({"w": torch.zeros(2)}, path, metadata={"format": FORMAT})
    elif how == "facts cut":
        safetensors.torch.save_file({"w": torch.zeros(2)}, path, metadata={"format": FORMAT, "facts": "{"})
    elif how == "pickle":
        torch.save({"w": torch.zeros(2)}, path)


@pytest.mark.parametrize(
    "how",
    [
        "truncated",
        "cut in the header",
        "empty",
        "garbage",
        "header overwritten",
        "too long",
        "another program's",
        "no metadata",
        "facts missing",
        "facts cut",
        "pickle",
    ],
)
def test_a_damaged_or_foreign_file_is_refused(how, tmp_path):
    path = save_model(MODELS["lstm"](), tmp_path / "m.safetensors")
    spoil(path, how)
    for load in (load_model, load_tensors):
        with pytest.raises(
            ValueError,
            match="m.safetensors cannot be used as a checkpoint: it is damaged, cut short, or not "
            "one of this course .*Take it from the repository again",
        ):
            load(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no checkpoint m.safetensors in nowhere/"):
        load_model(tmp_path / "nowhere" / "m.safetensors")
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path)  # a folder


@pytest.mark.parametrize(
    "change",
    [
        lambda tensors, facts: tensors.pop("embedding.weight"),
        lambda tensors, facts: tensors.update({"more": torch.zeros(1)}),
        lambda tensors, facts: tensors.update({"embedding.weight": torch.zeros(3, 3)}),
        lambda tensors, facts: facts.update({"class": "Perceptron"}),
        lambda tensors, facts: facts.pop("class"),
        lambda tensors, facts: facts.pop("settings"),
        lambda tensors, facts: facts["settings"].update({"n_wheels": 4}),
        lambda tensors, facts: facts["settings"].update({"vocab_size": 12}),
    ],
    ids=[
        "weight missing",
        "weight left over",
        "other shape",
        "other class",
        "no class",
        "no settings",
        "unknown setting",
        "other vocabulary",
    ],
)
@pytest.mark.parametrize("name", ["lstm", "transformer"])
def test_weights_that_do_not_fit_their_settings(name, change, tmp_path):
    tensors, facts = load_tensors(save_model(MODELS[name](), tmp_path / "m.safetensors"))
    change(tensors, facts)
    save_tensors(tmp_path / "m.safetensors", tensors, facts)
    with pytest.raises(ValueError, match="m.safetensors does not hold the weights that its settings ask for"):
        load_model(tmp_path / "m.safetensors")


def test_a_file_cannot_run_code(tmp_path):
    """safetensors holds numbers and text; a pickle, which could run code, is refused before anything in it is looked at."""

    class Harm:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)

    torch.save({"model": Harm()}, tmp_path / "m.safetensors")
    with pytest.raises(ValueError):
        load_model(tmp_path / "m.safetensors")
    assert not (tmp_path / "harm").exists()
    with pytest.raises(KeyError, match="unknown kind of model 'os.system'"):
        build("os.system", {})


# -------------------------------------------------------------------------------------------------------- atomic writing


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_while_writing_leaves_the_old_file(error, tmp_path, monkeypatch):
    path = save_model(MODELS["lstm"](), tmp_path / "m.safetensors", {"number": 1})
    old = path.read_bytes()

    def fails(descriptor):
        raise error

    monkeypatch.setattr(os, "fsync", fails)  # all is written, and then the disk says no
    with pytest.raises(type(error)):
        save_model(MODELS["transformer"](), path, {"number": 2})
    assert path.read_bytes() == old and [p.name for p in tmp_path.iterdir()] == ["m.safetensors"]
    monkeypatch.undo()
    assert load_model(path)[1]["number"] == 1


def test_facts_that_are_no_json_leave_the_old_file(tmp_path):
    path = save_tensors(tmp_path / "t.safetensors", {"a": torch.zeros(1)}, {"number": 1})
    with pytest.raises(TypeError):
        save_tensors(path, {"a": torch.zeros(1)}, {"number": object()})
    assert load_tensors(path)[1] == {"number": 1} and len(list(tmp_path.iterdir())) == 1


def test_a_process_that_is_killed_while_writing_leaves_the_old_file(tmp_path):
    path = save_tensors(tmp_path / "t.safetensors", {"a": torch.zeros(1)}, {"number": 1})
    code = (
        "import os, sys, torch\nfrom helpers.training import checkpoint\n"
        "os.fsync = lambda descriptor: os._exit(9)\ncheckpoint.save_tensors(sys.argv[1], {'a': torch.ones(1)}, {})\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], cwd=ROOT).returncode == 9
    assert load_tensors(path)[1] == {"number": 1}


def test_the_facts_are_readable_by_others(tmp_path):
    path = save_model(MODELS["lstm"](), tmp_path / "m.safetensors", {"command": "train it"})
    with safetensors.safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    assert metadata["format"] == FORMAT == checkpoint.FORMAT and json.loads(metadata["facts"])["command"] == "train it"
