"""Calls of public functions whose docstrings have no example to start from."""

from typing import Any

import numpy as np
import torch

from helpers.finetuning import preferences, quantization, reward_model, sentence_encoder, tasks

_ROWS = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])
_B = torch.tensor([-1.0, -2.0, -3.0])
_TABLE = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])

MADE: tuple[tuple[Any, tuple, dict], ...] = (
    (quantization.bits_per_weight, (4, 64, 256), {}),
    (quantization.quantize, (torch.linspace(-1, 1, 128).reshape(2, 64), torch.linspace(-1, 1, 16)), {"block": 64}),
    (preferences.pairwise_loss, (_B, _B - 1), {}),
    (preferences.dpo_loss, (_B, _B - 1, _B, _B - 0.5), {"beta": 0.1}),
    (preferences.group_advantages, (torch.tensor([[0.0, 1.0, 1.0], [1.0, 1.0, 1.0]]),), {}),
    (preferences.policy_gradient_loss, (_B, torch.tensor([1.0, -0.5, -0.5])), {}),
    (reward_model.fit, (_TABLE, _TABLE[::-1].copy()), {"l2": 0.01}),
    (reward_model.flip, (_TABLE, _TABLE[::-1].copy(), 0.3), {"seed": 0}),
    (reward_model.accuracy, (np.array([1.0, -1.0]), _TABLE, _TABLE[::-1].copy()), {}),
    (tasks.paired_change, ([1.0, 2.0, 3.0], [1.5, 2.5, 2.0]), {"seed": 0}),
    (tasks.shuffled, ([1, 2, 3],), {"seed": 0}),
    (tasks.exact_match, ("A river.", "a river"), {}),
    (tasks.token_f1, ("a long river", "a river"), {}),
    (tasks.in_style, ("a river in France", True), {}),
    (tasks.abstains, ("I do not know.",), {}),
    (tasks.describe, ("The Lone is a river.",), {}),
    (tasks.topic, ("The Lone is a river.",), {}),
    (tasks.nationality, ("She was a Norwegian chemist.",), {}),
    (sentence_encoder.ranking_loss, (_ROWS, _ROWS), {"temperature": 0.5}),
    (sentence_encoder.pair_loss, (_ROWS, torch.tensor([0, 0, 1])), {}),
    (sentence_encoder.ranks, (_TABLE, _TABLE, np.array([0, 1, 2])), {}),
    (sentence_encoder.hard_negatives, (_TABLE, _TABLE, np.array([0, 1, 2])), {"skip": 0}),
    (sentence_encoder.sample_per_class, (np.array([0, 0, 1, 1, 1]), 1, 0), {}),
)
