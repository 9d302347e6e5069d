"""The drawings of chapter 11: alt texts say what is seen, and HTML escapes what comes from documents."""

import numpy as np

from helpers.lab.drawings import ch11 as drawings


def test_intervals_name_every_row():
    rows = {
        "recall@1": {"BM25": (0.5, 0.4, 0.6), "dense": (0.4, 0.3, 0.5)},
        "MRR": {"BM25": (0.6, 0.5, 0.7), "dense": (0.5, 0.4, 0.6)},
    }
    fig, alt = drawings.intervals(rows, "mean", "Told.")
    assert alt.startswith("Told. recall@1 BM25 0.500 (0.400 to 0.600)") and "MRR dense 0.500" in alt
    assert [t.get_text() for t in fig.axes[0].get_yticklabels()][-1] == "recall@1  BM25"
    _, alt = drawings.intervals({"": {"closed": (0.25, 0.2, 0.3)}}, "x", "Told.", percent=True)
    assert alt == "Told. closed 25% (20% to 30%)."


def test_heat_frames_the_best():
    _, alt = drawings.heat(np.array([[0.1, 0.2], [0.4, 0.3]]), [1, 2], [0, 0.5], "k1", "b", "Told.")
    assert alt == "Told. From 0.100 to 0.400; the best is k1 = 2, b = 0."


def test_saturation_tradeoff_scores():
    assert "1.2: 1.96" in drawings.saturation([0, 1.2])[1]
    _, alt = drawings.tradeoff({0: [(0.02, 0.6, 1), (0.1, 0.95, 10)], 1: [(0.02, 0.59, 1), (0.1, 0.94, 10)]}, 1.0)
    assert "2 seeds" in alt and "10 cells: 0.95 of the true ten at 10.0% of the work" in alt
    _, alt = drawings.scores_by_kind([0.2, 0.5, 0.9], [False, True, True], 0.4, "cosine")
    assert "2 answerable ones from 0.50 to 0.90, 1 unanswerable ones from 0.20 to 0.20; threshold 0.40" in alt


def test_chunk_sizes_have_a_tick_each_and_no_other():
    fig, alt = drawings.chunk_sizes({"words": ([15, 60, 120], [0.5, 0.75, 0.9]), "sentences": ([30, 60], [0.6, 0.8])})
    ax = fig.axes[0]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["15", "30", "60", "120"] and ax.get_xscale() == "log"
    assert not len(ax.get_xticks(minor=True))
    assert alt == "Chunk size against answers found. words: from 0.5 at 15 to 0.9 at 120; sentences: from 0.6 at 30 to 0.8 at 60."


def test_results_are_escaped_and_marked():
    shown = drawings.results_table("<q>", {"BM25": [("A <b>", 1.5, "text & more")], "dense": []}, right="A <b>")
    assert "<b>&lt;q&gt;</b>" in shown and "A &lt;b&gt;" in shown and "Nothing found" in shown and "&#10003;" in shown


def test_a_ranking_card_shows_the_metrics():
    shown = drawings.ranking_card(8, 1, 3)
    assert "0.8333" in shown and shown.count(">R<") == 2
    assert drawings.ranking_card(8, 1, 0).count(">R<") == 1 and drawings.ranking_card(3, 1, 8) != shown


def test_chunks_are_colored_and_overlaps_underlined():
    text = "one two three <four>"
    shown = drawings.chunk_view(text, [(0, 13), (8, 20)])
    assert "2 chunks of 2 to 3 words" in shown and "underline'>three" in shown and "&lt;four&gt;" in shown
    assert "no chunk" in drawings.chunk_view("", [])
