"""Exercises of chapter 00, Start here, in the order of the notebook; each file holds one."""

from helpers.exercises.ch00 import ex1_bytes_per_character

EXERCISES = [ex1_bytes_per_character.EXERCISE]
