"""Fuzzing: the valid calls of the docstrings' examples, damaged one argument at a time."""
