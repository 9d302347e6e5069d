"""The two pretrained models, loaded: SmolLM2-135M-Instruct (chat) and all-MiniLM-L6-v2 (sentences)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from helpers.data.conversion import quiet
from helpers.data.weights import minilm_folder, smollm2_folder

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from helpers.models.transformer import Transformer

__all__ = ["load_minilm", "load_own_smollm2", "load_smollm2", "load_smollm2_tokenizer"]
DTYPES = ("float32", "bfloat16", "float16")
ATTENTION = ("sdpa", "eager")


def load_smollm2(dtype: Any = "float32", attn_implementation: str = "sdpa") -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """SmolLM2 as the library's own class, in evaluation mode, and its tokenizer.

    Args: ``dtype`` "float32" (538 MB), "bfloat16" or "float16" (269 MB), also as a torch dtype;
    ``attn_implementation`` "sdpa", or "eager" for models that are to return their attention maps.

    Raises ValueError for another dtype or implementation, DataError when the weights are missing or damaged.
    """
    name = str(dtype).removeprefix("torch.")
    if name not in DTYPES:
        raise ValueError(f"expected dtype to be one of {', '.join(DTYPES)}, got {dtype!r}")
    if attn_implementation not in ATTENTION:
        raise ValueError(f"expected attn_implementation to be one of {', '.join(ATTENTION)}, got {attn_implementation!r}")
    folder = smollm2_folder()
    with quiet():
        import torch
        from transformers import AutoModelForCausalLM

        model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=getattr(torch, name), attn_implementation=attn_implementation, local_files_only=True
        )
    return model.eval(), load_smollm2_tokenizer()


def load_smollm2_tokenizer() -> PreTrainedTokenizerBase:
    """SmolLM2's tokenizer alone: 49,152 entries, byte-level BPE, digits one by one, chat template included.

    Mind that ``pad`` and ``eos`` are the same token (``<|im_end|>``, id 2), and that the chat template inserts a
    system prompt of its own unless it is given one.

    Raises DataError when it is missing or damaged.
    """
    folder = smollm2_folder()
    with quiet():
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(folder, local_files_only=True)


def load_own_smollm2(library: PreTrainedModel | None = None) -> Transformer:
    """SmolLM2's weights in the course's own class, `transformer.Transformer`, in 32 bits and evaluation mode.

    library: a model of `load_smollm2` whose weights are to be shared (no second copy in memory); without one the weights
    are mapped from the cached file, and transformers is not loaded at all.

    Raises DataError when the weights are missing or damaged, ValueError when they do not fit the class.
    """
    import json

    from helpers.models.transformer import Config, Transformer

    folder = smollm2_folder()
    facts = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    base = facts.get("rope_theta") or facts["rope_parameters"]["rope_theta"]
    config = Config(
        vocab_size=facts["vocab_size"],
        context_length=facts["max_position_embeddings"],
        hidden_dim=facts["hidden_size"],
        n_layers=facts["num_hidden_layers"],
        n_heads=facts["num_attention_heads"],
        n_kv_heads=facts["num_key_value_heads"],
        ffn_dim=facts["intermediate_size"],
        rope_base=base,
        norm_eps=facts["rms_norm_eps"],
        tied=True,
        start_id=0,
    )
    if library is not None:
        weights = library.state_dict()
    else:
        from safetensors.torch import load_file

        weights = load_file(folder / "model.safetensors")
    return Transformer.from_llama(config, weights)


def load_minilm() -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """all-MiniLM-L6-v2 in evaluation mode, and its tokenizer (lower-case WordPiece, 30,522 entries).

    A sentence vector (384 numbers) is the mean of the last hidden states over the attention mask, divided by its
    length (Reimers and Gurevych, 2019).

    Raises DataError when it is missing or damaged.
    """
    folder = minilm_folder()
    with quiet():
        import torch
        from transformers import AutoModel, AutoTokenizer

        model = AutoModel.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
        return model.eval(), AutoTokenizer.from_pretrained(folder, local_files_only=True)
