"""Drawings of chapter 06: they draw for odd settings too, and the alt text tells what is seen."""

import numpy as np
import pytest

from helpers.lab.drawings import ch06 as drawings
from helpers.models import ngram, ngram_counts
from helpers.models.language_model import encode_documents
from helpers.tokenizers.plain import WordTokenizer

TEXTS = ["the capital of the land", "the capital city of the land", "the cap of the man", "a man & a land"]
TOKENIZER = WordTokenizer.train(TEXTS, min_count=1)
MODEL = ngram.kneser_ney(ngram_counts.count_ngrams(encode_documents(TOKENIZER, TEXTS), 3, TOKENIZER.vocab_size), 0.5)


@pytest.mark.parametrize("text", ["", "the capital of", "Zürich <b>&", "the capital of zzz"])
def test_backoff_path_draws_for_any_text(text):
    fig, alt = drawings.backoff_path(MODEL, TOKENIZER, text)
    assert len(fig.axes) == 2 and "Likeliest next tokens" in alt
    bars = fig.axes[1].patches
    p = np.exp(MODEL.begin(TOKENIZER.encode(text)).log_probs)
    assert max(bar.get_x() + bar.get_width() for bar in bars) == pytest.approx(p.max())  # the parts of a bar add up to p


def test_unseen_contexts_are_said_to_be_unseen():
    _, alt = drawings.backoff_path(MODEL, TOKENIZER, "land capital the")
    assert "seen 0 times, hands down all" in alt


def test_completions_go_on_with_the_word_that_has_been_begun():
    found = drawings.completions(MODEL, TOKENIZER, "the ca")
    assert {rest for rest, _ in found} == {"pital", "p"} and sum(share for _, share in found) == pytest.approx(1)
    assert found[0][0] == "pital"
    assert drawings.completions(MODEL, TOKENIZER, "the xyz") == []
    assert all(rest for rest, _ in drawings.completions(MODEL, TOKENIZER, "the "))
    assert drawings.completions(MODEL, TOKENIZER, "")[0][1] > 0


@pytest.mark.parametrize("text", ["the ca", "the ", "", "<script>", "the xyz"])
def test_autocomplete_is_safe_html(text):
    shown = drawings.autocomplete(MODEL, TOKENIZER, text, seed=3)
    assert shown.startswith("<table>") and "<script>" not in shown and shown.count("<li>") == 3
    assert shown == drawings.autocomplete(MODEL, TOKENIZER, text, seed=3)


def test_other_figures():
    fig, alt = drawings.lcs_grid("a b c".split(), "c a b".split())
    assert alt.endswith("a b.") and len(fig.axes) == 1
    series = {"one": ([1, 2], [3.0, 2.0]), "two": ([1, 2], [1.0, 2.0], [0.9, 1.9], [1.1, 2.1])}
    fig, alt = drawings.lines(series, "x", "y", "Told.")
    assert alt.startswith("Told. one: 1 -> 3, 2 -> 2; two")
    grid = {(o, d): 2.0 / o + d for o in (1, 2) for d in (0.1, 0.9)}
    assert "order 2 at D = 0.50 costs 1.500" in drawings.discount_panel(grid, 2, 0.5, 1.5, "Kneser-Ney")[1]
    assert "the end: B 1510, A 1490" in drawings.ratings({"A": [1500, 1490], "B": [1500, 1510]}, 2)[1]
    assert "2: 1.10" in drawings.gave_and_got(np.array([1, 2]), np.array([0.3, 1.1]))[1]
