"""Exercise 7.8, Which vocabulary was it?: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def vocabulary_size(n_parameters, d, n_layers):
    """The V of an Elman language model: embedding (V, d), n_layers layers of width d, one bias each, output (d, V) with bias.

    A whole number where the numbers fit; a fraction where they do not.
    """
    return (n_parameters - n_layers * (2 * d * d + d)) / (2 * d + 1)


def vocabulary_two_biases(n_parameters, d, n_layers):
    return (n_parameters - n_layers * (2 * d * d + 2 * d)) / (2 * d + 1)


def vocabulary_no_output_bias(n_parameters, d, n_layers):
    return (n_parameters - n_layers * (2 * d * d + d)) / (2 * d)


def vocabulary_tied(n_parameters, d, n_layers):
    return (n_parameters - n_layers * (2 * d * d + d)) / (d + 1)


def vocabulary_one_matrix(n_parameters, d, n_layers):
    return (n_parameters - n_layers * (d * d + d)) / (2 * d + 1)


def vocabulary_no_layers(n_parameters, d, n_layers):
    return n_parameters / (2 * d + 1)


def vocabulary_one_layer(n_parameters, d, n_layers):
    return (n_parameters - (2 * d * d + d)) / (2 * d + 1)


def vocabulary_rounded(n_parameters, d, n_layers):
    return int((n_parameters - n_layers * (2 * d * d + d)) // (2 * d + 1))


def draw_vocabulary_size(rng: np.random.Generator) -> tuple:
    return int(rng.integers(100, 50_000)), int(rng.integers(8, 300)), int(rng.integers(1, 6))


def check_vocabulary_size(t: Trial) -> None:
    cases = ((5, 2, 1), (1000, 16, 2), (32_011, 128, 2), (4096, 64, 3))
    for V, d, n_layers in [*cases, *t.fresh(draw_vocabulary_size)]:
        n = V * d + n_layers * (2 * d * d + d) + (d + 1) * V
        t.close(t.call(n, d, n_layers), float(V), rtol=1e-9, what="V")
    t.close(t.call(8_300_000, 128, 2), vocabulary_size(8_300_000, 128, 2), rtol=1e-9, what="V (here no whole number)")


HINTS = (
    "Write the sum first: V d for the embedding, n_layers (d d + d d + d) for the layers, d V + V for the output.",
    "Everything with V: V (2 d + 1). So V = (n_parameters - n_layers (2 d^2 + d)) / (2 d + 1).",
)
WRONG = (
    Wrong(vocabulary_two_biases, "counts two biases for each layer, as torch has them; this model has one"),
    Wrong(vocabulary_no_output_bias, "forgets the bias of the output: one number for each entry of the vocabulary"),
    Wrong(vocabulary_tied, "counts one V x d matrix: here the embedding and the output are two"),
    Wrong(vocabulary_one_matrix, "counts one matrix for each layer: W for the input and U for the state are two"),
    Wrong(vocabulary_no_layers, "forgets the recurrent layers"),
    Wrong(vocabulary_one_layer, "counts one layer, whatever n_layers says"),
    Wrong(vocabulary_rounded, "rounds down: a fraction is the sign that the numbers do not fit, so do not hide it"),
)
EXERCISE = Exercise("7.8", "Which vocabulary was it?", "core", vocabulary_size, check_vocabulary_size, HINTS, WRONG, points=2)
