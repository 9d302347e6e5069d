"""Exercises of chapter 09, Finetuning, in the order of the notebook; each file holds one."""

from helpers.exercises.ch09 import (
    ex1_reply_labels,
    ex2_pad_batch,
    ex3_lora_linear,
    ex4_factor_update,
    ex5_round_blocks,
    ex6_hard_ranking_loss,
    ex7_reward_loss,
    ex8_preference_loss,
    ex9_group_policy_loss,
)

EXERCISES = [
    ex1_reply_labels.EXERCISE,
    ex2_pad_batch.EXERCISE,
    ex3_lora_linear.EXERCISE,
    ex4_factor_update.EXERCISE,
    ex5_round_blocks.EXERCISE,
    ex6_hard_ranking_loss.EXERCISE,
    ex7_reward_loss.EXERCISE,
    ex8_preference_loss.EXERCISE,
    ex9_group_policy_loss.EXERCISE,
]
