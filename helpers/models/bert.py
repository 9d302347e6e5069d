"""An encoder that turns texts into vectors: MiniLM's weights in a BERT of our own, fed by the WordPiece of chapter 05.

The same attention as in chapter 08, without the causal mask: every token sees the whole text, padding excepted. It is older
than the decoder there: learned positions, LayerNorm after each sum, biases, GELU. A text's vector is the mean over its tokens,
divided by its length. Sources: Devlin et al. 2019 (BERT); Wang et al. 2020 (MiniLM); Reimers and Gurevych 2019 (the mean).

Shapes: B texts, T tokens, C width (384), H heads, D = C / H.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers.models.attention import attend
from helpers.tokenizers.wordpiece import WordPiece

__all__ = ["BertConfig", "Encoder", "TextEncoder", "load_encoder", "mean_over_tokens"]


@dataclass(frozen=True)
class BertConfig:
    """The shape of a BERT; the numbers are MiniLM's.

    >>> BertConfig().hidden_dim // BertConfig().n_heads
    32
    """

    vocab_size: int = 30_522
    context_length: int = 512
    hidden_dim: int = 384
    n_layers: int = 6
    n_heads: int = 12
    ffn_dim: int = 1_536
    norm_eps: float = 1e-12


class EncoderBlock(nn.Module):
    """Attention over the whole text, then feed-forward; each is added to its input, and the sum is normalised (post-norm)."""

    def __init__(self, c: BertConfig):
        super().__init__()
        C, self.H = c.hidden_dim, c.n_heads
        self.q, self.k, self.v, self.o = (nn.Linear(C, C) for _ in range(4))
        self.up, self.down = nn.Linear(C, c.ffn_dim), nn.Linear(c.ffn_dim, C)
        self.norm1, self.norm2 = (nn.LayerNorm(C, eps=c.norm_eps) for _ in range(2))

    def forward(self, x: Tensor, may_look: Tensor) -> Tensor:
        B, T, C = x.shape
        q, k, v = (f(x).view(B, T, self.H, C // self.H).transpose(1, 2) for f in (self.q, self.k, self.v))  # (B, H, T, D)
        out = attend(q, k, v, may_look).transpose(1, 2).reshape(B, T, C)
        x = self.norm1(x + self.o(out))
        return self.norm2(x + self.down(F.gelu(self.up(x))))


class Encoder(nn.Module):
    """(B, T) ids and a mask of the real tokens -> (B, T, C) last hidden states.

    >>> model = Encoder(BertConfig(vocab_size=5, context_length=4, hidden_dim=8, n_layers=1, n_heads=2, ffn_dim=16))
    >>> tuple(model(torch.tensor([[1, 2, 3]]), torch.ones(1, 3, dtype=torch.bool)).shape)
    (1, 3, 8)
    """

    def __init__(self, config: BertConfig = BertConfig()):
        super().__init__()
        c = self.config = config
        self.tokens = nn.Embedding(c.vocab_size, c.hidden_dim)
        self.positions = nn.Embedding(c.context_length, c.hidden_dim)
        self.segments = nn.Embedding(2, c.hidden_dim)  # first or second text of a pair; here always the first
        self.norm = nn.LayerNorm(c.hidden_dim, eps=c.norm_eps)
        self.blocks = nn.ModuleList(EncoderBlock(c) for _ in range(c.n_layers))

    def layers(self, ids: Tensor, real: Tensor) -> list[Tensor]:
        """The states (B, T, C) before the first block and after each. ids: (B, T) whole numbers; real: (B, T), False for padding.

        Raises ValueError for too many tokens.
        """
        if ids.shape[1] > self.config.context_length:
            raise ValueError(f"expected at most {self.config.context_length} tokens, got {ids.shape[1]}; cut the text up")
        x = self.tokens(ids) + self.positions.weight[: ids.shape[1]] + self.segments.weight[0]
        states, may_look = [self.norm(x)], real[:, None, None, :]  # (B, 1, 1, T): nobody looks at padding
        for block in self.blocks:
            states.append(block(states[-1], may_look))
        return states

    def forward(self, ids: Tensor, real: Tensor) -> Tensor:
        """The last of the `layers`."""
        return self.layers(ids, real)[-1]

    @classmethod
    def from_bert(cls, config: BertConfig, weights: dict[str, Tensor]) -> Encoder:
        """An encoder in evaluation mode with the weights of a BERT in the names of transformers (its pooler is not used).

        Raises ValueError when a weight is missing, left over or of another shape.
        """
        with torch.device("meta"):
            model = cls(config)
        kept = {bert_name(name): w for name, w in weights.items() if not name.startswith("pooler") and "position_ids" not in name}
        try:
            model.load_state_dict(kept, assign=True)
        except RuntimeError as error:
            raise ValueError(f"these weights do not fit this config: {error}") from error
        return model.eval()


BERT_NAMES = {
    "embeddings.word_embeddings": "tokens",
    "embeddings.position_embeddings": "positions",
    "embeddings.token_type_embeddings": "segments",
    "embeddings.LayerNorm": "norm",
    "encoder.layer": "blocks",
    "attention.self.query": "q",
    "attention.self.key": "k",
    "attention.self.value": "v",
    "attention.output.dense": "o",
    "attention.output.LayerNorm": "norm1",
    "intermediate.dense": "up",
    "output.dense": "down",
    "output.LayerNorm": "norm2",
}


def bert_name(name: str) -> str:
    """Our name of a weight that transformers calls `name`."""
    for theirs, ours in BERT_NAMES.items():
        name = name.replace(theirs, ours)
    return name


def mean_over_tokens(states: Tensor, real: Tensor) -> Tensor:
    """Mean pooling, (B, T, C) states -> (B, C): the mean over real tokens, divided by its length; padding does not count.

    >>> states = torch.tensor([[[3.0, 0.0], [0.0, 4.0], [9.0, 9.0]]])  # the third is padding
    >>> [round(x, 2) for x in mean_over_tokens(states, torch.tensor([[True, True, False]]))[0].tolist()]
    [0.6, 0.8]
    """
    if real.shape != states.shape[:2] or not bool(real.any(1).all()):
        raise ValueError(f"expected marks {tuple(states.shape[:2])} with a real token in each row, got {tuple(real.shape)}")
    total = (states * real[:, :, None]).sum(1)
    return F.normalize(total / real.sum(1, keepdim=True), dim=-1)


class TextEncoder:
    """Texts to unit vectors. Longer texts than `max_tokens` lose their end, silently for the model, so cut them into chunks.

    >>> tokenizer = WordPiece(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "river"])
    >>> model = Encoder(BertConfig(vocab_size=6, context_length=8, hidden_dim=8, n_layers=1, n_heads=2, ffn_dim=16))
    >>> rows = TextEncoder(model, tokenizer).encode(["a river", "river"])
    >>> rows.shape, (rows**2).sum(1).round(3).tolist()
    ((2, 8), [1.0, 1.0])
    """

    def __init__(self, model: Encoder, tokenizer: WordPiece, max_tokens: int = 256):
        self.model, self.tokenizer, self.max_tokens = model, tokenizer, max_tokens
        self.dim = model.config.hidden_dim

    def read(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Texts as one batch: ids (B, T), and real (B, T), False where a shorter text is filled up."""
        return self._batch(self._rows(texts))

    def embed(self, texts: Sequence[str]) -> Tensor:
        """(B, C) unit vectors of one batch, with their gradient: what finetuning works on."""
        ids, real = self.read(texts)
        return mean_over_tokens(self.model(ids, real), real)

    @torch.inference_mode()
    def encode(self, texts: Sequence[str], batch_size: int = 32, progress: Callable | None = None) -> np.ndarray:
        """(n, C) float32 rows of length 1, in the order of the texts. progress: wraps the batches, say tqdm.

        Raises TypeError for a single string. Texts of similar length share a batch, so that little is padded.
        """
        rows = self._rows(texts)
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        out = np.zeros((len(rows), self.dim), dtype=np.float32)
        starts = range(0, len(order), batch_size)
        for start in progress(starts) if progress else starts:
            chosen = order[start : start + batch_size]
            ids, real = self._batch([rows[i] for i in chosen])
            out[chosen] = mean_over_tokens(self.model(ids, real), real).numpy()
        return out

    def _rows(self, texts: Sequence[str]) -> list[list[int]]:
        if isinstance(texts, str):
            raise TypeError("expected a list of texts, got one string; for a single text write [text]")
        cls, sep = (self.tokenizer.vocab[mark] for mark in ("[CLS]", "[SEP]"))
        return [[cls, *self.tokenizer.encode(text)[: self.max_tokens - 2], sep] for text in texts]

    def _batch(self, rows: Sequence[list[int]]) -> tuple[Tensor, Tensor]:
        ids = nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True)  # (B, T)
        return ids, nn.utils.rnn.pad_sequence([torch.ones(len(row), dtype=torch.bool) for row in rows], batch_first=True)


def load_encoder(max_tokens: int = 256) -> TextEncoder:
    """all-MiniLM-L6-v2 in our own classes: 22.6 million parameters, 384 numbers a text. Raises DataError as `load_minilm`.

    >>> rows = load_encoder().encode(["A river.", "A stream.", "A parliament."])
    >>> bool(rows[0] @ rows[1] > rows[0] @ rows[2])
    True
    """
    from safetensors.torch import load_file

    from helpers.data.weights import minilm_folder

    weights = load_file(Path(minilm_folder()) / "model.safetensors")
    return TextEncoder(Encoder.from_bert(BertConfig(), weights), WordPiece.from_minilm(), max_tokens)
