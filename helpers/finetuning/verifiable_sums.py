"""A world small enough for preference learning on a laptop: a Transformer adds two numbers, and a program checks the sum.

Everything of chapter 09's last sections runs here in seconds: supervised training to a partial skill, a verifier as the reward,
best of n, rejection sampling, DPO on the model's own right and wrong answers, and a group-relative policy gradient.

The text of a problem is "27+45=" and its answer "72." in single characters, the full stop being the end. Both numbers are
written with two digits, so that all problems have one length.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from helpers.finetuning.preferences import answer_log_probs, dpo_loss, policy_gradient_loss, sample_answers
from helpers.hardware import hardware
from helpers.models.transformer import Config, Transformer, fit_to_width
from helpers.paths import repository_root
from helpers.tokenizers.labels import IGNORE
from helpers.training.checkpoint import load_tensors, save_tensors
from helpers.training.schedule import learning_rate, optimize

__all__ = [
    "ALPHABET",
    "MAX_NEW",
    "START_STEPS",
    "STOP",
    "AnswerPairs",
    "Problems",
    "accuracy",
    "answers_of",
    "centred",
    "fresh_model",
    "imitate",
    "problems",
    "reinforce",
    "rewards_of",
    "self_pairs",
    "start_model",
    "supervise",
    "targets",
    "tune_dpo",
]

ALPHABET = "0123456789+=."
START_STEPS = 320  # of supervised training: enough for a partial skill
START_FILE = repository_root() / "data" / "checkpoints" / "adder.safetensors"
STOP, MAX_NEW = ALPHABET.index("."), 4  # "198." is the longest answer


class Problems(NamedTuple):
    """prompts: (n, 6) ids of "27+45="; sums: (n,) the right results."""

    prompts: Tensor
    sums: Tensor

    def rows(self, index) -> Problems:
        return Problems(self.prompts[index], self.sums[index])


def encode(text: str) -> list[int]:
    return [ALPHABET.index(c) for c in text]


def problems(n_held_out: int = 500, seed: int = 0) -> tuple[Problems, Problems]:
    """All 10,000 additions of two numbers below 100, in two parts: to learn from, and held out."""
    pairs = [(a, b) for a in range(100) for b in range(100)]
    order = np.random.default_rng(seed).permutation(len(pairs))
    prompts = torch.tensor([encode(f"{a:02d}+{b:02d}=") for a, b in pairs])[order]
    sums = torch.tensor([a + b for a, b in pairs])[order]
    return Problems(prompts[n_held_out:], sums[n_held_out:]), Problems(prompts[:n_held_out], sums[:n_held_out])


def fresh_model(seed: int = 0, width: int = 64, layers: int = 2) -> Transformer:
    """A Transformer for sums: about 100,000 weights, starting weights that fit its width."""
    config = Config(len(ALPHABET), context_length=16, hidden_dim=width, n_layers=layers, n_heads=4, start_id=STOP)
    return fit_to_width(Transformer(config, seed=seed))


def targets(part: Problems) -> tuple[Tensor, Tensor]:
    """x, y (n, 9) for supervised training: the problem and its right answer, only the answer counts."""
    x = torch.full((len(part.sums), 6 + MAX_NEW - 1), STOP)
    y = torch.full_like(x, IGNORE)
    x[:, :6] = part.prompts
    for row, total in enumerate(part.sums.tolist()):
        ids = encode(f"{total}.")
        y[row, 5 : 5 + len(ids)] = torch.tensor(ids)
        x[row, 6 : 6 + len(ids) - 1] = torch.tensor(ids[:-1])
    return x, y


def answers_of(y: Tensor) -> list[str]:
    """The answers that stand in targets (B, T), as text with their end: "72."."""
    return ["".join(ALPHABET[i] for i in row[row != IGNORE].tolist()) for row in y]


def rewards_of(y: Tensor, sums: Tensor) -> Tensor:
    """(B,) the verifier: 1.0 for an answer that is the right sum in plain digits and ends, else 0.0."""
    return torch.tensor([float(text == f"{total}.") for text, total in zip(answers_of(y), sums.tolist())])


def accuracy(model: Transformer, part: Problems) -> float:
    """Share of problems whose most probable answer is right."""
    _, y = sample_answers(model, part.prompts, MAX_NEW, STOP, temperature=0)
    return float(rewards_of(y, part.sums).mean())


def supervise(
    model: Transformer,
    part: Problems,
    steps: int,
    *,
    batch_size: int = 128,
    peak: float = 5e-3,
    seed: int = 0,
    report: Callable[[int], None] = lambda step: None,
) -> list[float]:
    """SFT (supervised finetuning): next-token training on right answers for some steps. Returns the losses."""
    rate = partial(learning_rate, peak=peak, warmup=20, total=steps)
    batches = drawn_loss(model, *targets(part), batch_size, seed)
    return optimize(model.parameters(), batches, steps, rate, weight_decay=0.01, report=lambda step, loss: report(step))


def drawn_loss(model: Transformer, x: Tensor, y: Tensor, batch_size: int, seed: int) -> Callable[[int], Tensor]:
    """The loss of each step's batch, for `optimize`: rows of x and y (n, T), drawn with replacement."""
    rng = np.random.default_rng(seed)

    def loss_of(step: int) -> Tensor:
        rows = rng.integers(len(x), size=batch_size)
        return model.loss(x[rows], y[rows])[0]

    return loss_of


def start_model() -> Transformer:
    """The adder of chapter 09: `fresh_model(0)` after START_STEPS steps of `supervise`; made by
    `python -m helpers.finetuning.verifiable_sums`.

    Raises FileNotFoundError or ValueError for a missing or damaged file, RuntimeError for weights of another model.
    """
    model = fresh_model(0)
    model.load_state_dict(load_tensors(START_FILE)[0])
    return model


def main() -> int:
    """Train the adder of chapter 09 and write it to data/checkpoints (ten seconds). Returns the exit status."""
    torch.set_num_threads(2)
    model, (train, held_out) = fresh_model(0), problems()
    losses = supervise(model, train, START_STEPS)
    facts = {
        "command": "python -m helpers.finetuning.verifiable_sums",
        "seed": 0,
        "steps": START_STEPS,
        "accuracy": accuracy(model, held_out),
        "losses": [round(loss, 3) for loss in losses[::40]],
        "hardware": hardware(2, "cpu"),
    }
    save_tensors(START_FILE, model.state_dict(), facts)
    print(f"{facts['accuracy']:.3f} of the held-out sums; written to data/checkpoints/{START_FILE.name}")
    return 0


def centred(rewards: Tensor) -> Tensor:
    """(groups, n) rewards minus the mean of their group: a baseline, without a division (Liu et al. 2025)."""
    return rewards - rewards.mean(1, keepdim=True)


def reinforce(
    model: Transformer,
    part: Problems,
    steps: int,
    *,
    n_problems: int = 32,
    group: int = 8,
    rate: float = 3e-4,
    advantage: Callable[[Tensor], Tensor] = centred,
    seed: int = 0,
    report: Callable[[int, float], None] = lambda step, reward: None,
) -> list[float]:
    """Policy gradient: draw a group of answers for each problem, let the verifier judge them, make the good ones more likely.

    advantage: (n_problems, group) rewards -> how much each answer is pushed; `preferences.group_advantages` is that of GRPO.
    Every batch is used for one update only, so no ratio of probabilities is needed, and no clipping. Returns the mean reward of
    each step, before its update.
    """
    rng, generator, means = np.random.default_rng(seed), torch.Generator().manual_seed(seed), []

    def loss_of(step: int) -> Tensor:
        chosen = part.rows(np.repeat(rng.integers(len(part.sums), size=n_problems), group))  # each problem, group times
        x, y = sample_answers(model, chosen.prompts, MAX_NEW, STOP, generator=generator)
        rewards = rewards_of(y, chosen.sums)
        pushes = advantage(rewards.view(n_problems, group)).flatten()
        means.append(float(rewards.mean()))
        return policy_gradient_loss(answer_log_probs(model, x, y), pushes)

    optimize(model.parameters(), loss_of, steps, warmed_up(rate), report=lambda step, loss: report(step, means[-1]))
    return means


class AnswerPairs(NamedTuple):
    """Right and wrong answers to the same problems: x, y (n, T) each, for `answer_log_probs`."""

    right: tuple[Tensor, Tensor]
    wrong: tuple[Tensor, Tensor]


def self_pairs(model: Transformer, part: Problems, group: int = 8, seed: int = 0) -> AnswerPairs:
    """For each problem the first right and the first wrong answer among `group` draws; problems with one kind only drop out."""
    n = len(part.sums)
    x, y = sample_answers(
        model, part.prompts.repeat_interleave(group, 0), MAX_NEW, STOP, generator=torch.Generator().manual_seed(seed)
    )
    good = rewards_of(y, part.sums.repeat_interleave(group)).view(n, group)
    mixed = (good.amax(1) == 1) & (good.amin(1) == 0)
    offset = torch.arange(n)[mixed] * group
    right, wrong = offset + good[mixed].argmax(1), offset + good[mixed].argmin(1)
    return AnswerPairs((x[right], y[right]), (x[wrong], y[wrong]))


def tune_dpo(
    model: Transformer,
    pairs: AnswerPairs,
    steps: int,
    *,
    beta: float = 0.1,
    batch_size: int = 128,
    rate: float = 3e-4,
    seed: int = 0,
) -> list[tuple[float, float, float]]:
    """DPO on these pairs. Returns for each step (loss, change of ln p of the right answers, change of the wrong ones)."""
    reference = copy.deepcopy(model)
    with torch.no_grad():
        ref = [answer_log_probs(reference, *side) for side in pairs]
    rng, changes = np.random.default_rng(seed), []

    def loss_of(step: int) -> Tensor:
        rows = rng.integers(len(ref[0]), size=min(batch_size, len(ref[0])))
        right, wrong = (answer_log_probs(model, side[0][rows], side[1][rows]) for side in pairs)
        changes.append([float((now.detach() - before[rows]).mean()) for now, before in zip((right, wrong), ref)])
        return dpo_loss(right, wrong, ref[0][rows], ref[1][rows], beta)

    losses = optimize(model.parameters(), loss_of, steps, warmed_up(rate))
    return [(loss, right, wrong) for loss, (right, wrong) in zip(losses, changes)]


def imitate(
    model: Transformer, x: Tensor, y: Tensor, steps: int, *, batch_size: int = 256, rate: float = 3e-4, seed: int = 0
) -> list[float]:
    """Finetune on given answers, such as those that a verifier let pass (rejection sampling). Returns the losses."""
    return optimize(model.parameters(), drawn_loss(model, x, y, batch_size, seed), steps, warmed_up(rate))


def warmed_up(rate: float) -> Callable[[int], float]:
    """A constant rate after ten smaller steps: Adam's first steps are mere signs."""
    return partial(learning_rate, peak=rate, warmup=10)


if __name__ == "__main__":
    sys.exit(main())
