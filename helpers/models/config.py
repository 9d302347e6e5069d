"""The shape of a Transformer in numbers and choices: `Config`. No torch."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CHOICES", "Config"]

CHOICES = {
    "positions": ("rope", "learned", "sinusoidal", "none"),
    "norm": ("rms", "layer", "none"),
    "norm_place": ("pre", "post"),
    "activation": ("swiglu", "gelu", "relu"),
}


@dataclass(frozen=True)
class Config:
    """The shape of a model. Raises ValueError for sizes that do not divide, or a choice that does not exist.

    n_kv_heads: None for as many as n_heads. ffn_dim: None for 8/3 of hidden_dim with a gate, 4 times without, rounded to 32.
    dropout: share of zeros on the embeddings and on what attention and feed-forward add. The attention weights themselves have
    none: on a CPU it would rule out the fused kernel and cost a third of the speed.

    >>> config = Config(vocab_size=100, hidden_dim=96, n_heads=4)
    >>> config.head_dim, config.ffn_dim
    (24, 256)
    """

    vocab_size: int
    context_length: int = 256
    hidden_dim: int = 192
    n_layers: int = 4
    n_heads: int = 4
    n_kv_heads: int = None  # type: ignore[assignment]  # filled in by __post_init__
    ffn_dim: int = None  # type: ignore[assignment]  # filled in by __post_init__
    positions: str = "rope"
    rope_base: float = 10_000.0
    norm: str = "rms"
    norm_eps: float = 1e-5
    norm_place: str = "pre"
    activation: str = "swiglu"
    residual: bool = True
    tied: bool = True
    dropout: float = 0.0
    start_id: int = 0

    def __post_init__(self):
        if self.n_kv_heads is None:
            object.__setattr__(self, "n_kv_heads", self.n_heads)
        if self.ffn_dim is None:
            wanted = self.hidden_dim * (8 / 3 if self.activation == "swiglu" else 4)
            object.__setattr__(self, "ffn_dim", max(32, round(wanted / 32) * 32))
        for name in ("vocab_size", "context_length", "hidden_dim", "n_layers", "n_heads", "n_kv_heads", "ffn_dim"):
            if getattr(self, name) < 1:
                raise ValueError(f"expected {name} of at least 1, got {getattr(self, name)}")
        if self.hidden_dim % self.n_heads:
            raise ValueError(f"expected hidden_dim to divide by n_heads, got {self.hidden_dim} and {self.n_heads}")
        if self.n_heads % self.n_kv_heads:
            raise ValueError(
                f"expected n_heads to divide by n_kv_heads, got {self.n_heads} and {self.n_kv_heads}: each "
                "key-value head serves the same number of query heads"
            )
        if self.positions == "rope" and self.head_dim % 2:
            raise ValueError(f"expected an even head width for rotation, got {self.head_dim}; change hidden_dim or n_heads")
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"expected {name} to be one of {', '.join(allowed)}, got {getattr(self, name)!r}")
        if not 0 <= self.dropout < 1 or not 0 <= self.start_id < self.vocab_size:
            raise ValueError(
                f"expected dropout in [0, 1) and a start id below {self.vocab_size}, got {self.dropout} and {self.start_id}"
            )

    @property
    def head_dim(self) -> int:
        return self.hidden_dim // self.n_heads
