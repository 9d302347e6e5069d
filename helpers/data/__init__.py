"""Data: real text and real weights come in, as checked files and typed records."""

from helpers.offers import offer

__getattr__, __dir__, __all__ = offer(
    __name__,
    """
    datasets: leads sms questions snippets reviews plays manuals word_similarity analogies
    sources: DataError checked
    weights: minilm_folder smollm2_folder prepare
    """,
)
