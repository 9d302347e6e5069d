"""What the weights of a Llama are called in transformers, and what our own class calls them."""

__all__ = ["llama_name"]

LLAMA_NAMES = {
    "model.embed_tokens": "embedding",
    "model.norm": "norm",
    "lm_head": "out",
    "model.layers": "blocks",
    "self_attn.q_proj": "attention.q",
    "self_attn.k_proj": "attention.k",
    "self_attn.v_proj": "attention.v",
    "self_attn.o_proj": "attention.o",
    "mlp.gate_proj": "ffn.gate",
    "mlp.up_proj": "ffn.up",
    "mlp.down_proj": "ffn.down",
    "input_layernorm": "norm1",
    "post_attention_layernorm": "norm2",
}


def llama_name(name: str) -> str:
    """Our name of a weight that transformers calls `name`: "model.layers.3.mlp.up_proj.weight" -> "blocks.3.ffn.up.weight".

    >>> llama_name("model.layers.3.mlp.up_proj.weight")
    'blocks.3.ffn.up.weight'
    """
    for theirs, ours in LLAMA_NAMES.items():
        name = name.replace(theirs, ours)
    return name
