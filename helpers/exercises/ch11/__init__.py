"""Exercises of chapter 11, Retrieval-augmented generation, in the order of the notebook; each file holds one."""

from helpers.exercises.ch11 import (
    ex1_bm25_weight,
    ex2_average_precision,
    ex3_nearest,
    ex4_fuse,
    ex5_pick_diverse,
    ex6_cut,
    ex7_cite,
    ex8_run_agent,
    ex9_build_assistant,
)

EXERCISES = [
    ex1_bm25_weight.EXERCISE,
    ex2_average_precision.EXERCISE,
    ex3_nearest.EXERCISE,
    ex4_fuse.EXERCISE,
    ex5_pick_diverse.EXERCISE,
    ex6_cut.EXERCISE,
    ex7_cite.EXERCISE,
    ex8_run_agent.EXERCISE,
    ex9_build_assistant.EXERCISE,
]
