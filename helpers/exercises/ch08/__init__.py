"""Exercises of chapter 08, Transformer, in the order of the notebook; each file holds one."""

from helpers.exercises.ch08 import (
    ex1_look_up,
    ex2_causal_attention,
    ex3_grouped_attention,
    ex4_rotate_vectors,
    ex5_rms_norm,
    ex6_llama_parameters,
    ex7_cached_step,
    ex8_online_attention,
)

EXERCISES = [
    ex1_look_up.EXERCISE,
    ex2_causal_attention.EXERCISE,
    ex3_grouped_attention.EXERCISE,
    ex4_rotate_vectors.EXERCISE,
    ex5_rms_norm.EXERCISE,
    ex6_llama_parameters.EXERCISE,
    ex7_cached_step.EXERCISE,
    ex8_online_attention.EXERCISE,
]
