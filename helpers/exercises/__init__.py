"""Exercises: a folder a chapter, a file an exercise: reference solution, wrong answers with their diagnoses, check, hints."""
