"""Exercise 8.6, Count a Llama: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def llama_parameters(V, C, layers, heads, kv_heads, ffn_dim, tied):
    """Parameters of a Llama: RMSNorm twice a block and once at the end, no biases, SwiGLU, grouped heads of width C / heads."""
    D = C // heads
    attention = 2 * C * C + 2 * C * kv_heads * D  # queries and output; keys and values
    block = attention + 3 * C * ffn_dim + 2 * C
    return V * C * (1 if tied else 2) + layers * block + C


def llama_two_matrices(V, C, layers, heads, kv_heads, ffn_dim, tied):
    return llama_parameters(V, C, layers, heads, kv_heads, ffn_dim, tied) - layers * C * ffn_dim


def llama_full_heads(V, C, layers, heads, kv_heads, ffn_dim, tied):
    return llama_parameters(V, C, layers, heads, heads, ffn_dim, tied)


def llama_no_output_matrix(V, C, layers, heads, kv_heads, ffn_dim, tied):
    return llama_parameters(V, C, layers, heads, kv_heads, ffn_dim, tied) - layers * C * C


def llama_always_tied(V, C, layers, heads, kv_heads, ffn_dim, tied):
    return llama_parameters(V, C, layers, heads, kv_heads, ffn_dim, True)


def llama_tied_wrong_way(V, C, layers, heads, kv_heads, ffn_dim, tied):
    return llama_parameters(V, C, layers, heads, kv_heads, ffn_dim, not tied)


def llama_no_last_norm(V, C, layers, heads, kv_heads, ffn_dim, tied):
    return llama_parameters(V, C, layers, heads, kv_heads, ffn_dim, tied) - C


def llama_one_norm(V, C, layers, heads, kv_heads, ffn_dim, tied):
    return llama_parameters(V, C, layers, heads, kv_heads, ffn_dim, tied) - layers * C


def llama_layer_norm(V, C, layers, heads, kv_heads, ffn_dim, tied):
    return llama_parameters(V, C, layers, heads, kv_heads, ffn_dim, tied) + (2 * layers + 1) * C


def llama_one_of_keys_and_values(V, C, layers, heads, kv_heads, ffn_dim, tied):
    return llama_parameters(V, C, layers, heads, kv_heads, ffn_dim, tied) - layers * C * kv_heads * (C // heads)


def llama_head_as_one(V, C, layers, heads, kv_heads, ffn_dim, tied):
    full = llama_parameters(V, C, layers, heads, kv_heads, ffn_dim, tied)
    return full - layers * 2 * C * kv_heads * (C // heads) + layers * 2 * C * kv_heads


def draw_llama_parameters(rng: np.random.Generator) -> tuple:
    kv, times, D = (int(n) for n in rng.integers(2, 5, size=3))
    return (
        int(rng.integers(50, 500)),
        kv * times * D,
        int(rng.integers(2, 6)),
        kv * times,
        kv,
        int(rng.integers(5, 40)),
        bool(rng.integers(2)),
    )


def check_llama(t: Trial) -> None:
    cases = {
        "a toy": (10, 12, 3, 4, 2, 5, True),
        "another toy": (12, 4, 2, 2, 2, 6, False),
        "SmolLM2-135M": (49_152, 576, 30, 9, 3, 1_536, True),
        "Llama-3-8B": (128_256, 4_096, 32, 32, 8, 14_336, False),
    }
    for name, case in [*cases.items(), *(("a drawn one", case) for case in t.fresh(draw_llama_parameters))]:
        t.equal(t.call(*case), llama_parameters(*case), what=f"the parameters of {name}")


HINTS = (
    "A block has four attention matrices: q and o are C x C, k and v are C x (kv_heads * D) with D = C // "
    "heads. It has three "
    "feed-forward matrices C x ffn_dim, and two norms of C numbers.",
    "Then once: the embedding V * C, the last norm C, and the output V * C unless it is tied.",
)
WRONG = (
    Wrong(llama_one_of_keys_and_values, "counts one matrix for keys and values together: each has its own"),
    Wrong(llama_head_as_one, "counts kv_heads columns for k and v: each key-value head has D = C / heads of them"),
    Wrong(llama_two_matrices, "counts two feed-forward matrices: SwiGLU has three (gate, up, down)"),
    Wrong(llama_full_heads, "gives k and v the full width: with grouped heads they are kv_heads * D wide"),
    Wrong(llama_no_output_matrix, "forgets the output matrix of the attention (or counts only one C x C matrix)"),
    Wrong(llama_always_tied, "never counts an output matrix of its own: it is there when the model is not tied"),
    Wrong(llama_tied_wrong_way, "has tied the wrong way round: a tied model saves V * C"),
    Wrong(llama_no_last_norm, "forgets the norm after the last block"),
    Wrong(llama_one_norm, "counts one norm a block; there is one before the attention and one before the feed-forward layer"),
    Wrong(llama_layer_norm, "counts a shift for each norm as well: RMSNorm has scales only"),
)
EXERCISE = Exercise("8.6", "Count a Llama", "core", llama_parameters, check_llama, HINTS, WRONG, points=2)
