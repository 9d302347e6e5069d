"""Features: texts and tables become arrays of numbers: words, weights of words, hashes, counts of neighbors, groups."""

from helpers.offers import offer

__getattr__, __dir__, __all__ = offer(
    __name__,
    """
    letters: letter_frequencies
    tables: Standardizer polynomial_features
    words: Vocabulary tokenize
    bag_of_words: CountVectorizer TfidfVectorizer count_plainly
    tfidf: cosine idf unit_rows
    hashing: HashingVectorizer bucket collision_share
    cooccurrence: ppmi truncated_svd
    clustering: class_tfidf k_means top_terms
    """,
)
