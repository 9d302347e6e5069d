"""How large a Transformer is and what it costs: parameters, operations, memory, days, money. Arithmetic only, no torch.

    size = SIZES["SmolLM2-135M"]
    size.parameters()["total"]         134,515,008
    size.cache_bytes_per_token(4)      46,080
    training_flops(175e9, 300e9)       3.15e23

Published counts of known models are recomputed in the tests, so the formulas can be trusted for models that do not exist yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from helpers.models.config import Config

__all__ = ["SIZES", "Size", "days_of_training", "price_of_training", "training_bytes", "training_flops"]

BIASES = ("none", "output", "all")


@dataclass(frozen=True)
class Size:
    """What the parameter count of a decoder depends on.

    n_kv_heads: None for n_heads. head_dim: None for hidden_dim / n_heads. gated: three feed-forward matrices in place of two.
    learned_positions: how many positions have a vector of their own (0 with rotation). attention_bias: "none", "output" (the
    last of the four matrices only) or "all". norm_vectors: 1 for RMSNorm (scales), 2 for LayerNorm (scales and shifts).
    extra_norms: norms outside the blocks, usually one at the end. Raises ValueError for sizes below 1 or that do not divide.

    >>> SIZES["SmolLM2-135M"].parameters()["total"], SIZES["SmolLM2-135M"].cache_bytes_per_token(4)
    (134515008, 46080)
    """

    vocab_size: int
    hidden_dim: int
    n_layers: int
    n_heads: int
    ffn_dim: int
    n_kv_heads: int = None  # type: ignore[assignment]  # filled in by __post_init__
    head_dim: int = None  # type: ignore[assignment]  # filled in by __post_init__
    gated: bool = True
    tied: bool = False
    learned_positions: int = 0
    attention_bias: str = "none"
    ffn_bias: bool = False
    norm_vectors: int = 1
    extra_norms: int = 1

    def __post_init__(self):
        if self.head_dim is None and self.n_heads > 0 and self.hidden_dim % self.n_heads:
            raise ValueError(
                f"expected hidden_dim to divide by n_heads, got {self.hidden_dim} and {self.n_heads}; or give head_dim"
            )
        for name, default in (("n_kv_heads", self.n_heads), ("head_dim", self.hidden_dim // max(1, self.n_heads))):
            if getattr(self, name) is None:
                object.__setattr__(self, name, default)
        for name in ("vocab_size", "hidden_dim", "n_layers", "n_heads", "ffn_dim", "n_kv_heads", "head_dim"):
            if getattr(self, name) < 1:
                raise ValueError(f"expected {name} of at least 1, got {getattr(self, name)}")
        if self.n_heads % self.n_kv_heads:
            raise ValueError(f"expected n_heads to divide by n_kv_heads, got {self.n_heads} and {self.n_kv_heads}")
        if self.attention_bias not in BIASES:
            raise ValueError(f"expected attention_bias to be one of {', '.join(BIASES)}, got {self.attention_bias!r}")

    @classmethod
    def of(cls, config: Config) -> Size:
        """The size of a model of `transformer.Transformer`."""
        vectors = {"rms": 1, "layer": 2, "none": 0}[config.norm]
        return cls(
            config.vocab_size,
            config.hidden_dim,
            config.n_layers,
            config.n_heads,
            config.ffn_dim,
            config.n_kv_heads,
            gated=config.activation == "swiglu",
            tied=config.tied,
            norm_vectors=vectors,
            learned_positions=config.context_length if config.positions == "learned" else 0,
            extra_norms=1 if config.norm_place == "pre" else 0,
        )

    def parameters(self) -> dict[str, int]:
        """How many numbers each part holds, over all layers, and their total. A tied output holds none of its own."""
        C, F, L = self.hidden_dim, self.ffn_dim, self.n_layers
        H, K = self.n_heads * self.head_dim, self.n_kv_heads * self.head_dim  # widths of all query heads, of all key heads
        attention = C * H + 2 * C * K + H * C  # queries, keys and values, output
        attention += {"none": 0, "output": C, "all": H + 2 * K + C}[self.attention_bias]
        ffn = (3 if self.gated else 2) * C * F
        ffn += ((2 if self.gated else 1) * F + C) * self.ffn_bias
        parts = {
            "embedding": self.vocab_size * C,
            "positions": self.learned_positions * C,
            "attention": L * attention,
            "feed-forward": L * ffn,
            "norms": (2 * L + self.extra_norms) * self.norm_vectors * C,
            "output": 0 if self.tied else self.vocab_size * C,
        }
        return parts | {"total": sum(parts.values())}

    def flops_per_token(self, context: int, *, training: bool = False) -> float:
        """Floating-point operations for one token that looks at `context` positions; for a training step three times as many.

        Each weight of a matrix costs a multiplication and an addition. Scores and weighted sums cost 4 per position, channel
        and layer: that is the part that grows with the context. Looking a row up in the embedding costs nothing.
        """
        p = self.parameters()
        matrices = p["attention"] + p["feed-forward"] + self.vocab_size * self.hidden_dim
        forward = 2 * matrices + 4 * self.n_layers * self.n_heads * self.head_dim * context
        return float(forward * (3 if training else 1))  # the backward pass costs two forward passes

    def cache_bytes_per_token(self, bytes_per_number: int = 2) -> int:
        """Memory of the key-value cache for one token: a key and a value for each key-value head and layer."""
        return 2 * self.n_layers * self.n_kv_heads * self.head_dim * bytes_per_number


SIZES = {
    "GPT-2 small": Size(
        50_257,
        768,
        12,
        12,
        3_072,
        gated=False,
        tied=True,
        learned_positions=1_024,
        attention_bias="all",
        ffn_bias=True,
        norm_vectors=2,
    ),
    "SmolLM2-135M": Size(49_152, 576, 30, 9, 1_536, n_kv_heads=3, tied=True),
    "Phi-3-mini": Size(32_064, 3_072, 32, 32, 8_192),
    "Llama-2-7B": Size(32_000, 4_096, 32, 32, 11_008),
    "Llama-3-8B": Size(128_256, 4_096, 32, 32, 14_336, n_kv_heads=8),
    "Llama-2-70B": Size(32_000, 8_192, 80, 64, 28_672, n_kv_heads=8),
}


def training_flops(parameters: float, tokens: float) -> float:
    """6 N D: two operations a weight forwards, four backwards, for every token. Source: Kaplan et al. 2020.

    >>> training_flops(1e9, 20e9)
    1.2e+20
    """
    return 6.0 * parameters * tokens


def training_bytes(parameters: float, bytes_per_number: int = 4) -> float:
    """Weights, gradients and AdamW's two moments, without activations: four numbers for each parameter.

    >>> training_bytes(1e9)
    16000000000.0
    """
    return 4.0 * bytes_per_number * parameters


def days_of_training(flops: float, devices: int, flops_per_day: float) -> float:
    """Days until `devices`, each doing `flops_per_day`, have done `flops`. Raises ValueError unless all are positive.

    >>> days_of_training(1e18, devices=10, flops_per_day=1e16)
    10.0
    """
    if not (flops > 0 and devices > 0 and flops_per_day > 0):
        raise ValueError(f"expected positive numbers, got {flops} operations, {devices} devices, {flops_per_day} a day")
    return flops / (devices * flops_per_day)


def price_of_training(days: float, devices: int, per_hour: float, utilization: float = 1.0) -> float:
    """The rent of the devices. utilization: the share of their peak speed that is reached, in (0, 1]; days are at the peak.

    Raises ValueError for another utilization.

    >>> price_of_training(10, devices=8, per_hour=2.0, utilization=0.5)
    7680.0
    """
    if not 0 < utilization <= 1:
        raise ValueError(f"expected a utilization above 0 and at most 1, got {utilization}")
    return per_hour * devices * 24 * days / utilization
