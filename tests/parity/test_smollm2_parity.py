"""SmolLM2 on our own class: the library's logits on real text, the same greedy tokens, the same bits per byte, and the memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers.data import datasets
from helpers.evaluation.yardstick import bits_per_byte
from helpers.models import pretrained
from helpers.models.llama_names import llama_name
from helpers.tokenizers.bpe import BPE

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 1.5e9  # bytes that a process with SmolLM2 may take
CODE = "def add(a, b):\n    '''Sum of two numbers.'''\n    return a + b\n\nfor i in range(10):\n    print(add(i, 2 ** i))\n"


@pytest.fixture(scope="module")
def both():
    """(library model, our model on the same weights, library tokenizer); loaded once."""
    library, tokenizer = pretrained.load_smollm2()
    return library, pretrained.load_own_smollm2(library), tokenizer


def texts(tokenizer):
    leads = [lead.text for lead in datasets.leads(split="test")[:2]]
    chat = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Why is the sky blue?"}], tokenize=False, add_generation_prompt=True
    )
    return {
        "lead": leads[0],
        "another lead": leads[1],
        "chat": chat,
        "code": CODE,
        "one word": "the",
        "other scripts": "Ünïcode 数え 7",
    }


def test_no_weight_is_copied(both):
    library, own, _ = both
    ours = dict(own.named_parameters())
    for name, p in library.named_parameters():
        assert ours[llama_name(name)].data_ptr() == p.data_ptr(), name
    assert sum(p.numel() for p in ours.values()) == 134_515_008


def test_logits_on_real_texts(both):
    library, own, tokenizer = both
    for name, text in texts(tokenizer).items():
        ids = tokenizer(text, return_tensors="pt", add_special_tokens=False).input_ids[:, :160]
        with torch.inference_mode():
            expected, got = library(ids).logits, own(ids)[0]
        assert expected.std() > 1, name
        worst = float((got - expected).abs().max())
        assert worst < 1e-4, f"{name}: {worst:.2e}"


def test_greedy_tokens_with_a_cache(both):
    library, own, tokenizer = both
    chat = [{"role": "user", "content": "Explain in three sentences what a lighthouse is for."}]
    prompt = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    ids = prompt["input_ids"]
    expected = library.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=64,
        do_sample=False,
        eos_token_id=None,
        repetition_penalty=1.0,
        pad_token_id=2,
    )[0, ids.shape[1] :].tolist()
    state, written = own.begin_state(1), []
    with torch.inference_mode():
        logits, state = own(ids, state)
        for _ in range(64):
            written.append(int(logits[0, -1].argmax()))
            logits, state = own(torch.tensor([written[-1:]]), state)
    assert written == expected and len(set(written)) > 15
    assert state.length == ids.shape[1] + 64
    assert state.n_bytes == 46_080 * state.length  # 2 * 30 * 3 * 64 * 4 bytes per token


class Library:
    """The library's model as a `LanguageModel`, by its plain forward pass."""

    vocab_size = 49_152

    def __init__(self, model):
        self.model = model

    @torch.inference_mode()
    def log_probs(self, ids):
        logits = self.model(torch.tensor([[0, *ids]])).logits[0]  # <|endoftext|> stands before a text
        return logits.double().log_softmax(-1).numpy()

    def score(self, ids):
        return self.log_probs(list(ids)[:-1])[np.arange(len(ids)), list(ids)]

    def begin(self, ids=()):
        return type("State", (), {"log_probs": self.log_probs(list(ids))[-1]})


def test_bits_per_byte(both):
    library, own, _ = both
    leads = sorted((lead.text for lead in datasets.leads(split="test")[:40]), key=len)[:4]
    tokenizer = BPE.from_smollm2()
    ours, theirs = (bits_per_byte(model, tokenizer, leads, n_contexts=3) for model in (own, Library(library)))
    assert ours.score == pytest.approx(theirs.score, abs=1e-5) and ours.n_tokens == theirs.n_tokens
    assert 0.3 < ours.score < 1.5
    assert ours.bits == pytest.approx(theirs.bits, rel=1e-4)


ALONE = """
import json, sys
import psutil, torch
from helpers.models import pretrained
from helpers.tokenizers.bpe import BPE
from helpers.evaluation.yardstick import bits_per_byte
torch.set_num_threads(1)
own = pretrained.load_own_smollm2()
tokenizer = BPE.from_smollm2()
state, written = own.begin(tokenizer.encode("The capital of France is")), []
for _ in range(12):
    written.append(int(state.log_probs.argmax()))
    state.advance(written[-1])
scored = float(own.score(tokenizer.encode("A lighthouse guides ships along a dangerous coast. " * 12)).sum())
loaded = [name for name in ("transformers", "gguf", "accelerate") if name in sys.modules]
try:  # not ru_maxrss: a started process inherits the peak of the one that started it
    peak = int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) * 1024
except OSError:
    peak = psutil.Process().memory_info().rss
print(json.dumps({"text": tokenizer.decode(written), "loaded": loaded, "peak": peak, "scored": scored, "training": own.training,
                  "parameters": sum(p.numel() for p in own.parameters())}))
"""


def test_alone_it_needs_no_transformers_and_less_than_a_gigabyte_and_a_half():
    done = subprocess.run(
        [sys.executable, "-c", ALONE],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert found["loaded"] == [] and found["parameters"] == 134_515_008 and not found["training"]
    assert "Paris" in found["text"] and found["scored"] < 0
    assert 0.5e9 < found["peak"] < LIMIT, f"{found['peak'] / 1e9:.2f} GB"
