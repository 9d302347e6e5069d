"""The models that the course trains for hours and ships: what they are, how they were made, where they lie.

    python -m helpers.training.recipes lstm            trains it (or goes on) and writes data/checkpoints/lstm.safetensors
    python -m helpers.training.recipes transformer
    torchrun --nproc-per-node 2 -m helpers.training.recipes transformer      the same on several processes

Choices were made on the validation leads; the test leads are read once, at the end.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from helpers import hardware
from helpers.paths import SettingError, cache_folder, repository_root

__all__ = ["FOLDER", "RECIPES", "Recipe", "bits_of", "documents_of", "load", "main", "make"]

FOLDER = repository_root() / "data" / "checkpoints"


class Recipe(NamedTuple):
    """A model and its training: arguments of RecurrentLM or Config, of the batches, and of `schedule.Plan`.

    cool_down: (step, length): leave the plan at that step and let the learning rate fall to its floor over so many more.
    """

    kind: str  # "rnn" or "transformer"
    model: dict[str, Any]
    batches: dict[str, Any]
    plan: dict[str, Any]
    cool_down: tuple[int, int] | None = None


RECIPES = {
    "lstm": Recipe(
        "rnn",
        dict(kind="lstm", embedding_dim=256, hidden_dim=512, n_layers=1, dropout=0.25),
        dict(batch_size=32, length=64),
        dict(steps=7000, peak=2e-3, warmup=200, floor=0.02, weight_decay=0.05, clip=1.0, average=0.998),
        cool_down=(4700, 900),
    ),
    "transformer": Recipe(
        "transformer",
        dict(context_length=256, hidden_dim=192, n_layers=4, n_heads=4, dropout=0.1),
        dict(batch_size=4, length=256),
        dict(steps=40_000, peak=2e-3, warmup=200, floor=0.02, weight_decay=0.1, clip=1.0, average=0.998),
        cool_down=(12_250, 3750),
    ),
}


def documents_of(split: str) -> tuple[list, int]:
    """The leads of a split as ids of the course's tokenizer, each closed by the end-of-text id; and their bytes."""
    from helpers.data import datasets
    from helpers.models import language_model
    from helpers.tokenizers import course_tokenizer

    texts = [lead.text for lead in datasets.leads(split=split)]
    return language_model.encode_documents(course_tokenizer(), texts), sum(len(t.encode("utf-8")) for t in texts)


def bits_of(model, documents: Sequence, n_bytes: int) -> float:
    """Bits per byte without interval and without the checks of `language_model.bits_per_byte`: quick, for curves."""
    import numpy as np

    return -sum(float(s.sum()) for s in model.score_batch(documents)) / np.log(2) / n_bytes


def make(name: str, seed: int = 0):
    """An untrained model of the recipe and its batches. Raises ValueError for an unknown name."""
    if name not in RECIPES:
        raise ValueError(f"expected one of {', '.join(RECIPES)}, got {name!r}")
    from helpers.models.language_model import end_of_text
    from helpers.models.rnn import RecurrentLM
    from helpers.models.transformer import Config, Transformer
    from helpers.tokenizers import course_tokenizer
    from helpers.training.batches import Streams, Windows

    recipe, tokenizer = RECIPES[name], course_tokenizer()
    common = dict(vocab_size=tokenizer.vocab_size, start_id=end_of_text(tokenizer))
    documents, _ = documents_of("train")
    if recipe.kind == "rnn":
        return RecurrentLM(**common, **recipe.model, seed=seed), Streams(documents, **recipe.batches, seed=seed)
    return Transformer(Config(**common, **recipe.model), seed=seed), Windows(documents, **recipe.batches, seed=seed)


def load(name: str):
    """The shipped model and the facts of its training. Raises FileNotFoundError when it is not there, ValueError when damaged."""
    from helpers.training.checkpoint import load_model

    return load_model(FOLDER / f"{name}.safetensors")


def train(name: str, seed: int = 0, threads: int = 2, steps: int | None = None, device: str = "cpu", report=print) -> Path:
    """Train a recipe to its end (or `steps` more), going on from its checkpoint in the cache folder; then ship the weights."""
    import torch

    from helpers.evaluation.yardstick import bits_per_byte
    from helpers.training.checkpoint import save_model
    from helpers.training.schedule import Plan
    from helpers.training.trainer import Trainer

    # 1. the model, its batches, and what is told on the way
    torch.set_num_threads(threads)
    model, data = make(name, seed)
    model.to(device)
    valid, n_bytes = documents_of("valid")
    first = int(os.environ.get("RANK", 0)) == 0
    say = report if first else (lambda text: None)

    def evaluate(model) -> float:
        bits = bits_of(model, valid, n_bytes)
        h = trainer.history
        recent = h.losses[-200:]
        say(
            f"step {trainer.step:6}  {h.tokens / 1e6:6.2f} M tokens  {h.seconds:7.0f} s  "
            f"training loss {sum(recent) / len(recent):.3f} nats per token  validation {bits:.4f} bits per byte"
        )
        return bits

    # 2. train by the plan, or up to where the recipe leaves it and cools down
    place = cache_folder() / "training" / f"{name}-{seed}.safetensors"
    plan = Plan(**RECIPES[name].plan, seed=seed)
    trainer = Trainer(model, data, plan, evaluate=evaluate, evaluate_every=1000, checkpoint=place, checkpoint_every=200)
    if (cool_down := RECIPES[name].cool_down) and trainer.cooling is None:
        (leave, length), before = cool_down, trainer.step
        trainer.run(leave - before if steps is None else min(steps, leave - before))
        steps = None if steps is None else steps - (trainer.step - before)
        if trainer.step == leave:
            trainer.cool_down(length)
    if steps != 0 and not trainer.interrupted:
        trainer.run(steps)
    if trainer.step < trainer.last_step or not first:
        say(f"stopped after step {trainer.step}; run the same command again to go on")
        return place
    # 3. judge the averaged weights on the test leads, and ship them
    with trainer.averaged():
        from helpers.data import datasets
        from helpers.tokenizers import course_tokenizer

        model.half().float()  # the shipped file holds 16 bits, so measure what is shipped
        test = bits_per_byte(model, course_tokenizer(), [lead.text for lead in datasets.leads(split="test")])
        say(f"test leads: {test} bits per byte")
        h = trainer.history
        curve = [[step, step * data.batch_size * data.length, round(value, 4)] for step, value in h.evaluations]
        facts = {
            "command": f"python -m helpers.training.recipes {name} --seed {seed}",
            "seed": seed,
            "recipe": RECIPES[name]._asdict(),
            "tokens": h.tokens,
            "seconds": round(h.seconds),
            "hardware": hardware.hardware(threads, device),
            "curve": curve,
            "test": [round(v, 4) for v in (test.score, test.low, test.high)],
        }
        return save_model(model, FOLDER / f"{name}.safetensors", facts, dtype=torch.float16)


def main(arguments: Sequence[str]) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser("python -m helpers.training.recipes", description="Train a model that the course ships.")
    parser.add_argument("name", choices=sorted(RECIPES))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=None, help="default: COURSE_THREADS, or 2")
    parser.add_argument("--steps", type=int, default=None, help="only so many more steps")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    options = parser.parse_args(arguments)
    try:
        options.threads = options.threads or hardware.threads()
    except SettingError as error:
        parser.error(str(error))
    from helpers.training import distributed

    distributed.join(options.device)
    path = train(**vars(options), report=lambda text: print(text, flush=True))
    print(f"written: {path.name}")
    return distributed.leave()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
