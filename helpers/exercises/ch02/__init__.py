"""Exercises of chapter 02, Logistic regression, in the order of the notebook; each file holds one."""

from helpers.exercises.ch02 import (
    ex1_stable_sigmoid,
    ex2_bce_from_logits,
    ex3_logistic_gradient,
    ex4_best_threshold,
    ex5_score_answers,
    ex6_best_temperature,
    ex7_stable_softmax,
    ex8_backward,
)

EXERCISES = [
    ex1_stable_sigmoid.EXERCISE,
    ex2_bce_from_logits.EXERCISE,
    ex3_logistic_gradient.EXERCISE,
    ex4_best_threshold.EXERCISE,
    ex5_score_answers.EXERCISE,
    ex6_best_temperature.EXERCISE,
    ex7_stable_softmax.EXERCISE,
    ex8_backward.EXERCISE,
]
