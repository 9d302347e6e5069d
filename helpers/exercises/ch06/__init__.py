"""Exercises of chapter 06, n-gram language models, in the order of the notebook; each file holds one."""

from helpers.exercises.ch06 import (
    ex1_ngram_counts,
    ex2_perplexity,
    ex3_bits_per_byte,
    ex4_next_probability,
    ex5_continuation_probabilities,
    ex6_kneser_ney_bigram,
    ex7_rouge_1,
    ex8_elo_ratings,
)

EXERCISES = [
    ex1_ngram_counts.EXERCISE,
    ex2_perplexity.EXERCISE,
    ex3_bits_per_byte.EXERCISE,
    ex4_next_probability.EXERCISE,
    ex5_continuation_probabilities.EXERCISE,
    ex6_kneser_ney_bigram.EXERCISE,
    ex7_rouge_1.EXERCISE,
    ex8_elo_ratings.EXERCISE,
]
