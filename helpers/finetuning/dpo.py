"""DPO on SmolLM2 itself: prefer the short description that people wrote to the one that the model writes (chapter 09).

First the model is finetuned a little on the task (LoRA, merged), so that it knows the form. Then it answers each lead itself,
and each pair is made: chosen = what stands in Wikipedia, rejected = what the model wrote, where the two differ. Nobody judged
the pairs one by one: that people's description is the better one is an assumption, true for most pairs and not for all.

Recorded by `python -m helpers.studies.preferences dpo`; too slow to run live.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple, cast

import numpy as np
import torch

from helpers.data import datasets, records
from helpers.evaluation.generated_text import rouge_n
from helpers.finetuning import lora
from helpers.finetuning.preferences import answer_log_probs, dpo_loss, sample_answers
from helpers.tokenizers import chat_template
from helpers.tokenizers.labels import IGNORE
from helpers.training.batches import PaddedBatch, collate
from helpers.training.schedule import learning_rate, optimize

__all__ = ["Pair", "drawn_leads", "first_sentence", "make_pairs", "measure", "supervise", "tune_and_measure"]

RULE = "Write a short description."
MAX_NEW = 14  # tokens; most descriptions have fewer than twelve


class Pair(NamedTuple):
    """A question to the model and two answers. prompt: ids up to where the assistant begins; chosen, rejected: ids with end."""

    prompt: list[int]
    chosen: list[int]
    rejected: list[int]
    text: str  # the chosen answer in words


def first_sentence(text: str, most: int = 130) -> str:
    """The first sentence of a lead, cut at `most` characters."""
    return re.split(r"(?<=[.!?]) (?=[A-Z])", text, maxsplit=1)[0][:most]


def drawn_leads(split: str, n: int, seed: int) -> list[records.Lead]:
    """n leads of the split that have a description, drawn with the seed."""
    rows = [lead for lead in datasets.leads(split=split) if lead.description]
    return [rows[i] for i in np.random.default_rng(seed).permutation(len(rows))[:n]]


def prompt_of(tokenizer: Any, lead: records.Lead) -> list[int]:
    return chat_template.encode_prompt(tokenizer, [chat_template.system(RULE), chat_template.user(first_sentence(lead.text))])


def answer_ids(tokenizer: Any, text: str) -> list[int]:
    return [*tokenizer.encode(text), tokenizer.special_tokens[chat_template.END]]


def supervise(
    model: Any, tokenizer: Any, leads: Sequence[records.Lead], *, batch_size: int = 4, peak: float = 2e-3
) -> list[float]:
    """SFT (supervised finetuning) on the descriptions of these leads, one epoch of LoRA, merged. Returns the losses."""
    lora.add_lora(model, rank=8, alpha=16, seed=0)
    examples = [(prompt_of(tokenizer, lead), answer_ids(tokenizer, cast(str, lead.description))) for lead in leads]
    steps = len(examples) // batch_size
    loss_of = lambda step: model.loss(*batch_of(examples[step * batch_size : (step + 1) * batch_size]))[0]  # noqa: E731
    losses = optimize(lora.lora_parameters(model), loss_of, steps, partial(learning_rate, peak=peak, warmup=5, total=steps))
    lora.merge(model)
    lora.remove_lora(model)
    return losses


def batch_of(examples: Sequence[tuple[list[int], list[int]]]) -> PaddedBatch:
    """(prompt, answer) pairs of ids as x, y, padded on the right, only the answers as targets."""
    return collate([chat_template.Example([*p, *a], [IGNORE] * len(p) + list(a), False) for p, a in examples])


def make_pairs(model: Any, tokenizer: Any, leads: Sequence[records.Lead], seed: int) -> list[Pair]:
    """One pair for each lead for which the model, in one draw, wrote something else than Wikipedia."""
    end, generator = tokenizer.special_tokens[chat_template.END], torch.Generator().manual_seed(seed)
    pairs = []
    for lead in leads:
        prompt, chosen = prompt_of(tokenizer, lead), answer_ids(tokenizer, cast(str, lead.description))
        _, y = sample_answers(model, torch.tensor([prompt]), MAX_NEW, end, generator=generator)
        drawn = y[0][y[0] != IGNORE].tolist()
        if drawn != chosen:
            pairs.append(Pair(prompt, chosen, drawn, cast(str, lead.description)))
    return pairs


@torch.no_grad()
def log_probs_of(model: Any, pairs: Sequence[Pair], batch_size: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-probabilities (n,) of the chosen and of the rejected answers."""
    sides = []
    for side in ("chosen", "rejected"):
        rows = [(p.prompt, getattr(p, side)) for p in pairs]
        parts = [rows[i : i + batch_size] for i in range(0, len(rows), batch_size)]
        sides.append(torch.cat([answer_log_probs(model, *batch_of(part)) for part in parts]))
    return sides[0], sides[1]


def measure(model: Any, tokenizer: Any, pairs: Sequence[Pair], reference: tuple | None, seed: int) -> dict[str, Any]:
    """What a model does on held-out pairs. reference: `log_probs_of` before tuning, and the function that gives a fresh sample's
    log-probability under the reference; None for the reference itself.

    chosen, rejected: mean log-probability in nats; prefers: number of pairs with p(chosen) > p(rejected); nll: nats per token of
    the chosen; rouge: a list, F1 of shared words between each drawn answer and the chosen one; length: mean words; kl: mean of
    ln p - ln p_reference over the drawn answers (an estimate, in nats for each answer); beats: number of pairs whose margin rose.
    """
    chosen, rejected = log_probs_of(model, pairs)
    end, generator = tokenizer.special_tokens[chat_template.END], torch.Generator().manual_seed(1_000 + seed)
    rouges, lengths, kls = [], [], []
    for p in pairs:
        x, y = sample_answers(model, torch.tensor([p.prompt]), MAX_NEW, end, generator=generator)
        words = tokenizer.decode([i for i in y[0][y[0] != IGNORE].tolist() if i != end]).lower().split()
        rouges.append(rouge_n(words, p.text.lower().split()).f1)
        lengths.append(len(words))
        if reference is not None:
            with torch.no_grad():
                own = float(answer_log_probs(model, x, y))
                kls.append(own - reference[2](x, y))
    n_tokens = sum(len(p.chosen) for p in pairs)
    row = {
        "n": len(pairs),
        "chosen": _mean(chosen),
        "rejected": _mean(rejected),
        "prefers": int((chosen > rejected).sum()),
        "nll": round(float(-chosen.sum()) / n_tokens, 4),
        "rouge": [round(r, 3) for r in rouges],
        "length": round(float(np.mean(lengths)), 2),
    }
    if reference is not None:
        margin = (chosen - reference[0]) - (rejected - reference[1])
        row |= {
            "beats": int((margin > 0).sum()),
            "margin": [round(m, 3) for m in margin.tolist()],
            "kl": round(float(np.mean(kls)), 4),
            "kl_each": [round(k, 3) for k in kls],
        }
    return row


def tune_and_measure(
    model: Any,
    tokenizer: Any,
    train: Sequence[Pair],
    held_out: Sequence[Pair],
    references: Sequence[tuple],
    *,
    beta: float,
    seed: int,
    steps: int = 20,
    batch_size: int = 4,
    peak: float = 2e-3,
) -> dict[str, Any]:
    """DPO by LoRA for some steps, measured on held-out pairs after it; the model comes back as it was. Returns the record.

    references: `log_probs_of` the model as it is, for train and for held_out.
    """
    # 1. the model with adapters; with B = 0 it is its own reference
    train_reference, before = references
    lora.add_lora(model, rank=8, alpha=16, seed=seed)
    adapters = [layer for layer in model.modules() if isinstance(layer, lora.LoRALinear)]

    def reference_of(x: torch.Tensor, y: torch.Tensor) -> float:
        kept = [layer.B.data for layer in adapters]
        for layer in adapters:
            layer.B.data = torch.zeros_like(layer.B)  # no second copy of the model is needed
        value = float(answer_log_probs(model, x, y))
        for layer, B in zip(adapters, kept):
            layer.B.data = B
        return value

    # 2. the training pairs in a new order each epoch
    rng, curve = np.random.default_rng(seed), []
    order = np.concatenate([rng.permutation(len(train)) for _ in range(1 + steps * batch_size // len(train))])

    def loss_of(step: int) -> torch.Tensor:
        rows = order[step * batch_size : (step + 1) * batch_size]
        pairs = [train[i] for i in rows]
        batch = batch_of([(p.prompt, p.chosen) for p in pairs] + [(p.prompt, p.rejected) for p in pairs])
        chosen, rejected = answer_log_probs(model, *batch).chunk(2)
        ref_chosen, ref_rejected = train_reference[0][rows], train_reference[1][rows]
        curve.append([_mean(chosen.detach() - ref_chosen), _mean(rejected.detach() - ref_rejected)])
        return dpo_loss(chosen, rejected, ref_chosen, ref_rejected, beta)

    # 3. train, measure, and take the adapters out again
    losses = optimize(lora.lora_parameters(model), loss_of, steps, partial(learning_rate, peak=peak, warmup=5, total=steps))
    after = measure(model, tokenizer, held_out, (*before, reference_of), seed)
    lora.merge(model)
    lora.unmerge(model)
    lora.remove_lora(model)
    return {
        "beta": beta,
        "seed": seed,
        "peak": peak,
        "steps": steps,
        "losses": [round(v, 4) for v in losses],
        "curve": curve,
        "after": after,
    }


def _mean(values: torch.Tensor) -> float:
    return round(float(values.mean()), 4)
