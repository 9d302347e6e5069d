"""The drawings of chapter 04: the corners of the widgets draw, with alt text that tells the numbers, and no warning."""

import numpy as np
import pytest

from helpers.evaluation.word_similarity import PairScore
from helpers.features import cooccurrence
from helpers.lab import figures
from helpers.lab.drawings import ch04
from helpers.models import word2vec_losses, word_vectors

pytestmark = pytest.mark.filterwarnings("error")
WORDS = [f"word{i}" for i in range(30)]
VECTORS = word_vectors.WordVectors(WORDS, np.random.default_rng(0).normal(size=(30, 6)))
FLAT = word_vectors.pca(VECTORS.unit, 2)


def drawn(pair):
    fig, alt = pair
    assert figures.png(fig)[:4] == b"\x89PNG" and len(alt) > 40
    return alt


@pytest.mark.parametrize("query", ["word3", " Word3 "])
def test_the_map_names_the_nearest_words(query):
    alt = drawn(ch04.embedding_map(VECTORS, FLAT, query, k=5))
    assert all(f"{n.word} {n.cosine:.2f}" in alt for n in VECTORS.neighbors("word3", 5))


@pytest.mark.parametrize("query", ["", "wurd3", "zzz"])
def test_the_map_says_that_a_word_is_unknown(query):
    assert "is unknown" in drawn(ch04.embedding_map(VECTORS, FLAT, query))


def test_the_analogy_box_shows_the_query_words_too():
    alt = drawn(ch04.analogy_box(VECTORS, "word1", " WORD2", "word3"))
    assert alt.startswith("Candidates for word1 is to word2 as word3")
    with pytest.raises(ValueError, match="known words"):
        ch04.analogy_box(VECTORS, "word1", "word2", "nothing")


def test_the_other_drawings():
    rng = np.random.default_rng(0)
    C = rng.poisson(0.5, (5, 5)).astype(float)
    drawn(ch04.counts_and_ppmi(WORDS[:5], C, cooccurrence.ppmi(C + C.T).toarray()))
    drawn(ch04.points(WORDS[:5], np.array([[0, 0], [0, 0.01], [1, 1], [2, 0], [2, 2.0]]), ["a", "a", "b", "b", "b"]))
    drawn(ch04.cosine_histograms({"a": rng.uniform(-1, 1, 50), "b": rng.uniform(-1, 1, 50)}))
    counts = np.array([1000, 100, 10])
    drawn(
        ch04.keep_and_noise(
            counts, word2vec_losses.keep_probability(counts, 1e-2), {"power 1": counts / 1110}, ["the", "was", "planet"]
        )
    )
    drawn(ch04.training({"one": [(i * 1000, 4 - i / 50) for i in range(60)]}, 4.1589))
    drawn(ch04.agreement({"test": {"one": [PairScore(0.5, 0.4, 0.6, 50, 60), PairScore(0.6, 0.5, 0.7, 50, 60)]}}))
    drawn(ch04.genres(rng.normal(size=(12, 2)), np.arange(12) % 3, ["x", "y", "z"]))
    drawn(ch04.leaning(["b", "a"], rng.normal(size=(3, 2)), "he", "she"))
    drawn(ch04.similarity_table(["s"] * 4, np.eye(4), 2))
    drawn(ch04.contrastive({"batch of 2": [0.1, 0.2], "batch of 4": [0.2, 0.3]}, 0.05))
