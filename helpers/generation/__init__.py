"""Generation: probabilities become text, one token after the other."""

from helpers.offers import offer

__getattr__, __dir__, __all__ = offer(
    __name__,
    """
    sampling: GREEDY Sampler generate generate_tokens scores_of
    filters: frequency_penalty min_p presence_penalty repetition_penalty temperature top_k top_p typical
    batched: generate_batch
    beam: beam_search
    speculative: PromptLookup accept speculate
    constrained: Constraint TokenTable choices_pattern json_pattern token_bytes
    greedy: Writer
    """,
)
