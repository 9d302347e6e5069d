"""The finetuning study: what SmolLM2 gains and loses by each way of adapting it, over seeds.

The runs train the upper blocks of SmolLM2 (`finetuning_session`); the part `small` uses the course's own Transformer, all of it.

    python -m helpers.studies.finetuning [part | part:seed ...]    writes data/finetuning.json, run by run (an hour of one core)
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any, cast

from helpers.studies.finetuning_session import ADAPTERS, BATCH, FIRST, QKVO, RATE, STEPS, Run, Session
from helpers.studies.study import StudyFile

__all__ = ["ADAPTERS", "PARTS", "Session", "load", "main", "runs"]

STUDY = StudyFile(
    "finetuning", "finetuning study", holds=lambda study: study["parts"]["base"][0]["nats"], style={"ensure_ascii": False}
)
load = STUDY.load  # its "parts" by name, each a list of runs
SEEDS = (0, 1, 2)
SMALL_STEPS = 40


def base(s: Session, seeds) -> Iterator[Run]:
    """Before: the untouched model, asked alone, and with three examples in front of the question."""
    s.upper.restore()  # another part may have run before
    yield {"name": "base", **s.judged(), "bits": s.bits()}
    from helpers.data import datasets
    from helpers.finetuning import tasks as f
    from helpers.tokenizers.chat_template import assistant

    shots = f.describe_prompts(s.tokenizer, datasets.leads(split="train"), 500)[-3:]
    front = [m for lead, q in shots for m in (*q, assistant(cast(str, lead.description)))]
    questions = [[*front, *q] for q in s.describing()["questions"][:40]]  # three times as long, so fewer of them
    replies = f.write_replies(s.upper.model, f.chat_prompts(s.tokenizer, questions), 16, s.end, batch_size=20)
    yield {
        "name": "three examples in the prompt",
        "replies": [s.tokenizer.decode(r) for r in replies],
        "ended": [int(len(r) < 16) for r in replies],
    }


def describe(s: Session, seeds) -> Iterator[Run]:
    """The main run, over seeds; the updates of seed 0 are kept."""
    for seed in seeds:
        facts = s.fit(s.lora(seed=seed), s.describing()["train"], seed=seed)
        if seed == 0:
            s.keep("describe_lora", task="short descriptions", steps=STEPS, rate=RATE)
        yield {"name": "LoRA", **facts, **s.judged(), "bits": s.bits()}


def abstain(s: Session, seeds) -> Iterator[Run]:
    """Nationalities: told or not told, before and after learning to say "not stated"."""
    from helpers.data import datasets
    from helpers.finetuning import tasks as f
    from helpers.finetuning.frozen_blocks import Prompts

    persons = f.people(datasets.leads())
    train, test = ([p for p in persons if (p.split == "train") == t] for t in (True, False))
    train = train[:80]
    pairs = [(f.nationality(p.told), p.nationality) for p in train] + [(f.nationality(p.untold), f.NOT_STATED) for p in train]
    examples = f.chat_examples(s.tokenizer, pairs)
    streams = s.kept("abstain", lambda: s.upper.stems(examples))
    prompts = Prompts(s.upper, f.chat_prompts(s.tokenizer, [f.nationality(t) for p in test for t in (p.told, p.untold)]))
    answered = lambda: [s.tokenizer.decode(ids) for ids, _ in prompts.replies(14, s.end)]  # noqa: E731
    s.upper.restore()
    if 0 in seeds:
        yield {"name": "base", "titles": [p.title for p in test], "replies": answered()}
    for seed in seeds:
        losses = s.upper.fit(s.lora(seed=seed), streams, examples, steps=32, batch=5, rate=2e-3, seed=seed)
        if seed == 0:
            s.keep("abstain_lora", task="nationality, or not stated", steps=32, rate=2e-3)
        yield {"name": "told and untold", "seed": seed, "losses": losses, "replies": answered(), "bits": s.bits()}
    if 0 in seeds:
        half = len(train)
        s.upper.fit(s.lora(seed=0), streams[:half], examples[:half], steps=32, batch=5, rate=2e-3, seed=0)
        yield {"name": "told only", "seed": 0, "replies": answered()}


def mistakes(s: Session, seeds) -> Iterator[Run]:
    """Loss on the prompt too, and an end mark that does not count."""
    from helpers.tokenizers.labels import IGNORE

    d = s.describing()
    endless = [e._replace(labels=[IGNORE if i == s.end else i for i in e.labels]) for e in d["train"]]
    for seed in seeds:
        yield {"name": "loss on prompt tokens", **s.fit(s.lora(seed=seed), d["all"], seed=seed), **s.judged(), "bits": s.bits()}
        yield {"name": "end mark masked as padding", **s.fit(s.lora(seed=seed), endless, seed=seed), **s.judged()}


def forgetting(s: Session, seeds) -> Iterator[Run]:
    """All weights of the upper blocks by learning rate, against LoRA: what is learned, what is lost."""
    d = s.describing()
    for seed in seeds:
        for rate in (1e-4, 1e-3):
            s.upper.restore()
            s.upper.blocks.requires_grad_(True)
            facts = s.fit(list(s.upper.blocks.parameters()), d["train"], seed=seed, rate=rate)
            yield {"name": "all weights", "rate": rate, **facts, **s.judged(replies=False), "bits": s.bits()}


def ranks(s: Session, seeds) -> Iterator[Run]:
    """The rank, at alpha = 2 r; rank 8 is the main run."""
    for seed in seeds:
        for rank in (1, 32):
            facts = s.fit(s.lora(rank=rank, seed=seed), s.describing()["train"], seed=seed)
            yield {"name": "rank", "rank": rank, **facts, **s.judged(replies=False)}


def matrices(s: Session, seeds) -> Iterator[Run]:
    """Which matrices are adapted, at about the same number of trained weights."""
    from helpers.models.neural import count_parameters

    for seed in seeds:
        for targets, rank in ((("q", "v"), 16), (("q", "k"), 16), (("gate", "up", "down"), 4)):
            trained = s.lora(rank=rank, targets=targets, seed=seed)
            n = count_parameters(s.upper.blocks, trainable=True)
            facts = s.fit(trained, s.describing()["train"], seed=seed)
            yield {"name": "matrices", "targets": list(targets), "rank": rank, "parameters": n, **facts, **s.judged(False)}


def small(s: None, seeds) -> Iterator[Run]:
    """The course's own Transformer learns Shakespeare: LoRA by rank (alpha 2 r, and alpha 16), all weights
    by rate; bits per byte of plays and leads."""
    from helpers.finetuning import lora
    from helpers.finetuning.tasks import shakespeare
    from helpers.models.neural import count_parameters
    from helpers.training import recipes
    from helpers.training.batches import Windows
    from helpers.training.schedule import Plan
    from helpers.training.trainer import Trainer

    train, held = shakespeare()
    for seed in seeds:
        settings = [("LoRA", rank, 2.0 * rank, 1e-2) for rank in (1, 2, 4, 8, 32)]
        settings += [("LoRA, alpha 16", rank, 16.0, 1e-2) for rank in (1, 2, 4, 32)]
        settings += [("all weights", 0, 0.0, r) for r in (1e-4, 1e-3, 1e-2)]
        for name, rank, alpha, rate in settings:
            model, _ = recipes.load("transformer")
            if rank:
                lora.add_lora(model, QKVO, rank=rank, alpha=alpha, seed=seed)
            plan = Plan(steps=SMALL_STEPS, peak=rate, warmup=5, weight_decay=0.0, seed=seed)
            Trainer(model, Windows(train, 8, 64, seed=seed), plan).run()
            bits = {k: round(float(recipes.bits_of(model, *v)), 4) for k, v in held.items()}
            yield {
                "name": name,
                "rank": rank,
                "rate": rate,
                "seed": seed,
                "bits": bits,
                "parameters": count_parameters(model, trainable=True),
            }


def topics(s: Session, seeds) -> Iterator[Run]:
    """Classification of the leads; see `studies.topics`."""
    from helpers.studies import topics as topic_study

    yield from topic_study.topics(s, seeds)


PARTS = {p.__name__: p for p in (base, describe, abstain, mistakes, small, topics, forgetting, ranks, matrices)}


def runs(study: dict[str, Any], part: str, **wanted: Any) -> list[Run]:
    """The runs of a part with these settings, by seed. Raises ValueError when there is none."""
    found = [r for r in study["parts"].get(part, []) if all(r.get(k) == v for k, v in wanted.items())]
    if not found:
        raise ValueError(f"expected settings of a recorded run of part {part!r}, got {wanted}")
    return sorted(found, key=lambda r: r.get("seed", 0))


def keep(part: str, run: Run) -> None:
    """Put a run into the file, in place of one with the same settings."""
    study = (STUDY.so_far() or {"parts": {}}) | STUDY.origin()
    study |= {
        "seeds": list(SEEDS),
        "setting": f"blocks {FIRST} to 29, {STEPS} steps of {BATCH} examples, AdamW, rate {RATE}",
    }
    settings = lambda r: [r.get(k) for k in ("name", "seed", "rank", "rate", "targets")]  # noqa: E731
    others = [r for r in study["parts"].get(part, []) if settings(r) != settings(run)]
    study["parts"][part] = [*others, run]
    STUDY.keep(study)


def main(arguments: Sequence[str]) -> int:
    """Do the named parts (all of them for no name; "part:1" for one seed). Returns the exit status."""
    wanted = [a.partition(":") for a in STUDY.wanted(arguments, PARTS, seeds=True)]
    if not wanted:
        return 2
    session: Any = Session() if any(name != "small" for name, _, _ in wanted) else None
    begin = time.perf_counter()
    for name, _, seed in wanted:
        for run in PARTS[name](session, (int(seed),) if seed else SEEDS):
            keep(name, run)
            mean = f"{sum(run['nats']) / sum(run['tokens']):.3f}" if "nats" in run else ""
            told = {k: v for k, v in run.items() if not isinstance(v, list)}
            print(f"{time.perf_counter() - begin:6.0f} s  {name}: {told} {mean}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
