"""Losses of sentence pairs, ranks, hard negatives, and few labels; MiniLM itself is trained for two steps."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from helpers.finetuning import sentence_encoder
from helpers.models import contrastive


def unit(seed, *shape):
    return F.normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)), dim=-1)


def test_the_ranking_loss_is_info_nce():
    q, k = unit(0, 5, 8), unit(1, 5, 8)
    expected = contrastive.info_nce(q.numpy(), k.numpy(), 0.1).loss  # the NumPy form of chapter 04
    assert float(sentence_encoder.ranking_loss(q, k, temperature=0.1)) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("m", [0, 4])
def test_equal_similarities_cost_the_logarithm_of_the_candidates(m):
    same = torch.ones(3, 1)
    loss = sentence_encoder.ranking_loss(same, same, torch.ones(m, 1) if m else None)
    assert float(loss) == pytest.approx(math.log(3 + m))


def test_hard_negatives_are_candidates():
    q, k, hard = unit(0, 3, 4), unit(1, 3, 4), unit(2, 2, 4)
    scores = q @ torch.cat([k, hard]).T / 0.5
    expected = F.cross_entropy(scores, torch.arange(3))
    assert float(sentence_encoder.ranking_loss(q, k, hard, 0.5)) == pytest.approx(float(expected), abs=1e-6)
    assert float(sentence_encoder.ranking_loss(q, k, hard, 0.5)) > float(sentence_encoder.ranking_loss(q, k, temperature=0.5))


def test_the_pair_loss_by_hand():
    z = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.6, 0.8]])
    loss = sentence_encoder.pair_loss(
        z, torch.tensor([0, 0, 1])
    )  # one pair of one class with cosine 1; two of two classes with 0.6
    assert float(loss) == pytest.approx(0.36 / 2)
    assert float(sentence_encoder.pair_loss(z, torch.tensor([0, 1, 1]))) == pytest.approx(0.16 / 2 + (1 + 0.36) / 4)


def test_ranks_and_ties():
    keys = np.eye(4)
    queries = np.array([[0.1, 0.9, 0.5, 0.0], [1.0, 1.0, 0.0, 0.0]])
    assert sentence_encoder.ranks(queries, keys, np.array([2, 0])).tolist() == [2, 2]  # the tie counts against the second query
    assert sentence_encoder.hard_negatives(queries, keys, np.array([1, 2])).tolist() == [2, 0]
    assert sentence_encoder.hard_negatives(queries, keys, np.array([1, 2]), skip=1).tolist() == [0, 1]


def test_the_same_number_of_each_class():
    labels = np.array(["a"] * 10 + ["b"] * 5)
    rows = sentence_encoder.sample_per_class(labels, 4, seed=0)
    assert len(set(rows)) == 8 and (labels[rows] == "a").sum() == 4
    assert sentence_encoder.sample_per_class(labels, 4, seed=0).tolist() == rows.tolist()


def test_french_questions_keep_the_splits():
    from helpers.data import datasets

    train, test = sentence_encoder.french_questions()
    leads = datasets.leads()
    assert len(train) > 2_000 and len(test) > 200
    assert all(leads[row].split == "train" for _, row in train) and all(leads[row].split != "train" for _, row in test)


def test_few_labels_finds_a_direction():
    x = np.array([[1.0, 0], [0.9, 0.1], [0, 1], [0.1, 0.9]])
    y = np.array(["a", "a", "b", "b"])
    assert sentence_encoder.few_labels(x, y, x, y) == 4
    assert (
        sentence_encoder.few_labels_tfidf(["red", "red red", "blue", "blue sky"], y, ["a red one", "blue"], np.array(["a", "b"]))
        == 2
    )


def test_minilm_is_trained_but_for_its_table():
    from helpers.models.bert import load_encoder

    encoder = load_encoder(max_tokens=48)
    table = encoder.model.tokens.weight.clone()
    texts, labels = ["Who was he?", "Who is she?", "How many?", "How much?"], [0, 0, 1, 1]
    before = encoder.encode(texts)
    assert np.allclose(np.linalg.norm(before, axis=1), 1, atol=1e-5)
    losses = sentence_encoder.tune_on_labels(encoder, texts, labels, steps=3, per_class=2)
    assert losses[-1] < losses[0] and torch.equal(table, encoder.model.tokens.weight)
    assert not encoder.model.training  # it came in evaluation mode: without dropout, so that runs can be repeated
    with torch.no_grad():  # padding does not count
        pair = encoder.embed(["Who?", "Who wrote the first book on the rivers of Central Asia, and when?"])
        assert torch.allclose(encoder.embed(["Who?"])[0], pair[0], atol=1e-5)


def test_bad_input_is_refused():
    a, b = torch.ones(2, 3), torch.ones(2, 4)
    for call in (
        lambda: sentence_encoder.ranking_loss(a, b),
        lambda: sentence_encoder.ranking_loss(a, a, b),
        lambda: sentence_encoder.ranking_loss(a, a, temperature=0),
        lambda: sentence_encoder.ranking_loss(a[:1], a[:1]),
        lambda: sentence_encoder.pair_loss(a, torch.tensor([0, 0])),
        lambda: sentence_encoder.pair_loss(a, torch.tensor([0, 1])),
        lambda: sentence_encoder.sample_per_class(["a", "b", "b"], 2, 0),
        lambda: sentence_encoder.hard_negatives(np.eye(3), np.eye(3), np.arange(3), skip=2),
    ):
        with pytest.raises(ValueError, match="expected"):
            call()
