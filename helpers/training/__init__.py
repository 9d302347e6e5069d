"""Training: documents become batches, batches become weights, and weights become files."""

from helpers.offers import offer

__getattr__, __dir__, __all__ = offer(
    __name__,
    """
    batches: Streams Windows collate
    schedule: Plan TrainingError learning_rate optimize
    trainer: Trainer
    checkpoint: load_model load_tensors save_model save_tensors
    """,
)
