"""What the parts of the finetuning study share: SmolLM2 with its lower blocks frozen, the tasks, and what is measured.

To fit one laptop core, only the upper blocks are trained, from FIRST on; the streams below them are computed once
(`frozen_blocks.Upper`) and kept in the cache folder.
"""

from __future__ import annotations

import io
import math
import time
from collections.abc import Sequence
from typing import Any, cast

from helpers.files import write_atomic
from helpers.paths import cache_folder, repository_root

__all__ = ["ADAPTERS", "BATCH", "FIRST", "QKVO", "RATE", "STEPS", "Run", "Session"]

ADAPTERS = repository_root() / "data" / "checkpoints"
FIRST = 15  # the lowest block that is trained
QKVO = ("q", "k", "v", "o")
N_TRAIN, N_TEST, STEPS, BATCH, RATE = 200, 64, 50, 4, 4e-3
Run = dict[str, Any]


class Session:
    """The model, the tokenizer, and what several parts need, each made once."""

    def __init__(self) -> None:
        import torch

        from helpers.finetuning.frozen_blocks import Upper
        from helpers.models import pretrained
        from helpers.tokenizers.bpe import BPE

        self.torch, self.tokenizer = torch, BPE.from_smollm2()
        self.end = self.tokenizer.special_tokens["<|im_end|>"]
        self.upper = Upper(pretrained.load_own_smollm2(), FIRST)
        self.made: Run = {}

    def kept(self, name: str, make) -> Any:
        """What `make` computes, kept in the cache folder from one call of the command to the next."""
        path = cache_folder() / "training" / f"finetuning-{FIRST}-{name}.pt"
        if not path.exists():
            self.torch.save(make(), saved := io.BytesIO())
            write_atomic(path, saved.getvalue())
        return self.torch.load(path)

    def describing(self) -> Run:
        """Examples and streams of the short-description task: training, test, and the test prompts."""
        if "describe" not in self.made:
            from helpers.data import datasets
            from helpers.finetuning import tasks as f
            from helpers.finetuning.frozen_blocks import Prompts

            pairs = {
                s: f.describe_prompts(self.tokenizer, datasets.leads(split=s), n)
                for s, n in (("train", N_TRAIN), ("test", N_TEST))
            }
            made: Run = {"leads": [lead for lead, _ in pairs["test"]], "questions": [m for _, m in pairs["test"]]}
            for s, found in pairs.items():
                made[s] = f.chat_examples(self.tokenizer, [(m, cast(str, lead.description)) for lead, m in found])
                made[s + "_x"] = self.kept(f"describe-{s}-{len(found)}", lambda s=s: self.upper.stems(made[s]))
            made["all"] = f.chat_examples(
                self.tokenizer, [(m, cast(str, lead.description)) for lead, m in pairs["train"]], prompt_loss=True
            )
            made["prompts"] = Prompts(self.upper, f.chat_prompts(self.tokenizer, made["questions"]))
            self.made["describe"] = made
        return self.made["describe"]

    def judged(self, replies: bool = True) -> Run:
        """The model as it is on the test descriptions: nats of each reference, and its replies as text."""
        d = self.describing()
        nats, counts = self.upper.nats(d["test_x"], d["test"])
        result = {"nats": [round(float(v), 3) for v in nats], "tokens": [int(v) for v in counts]}
        if replies:
            written = d["prompts"].replies(16, self.end)
            result |= {"replies": [self.tokenizer.decode(ids) for ids, _ in written], "ended": [int(e) for _, e in written]}
        return result

    def bits(self) -> dict[str, float]:
        """Bits per byte of held-out passages of three kinds."""
        if "passages" not in self.made:
            from helpers.data import datasets
            from helpers.tokenizers.chat_template import Example

            plays = [s.text for play in datasets.plays(split="test") for s in play.speeches if 250 <= len(s.text) <= 500][:8]
            kinds = {
                "leads": [lead.text[:350] for lead in datasets.leads(split="test")][200:208],
                "plays": plays,
                "reviews": [r.text[:350] for r in datasets.reviews("imdb", split="test")][:8],
            }
            self.made["passages"] = {}
            for kind, texts in kinds.items():
                examples = [Example(i, i, False) for i in ([0, *self.tokenizer.encode(t)] for t in texts)]
                streams = self.kept(f"passages-{kind}", lambda e=examples: self.upper.stems(e))
                self.made["passages"][kind] = (examples, streams, sum(len(t.encode()) for t in texts))
        return {
            kind: round(float(self.upper.nats(x, e, 4)[0].sum() / math.log(2) / n), 4)
            for kind, (e, x, n) in self.made["passages"].items()
        }

    def lora(self, rank: int = 8, targets=QKVO, seed: int = 0) -> list:
        """A fresh start with updates on the upper blocks; returns what is trained."""
        from helpers.finetuning import lora

        self.upper.restore()
        lora.add_lora(self.upper.blocks, targets, rank=rank, alpha=2.0 * rank, seed=seed)
        return lora.lora_parameters(self.upper.blocks)

    def fit(self, trained: list, examples: Sequence, *, seed: int, rate: float = RATE) -> Run:
        """Train on descriptions; returns the losses and the seconds."""
        begin = time.perf_counter()
        losses = self.upper.fit(trained, self.describing()["train_x"], examples, steps=STEPS, batch=BATCH, rate=rate, seed=seed)
        return {"seed": seed, "seconds": round(time.perf_counter() - begin, 1), "losses": losses}

    def keep(self, name: str, **facts: Any) -> None:
        """Write the updates of the model as it is to data/checkpoints."""
        from helpers.finetuning import lora
        from helpers.training.checkpoint import save_tensors

        facts |= {
            "rank": 8,
            "alpha": 16,
            "targets": list(QKVO),
            "first": FIRST,
            "command": "python -m helpers.studies.finetuning",
        }
        tensors = {n: t.half() for n, t in lora.lora_weights(self.upper.model).items()}
        save_tensors(ADAPTERS / f"{name}.safetensors", tensors, facts)
