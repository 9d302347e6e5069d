"""Exercises of chapter 05, Byte-pair encoding, in the order of the notebook; each file holds one."""

from helpers.exercises.ch05 import (
    ex1_count_pairs,
    ex2_merge_pair,
    ex3_next_merge,
    ex4_train_bpe,
    ex5_encode,
    ex6_decode,
    ex7_best_split,
    ex8_spread_labels,
)

EXERCISES = [
    ex1_count_pairs.EXERCISE,
    ex2_merge_pair.EXERCISE,
    ex3_next_merge.EXERCISE,
    ex4_train_bpe.EXERCISE,
    ex5_encode.EXERCISE,
    ex6_decode.EXERCISE,
    ex7_best_split.EXERCISE,
    ex8_spread_labels.EXERCISE,
]
