"""A random tiny Llama, as the library's model and as ours: the other side of many comparisons."""

from helpers.models.transformer import Config, Transformer


def pair(vocab_size: int, length: int, *, tied: bool, scale: float = 1.0, **more):
    """(library's model, ours) with the same weights, the matrices times `scale`. more: of the library's configuration."""
    import torch
    import transformers

    sizes = {
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
    }
    config = transformers.LlamaConfig(
        vocab_size=vocab_size, max_position_embeddings=length, tie_word_embeddings=tied, **sizes, **more
    )
    library = transformers.LlamaForCausalLM(config).eval()
    with torch.no_grad():
        for p in library.parameters():
            if p.ndim == 2:
                p.mul_(scale)
    own = Config(
        vocab_size,
        length,
        hidden_dim=32,
        n_layers=2,
        n_heads=4,
        n_kv_heads=2,
        ffn_dim=48,
        norm_eps=config.rms_norm_eps,
        tied=tied,
    )
    return library, Transformer.from_llama(own, {name: w.clone() for name, w in library.state_dict().items()})
