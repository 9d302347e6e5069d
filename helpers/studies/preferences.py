"""The recorded runs of chapter 09's second half: what takes minutes or several seeds and so is not run live.

    python -m helpers.studies.preferences PART ...      parts: dpo, arithmetic, policy, retrieval, fewshot; no part means all

Each part writes its results into data/preferences.json after every run, beside the other parts. Runs that stand there are not
made again, so a study that was stopped goes on; to begin again, delete the part.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from helpers.hardware import hardware
from helpers.studies.study import StudyFile

__all__ = ["PARTS", "load", "main"]

STUDY = StudyFile(
    "preferences",
    "preference study",
    holds=lambda study: [study["parts"][name]["runs"][0] for name in PARTS],
    style={"indent": 1},
)
load = STUDY.load  # its "parts": name -> record


def dpo(add: Callable[[dict], None], fact: Callable[..., None], done: Callable[..., bool]) -> None:
    """SmolLM2: supervised once, pairs made once, then DPO from there, with two learning rates, two betas and three seeds."""
    from helpers.finetuning import dpo as tuning
    from helpers.models.pretrained import load_own_smollm2
    from helpers.tokenizers.bpe import BPE

    model, tokenizer = load_own_smollm2(), BPE.from_smollm2()
    rows = tuning.drawn_leads("train", 262, seed=0)
    losses = tuning.supervise(model, tokenizer, rows[:160])
    print("supervised", [round(v, 2) for v in losses[:3]], [round(v, 2) for v in losses[-3:]], flush=True)
    train = tuning.make_pairs(model, tokenizer, rows[160:], seed=0)
    held_out = tuning.make_pairs(model, tokenizer, tuning.drawn_leads("test", 44, seed=0), seed=1)
    references = [tuning.log_probs_of(model, pairs) for pairs in (train, held_out)]
    examples = [(tokenizer.decode(p.chosen[:-1]), tokenizer.decode(p.rejected[:-1])) for p in held_out[:6]]
    before = tuning.measure(model, tokenizer, held_out, None, 0)
    fact(n_train=len(train), n_held_out=len(held_out), before=before, examples=examples)
    print(len(train), "pairs", examples, flush=True)
    for (beta, peak), seed in itertools.product(((0.1, 5e-4), (0.1, 2e-3), (1.0, 2e-3)), range(3)):
        if done(beta=beta, seed=seed, peak=peak):
            continue
        add(tuning.tune_and_measure(model, tokenizer, train, held_out, references, beta=beta, seed=seed, peak=peak))


def _starts(done: Callable[..., bool], train: Any, held_out: Any) -> Iterator[tuple[int, Any, dict[str, Any]]]:
    """(seed, a supervised model, the beginning of its record) for each of five seeds that has no record."""
    from helpers.finetuning import verifiable_sums as sums

    for seed in range(5):
        if not done(seed=seed):
            start = sums.fresh_model(seed)
            sums.supervise(start, train, sums.START_STEPS, seed=seed)
            yield seed, start, {"seed": seed, "start": _adds(start, held_out)}


def arithmetic(add: Callable[[dict], None], fact: Callable[..., None], done: Callable[..., bool]) -> None:
    """The adding Transformer, five seeds: rejection sampling, and DPO."""
    import copy

    import torch

    from helpers.finetuning import preferences
    from helpers.finetuning import verifiable_sums as sums

    train, held_out = sums.problems()
    fact(n_held_out=len(held_out.sums), supervised_steps=sums.START_STEPS, group=8, steps=40)

    for seed, start, row in _starts(done, train, held_out):
        some = train.rows(slice(0, 2_000))
        x, y = preferences.sample_answers(
            start, some.prompts.repeat_interleave(8, 0), sums.MAX_NEW, sums.STOP, generator=torch.Generator().manual_seed(seed)
        )
        good = sums.rewards_of(y, some.sums.repeat_interleave(8)) == 1
        for name, kept in (("rejection", good), ("all samples", torch.ones_like(good))):
            model = copy.deepcopy(start)
            sums.imitate(model, x[kept], y[kept], 40, rate=1e-3, seed=seed)
            row[name] = _adds(model, held_out)
        pairs = sums.self_pairs(start, some, seed=seed)
        for beta in (0.1, 1.0):
            model = copy.deepcopy(start)
            curve = sums.tune_dpo(model, pairs, 40, beta=beta, seed=seed)
            row[f"dpo {beta}"] = [*_adds(model, held_out), [round(v, 3) for v in curve[-1]]]
        add(row)


def policy(add: Callable[[dict], None], fact: Callable[..., None], done: Callable[..., bool]) -> None:
    """The adding Transformer, five seeds: the policy gradient with a baseline, and without one by two judges."""
    import copy

    from helpers.finetuning import verifiable_sums as sums

    train, held_out = sums.problems()
    fact(n_held_out=len(held_out.sums), supervised_steps=sums.START_STEPS, group=8, n_problems=64, steps=60)
    for seed, start, row in _starts(done, train, held_out):
        for name, advantage in (("r - mean", sums.centred), ("r", lambda r: r), ("r + 1", lambda r: r + 1)):
            model = copy.deepcopy(start)
            rewards = sums.reinforce(model, train, 60, n_problems=64, rate=3e-4, advantage=advantage, seed=seed)
            row[name] = [*_adds(model, held_out), [round(v, 4) for v in rewards]]
        add(row)


def _adds(model: Any, held_out: Any) -> list[float]:
    """Share of right answers on the held-out sums: of the most probable ones, and of four drawn for each."""
    import torch

    from helpers.finetuning import preferences
    from helpers.finetuning import verifiable_sums as sums

    _, y = preferences.sample_answers(
        model, held_out.prompts.repeat_interleave(4, 0), sums.MAX_NEW, sums.STOP, generator=torch.Generator().manual_seed(9)
    )
    return [
        round(sums.accuracy(model, held_out), 4),
        round(float(sums.rewards_of(y, held_out.sums.repeat_interleave(4)).mean()), 4),
    ]


def retrieval(add: Callable[[dict], None], fact: Callable[..., None], done: Callable[..., bool]) -> None:
    """French questions to an English index, three seeds: in-batch negatives, and hard ones with and without skipping."""
    import numpy as np
    import torch

    from helpers.finetuning import sentence_encoder
    from helpers.models.bert import load_encoder
    from helpers.retrieval import stored_vectors

    train, test = sentence_encoder.french_questions()
    index, encoder = stored_vectors.load(), load_encoder(max_tokens=48)
    start = {name: w.clone() for name, w in encoder.model.state_dict().items()}
    keys, truth = torch.tensor(index), np.array([row for _, row in test])

    def judged() -> list[int]:
        return sentence_encoder.ranks(encoder.encode([text for text, _ in test]), index, truth).tolist()

    fact(n_train=len(train), n_test=len(test), steps=24, batch_size=32, before=judged())
    for seed in range(3):
        rows = np.random.default_rng(seed).permutation(len(train))[: 24 * 32]
        own = np.array([train[i][1] for i in rows])
        for name, skip in (("in the batch", None), ("hard, 3 skipped", 3), ("hardest", 0)):
            if done(seed=seed, negatives=name):
                continue
            encoder.model.load_state_dict(start)
            hard = None if skip is None else sentence_encoder.hard_negatives(index[own], index, own, skip)

            def loss(step: int, rows=rows, own=own, hard=hard) -> torch.Tensor:
                part = slice(step * 32, step * 32 + 32)
                queries = encoder.embed([train[i][0] for i in rows[part]])
                return sentence_encoder.ranking_loss(queries, keys[own[part]], None if hard is None else keys[hard[part]])

            losses = sentence_encoder.tune_layers(encoder, loss, 24, peak=2e-4)
            add({"seed": seed, "negatives": name, "ranks": judged(), "losses": [round(v, 3) for v in losses]})


def fewshot(add: Callable[[dict], None], fact: Callable[..., None], done: Callable[..., bool]) -> None:
    """Questions of six kinds from 8 or 16 labels each, over seeds: TF-IDF, frozen MiniLM, and MiniLM trained on pairs first."""
    import numpy as np

    from helpers.data import datasets
    from helpers.finetuning import sentence_encoder
    from helpers.models.bert import load_encoder

    train, test = datasets.questions(split="train"), [*datasets.questions(split="valid"), *datasets.questions(split="test")]
    y, answers = np.array([q.coarse for q in train]), np.array([q.coarse for q in test])
    encoder = load_encoder(max_tokens=48)
    start = {name: w.clone() for name, w in encoder.model.state_dict().items()}
    frozen = encoder.encode([q.text for q in test])
    fact(n_test=len(test), classes=6, steps=20)
    for k, seed in ((8, 0), (16, 0), (8, 1), (16, 1), (8, 2), (16, 2), (8, 3), (8, 4)):
        if done(k=k, seed=seed):
            continue
        encoder.model.load_state_dict(start)
        rows = sentence_encoder.sample_per_class(y, k, seed)
        texts, labels = [train[i].text for i in rows], y[rows]
        record = {
            "k": k,
            "seed": seed,
            "tfidf": sentence_encoder.few_labels_tfidf(texts, labels, [q.text for q in test], answers),
        }
        record["frozen"] = sentence_encoder.few_labels(encoder.encode(texts), labels, frozen, answers)
        sentence_encoder.tune_on_labels(encoder, texts, labels, steps=20, seed=seed)
        few, many = encoder.encode(texts), encoder.encode([q.text for q in test])
        add(record | {"tuned": sentence_encoder.few_labels(few, labels, many, answers)})


PARTS: dict[str, Callable] = {"dpo": dpo, "arithmetic": arithmetic, "policy": policy, "retrieval": retrieval, "fewshot": fewshot}


def main(names: Sequence[str]) -> int:
    """Do the named parts (all for none), write after each run. Returns the exit status."""
    wanted = STUDY.wanted(names, PARTS)
    for name in wanted:
        new = {"hardware": hardware(1, "cpu"), "seconds": 0, "facts": {}, "runs": []}
        record: dict[str, Any] = STUDY.so_far().get("parts", {}).get(name) or new
        begin = time.perf_counter() - record["seconds"]

        def save(name=name, record=record, begin=begin) -> None:
            record["seconds"] = round(time.perf_counter() - begin)
            study = STUDY.so_far() or {"command": STUDY.command, "parts": {}}
            study["parts"][name] = record
            STUDY.keep(study)

        def done(record=record, **key) -> bool:
            return any(all(run.get(k) == v for k, v in key.items()) for run in record["runs"])

        def add(row: dict, record=record, save=save) -> None:
            record["runs"].append(row)
            save()
            print({k: v for k, v in row.items() if not isinstance(v, list | dict)}, record["seconds"], flush=True)

        def fact(record=record, save=save, **facts) -> None:
            record["facts"] |= facts
            save()

        PARTS[name](add, fact, done)
    return 0 if wanted else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
