"""The Transformer language model: blocks of attention and feed-forward layers on a residual stream.

By default it is the decoder of today's open models (Llama, SmolLM2): normalise first (RMSNorm), rotate positions (RoPE), gate
the feed-forward layer (SwiGLU), share key-value heads (grouped-query), tie input and output. `Config` also offers what came
before, so that each choice can be taken away and measured. `pretrained.load_own_smollm2` puts real weights into this class.

Shapes: B batch, T time, C width of the residual stream, H heads, K key-value heads, D = C / H, V vocabulary.
"""

from __future__ import annotations

import dataclasses
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers.models.attention import attention_weights, causal_mask, fused_attend, repeat_heads, rotary_table, rotate, sinusoids
from helpers.models.config import Config
from helpers.models.fast_linear import Linear
from helpers.models.kv_cache import KVCache
from helpers.models.llama_names import llama_name
from helpers.models.neural import NeuralLM, as_ids

__all__ = ["Attention", "Block", "Config", "FeedForward", "RMSNorm", "Transformer", "fit_to_width", "make_block"]


class RMSNorm(nn.Module):
    """x / sqrt(mean(x^2) + eps) * weight: every vector gets the same length, then each channel its own scale.

    Source: Zhang and Sennrich 2019. x: (..., C).

    >>> [round(x, 2) for x in RMSNorm(2)(torch.tensor([3.0, 4.0])).tolist()]  # divided by sqrt((9 + 16) / 2)
    [0.85, 1.13]
    """

    def __init__(self, dim: int, eps: float = 1e-5):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(dim)), eps

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.weight.shape, self.weight, self.eps)


def make_norm(config: Config) -> nn.Module:
    """The normalisation that the config asks for."""
    if config.norm == "none":
        return nn.Identity()
    kind = RMSNorm if config.norm == "rms" else nn.LayerNorm
    return kind(config.hidden_dim, eps=config.norm_eps)


class Attention(nn.Module):
    """Causal multi-head attention with grouped key-value heads.

    >>> layer = Attention(Config(vocab_size=5, hidden_dim=8, n_layers=1, n_heads=2), layer=0)
    >>> layer.weights(torch.zeros(1, 2, 8))[0, 0].tolist()
    [[1.0, 0.0], [0.5, 0.5]]
    """

    def __init__(self, config: Config, layer: int):
        super().__init__()
        C, D = config.hidden_dim, config.head_dim
        self.H, self.K, self.D, self.layer = config.n_heads, config.n_kv_heads, D, layer
        self.q = Linear(C, self.H * D, bias=False)
        self.k = Linear(C, self.K * D, bias=False)
        self.v = Linear(C, self.K * D, bias=False)
        self.o = Linear(self.H * D, C, bias=False)
        self.drop = nn.Dropout(config.dropout)

    def heads(self, x: Tensor, rotary: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor, Tensor]:
        """(B, T, C) -> q (B, H, T, D), k and v (B, K, T, D), q and k turned by their positions."""
        B, T, _ = x.shape
        q = self.q(x).view(B, T, self.H, self.D).transpose(1, 2)
        k = self.k(x).view(B, T, self.K, self.D).transpose(1, 2)
        v = self.v(x).view(B, T, self.K, self.D).transpose(1, 2)
        if rotary is not None:
            q, k = rotate(q, *rotary), rotate(k, *rotary)
        return q, k, v

    def forward(self, x: Tensor, rotary: tuple[Tensor, Tensor] | None = None, cache: KVCache | None = None) -> Tensor:
        B, T, _ = x.shape
        q, k, v = self.heads(x, rotary)
        if cache is not None:
            k, v = cache.append(self.layer, k, v)  # (B, K, S, D)
        out = fused_attend(q, k, v)  # (B, H, T, D)
        return self.drop(self.o(out.transpose(1, 2).reshape(B, T, self.H * self.D)))

    def weights(self, x: Tensor, rotary: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """The attention maps (B, H, T, T) that `forward` uses without ever showing them; rows sum to 1."""
        q, k, _ = self.heads(x, rotary)
        return attention_weights(q, repeat_heads(k, self.H // self.K), causal_mask(x.shape[1], device=x.device))


class FeedForward(nn.Module):
    """What each token does on its own: widen, a non-linearity, narrow. SwiGLU: down(silu(gate(x)) * up(x)), Shazeer 2020.

    >>> tuple(FeedForward(Config(vocab_size=5, hidden_dim=8, n_layers=1, n_heads=2))(torch.zeros(1, 3, 8)).shape)
    (1, 3, 8)
    """

    def __init__(self, config: Config):
        super().__init__()
        C, self.activation = config.hidden_dim, config.activation
        if self.activation == "swiglu":
            self.gate = Linear(C, config.ffn_dim, bias=False)
        self.up = Linear(C, config.ffn_dim, bias=False)
        self.down = Linear(config.ffn_dim, C, bias=False)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        if self.activation == "swiglu":
            return self.drop(self.down(F.silu(self.gate(x)) * self.up(x)))
        return self.drop(self.down(F.gelu(self.up(x)) if self.activation == "gelu" else F.relu(self.up(x))))


class Block(nn.Module):
    """Attention, then feed-forward: each reads the normalised stream and adds to it (pre-norm).

    >>> tuple(Block(Config(vocab_size=5, hidden_dim=8, n_layers=1, n_heads=2), layer=0)(torch.zeros(1, 3, 8)).shape)
    (1, 3, 8)
    """

    pre = True  # whether the norms stand before attention and feed-forward

    def __init__(self, config: Config, layer: int):
        super().__init__()
        self.norm1, self.attention = make_norm(config), Attention(config, layer)
        self.norm2, self.ffn = make_norm(config), FeedForward(config)

    def forward(self, x: Tensor, rotary: tuple[Tensor, Tensor] | None = None, cache: KVCache | None = None) -> Tensor:
        x = x + self.attention(self.norm1(x), rotary, cache)
        return x + self.ffn(self.norm2(x))


class PostNormBlock(Block):
    """The block of the first Transformers: each sum is normalised. Vaswani et al. 2017."""

    pre = False

    def forward(self, x: Tensor, rotary: tuple[Tensor, Tensor] | None = None, cache: KVCache | None = None) -> Tensor:
        x = self.norm1(x + self.attention(x, rotary, cache))
        return self.norm2(x + self.ffn(x))


class BareBlock(Block):
    """Ablation: nothing is added, so each layer replaces the stream."""

    def forward(self, x: Tensor, rotary: tuple[Tensor, Tensor] | None = None, cache: KVCache | None = None) -> Tensor:
        return self.ffn(self.norm2(self.attention(self.norm1(x), rotary, cache)))


class BarePostNormBlock(Block):
    """Ablation: nothing is added, and the norms stand behind."""

    pre = False

    def forward(self, x: Tensor, rotary: tuple[Tensor, Tensor] | None = None, cache: KVCache | None = None) -> Tensor:
        return self.norm2(self.ffn(self.norm1(self.attention(x, rotary, cache))))


BLOCKS = {("pre", True): Block, ("post", True): PostNormBlock, ("pre", False): BareBlock, ("post", False): BarePostNormBlock}


def make_block(config: Config, layer: int) -> Block:
    """The block that the config asks for: `Block`, unless norm_place or residual say otherwise.

    >>> type(make_block(Config(vocab_size=5, norm_place="post"), layer=0)).__name__
    'PostNormBlock'
    """
    return BLOCKS[config.norm_place, config.residual](config, layer)


class Transformer(NeuralLM):
    """A decoder-only Transformer; it implements `language_model.LanguageModel`. Vaswani et al. 2017; Touvron et al. 2023.

    >>> model = Transformer(Config(vocab_size=5, hidden_dim=8, n_layers=1, n_heads=2))
    >>> tuple(model(torch.tensor([[0, 1, 2]]))[0].shape), model.score([1, 2]).shape
    ((1, 3, 5), (2,))
    """

    def __init__(self, config: Config, seed: int | None = 0):
        """seed: of the starting weights, normal with deviation 0.02, those that write into the residual stream smaller by
        sqrt(2 * n_layers) (Radford et al. 2019). None leaves the weights empty, for loading."""
        super().__init__()
        self.config, self.vocab_size, self.start_id = config, config.vocab_size, config.start_id
        self.context_length: int = config.context_length
        self.embedding = nn.Embedding(config.vocab_size, config.hidden_dim)
        if config.positions == "learned":
            self.position_embedding = nn.Embedding(config.context_length, config.hidden_dim)
        self.blocks = nn.ModuleList(make_block(config, n) for n in range(config.n_layers))
        self.norm = make_norm(config) if config.norm_place == "pre" else nn.Identity()
        if not config.tied:
            self.out = Linear(config.hidden_dim, config.vocab_size, bias=False)
        self.drop, self._tables = nn.Dropout(config.dropout), {}
        if seed is not None:
            self.initialize(torch.Generator().manual_seed(seed))

    @property
    def settings(self) -> dict:
        """What is needed to build this model again: Transformer(Config(**settings))."""
        return dataclasses.asdict(self.config)

    @torch.no_grad()
    def initialize(self, generator: torch.Generator) -> None:
        """Random starting weights, in place."""
        for name, p in self.named_parameters():
            if p.ndim == 2:
                writes = name.endswith(("attention.o.weight", "ffn.down.weight"))
                p.normal_(0, 0.02 / math.sqrt(2 * self.config.n_layers) if writes else 0.02, generator=generator)

    @classmethod
    def from_llama(cls, config: Config, weights: dict[str, Tensor]) -> Transformer:
        """A model in evaluation mode that holds (shares, does not copy) the weights of a Llama in the names of transformers.

        Raises ValueError when a weight is missing, left over, or of another shape.
        """
        with torch.device("meta"):  # no memory for weights that are replaced at once
            model = cls(config, seed=None)
        renamed = {llama_name(name): w for name, w in weights.items() if not (config.tied and name == "lm_head.weight")}
        try:
            model.load_state_dict(renamed, assign=True)
        except RuntimeError as error:
            raise ValueError(f"these weights do not fit this config: {error}") from error
        return model.eval()

    def features(self, ids: Tensor, state: KVCache | None = None) -> tuple[Tensor, KVCache | None]:
        """(B, T) -> (B, T, C) after the last norm. state: a cache that holds the tokens before; it is moved on in place."""
        past = 0 if state is None else state.length
        as_ids(ids, self.vocab_size, self.context_length, past=past, device=self.device)
        x, rotary = self.embed(ids, past)
        for block in self.blocks:
            x = block(x, rotary, state)
        return self.norm(x), state

    def embed(self, ids: Tensor, past: int = 0) -> tuple[Tensor, tuple[Tensor, Tensor] | None]:
        """The stream (B, T, C) before the first block, and the rotation of these positions (None without RoPE)."""
        x, places = self.embedding(ids), slice(past, past + ids.shape[1])
        if self.config.positions == "rope":
            cos, sin = self.table("rope", lambda: rotary_table(self.config.head_dim, self.context_length, self.config.rope_base))
            return self.drop(x), (cos[places], sin[places])
        if self.config.positions == "learned":
            x = x + self.position_embedding.weight[places]
        if self.config.positions == "sinusoidal":
            sin = self.table("sin", lambda: (sinusoids(self.context_length, self.config.hidden_dim),))[0][places]
            x = x + sin.to(x.dtype) * 0.02
        return self.drop(x), None

    def table(self, name: str, make) -> tuple[Tensor, ...]:
        """A table of positions, computed once for each device; a constant, so it is no part of the weights."""
        key = (name, self.device)
        if key not in self._tables:
            with torch.inference_mode(False):  # a table made while judging must also serve training
                self._tables[key] = tuple(t.to(self.device) for t in make())
        return self._tables[key]

    def output(self) -> tuple[Tensor, None]:
        return (self.embedding if self.config.tied else self.out).weight, None

    def begin_state(self, batch_size: int) -> KVCache:
        """An empty cache."""
        return KVCache(self.config.n_layers, self.context_length)

    @torch.no_grad()
    def streams(self, ids: Tensor) -> list[Tensor]:
        """The residual stream (B, T, C) before the first block and after each block, for the logit lens."""
        x, rotary = self.embed(as_ids(ids, self.vocab_size, self.context_length, device=self.device))
        states = [x]
        for block in self.blocks:
            x = block(x, rotary)
            states.append(x)
        return states

    @torch.no_grad()
    def attention_maps(self, ids: Tensor) -> list[Tensor]:
        """For each layer who looks at whom, (B, H, T, T): row = the token that looks, column = what it looks at."""
        x, rotary = self.embed(as_ids(ids, self.vocab_size, self.context_length, device=self.device))
        maps = []
        for block in self.blocks:
            maps.append(block.attention.weights(block.norm1(x) if block.pre else x, rotary))
            x = block(x, rotary)
        return maps


def fit_to_width(model: Transformer) -> Transformer:
    """The model, its starting weights scaled to its width, in place: matrices 1 / sqrt(width), embeddings 0.2.

    The usual 0.02 is far too small for vectors of 16 to 96 numbers: most of a short training would go into growing them.

    >>> model = Transformer(Config(vocab_size=5, hidden_dim=8, n_layers=1, n_heads=2))
    >>> before = model.embedding.weight[0, 0].item()
    >>> round(fit_to_width(model).embedding.weight[0, 0].item() / before)
    10
    """
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.ndim == 2:
                p *= (0.2 if "embedding" in name else model.config.hidden_dim**-0.5) / 0.02
    return model
