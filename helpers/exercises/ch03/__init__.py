"""Exercises of chapter 03, Bag of words, in the order of the notebook; each file holds one."""

from helpers.exercises.ch03 import (
    ex1_count_vector,
    ex2_to_csr,
    ex3_idf,
    ex4_cosine,
    ex5_word_log_probs,
    ex6_describe_clusters,
    ex7_class_tfidf,
)

EXERCISES = [
    ex1_count_vector.EXERCISE,
    ex2_to_csr.EXERCISE,
    ex3_idf.EXERCISE,
    ex4_cosine.EXERCISE,
    ex5_word_log_probs.EXERCISE,
    ex6_describe_clusters.EXERCISE,
    ex7_class_tfidf.EXERCISE,
]
