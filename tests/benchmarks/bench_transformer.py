"""Training a Transformer (performance targets 6a and 6b): whole steps with AdamW beside `transformers`, and the chunked loss.

The second peer of 6a stands in for nanoGPT, which is no package: a plain GPT-2 block stack of the same size, written here.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

from helpers.models.chunked_loss import chunked_cross_entropy
from helpers.models.transformer import Config, Transformer
from tests.benchmarks.harness import Case, needs, torch_threads

B, T, V, C, LAYERS, HEADS = 32, 128, 4096, 128, 4, 4
FFN = 352  # 8/3 of the width, rounded to 32: with a gate as many weights as 4 times the width without
STEPS = 2  # training steps in one timing


class PlainBlock(nn.Module):
    """A GPT-2 block: LayerNorm, one matrix for q, k and v, torch's attention kernel, GELU, 4 times the width."""

    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(C), nn.LayerNorm(C)
        self.qkv, self.out = nn.Linear(C, 3 * C), nn.Linear(C, C)
        self.up, self.down = nn.Linear(C, 4 * C), nn.Linear(4 * C, C)

    def forward(self, x):
        q, k, v = (t.view(*x.shape[:2], HEADS, C // HEADS).transpose(1, 2) for t in self.qkv(self.norm1(x)).split(C, dim=-1))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(x.shape))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class PlainGPT(nn.Module):
    """Learned positions, a stack of blocks, a tied output, all logits at once."""

    def __init__(self):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(V, C), nn.Embedding(T, C)
        self.blocks, self.norm = nn.Sequential(*(PlainBlock() for _ in range(LAYERS))), nn.LayerNorm(C)
        for table in (self.tokens, self.positions):
            nn.init.normal_(table.weight, 0, 0.02)

    def loss(self, x, y):
        h = self.norm(self.blocks(self.tokens(x) + self.positions.weight))
        return F.cross_entropy(F.linear(h, self.tokens.weight).flatten(0, 1), y.flatten())


def batch():
    ids = torch.randint(V, (B, T + 1), generator=torch.Generator().manual_seed(0))
    return ids[:, :-1], ids[:, 1:]


def stepping(model, loss):
    """Work that takes training steps; it returns the kind of model and the loss of its first step."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    losses = []

    def work():
        for _ in range(STEPS):
            optimizer.zero_grad()
            value = loss()
            value.backward()
            optimizer.step()
            losses.append(float(value.detach()))
        return type(model).__name__, losses[0]

    return work


def library_steps(weights):
    from transformers import LlamaConfig, LlamaForCausalLM

    from helpers.models.llama_names import llama_name

    config = LlamaConfig(
        vocab_size=V,
        hidden_size=C,
        intermediate_size=FFN,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS,
        max_position_embeddings=T,
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": 1e4},
    )
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(weights[llama_name(name)])
    x, y = batch()

    def loss():  # logits and the mean over all targets, as the library's Trainer has it; it would shift, ours are shifted already
        return F.cross_entropy(model(input_ids=x, use_cache=False).logits.flatten(0, 1), y.flatten())

    return stepping(model, loss)


def same_first_loss(ours, theirs):
    """The Llama starts from our weights, so its loss is ours; the stand-in is another model and starts as unsure as V allows."""
    tolerance = 1e-4 if theirs[0].startswith("Llama") else 0.1
    expected = ours[1] if theirs[0].startswith("Llama") else math.log(V)
    assert abs(theirs[1] - expected) < tolerance, f"first losses {ours[1]:.5f} and {theirs[1]:.5f} differ"


def model_of():
    return Transformer(Config(vocab_size=V, context_length=T, hidden_dim=C, n_layers=LAYERS, n_heads=HEADS, ffn_dim=FFN))


def step_case():
    model, (x, y) = model_of(), batch()
    weights = {name: p.detach().clone() for name, p in model.named_parameters()}
    plain = PlainGPT()
    n = STEPS * B * T
    return Case(
        name=f"training step, {LAYERS} layers x {C}, context {T}, batch {B}, vocabulary {V:,}, AdamW",
        item="6a",
        ours=stepping(model, lambda: model.loss(x, y)[0]),
        peers={
            "transformers Llama": needs("transformers", lambda: library_steps(weights)),
            "GPT-2 blocks (for nanoGPT)": stepping(plain, lambda: plain.loss(x, y)),
        },
        same=same_first_loss,
        targets={"transformers Llama": 1 / 1.05, "GPT-2 blocks (for nanoGPT)": 1 / 1.05},
        stretch={"transformers Llama": 1 / 1.3},
        amounts={"ours": n, "transformers Llama": n, "GPT-2 blocks (for nanoGPT)": n},
        unit="tokens",
        note=f"{STEPS} steps in one timing; targets: 1.05x as fast as both",
    )


def loss_cases():
    """The loss alone, and a whole forward and backward pass, chunked and plain."""
    generator = torch.Generator().manual_seed(0)
    features, weight = torch.randn(B * T, C, generator=generator), torch.randn(V, C, generator=generator) / C**0.5
    y = batch()[1].flatten()

    def alone(plain):
        f, w = features.clone().requires_grad_(), weight.clone().requires_grad_()
        loss = F.cross_entropy(F.linear(f, w), y) if plain else chunked_cross_entropy(f, w, y)
        loss.backward()
        return loss.detach(), f.grad, w.grad

    model, (ids, targets) = model_of(), batch()

    def whole(plain):
        model.zero_grad()
        loss = F.cross_entropy(model(ids)[0].flatten(0, 1), targets.flatten()) if plain else model.loss(ids, targets)[0]
        loss.backward()
        return [loss.detach(), *(p.grad.clone() for p in model.parameters())]

    def same(ours, theirs):
        for a, b in zip(ours, theirs, strict=True):
            assert (a - b).abs().max() < 1e-5, "loss or gradients differ"

    peer, size = "plain cross-entropy", f"{B * T:,} positions, vocabulary {V:,}"
    return [
        Case(
            name=f"loss in chunks of 512, {what}, {size}",
            item="6b",
            ours=lambda w=work: w(False),
            peers={peer: lambda w=work: w(True)},
            same=same,
            targets=targets,
            repeats=5,
        )
        for what, work, targets in (
            ("forward and backward of the whole model", whole, {peer: 1 / 1.15}),
            ("output layer and loss alone", alone, {}),
        )
    ]


def cases() -> list[Case]:
    torch_threads()
    return [step_case(), *loss_cases()]
