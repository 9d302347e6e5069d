"""Tokenizers: text becomes ids and comes back without loss; chats become ids with their marks."""

from helpers.offers import offer

__getattr__, __dir__, __all__ = offer(
    __name__,
    """
    plain: ByteTokenizer WordTokenizer pieces
    bpe: BPE
    bpe_training: BYTE_ORDER learn_merges learn_merges_plainly visible
    course_bpe: course_tokenizer
    wordpiece: WordPiece learn_wordpieces
    unigram: Unigram
    labels: IGNORE align_labels
    chat_template: assistant encode_example encode_prompt render system user
    """,
)
