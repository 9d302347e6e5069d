"""Exercises of chapter 04, word2vec, in the order of the notebook; each file holds one."""

from helpers.exercises.ch04 import (
    ex1_skipgram_pairs,
    ex2_ppmi,
    ex3_sampling_gradients,
    ex4_noise,
    ex5_cbow_gradients,
    ex6_nearest,
    ex7_spearman,
    ex8_info_nce,
)

EXERCISES = [
    ex1_skipgram_pairs.EXERCISE,
    ex2_ppmi.EXERCISE,
    ex3_sampling_gradients.EXERCISE,
    ex4_noise.EXERCISE,
    ex5_cbow_gradients.EXERCISE,
    ex6_nearest.EXERCISE,
    ex7_spearman.EXERCISE,
    ex8_info_nce.EXERCISE,
]
