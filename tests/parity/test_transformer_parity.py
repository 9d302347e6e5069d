"""Our Transformer is the Llama of transformers: logits, gradients, cached generation, attention maps, rotation, for many shapes.

The pairing of rotated channels: transformers and we use two halves (channel i with i + D/2), as its converted weights expect;
the interleaved pairing of the papers and of Meta's own code is the same after a permutation of the rows of q and k.
"""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from helpers.models.attention import attend, causal_mask, rotary_table, rotate, rotate_interleaved
from helpers.models.llama_names import llama_name
from helpers.models.transformer import Config, RMSNorm, Transformer
from helpers.tokenizers.labels import IGNORE

transformers = pytest.importorskip("transformers")
V = 97
CONFIGS = {
    "plain": dict(hidden_dim=32, n_layers=2, n_heads=4, n_kv_heads=4, ffn_dim=64, tied=False),
    "grouped, tied": dict(hidden_dim=48, n_layers=3, n_heads=6, n_kv_heads=2, ffn_dim=80, tied=True),
    "one key-value head, another base": dict(
        hidden_dim=32, n_layers=2, n_heads=4, n_kv_heads=1, ffn_dim=40, tied=True, rope_base=500_000.0
    ),
    "narrow heads, large eps": dict(
        hidden_dim=24, n_layers=1, n_heads=6, n_kv_heads=3, ffn_dim=200, tied=False, norm_eps=1e-2, rope_base=50.0
    ),
    "one head": dict(hidden_dim=16, n_layers=4, n_heads=1, n_kv_heads=1, ffn_dim=16, tied=True),
}
every_config = pytest.mark.parametrize("name", CONFIGS)


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def some_ids(B=2, T=20, seed=0):
    return torch.randint(V, (B, T), generator=torch.Generator().manual_seed(seed))


def library(name, attention="sdpa"):
    """A random Llama of transformers, in evaluation mode, with weights large enough for sharp attention."""
    c = CONFIGS[name]
    config = transformers.LlamaConfig(
        vocab_size=V,
        hidden_size=c["hidden_dim"],
        intermediate_size=c["ffn_dim"],
        num_hidden_layers=c["n_layers"],
        num_attention_heads=c["n_heads"],
        num_key_value_heads=c["n_kv_heads"],
        max_position_embeddings=64,
        rms_norm_eps=c.get("norm_eps", 1e-5),
        rope_parameters={"rope_type": "default", "rope_theta": c.get("rope_base", 1e4)},
        tie_word_embeddings=c["tied"],
        attention_bias=False,
        mlp_bias=False,
        bos_token_id=0,
        eos_token_id=None,
        pad_token_id=None,
        attn_implementation=attention,
    )
    model = transformers.LlamaForCausalLM(config).eval()
    with torch.no_grad():
        for n, p in enumerate(model.parameters()):
            p.copy_(1 + 0.3 * random(*p.shape, seed=n) if p.ndim == 1 else random(*p.shape, seed=n) / math.sqrt(p.shape[1]) * 1.5)
    return model


def ours_of(theirs, name):
    """Our model with its own copy of the library's weights (sharing them would share the gradients too)."""
    weights = {n: t.clone() for n, t in theirs.state_dict().items()}
    return Transformer.from_llama(Config(vocab_size=V, context_length=64, **CONFIGS[name]), weights)


@every_config
def test_logits(name):
    theirs = library(name)
    ours = ours_of(theirs, name)
    with torch.no_grad():
        for ids in (some_ids(), some_ids(1, 1), some_ids(1, 64)):
            a, b = ours(ids)[0], theirs(ids).logits
            assert b.std() > 0.5  # a comparison of zeros would prove nothing
            torch.testing.assert_close(a, b, atol=2e-5, rtol=1e-4)


@every_config
def test_the_loss_and_the_gradient_of_every_weight(name):
    theirs = library(name)
    ours = ours_of(theirs, name)
    for p in ours.parameters():
        p.requires_grad_()
    ids = some_ids()
    labels = ids.clone()
    labels[0, :6] = IGNORE  # a masked prompt
    expected = theirs(ids, labels=labels).loss  # the library shifts by one itself
    got, _ = ours.loss(ids[:, :-1], labels[:, 1:], chunk=7)
    torch.testing.assert_close(got, expected, atol=1e-6, rtol=1e-5)
    expected.backward()
    got.backward()
    ours_by_name, compared = dict(ours.named_parameters()), 0
    for their_name, p in theirs.named_parameters():
        mine = ours_by_name[llama_name(their_name)]
        assert p.grad.abs().max() > 0, their_name
        torch.testing.assert_close(mine.grad, p.grad, atol=1e-6, rtol=1e-3, msg=lambda m, n=their_name: f"{n}: {m}")
        compared += 1
    assert compared == len(ours_by_name)


@every_config
def test_greedy_generation_with_a_cache(name):
    theirs = library(name)
    ours = ours_of(theirs, name)
    ids = some_ids(1, 7, seed=3)
    expected = theirs.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=40, do_sample=False, eos_token_id=None)
    state, written = ours.begin_state(1), ids
    with torch.inference_mode():
        logits, state = ours(ids, state)
        for _ in range(40):
            new = logits[:, -1:].argmax(-1)
            written = torch.cat([written, new], 1)
            logits, state = ours(new, state)
    assert written.tolist() == expected.tolist()
    assert len(set(written[0].tolist())) > 3


@every_config
def test_a_cached_step_has_the_library_s_logits(name):
    """Cached against the library without a cache: in parts, in single steps, and with two rows."""
    theirs = library(name)
    ours, ids = ours_of(theirs, name), some_ids(2, 24, seed=4)
    with torch.no_grad():
        expected = theirs(ids).logits
        for parts in ([24], [1] * 24, [9, 1, 6, 8]):
            state, at = ours.begin_state(2), 0
            for size in parts:
                logits, state = ours(ids[:, at : at + size], state)
                torch.testing.assert_close(logits, expected[:, at : at + size], atol=3e-5, rtol=1e-4)
                at += size


@every_config
def test_attention_maps_and_hidden_states(name):
    theirs = library(name, attention="eager")  # the default kernel returns no maps
    ours = ours_of(theirs, name)
    with torch.no_grad():
        out = theirs(some_ids(), output_attentions=True, output_hidden_states=True)
    maps, streams = ours.attention_maps(some_ids()), ours.streams(some_ids())
    assert len(maps) == len(out.attentions) == CONFIGS[name]["n_layers"]
    for a, b in zip(maps, out.attentions):
        torch.testing.assert_close(a, b, atol=2e-6, rtol=1e-4)
    for a, b in zip(streams[:-1], out.hidden_states[:-1], strict=True):  # the library's last one has passed the last norm
        torch.testing.assert_close(a, b, atol=2e-5, rtol=1e-4)
    torch.testing.assert_close(ours.norm(streams[-1]), out.hidden_states[-1], atol=2e-5, rtol=1e-4)


def test_rotation_is_the_library_s_and_the_other_pairing_a_permutation_of_it():
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding, apply_rotary_pos_emb

    for D, base in ((8, 10_000.0), (6, 500_000.0), (64, 100_000.0)):
        config = transformers.LlamaConfig(
            hidden_size=D,
            num_attention_heads=1,
            head_dim=D,
            max_position_embeddings=128,
            rope_parameters={"rope_type": "default", "rope_theta": base},
        )
        q, k = random(2, 3, 100, D), random(2, 3, 100, D, seed=1)
        cos, sin = LlamaRotaryEmbedding(config)(q, torch.arange(100)[None])
        expected = apply_rotary_pos_emb(q, k, cos, sin)
        table = rotary_table(D, 128, base)
        table = tuple(t[:100] for t in table)
        for x, y in zip((q, k), expected):
            torch.testing.assert_close(rotate(x, *table), y, atol=2e-5, rtol=1e-4)
        order = torch.arange(D).view(2, D // 2).T.flatten()  # 0, D/2, 1, D/2 + 1, ...: our pairs, side by side
        torch.testing.assert_close(rotate_interleaved(q[..., order], *table), expected[0][..., order], atol=2e-5, rtol=1e-4)
        assert (rotate_interleaved(q, *table) - expected[0]).abs().max() > 0.5


def test_scaled_dot_product_attention():
    q, k, v = random(2, 3, 7, 8), random(2, 3, 7, 8, seed=1), random(2, 3, 7, 5, seed=2)
    torch.testing.assert_close(attend(q, k, v), F.scaled_dot_product_attention(q, k, v), atol=1e-6, rtol=1e-5)
    causal = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    torch.testing.assert_close(attend(q, k, v, causal_mask(7)), causal, atol=1e-6, rtol=1e-5)
    mask = random(7, 7, seed=3) > -0.5
    mask[:, 0] = True
    masked = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)  # True: may look, as in our masks
    torch.testing.assert_close(attend(q, k, v, mask), masked, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("dim, eps", [(8, 1e-5), (48, 1e-2), (5, 1e-8)])
def test_rms_norm(dim, eps):
    from transformers.models.llama.modeling_llama import LlamaRMSNorm

    norms = [RMSNorm(dim, eps), nn.RMSNorm(dim, eps), LlamaRMSNorm(dim, eps)]
    x = random(3, 4, dim) * torch.tensor([1e-3, 1.0, 10.0, 1e3])[:, None]  # the smallest row is where eps counts
    results = []
    for norm in norms:
        with torch.no_grad():
            norm.weight.copy_(1 + random(dim, seed=5))
        leaf = x.clone().requires_grad_()
        y = norm(leaf)
        (y * random(*y.shape, seed=6)).sum().backward()
        results.append((y, leaf.grad, norm.weight.grad))
    for other in results[1:]:
        for a, b in zip(results[0], other):
            torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)


def test_layer_norm_is_what_it_is_said_to_be():
    """The class uses torch's; here its formula, which chapter 08 writes out."""
    x, norm = random(3, 8), nn.LayerNorm(8, eps=1e-5)
    mean, variance = x.mean(-1, keepdim=True), x.var(-1, unbiased=False, keepdim=True)
    torch.testing.assert_close(norm(x), (x - mean) / torch.sqrt(variance + 1e-5), atol=1e-6, rtol=1e-5)


def test_a_post_norm_block_is_torch_s_encoder_layer():
    """The Transformer of 2017, with LayerNorm after each sum, against nn.TransformerEncoderLayer with a causal mask."""
    from helpers.models.transformer import make_block

    for place in ("post", "pre"):
        block = make_block(
            Config(
                vocab_size=2,
                hidden_dim=24,
                n_heads=4,
                ffn_dim=56,
                positions="none",
                norm="layer",
                norm_place=place,
                activation="relu",
            ),
            0,
        ).eval()
        theirs = nn.TransformerEncoderLayer(
            24, 4, 56, dropout=0.0, activation="relu", batch_first=True, bias=True, norm_first=place == "pre"
        ).eval()
        with torch.no_grad():
            for p in theirs.parameters():
                p.zero_()
            theirs.self_attn.in_proj_weight.copy_(
                torch.cat([block.attention.q.weight, block.attention.k.weight, block.attention.v.weight])
            )
            theirs.self_attn.out_proj.weight.copy_(block.attention.o.weight)
            theirs.linear1.weight.copy_(block.ffn.up.weight)
            theirs.linear2.weight.copy_(block.ffn.down.weight)
            for n, (mine, other) in enumerate(zip((block.norm1, block.norm2), (theirs.norm1, theirs.norm2))):
                mine.weight.copy_(1 + random(24, seed=n))
                mine.bias.copy_(random(24, seed=n + 5))
                other.load_state_dict(mine.state_dict())
            x = random(2, 9, 24)
            forbidden = ~causal_mask(9)  # nn.Transformer wants True where a query may NOT look: the other way round
            torch.testing.assert_close(block(x), theirs(x, src_mask=forbidden), atol=1e-5, rtol=1e-4)
