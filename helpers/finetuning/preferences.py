"""Learning from judgements: pairs of answers of which one is better, and rewards that a program can check.

A pair (chosen, rejected) says less than a label, but people agree on it more. `pairwise_loss` trains a reward model from
pairs, `dpo_loss` trains the language model itself, `policy_gradient_loss` learns from the rewards of its own samples.
All of them work on summed log-probabilities of answers, `answer_log_probs`.

Shapes: B answers, T tokens.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from helpers.generation.batched import decode_rows
from helpers.models.neural import NeuralLM, evaluating, label_log_probs
from helpers.tokenizers.labels import IGNORE

__all__ = ["answer_log_probs", "dpo_loss", "group_advantages", "pairwise_loss", "policy_gradient_loss", "sample_answers"]

CHUNK = 4096  # rows of `sample_answers` at a time


def answer_log_probs(model: NeuralLM, x: Tensor, y: Tensor) -> Tensor:
    """(B,) summed natural-log probabilities of the answers: of the targets y (B, T) that are not IGNORE, after x (B, T).

    Raises ValueError when a row has no target: an empty answer has probability 1 whatever the model is.
    """
    if not bool((y != IGNORE).any(1).all()):
        raise ValueError("expected at least one target in each row, got a row in which every target is ignored")
    return label_log_probs(model, x, y)


@torch.no_grad()
def sample_answers(
    model: NeuralLM,
    prompts: Tensor,
    max_new: int,
    stop_id: int,
    *,
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """One answer for each row of prompts (B, T), all of one length: (x, y), both (B, T + max_new - 1), for `answer_log_probs`.

    y holds the answer, its stop_id included, at the places where it was predicted, and IGNORE elsewhere: over the prompt and
    after the stop. temperature 0 takes the most probable token. Dropout is off meanwhile.
    Raises ValueError for prompts of another shape, a negative temperature, or max_new < 1.
    """
    if prompts.ndim != 2 or not prompts.numel() or max_new < 1 or temperature < 0:
        raise ValueError(
            f"expected prompts of shape (B, T), max_new >= 1 and temperature >= 0, got {tuple(prompts.shape)}, "
            f"{max_new} and {temperature}"
        )
    if len(prompts) > CHUNK:  # thousands of caches at once would take half a gigabyte even for a tiny model
        parts = [
            sample_answers(model, part, max_new, stop_id, temperature=temperature, generator=generator)
            for part in prompts.split(CHUNK)
        ]
        return torch.cat([x for x, _ in parts]), torch.cat([y for _, y in parts])
    B, T = prompts.shape
    x = torch.full((B, T + max_new - 1), stop_id, dtype=torch.long, device=prompts.device)
    x[:, :T] = prompts
    y = torch.full_like(x, IGNORE)
    place, open_ = T - 1, torch.ones(B, dtype=torch.bool, device=prompts.device)

    def choose(last: Tensor) -> dict[int, int]:
        nonlocal place, open_
        scores = model.logits(last).float()  # (B, V)
        if temperature == 0:
            new = scores.argmax(-1)
        else:
            new = torch.multinomial((scores / temperature).softmax(-1), 1, generator=generator).squeeze(1)
        y[open_, place] = new[open_]
        open_, place = open_ & (new != stop_id), place + 1
        if place < x.shape[1]:
            x[open_, place] = new[open_]
        return dict(enumerate(torch.where(open_, new, stop_id).tolist())) if bool(open_.any()) else {}

    with evaluating(model):
        features, memory = model.features(prompts, model.begin_state(B))
        decode_rows(model, features[:, -1], memory, choose, max_new)
    return x, y


def pairwise_loss(better: Tensor, worse: Tensor) -> Tensor:
    """Mean of -ln sigmoid(better - worse): small when the better answer has the higher score. (B,) each.

    It is the likelihood of the judgements under Bradley and Terry's model (1952): ln 2 for equal scores.
    """
    _same_shape(better, worse)
    return -F.logsigmoid(better - worse).mean()


def dpo_loss(chosen: Tensor, rejected: Tensor, chosen_reference: Tensor, rejected_reference: Tensor, beta: float = 0.1) -> Tensor:
    """Direct preference optimisation: the pairwise loss with beta * ln(p / p_reference) as the score of an answer.

    All four: (B,) log-probabilities of answers, under the model that is trained and under a frozen copy of where it began.
    beta: how much it costs to move away from that copy. ln 2 before training. Raises ValueError for beta outside
    (0, 1e6), or other shapes.
    Source: Rafailov et al. 2023.
    """
    if not 0 < beta < 1e6:  # beyond, 32 bits overflow
        raise ValueError(f"expected beta above 0 and below a million, got {beta}")
    _same_shape(chosen, rejected, chosen_reference, rejected_reference)
    return pairwise_loss(beta * (chosen - chosen_reference), beta * (rejected - rejected_reference))


def group_advantages(rewards: Tensor) -> Tensor:
    """How much better than its siblings each answer was: (groups, n) rewards of n answers to one question, centred and scaled.

    (r - mean) / standard deviation of the group (of the population); 0 for a group in which all rewards are equal, since it
    teaches nothing. Raises ValueError for another shape. Source: Shao et al. 2024, GRPO.
    """
    if rewards.ndim != 2 or rewards.shape[1] < 2:
        raise ValueError(f"expected rewards of shape (groups, n) with n >= 2, got {tuple(rewards.shape)}")
    centred = rewards - rewards.mean(1, keepdim=True)
    deviation = rewards.std(1, keepdim=True, correction=0)
    differ = rewards.amax(1, keepdim=True) > rewards.amin(1, keepdim=True)  # not deviation > 0: a rounded mean leaves a rest
    return torch.where(differ, centred / deviation.clamp(min=1e-8), torch.zeros_like(centred))


def policy_gradient_loss(log_probs: Tensor, advantages: Tensor) -> Tensor:
    """Mean of -advantage * ln p: its gradient makes answers that did well more likely. (B,) each. Source: Williams 1992.

    Only its gradient means something; the value itself may be of either sign.
    """
    _same_shape(log_probs, advantages)
    return -(advantages.detach() * log_probs).mean()


def _same_shape(*tensors: Tensor) -> None:
    if len({t.shape for t in tensors}) != 1 or tensors[0].ndim != 1:
        raise ValueError(f"expected vectors of one length, got shapes {', '.join(str(tuple(t.shape)) for t in tensors)}")
