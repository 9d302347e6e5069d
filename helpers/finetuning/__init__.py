"""Finetuning: a trained model and examples become a model for one task, or one that people prefer."""

from helpers.offers import offer

__getattr__, __dir__, __all__ = offer(
    __name__,
    """
    lora: LoRALinear add_lora lora_parameters merge
    quantization: quantize
    preferences: dpo_loss pairwise_loss policy_gradient_loss
    sentence_encoder: ranking_loss
    frozen_blocks: Prompts Upper
    """,
)
