"""Exercises of chapter 01, Linear regression, in the order of the notebook; each file holds one."""

from helpers.exercises.ch01 import (
    ex1_mse,
    ex2_gradient,
    ex3_backward,
    ex4_sigmoid,
    ex5_largest_rate,
    ex6_sgd_pass,
    ex7_ridge,
    ex8_standardize,
)

EXERCISES = [
    ex1_mse.EXERCISE,
    ex2_gradient.EXERCISE,
    ex3_backward.EXERCISE,
    ex4_sigmoid.EXERCISE,
    ex5_largest_rate.EXERCISE,
    ex6_sgd_pass.EXERCISE,
    ex7_ridge.EXERCISE,
    ex8_standardize.EXERCISE,
]
