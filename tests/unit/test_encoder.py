"""The encoder: padding does not count, batches do not matter, check values of MiniLM, the committed vectors."""

import hashlib

import numpy as np
import pytest
import torch

from helpers.data import datasets
from helpers.models.bert import BertConfig, Encoder, bert_name, load_encoder, mean_over_tokens
from helpers.retrieval import stored_vectors

TINY = BertConfig(vocab_size=20, context_length=12, hidden_dim=8, n_layers=2, n_heads=2, ffn_dim=16)


@pytest.fixture(scope="module")
def minilm():
    return load_encoder()


def test_padding_changes_nothing():
    torch.manual_seed(0)
    model = Encoder(TINY).eval()
    ids = torch.tensor([[3, 4, 5, 6]])
    padded = torch.tensor([[3, 4, 5, 6, 0, 0, 0]])
    real = padded != 0
    with torch.no_grad():
        a = mean_over_tokens(model(ids, ids != 0), ids != 0)
        b = mean_over_tokens(model(padded, real), real)
    torch.testing.assert_close(a, b)
    torch.testing.assert_close(a.norm(dim=1), torch.ones(1))


def test_every_token_sees_the_whole_text():
    """No causal mask: changing the last token changes the first one's state."""
    torch.manual_seed(0)
    model, real = Encoder(TINY).eval(), torch.ones(1, 4, dtype=torch.bool)
    with torch.no_grad():
        a, b = (model(torch.tensor([[3, 4, 5, last]]), real) for last in (6, 7))
    assert (a[0, 0] - b[0, 0]).abs().max() > 1e-4


def test_check_values_and_batches(minilm):
    texts = ["That is a happy person", "That is a very happy person", "That is a happy dog", "Today is a sunny day"]
    vectors = minilm.encode(texts)
    np.testing.assert_allclose(vectors[1:] @ vectors[0], [0.943, 0.695, 0.257], atol=1e-3)
    alone = np.concatenate([minilm.encode([t]) for t in texts])
    np.testing.assert_allclose(vectors, alone, atol=1e-5)
    long = minilm.encode(["river " * 2000, texts[0]])
    np.testing.assert_allclose(long[1], vectors[0], atol=1e-5)


def test_layers_and_gradients(minilm):
    texts = ["That is a happy person", "Hi"]
    ids, real = minilm.read(texts)
    layers = minilm.model.layers(ids, real)
    assert len(layers) == 7 and torch.equal(layers[-1], minilm.model(ids, real)) and real.sum(1).tolist() == [7, 3]
    assert layers[0][1, 0].tolist() == layers[0][0, 0].tolist() != layers[1][1, 0].tolist()  # [CLS] before and after it looks
    vectors = minilm.embed(texts)
    np.testing.assert_allclose(vectors.detach().numpy(), minilm.encode(texts), atol=1e-6)
    vectors[0, 0].backward()
    assert minilm.model.blocks[0].q.weight.grad.abs().max() > 0
    minilm.model.zero_grad()


def test_the_committed_vectors_are_those_of_the_leads(minilm):
    vectors, leads = stored_vectors.load(), datasets.leads()
    assert vectors.shape == (len(leads), 384) and vectors.dtype == np.float32
    some = list(range(5, len(leads), 1200))
    fresh = minilm.encode([stored_vectors.lead_text(leads[i]) for i in some])
    assert (fresh * vectors[some]).sum(1).min() > 0.9998


def test_quantized_rows_keep_their_direction():
    X = np.random.default_rng(0).normal(size=(20, 384))
    q = stored_vectors.quantized(X).astype(float)
    cos = (q * X).sum(1) / np.linalg.norm(q, axis=1) / np.linalg.norm(X, axis=1)
    assert np.abs(q).max(axis=1).tolist() == [127] * 20 and cos.min() > 0.9998


def test_vectors_of_other_texts_are_refused(tmp_path):
    from safetensors.numpy import save_file

    save_file({"vectors": np.ones((3, 4), dtype=np.int8)}, tmp_path / "x.safetensors", metadata={"texts": "another"})
    digest = hashlib.sha256((tmp_path / "x.safetensors").read_bytes()).hexdigest()
    (tmp_path / "x.sha256").write_text(f"{digest}  x.safetensors\n")
    with pytest.raises(ValueError, match="other texts"):
        stored_vectors.load(tmp_path / "x.safetensors")


def test_bad_input(minilm):
    with pytest.raises(TypeError, match="list of texts"):
        minilm.encode("one")
    with pytest.raises(ValueError, match="at most 12 tokens"):
        Encoder(TINY)(torch.zeros(1, 13, dtype=torch.long), torch.ones(1, 13, dtype=torch.bool))
    with pytest.raises(ValueError, match="do not fit"):
        Encoder.from_bert(TINY, {"embeddings.word_embeddings.weight": torch.zeros(20, 8)})
    assert bert_name("encoder.layer.3.attention.output.dense.weight") == "blocks.3.o.weight"
