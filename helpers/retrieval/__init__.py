"""Retrieval: documents and a question become passages, and passages become an answer with its sources."""

from helpers.offers import offer

__getattr__, __dir__, __all__ = offer(
    __name__,
    """
    documents: Document read_folder
    chunking: chunk_all fixed_chunks sentence_chunks sentences
    bm25: BM25
    dense: DenseIndex DenseRetriever Hybrid expand_with_feedback mmr reciprocal_rank_fusion
    ivf: IVF
    rag: Rag
    grounding: check_citation supported
    prompt_injection: LIE drop_orders planted without_orders
    chat_memory: Buffer Summary Window first_sentences tokens
    agent: Agent calculate policy_of_rules
    """,
)
