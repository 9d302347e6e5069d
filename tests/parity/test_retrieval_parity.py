"""Search and its metrics against those everybody trusts: rank_bm25, bm25s, scikit-learn, faiss, transformers."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, ndcg_score

from helpers.data import datasets
from helpers.evaluation import ranking as rank_metrics
from helpers.features.words import tokenize
from helpers.retrieval import documents, rag_questions
from helpers.retrieval.bm25 import BM25
from helpers.retrieval.dense import DenseIndex


@pytest.fixture(scope="module")
def texts():
    return [f"{d.title}. {d.text}" for d in documents.lead_documents()[:2000]]


QUERIES = [
    "the longest river of africa",
    "a painter of the renaissance",
    "atomic number",
    "what is the of and",
    "zzzz",
    "river river bank",
]


@pytest.mark.parametrize("k1, b", [(1.5, 0.75), (0.9, 0.4), (2.0, 0.0)])
def test_bm25_equals_rank_bm25(texts, k1, b):
    """The same variant: Okapi idf, negative values replaced by a quarter of the mean idf."""
    from rank_bm25 import BM25Okapi

    theirs = BM25Okapi([tokenize(t) for t in texts], k1=k1, b=b, epsilon=0.25)
    ours = BM25(k1, b, idf_kind="okapi", floor=0.25).fit(texts)
    for query in QUERIES:
        expected, got = theirs.get_scores(tokenize(query)), ours.scores(query)
        np.testing.assert_allclose(np.where(got == -np.inf, 0, got), expected, atol=1e-9, rtol=0)


def test_bm25_orders_as_bm25s(texts):
    import bm25s

    theirs = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
    theirs.index([tokenize(t) for t in texts], show_progress=False)
    ours = BM25(1.2, 0.75).fit(texts)
    for query in QUERIES[:4]:
        scores = theirs.get_scores(tokenize(query))
        # Lucene leaves out the constant factor k1 + 1, which changes no order
        np.testing.assert_allclose(np.maximum(ours.scores(query), 0), scores * 2.2, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_ndcg_and_average_precision_equal_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    gains, scores = rng.integers(0, 4, 12).astype(float), rng.permutation(12).astype(float)
    gains[0] = 1
    ranking = [int(i) for i in np.argsort(-scores)]
    for k in (3, 12):
        ours = rank_metrics.ndcg(ranking, dict(enumerate(gains)), k)
        assert ours == pytest.approx(ndcg_score([gains], [scores], k=k), abs=1e-12)
    relevant = set(np.flatnonzero(gains).tolist())
    expected = average_precision_score(gains > 0, scores)
    assert rank_metrics.average_precision(ranking, relevant) == pytest.approx(expected, abs=1e-12)


def test_exact_search_equals_faiss():
    faiss = pytest.importorskip("faiss", reason="faiss-cpu is not there for this Python")
    from helpers.retrieval.stored_vectors import load

    vectors = load()[:3000]
    flat = faiss.IndexFlatIP(384)
    flat.add(vectors)
    scores, numbers = flat.search(vectors[:50], 10)
    ours, ours_scores = DenseIndex(vectors).search_batch(vectors[:50], 10)
    np.testing.assert_allclose(ours_scores, scores, atol=1e-5)
    assert (ours == numbers).mean() > 0.99  # near ties may swap


def test_the_encoder_equals_transformers():
    import torch

    from helpers.models.bert import load_encoder
    from helpers.models.pretrained import load_minilm

    texts = [lead.text for lead in datasets.leads()[:6]] + ["", "Ein Fluß"]
    model, tokenizer = load_minilm()
    batch = tokenizer(texts, padding=True, truncation=True, max_length=256, return_tensors="pt")
    with torch.inference_mode():
        states = model(**batch).last_hidden_state
    mask = batch["attention_mask"][:, :, None]
    theirs = torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=-1).numpy()
    np.testing.assert_allclose(load_encoder().encode(texts), theirs, atol=2e-6)


def test_the_queries_of_the_course_find_their_leads():
    """A guard on quality: recall@10 of BM25 on the label-free queries, far from chance."""
    docs = documents.lead_documents()
    index = BM25().fit([f"{d.title}. {d.text}" for d in docs])
    queries = rag_questions.label_free(200)
    found = [rank_metrics.recall_at_k([h.index for h in index.search(q.text, 10)], {q.index}, 10) for q in queries]
    assert 0.75 < np.mean(found) < 0.95
