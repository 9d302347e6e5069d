"""Exercises of chapter 07, Recurrent networks, in the order of the notebook; each file holds one."""

from helpers.exercises.ch07 import (
    ex1_next_token_losses,
    ex2_elman_states,
    ex3_clip_gradients,
    ex4_gru_step,
    ex5_lstm_step_backward,
    ex6_mean_loss,
    ex7_truncated_gradients,
    ex8_vocabulary_size,
)

EXERCISES = [
    ex1_next_token_losses.EXERCISE,
    ex2_elman_states.EXERCISE,
    ex3_clip_gradients.EXERCISE,
    ex4_gru_step.EXERCISE,
    ex5_lstm_step_backward.EXERCISE,
    ex6_mean_loss.EXERCISE,
    ex7_truncated_gradients.EXERCISE,
    ex8_vocabulary_size.EXERCISE,
]
