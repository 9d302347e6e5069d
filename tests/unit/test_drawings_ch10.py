"""Drawings of chapter 10: they draw for odd settings too, and the alt text tells what is seen."""

import numpy as np
import pytest

from helpers.generation.beam import beam_search
from helpers.lab import figures
from helpers.lab.drawings import ch10 as drawings
from helpers.models.language_model import Uniform

WORDS = ["cold", " $long$", "<b>", "é", "\n"]
P = np.array([0.5, 0.3, 0.1, 0.06, 0.04])


def test_distributions_leave_out_what_is_ruled_out():
    fig, alt = drawings.distributions({"before": P, "after": np.array([0.625, 0.375, 0, 0, 0])}, WORDS, "Told.")
    assert alt.startswith("Told. before: cold 0.50") and "after: cold 0.62,  $long$ 0.38." in alt.replace("0.37.", "0.38.")
    assert figures.png(fig)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"temperature": 0.1},
        {"top_k": 1},
        {"top_p": 0.05},
        {"min_p": 1.0},
        {"typical_p": 0.05},
        {"repetition": 2.0},
        {"temperature": 3.0, "top_k": 3, "top_p": 0.5},
    ],
)
def test_every_knob_draws(change):
    knobs = dict(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, typical_p=1.0, repetition=1.0) | change
    fig, alt = drawings.knobs(WORDS, np.log(P), **knobs)
    assert "of 5 tokens are left" in alt and figures.png(fig)
    if change in ({"top_k": 1}, {"top_p": 0.05}, {"min_p": 1.0}):
        assert "1 of 5 tokens are left with entropy 0.00 bits: cold 1.000" in alt.replace("-0.00", "0.00")


def test_the_tree_tells_each_step_and_the_winner():
    steps = []
    won = beam_search(Uniform(4), [], width=2, max_tokens=3, end_id=0, steps=steps)[0]
    fig, alt = drawings.beam_tree(steps, lambda i: "abcd"[i], 2, won.ids)
    assert alt.startswith("Tree of a beam search of width 2, by step:") and alt.count("|") == len(steps) - 1 and figures.png(fig)


def test_quality_names_every_sampler():
    rows = [
        {"sampler": n, "seed": s, "perplexity": 2.0 + i + s, "distinct_2": 0.5 + 0.1 * i}
        for i, n in enumerate(("human text", "greedy", "T = 1", "top-p 0.9"))
        for s in (0, 1)
    ]
    fig, alt = drawings.quality(rows, "Told.")
    assert all(n in alt for n in ("human text perplexity 2.5", "greedy", "top-p 0.9 perplexity 5.5")) and figures.png(fig)


def test_small_figures():
    q = np.array([0.2, 0.45, 0.05, 0.1, 0.2])
    assert "kept in all 0.65" in drawings.acceptance(P, q, WORDS)[1]
    assert "one 0.50 (0.40 to 0.60)" in drawings.bars({"one": (0.5, 0.4, 0.6), "none": (0.0, 0.0, 0.1)}, "share", "Told.")[1]
    fig, alt = drawings.by_count({"a": ([1, 2], [[0.1, 0.3], [0.4]]), "b": ([1, 2], [[0.0], [1.0]])}, "x", "y", "Told.")
    assert "a: 1 0.20 (0.10 to 0.30), 2 0.40 (0.40 to 0.40)" in alt and figures.png(fig)
    said, came = np.array([0.1, 0.9]), np.array([0.2, 0.8])
    fig, alt = drawings.reliability(said, came, np.array([5, 7]), "title", "Told.", [(0, 0.5), (0.6, 0.9)])
    assert "confidence 0.90: 0.80 right of 7" in alt and figures.png(fig)
    alt = drawings.lines({"a": ([0, 1, 2, 3], [1, 2, 3, 4])}, "x", "y", "Told.")[1]
    assert alt == "Told. a: from 1.00 at 0.00 to 4.00 at 3.00."


def test_the_playground_frames_what_was_chosen_and_escapes():
    page = drawings.playground([[(" <b>", 0.7), ("x", 0.2)], [("\n", 0.5), ("y", 0.4)]], [0, 1], "a & b", -1.5)
    assert page.count("outline: 2px") == 2 and "&lt;b&gt;" in page and "a&nbsp;&amp;&nbsp;b" in page and "-1.50" in page
