"""Recurrent networks: one state that is carried from token to token.

`Elman`, `LSTM` and `GRU` are written out step by step. Their parameters have the names, shapes and gate order of torch's own
nn.RNN, nn.LSTM and nn.GRU, so that weights can be moved either way and outputs compared. `RecurrentLM` stacks such layers
into a language model; with backend="torch" it runs torch's kernels on the same weights, which is faster.

Shapes: B batch, T time, C channels of the input, H hidden. A state is (B, H), for the LSTM a pair (h, c) of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers.models.bptt import lstm_through_time
from helpers.models.neural import NeuralLM, as_ids

__all__ = ["GRU", "KINDS", "LSTM", "Elman", "RecurrentLM", "initialize"]

BACKENDS = ("own", "torch")


class _Recurrent(nn.Module):
    """The loop over time that the three cells share. A subclass has `n_gates` and `step`."""

    n_gates = 1

    def __init__(self, input_dim: int, hidden_dim: int):
        """Raises ValueError unless both sizes are at least 1."""
        super().__init__()
        if input_dim < 1 or hidden_dim < 1:
            raise ValueError(f"expected input_dim and hidden_dim of at least 1, got {input_dim} and {hidden_dim}")
        self.input_dim, self.hidden_dim = input_dim, hidden_dim
        self.weight_ih_l0 = nn.Parameter(torch.empty(self.n_gates * hidden_dim, input_dim))
        self.weight_hh_l0 = nn.Parameter(torch.empty(self.n_gates * hidden_dim, hidden_dim))
        self.bias_ih_l0 = nn.Parameter(torch.empty(self.n_gates * hidden_dim))
        self.bias_hh_l0 = nn.Parameter(torch.empty(self.n_gates * hidden_dim))
        initialize(self)

    def begin_state(self, batch_size: int) -> Tensor | tuple[Tensor, Tensor]:
        """All zeros (B, H): nothing was read yet."""
        return self.weight_hh_l0.new_zeros(batch_size, self.hidden_dim)

    def step(self, x: Tensor, state):
        """One step. x: (B, n_gates * H), the input already multiplied by its matrix; returns the new state."""
        raise NotImplementedError

    def forward(self, x: Tensor, state=None):
        """(B, T, C) -> outputs (B, T, H) and the state after the last step. Raises ValueError for another shape."""
        if x.ndim != 3 or x.shape[-1] != self.input_dim:
            raise ValueError(f"expected inputs of shape (batch, time, {self.input_dim}), got {tuple(x.shape)}")
        state = self.begin_state(len(x)) if state is None else state
        projected = F.linear(x, self.weight_ih_l0, self.bias_ih_l0)  # (B, T, n_gates * H), all steps at once
        outputs = []  # a list: writing into a tensor in place would break the gradient
        for t in range(x.shape[1]):
            state = self.step(projected[:, t], state)
            outputs.append(state[0] if isinstance(state, tuple) else state)
        return torch.stack(outputs, dim=1), state


class Elman(_Recurrent):
    """h_t = tanh(W x_t + U h_{t-1} + b). Source: Elman 1990, Finding structure in time.

    >>> outputs, h = Elman(3, 4)(torch.zeros(2, 5, 3))
    >>> tuple(outputs.shape), tuple(h.shape)
    ((2, 5, 4), (2, 4))
    """

    def step(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(x + F.linear(h, self.weight_hh_l0, self.bias_hh_l0))


class LSTM(_Recurrent):
    """Long short-term memory: a cell c that is changed only through gates.

    i, f, o = sigmoid(...), g = tanh(...);  c_t = f * c_{t-1} + i * g;  h_t = o * tanh(c_t).
    Gate order i, f, g, o. Source: Hochreiter and Schmidhuber 1997; forget gate: Gers et al. 2000.

    >>> outputs, (h, c) = LSTM(3, 4)(torch.zeros(2, 5, 3))
    >>> tuple(outputs.shape), tuple(c.shape)
    ((2, 5, 4), (2, 4))
    """

    n_gates = 4

    def begin_state(self, batch_size: int) -> tuple[Tensor, Tensor]:
        zeros = super().begin_state(batch_size)
        return zeros, zeros

    def step(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        i, f, g, o = (x + F.linear(h, self.weight_hh_l0, self.bias_hh_l0)).chunk(4, dim=-1)  # (B, H) each
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c

    def fast(self, x: Tensor, state: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """The same as calling the layer, with the backward pass of `helpers.models.bptt` written out: about half the time."""
        h, c = self.begin_state(len(x)) if state is None else state
        projected = F.linear(x, self.weight_ih_l0, self.bias_ih_l0 + self.bias_hh_l0)  # (B, T, 4H)
        outputs, c = lstm_through_time(projected, h, c, self.weight_hh_l0)
        return outputs, (outputs[:, -1], c)


class GRU(_Recurrent):
    """Gated recurrent unit: the gates of an LSTM without the second state.

    r, z = sigmoid(...);  n = tanh(W x + r * (U h + b));  h_t = (1 - z) * n + z * h_{t-1}. Gate order r, z, n.
    Source: Cho et al. 2014; the reset gate stands after the matrix product, as in torch and cuDNN.

    >>> outputs, h = GRU(3, 4)(torch.zeros(2, 5, 3))
    >>> tuple(outputs.shape), tuple(h.shape)
    ((2, 5, 4), (2, 4))
    """

    n_gates = 3

    def step(self, x: Tensor, h: Tensor) -> Tensor:
        x_r, x_z, x_n = x.chunk(3, dim=-1)  # (B, H) each
        h_r, h_z, h_n = F.linear(h, self.weight_hh_l0, self.bias_hh_l0).chunk(3, dim=-1)
        r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
        return (1 - z) * torch.tanh(x_n + r * h_n) + z * h


KINDS = {"elman": (Elman, nn.RNN), "lstm": (LSTM, nn.LSTM), "gru": (GRU, nn.GRU)}


def initialize(layer: nn.Module, generator: torch.Generator | None = None) -> None:
    """Good starting weights, in place: Xavier for the input, an orthogonal matrix per gate for the state, zero biases,
    and 1 for the forget gate of an LSTM. Sources: Glorot and Bengio 2010; Saxe et al. 2014; Jozefowicz et al. 2015.

    >>> layer = LSTM(1, 2)
    >>> initialize(layer)
    >>> layer.bias_ih_l0.tolist()  # i, f, g, o
    [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    """
    H = layer.weight_hh_l0.shape[1]
    with torch.no_grad():
        for gate in layer.weight_ih_l0.split(H):
            nn.init.xavier_uniform_(gate, generator=generator)
        for gate in layer.weight_hh_l0.split(H):
            nn.init.orthogonal_(gate, generator=generator)
        layer.bias_ih_l0.zero_()
        layer.bias_hh_l0.zero_()
        if isinstance(layer, LSTM | nn.LSTM):
            layer.bias_ih_l0[H : 2 * H] = 1.0


class RecurrentLM(NeuralLM):
    """A recurrent language model: embedding, layers, and an output that shares the embedding's weights.

    >>> model = RecurrentLM(vocab_size=10, embedding_dim=4, hidden_dim=8)
    >>> model.score([1, 2]).shape, len(model.begin([1]).log_probs)
    ((2,), 10)
    """

    def __init__(
        self,
        vocab_size: int,
        *,
        kind: str = "lstm",
        embedding_dim: int = 128,
        hidden_dim: int = 256,
        n_layers: int = 1,
        dropout: float = 0.0,
        tied: bool = True,
        start_id: int = 0,
        backend: str = "torch",
        seed: int = 0,
    ):
        """kind: "elman", "lstm" or "gru". dropout: share of zeros on embeddings, between layers and before the output.

        tied: use the embedding matrix as the output matrix (Press and Wolf 2017). backend: "own" or "torch", the same numbers.
        Raises ValueError for an unknown kind or backend, sizes below 1, a dropout outside [0, 1), a start id out of range.
        """
        super().__init__()
        if kind not in KINDS or backend not in BACKENDS:
            raise ValueError(f"expected kind {', '.join(KINDS)} and backend {', '.join(BACKENDS)}, got {kind!r} and {backend!r}")
        if min(vocab_size, embedding_dim, hidden_dim, n_layers) < 1:
            raise ValueError(
                f"expected sizes of at least 1, got vocab_size {vocab_size}, embedding_dim {embedding_dim}, "
                f"hidden_dim {hidden_dim}, n_layers {n_layers}"
            )
        if not 0 <= dropout < 1 or not 0 <= start_id < vocab_size:
            raise ValueError(f"expected dropout in [0, 1) and a start id below {vocab_size}, got {dropout} and {start_id}")
        self.settings = dict(
            vocab_size=vocab_size,
            kind=kind,
            embedding_dim=embedding_dim,
            hidden_dim=hidden_dim,
            n_layers=n_layers,
            dropout=dropout,
            tied=tied,
            start_id=start_id,
        )
        self.vocab_size, self.start_id, self.kind, self.backend, self.tied = vocab_size, start_id, kind, backend, tied
        generator = torch.Generator().manual_seed(seed)
        own, library = KINDS[kind]
        sizes = [embedding_dim] + [hidden_dim] * n_layers
        make = own if backend == "own" else (lambda a, b: library(a, b, batch_first=True))
        self.embedding = nn.Embedding(vocab_size, embedding_dim)
        self.layers = nn.ModuleList(make(a, b) for a, b in zip(sizes, sizes[1:]))
        out_dim = embedding_dim if tied else hidden_dim
        self.project = nn.Linear(hidden_dim, out_dim, bias=False) if out_dim != hidden_dim else nn.Identity()
        self.bias = nn.Parameter(torch.zeros(vocab_size))
        if not tied:
            self.out_weight = nn.Parameter(torch.empty(vocab_size, out_dim))
        self.drop = nn.Dropout(dropout)
        with torch.no_grad():
            self.embedding.weight.normal_(0, 1 / math.sqrt(embedding_dim), generator=generator)
            for layer in self.layers:
                initialize(layer, generator)
            for matrix in (getattr(self.project, "weight", None), getattr(self, "out_weight", None)):
                if matrix is not None:
                    nn.init.xavier_uniform_(matrix, generator=generator)

    def output(self) -> tuple[Tensor, Tensor]:
        return (self.embedding.weight if self.tied else self.out_weight), self.bias

    def features(self, ids: Tensor, state: Sequence | None = None) -> tuple[Tensor, list]:
        """(B, T) -> (B, T, C), and for each layer its state after the last token."""
        as_ids(ids, self.vocab_size, device=self.device)
        x, states = self.drop(self.embedding(ids)), []
        for n, layer in enumerate(self.layers):
            with torch.autocast(x.device.type, enabled=False):  # not every processor has these layers in 16 bits
                x, after = self._run(layer, x, None if state is None else state[n])
            x = self.drop(x)
            states.append(after)
        return self.drop_last(self.project(x)), states

    def drop_last(self, x: Tensor) -> Tensor:
        """Dropout after the projection, where there is one."""
        return x if isinstance(self.project, nn.Identity) else self.drop(x)

    def _run(self, layer: nn.Module, x: Tensor, state):
        """One layer over time, whatever its backend; torch keeps its states as (layers, B, H)."""
        if self.backend == "own":
            return layer.fast(x, state) if self.kind == "lstm" else layer(x, state)
        if state is None:
            x, after = layer(x)
        else:
            x, after = layer(x, tuple(s[None] for s in state) if isinstance(state, tuple) else state[None])
        return x, (tuple(s[0] for s in after) if isinstance(after, tuple) else after[0])

    def begin_state(self, batch_size: int) -> list:
        """Zeros for every layer."""
        zeros = self.bias.new_zeros(batch_size, self.settings["hidden_dim"])
        return [(zeros, zeros) if self.kind == "lstm" else zeros for _ in self.layers]
