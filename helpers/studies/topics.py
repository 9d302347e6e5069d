"""The topics part of the finetuning study: SmolLM2 as a classifier of leads, in four ways.

The label as text before and after finetuning (the likeliest first token among the eleven names), a head on frozen features, and
a head trained together with LoRA. A few hundred leads, the first 20 tokens of each: the command of `studies.finetuning` runs it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from helpers.data import datasets
from helpers.finetuning import tasks as f
from helpers.paths import repository_root
from helpers.tokenizers.chat_template import Example
from helpers.tokenizers.labels import IGNORE
from helpers.training.checkpoint import load_tensors, save_tensors

__all__ = ["FEATURES", "features", "topics"]

FEATURES = repository_root() / "data" / "checkpoints" / "topic_features.safetensors"
N_TRAIN, N_TEST, N_TOKENS, STEPS, BATCH = 240, 220, 20, 30, 8


def rows() -> tuple[list, list, list[str]]:
    """Some training leads and test leads, and the topics in order."""
    train, test = (f.shuffled([lead for lead in datasets.leads(split=s) if lead.topic]) for s in ("train", "test"))
    return train[:N_TRAIN], test[:N_TEST], sorted({lead.topic for lead in test})


def prompt_end(example: Example) -> int:
    """The place of the last token of the prompt: one further, and a head reads the answer itself.

    Counting the hidden labels would go wrong: the line break behind the reply is hidden, too.
    """
    return next(i for i, label in enumerate(example.labels) if label != IGNORE) - 1


def topics(s: Any, seeds) -> Iterator[dict[str, Any]]:
    """The part: yields runs with the predicted topics of all test leads, as numbers."""
    train, test, names = rows()
    piece = lambda lead: s.tokenizer.decode(s.tokenizer.encode(lead.text)[:N_TOKENS])  # noqa: E731
    examples = {
        n: f.chat_examples(s.tokenizer, [(f.topic(piece(lead)), lead.topic) for lead in some])
        for n, some in (("train", train), ("test", test))
    }
    streams = {n: s.kept(f"topics-{n}-{len(e)}", lambda e=e: s.upper.stems(e)) for n, e in examples.items()}
    last = {n: [prompt_end(e) for e in some] for n, some in examples.items()}
    first = torch.tensor([s.tokenizer.encode(name)[0] for name in names])
    y = torch.tensor([names.index(lead.topic) for lead in train])

    def at_end(which: str, chosen) -> torch.Tensor:
        """(N, C) features at the last token of each prompt."""
        x, _ = s.upper.batch(streams[which], examples[which], chosen)
        return s.upper.features(x)[torch.arange(len(chosen)), torch.tensor([last[which][i] for i in chosen])]

    @torch.no_grad()
    def everywhere(which: str, f) -> torch.Tensor:
        n = len(examples[which])
        return torch.cat([f(at_end(which, range(at, min(at + 40, n)))) for at in range(0, n, 40)])

    def trained(parameters: list, seed: int, loss=None) -> dict[str, Any]:
        """Train on the leads; what is recorded of it."""
        begin, settings = time.perf_counter(), dict(steps=STEPS, batch=BATCH, rate=2e-3, seed=seed, loss=loss)
        s.upper.fit(parameters, streams["train"], examples["train"], **settings)
        return {"seed": seed, "seconds": round(time.perf_counter() - begin, 1), "n_train": N_TRAIN}

    as_text = lambda h: s.upper.model.logits(h)[:, first].argmax(-1)  # noqa: E731
    s.upper.restore()
    if 0 in seeds:
        begin = time.perf_counter()
        kept = {n: everywhere(n, lambda h: h) for n in ("train", "test")}
        save_tensors(FEATURES, {n: h.half() for n, h in kept.items()}, {"seconds": round(time.perf_counter() - begin, 1)})
        yield {"name": "label as text, before", "predicted": as_text(kept["test"]).tolist(), "n_train": 0, "seconds": 0}
    for seed in seeds:
        run = trained(s.lora(seed=seed), seed)
        yield {"name": "label as text, LoRA", **run, "predicted": everywhere("test", as_text).tolist()}
    for seed in seeds:
        adapters, head = s.lora(seed=seed), torch.nn.Linear(s.upper.model.config.hidden_dim, len(names))
        torch.nn.init.zeros_(head.weight)
        loss = lambda x, _, chosen, head=head: F.cross_entropy(head(at_end("train", chosen)), y[chosen])  # noqa: E731
        run = trained([*adapters, *head.parameters()], seed, loss)
        predicted = everywhere("test", lambda h, head=head: head(h).argmax(-1))
        yield {"name": "head and LoRA", **run, "predicted": predicted.tolist()}


def features() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """SmolLM2's frozen features of the prompts, as shipped: X_train (N, C), y_train, X_test, y_test, and the topics."""
    tensors, _ = load_tensors(FEATURES)
    train, test, names = rows()
    y_train, y_test = (np.array([names.index(lead.topic) for lead in some]) for some in (train, test))
    return tensors["train"].float().numpy(), y_train, tensors["test"].float().numpy(), y_test, names
