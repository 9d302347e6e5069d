"""Generation: probabilities become text, one token after the other."""

from helpers.offers import offer

__getattr__, __dir__, __all__ = offer(
    __name__,
    sampling="GREEDY Sampler generate scores_of softmax",
    batched="generate_batch",
    beam="beam_search",
    speculative="PromptLookup accept read_ahead speculate",
    constrained="Constraint TokenTable choices_pattern json_pattern token_bytes",
    greedy="Writer",
)
