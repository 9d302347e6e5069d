"""Search beside rank_bm25, bm25s and faiss: BM25 of the leads (9a), exact search over their vectors (9b)."""

from __future__ import annotations

import numpy as np

from helpers.features.words import tokenize
from helpers.retrieval import rag_questions, stored_vectors
from helpers.retrieval.bm25 import BM25
from helpers.retrieval.dense import DenseIndex
from helpers.retrieval.documents import lead_documents
from tests.benchmarks.harness import Case


def cases() -> list[Case]:
    """Index all leads; 200 queries of seven words each, top 10; exact dense search for one query and for a hundred."""
    texts = [f"{d.title}. {d.text}" for d in lead_documents()]
    words = [w for q in rag_questions.label_free(600) for w in tokenize(q.text)]
    queries = [" ".join(words[i : i + 7]) for i in range(0, 1400, 7)]
    vectors = stored_vectors.load()
    return [indexing(texts), searching(texts, queries), dense(vectors, 1), dense(vectors, 100)]


def indexing(texts: list[str]) -> Case:
    import bm25s
    from rank_bm25 import BM25Okapi

    def peer():
        index = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
        index.index([tokenize(t) for t in texts], show_progress=False)
        return index

    def same(a, b):
        assert len(a) == len(texts)

    return Case(
        f"BM25 index of {len(texts):,} leads, from texts",
        lambda: BM25().fit(texts),
        {"bm25s": peer, "rank_bm25": lambda: BM25Okapi([tokenize(t) for t in texts])},
        same,
        item="9a",
        targets={"bm25s": 1.0},
    )


def searching(texts: list[str], queries: list[str]) -> Case:
    import bm25s
    from rank_bm25 import BM25Okapi

    tokens = [tokenize(q) for q in queries]
    ours = BM25(1.5, 0.75, idf_kind="okapi", floor=0.25).fit(texts)
    slow = BM25Okapi([tokenize(t) for t in texts], k1=1.5, b=0.75)
    fast = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
    fast.index([tokenize(t) for t in texts], show_progress=False)

    def by_rank_bm25():
        return [np.argsort(-slow.get_scores(t), kind="stable")[:10] for t in tokens[:20]]  # 20 of them: it takes its time

    def same(a, b):
        if len(b) == 20:  # the others rank by another variant of idf
            agree = np.mean([[h.index for h in hits] == list(row) for hits, row in zip(a, b)])
            assert agree > 0.9, f"only {agree:.0%} of the rankings agree"

    return Case(
        "queries of 7 words, top 10",
        lambda: [ours.search(q, 10) for q in queries],
        {"bm25s": lambda: fast.retrieve(tokens, k=10, show_progress=False), "rank_bm25": by_rank_bm25},
        same,
        item="9a",
        amounts={"ours": len(queries), "bm25s": len(queries), "rank_bm25": 20},
        unit="queries",
        targets={"bm25s": 1 / 0.6, "rank_bm25": 0.01},
        stretch={"bm25s": 1.0},
    )


def dense(vectors: np.ndarray, n: int) -> Case:
    import faiss

    flat, ours = faiss.IndexFlatIP(vectors.shape[1]), DenseIndex(vectors)
    flat.add(vectors)
    queries = vectors[7 : 7 + n]

    def same(a, b):
        gap = np.abs(a[1] - b[0]).max()
        assert gap < 1e-4, f"the scores differ by {gap:.1e}"

    return Case(
        f"exact search, {len(vectors):,} x {vectors.shape[1]}, top 10, {n} {'query' if n == 1 else 'queries'}",
        lambda: ours.search_batch(queries, 10),
        {"faiss IndexFlatIP": lambda: flat.search(queries, 10)},
        same,
        item="9b",
        repeats=7,
        targets={"faiss IndexFlatIP": 1.0},
    )
