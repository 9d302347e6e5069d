"""Evaluation: predictions, rankings, probabilities and texts become numbers, each with how sure it is."""

from helpers.offers import offer

__getattr__, __dir__, __all__ = offer(
    __name__,
    """
    yardstick: bits_per_byte check_sums_to_one perplexity
    classification: accuracy calibration_bins confusion_matrix expected_calibration_error pr_auc precision_recall_f1 roc_auc
    intervals: bootstrap_interval mcnemar wilson_interval
    ranking: ndcg precision_at_k reciprocal_rank
    word_similarity: analogy_accuracy evaluate_pairs
    generated_text: Elo rouge_l rouge_n
    diversity: distinct_n repetition
    """,
)
