"""Exercises of chapter 10, Sampling, in the order of the notebook; each file holds one."""

from helpers.exercises.ch10 import (
    ex1_temperature_probs,
    ex2_nucleus,
    ex3_penalize,
    ex4_cut_at_stop,
    ex5_beam_step,
    ex6_pass_at_k,
    ex7_speculative_step,
    ex8_allowed_next,
)

EXERCISES = [
    ex1_temperature_probs.EXERCISE,
    ex2_nucleus.EXERCISE,
    ex3_penalize.EXERCISE,
    ex4_cut_at_stop.EXERCISE,
    ex5_beam_step.EXERCISE,
    ex6_pass_at_k.EXERCISE,
    ex7_speculative_step.EXERCISE,
    ex8_allowed_next.EXERCISE,
]
