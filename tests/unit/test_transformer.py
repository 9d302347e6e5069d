"""The Transformer: parameter counts of known models, causality, the cache, residuals and norms, every choice of `Config`."""

import math

import pytest
import torch
from torch import nn

from helpers.models.attention import sinusoids
from helpers.models.config import CHOICES
from helpers.models.kv_cache import KVCache
from helpers.models.llama_names import llama_name
from helpers.models.neural import count_parameters
from helpers.models.transformer import Block, Config, FeedForward, RMSNorm, Transformer, make_block

SMALL = dict(vocab_size=17, context_length=24, hidden_dim=24, n_layers=3, n_heads=4, n_kv_heads=2)
VARIANTS = [
    dict(),
    dict(n_kv_heads=4),
    dict(n_kv_heads=1),
    dict(tied=False),
    dict(positions="learned"),
    dict(positions="sinusoidal"),
    dict(positions="none"),
    dict(norm="layer"),
    dict(norm="none"),
    dict(norm_place="post"),
    dict(activation="gelu"),
    dict(activation="relu"),
    dict(residual=False, norm="layer"),
    dict(rope_base=500_000.0),
]
every_variant = pytest.mark.parametrize(
    "changes", VARIANTS, ids=lambda c: ", ".join(f"{k}={v}" for k, v in c.items()) or "default"
)


def model_of(**changes):
    """A model with large weights, so that attention is sharp and a mistake shows."""
    model = Transformer(Config(**SMALL | changes)).eval()
    with torch.no_grad():
        for p in model.parameters():
            if p.ndim == 2:
                p.mul_(5)
    return model


def some_ids(B=2, T=12, seed=0):
    return torch.randint(17, (B, T), generator=torch.Generator().manual_seed(seed))


# --------------------------------------------------------------------------------------------------------- known sizes


def count(**settings):
    with torch.device("meta"):  # no memory: only shapes
        return count_parameters(Transformer(Config(**settings), seed=None))


@pytest.mark.parametrize(
    "name, settings, expected",
    [
        (
            "SmolLM2-135M",
            dict(vocab_size=49_152, hidden_dim=576, n_layers=30, n_heads=9, n_kv_heads=3, ffn_dim=1536),
            134_515_008,
        ),
        (
            "Llama-2-7B",
            dict(vocab_size=32_000, hidden_dim=4096, n_layers=32, n_heads=32, ffn_dim=11_008, tied=False),
            6_738_415_616,
        ),
        (
            "Llama-3-8B",
            dict(vocab_size=128_256, hidden_dim=4096, n_layers=32, n_heads=32, n_kv_heads=8, ffn_dim=14_336, tied=False),
            8_030_261_248,
        ),
        (
            "Phi-3-mini",
            dict(vocab_size=32_064, hidden_dim=3072, n_layers=32, n_heads=32, ffn_dim=8192, tied=False),
            3_821_079_552,
        ),
    ],
)
def test_parameters_of_known_models(name, settings, expected):
    assert count(**settings) == expected


def test_parameters_of_the_largest_llama_2_and_of_its_misprint():
    settings = dict(vocab_size=32_000, hidden_dim=8192, n_layers=80, n_heads=64, n_kv_heads=8, tied=False)
    assert count(**settings, ffn_dim=28_672) == pytest.approx(68.98e9, rel=1e-4)
    assert count(**settings, ffn_dim=22_016) == pytest.approx(55.9e9, rel=1e-3)
    assert settings["hidden_dim"] // settings["n_heads"] == 4096 // 32 == 128


def test_parameters_of_models_with_biases_that_ours_has_not():
    """The published counts, less the biases in attention and feed-forward, which this class leaves out."""
    gpt2 = dict(
        vocab_size=50_257,
        context_length=1024,
        hidden_dim=768,
        n_layers=12,
        n_heads=12,
        positions="learned",
        norm="layer",
        activation="gelu",
    )
    biases = 12 * (768 + 3072 + 768)  # o, up, down; GPT-2 without those of q, k, v
    assert count(**gpt2, tied=False) == 163_009_536 - biases and count(**gpt2) == 124_412_160 - biases
    mini = dict(
        vocab_size=32_000,
        context_length=256,
        hidden_dim=512,
        n_layers=8,
        n_heads=8,
        ffn_dim=2056,
        positions="learned",
        norm="layer",
        norm_place="post",
        activation="gelu",
    )
    biases = 8 * (4 * 512 + 2056 + 512) + 2 * 512  # and the norm after the embeddings
    assert count(**mini) == 41_800_768 - biases and count(**mini, tied=False) == 58_184_768 - biases
    decoder = dict(vocab_size=32_011, hidden_dim=128, n_layers=2, n_heads=8, activation="relu", tied=False)
    assert count(**decoder) == 8_589_824 - 2 * (512 + 128) + 128  # no biases, but a last norm
    assert 8_589_824 + 32_011 + 128 == 8_621_963


def test_a_block_holds_twelve_d_squared():
    d = 64
    with torch.device("meta"):
        block = Block(Config(vocab_size=2, hidden_dim=d, n_heads=4, activation="gelu", norm="none"), 0)
        gated = FeedForward(Config(vocab_size=2, hidden_dim=96, n_heads=4))
    assert count_parameters(block) == 12 * d**2
    assert count_parameters(gated) == 3 * 96 * 256  # 8/3 of the width, so that a gate costs nothing: 8 d^2
    assert count_parameters(gated) == 8 * 96**2


def test_learned_positions_cost_parameters_and_rotation_none():
    base = count(**SMALL | dict(positions="none"))
    assert count(**SMALL) == base == count(**SMALL | dict(context_length=1000)) == count(**SMALL | dict(positions="sinusoidal"))
    assert count(**SMALL | dict(positions="learned")) == base + 24 * 24
    assert 256 * 512 == 131_072  # what the mini model above pays for its context


def test_the_shapes_of_a_forward_pass():
    model = model_of()
    features, state = model.features(some_ids(1, 5))
    logits, _ = model(some_ids(1, 5))
    assert features.shape == (1, 5, 24) and logits.shape == (1, 5, 17) and state is None


# ------------------------------------------------------------------------------------------------ residuals, norms, parts


def test_the_gradient_through_three_layers_with_and_without_residuals():
    w = torch.full((3,), 0.5, requires_grad=True)
    factors = []
    for residual in (False, True):
        # a block whose attention and feed-forward are f(y) = w y, without a norm, from the first layer's output on
        block = make_block(Config(vocab_size=2, hidden_dim=2, n_heads=1, norm="none", residual=residual), 0)
        del block.attention, block.ffn
        block.attention, block.ffn = (lambda x, rotary, cache: w[1] * x), (lambda x: w[2] * x)
        start = torch.ones(1, requires_grad=True)
        factors.append(float(torch.autograd.grad(block(start), start)[0]))
    assert factors == [0.25, 2.25]  # w3 w2 against w3 w2 + w3 + w2 + 1


def test_rms_norm_by_hand():
    norm = RMSNorm(4, eps=1e-5)
    x = torch.tensor([3.0, -4.0, 0.0, 5.0])
    assert norm(x).tolist() == pytest.approx([v / math.sqrt(50 / 4 + 1e-5) for v in x.tolist()], rel=1e-6)
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([1.0, 2, 3, 4]))
    assert norm(x)[1].item() == pytest.approx(-8 / math.sqrt(12.5), rel=1e-5)
    assert torch.equal(norm(torch.zeros(4)), torch.zeros(4))  # eps: no division by zero
    small = torch.full((4,), 1e-3)  # eps counts here: 1e-3 / sqrt(1e-6 + 1e-5)
    assert RMSNorm(4)(small)[0].item() == pytest.approx(1e-3 / math.sqrt(1.1e-5), rel=1e-4)


def test_pre_norm_and_post_norm_by_hand():
    x = torch.randn(1, 3, 8, generator=torch.Generator().manual_seed(0))
    for place in ("pre", "post"):
        block = make_block(Config(vocab_size=2, hidden_dim=8, n_heads=2, positions="none", norm_place=place), 0).eval()
        a, f, n1, n2 = block.attention, block.ffn, block.norm1, block.norm2
        with torch.no_grad():
            n1.weight.mul_(2)
            if place == "pre":
                y = x + a(n1(x))
                y = y + f(n2(y))
            else:
                y = n1(x + a(x))
                y = n2(y + f(y))
            torch.testing.assert_close(block(x), y)
    pre, post = (Transformer(Config(**SMALL, norm_place=place)) for place in ("pre", "post"))
    assert isinstance(pre.norm, RMSNorm) and isinstance(post.norm, nn.Identity)  # post-norm has normalised already


def test_each_way_of_building_a_block_is_what_one_formula_with_switches_gives():
    """The twin: one block in which norm place and residual are switches, as an ablation study writes them at first."""
    x = torch.randn(2, 5, 24, generator=torch.Generator().manual_seed(0))
    for place in CHOICES["norm_place"]:
        for residual in (True, False):
            for norm in CHOICES["norm"]:
                block = make_block(Config(**SMALL, positions="none", norm=norm, norm_place=place, residual=residual), 0)
                y = x
                for norm_, f in ((block.norm1, block.attention), (block.norm2, block.ffn)):
                    z = f(norm_(y) if place == "pre" else y)
                    z = y + z if residual else z
                    y = z if place == "pre" else norm_(z)
                assert torch.equal(block(x), y)
                assert list(block.state_dict()) == list(
                    Block(Config(**SMALL, norm=norm), 0).state_dict()
                )  # checkpoints still load


def test_the_feed_forward_layers_by_hand():
    x = torch.randn(5, 8, generator=torch.Generator().manual_seed(0))
    swiglu, gelu, relu = (FeedForward(Config(vocab_size=2, hidden_dim=8, n_heads=2, activation=a)) for a in CHOICES["activation"])
    g = x @ swiglu.gate.weight.T
    torch.testing.assert_close(swiglu(x), (g * torch.sigmoid(g) * (x @ swiglu.up.weight.T)) @ swiglu.down.weight.T)
    u = x @ gelu.up.weight.T
    torch.testing.assert_close(gelu(x), (u * 0.5 * (1 + torch.erf(u / math.sqrt(2)))) @ gelu.down.weight.T)  # exact, not tanh
    torch.testing.assert_close(relu(x), (x @ relu.up.weight.T).clamp(min=0) @ relu.down.weight.T)


def test_grouped_heads_are_full_attention_with_repeated_weights():
    grouped = model_of(n_kv_heads=2)
    full = model_of(n_kv_heads=4)
    weights = grouped.state_dict()
    for name, w in weights.items():
        if name.endswith(("attention.k.weight", "attention.v.weight")):
            weights[name] = w.view(2, 6, 24).repeat_interleave(2, dim=0).reshape(24, 24)  # heads of a group side by side
    full.load_state_dict(weights)
    torch.testing.assert_close(full(some_ids())[0], grouped(some_ids())[0], atol=1e-5, rtol=1e-5)


def test_values_are_not_rotated():
    attention = model_of().blocks[0].attention
    x = torch.randn(1, 4, 24, generator=torch.Generator().manual_seed(0))
    cos, sin = torch.zeros(4, 3), torch.ones(4, 3)  # a quarter turn
    q, k, v = attention.heads(x, None)
    q2, k2, v2 = attention.heads(x, (cos, sin))
    assert torch.equal(v, v2) and not torch.allclose(q, q2) and not torch.allclose(k, k2)


def test_sinusoids_by_hand():
    table = sinusoids(3, 5)
    expected = [math.sin(2), math.cos(2), math.sin(2 * 10_000 ** (-2 / 6)), math.cos(2 * 10_000 ** (-2 / 6))]
    assert table.shape == (3, 5) and table[2, :4].tolist() == pytest.approx(expected, abs=1e-6)
    assert table[0].tolist() == [0, 1, 0, 1, 0]


# ----------------------------------------------------------------------------------------- causality, padding, the cache


def worst_change_before(model, ids, place):
    """How far the logits before `place` move when the token there and all later ones change."""
    other = ids.clone()
    other[:, place:] = (ids[:, place:] + 1 + torch.arange(ids.shape[1] - place)) % 17
    with torch.no_grad():
        a, b = model(ids)[0], model(other)[0]
    assert (a[:, place:] - b[:, place:]).abs().max() > 1e-3  # and the change is seen from there on
    return float((a[:, :place] - b[:, :place]).abs().max())


def test_a_later_token_never_changes_earlier_logits():
    for place in range(1, 12):
        assert worst_change_before(model_of(), some_ids(), place) == 0  # bit for bit


@every_variant
def test_no_variant_looks_ahead(changes):
    for place in (1, 5, 11):
        assert worst_change_before(model_of(**changes), some_ids(), place) <= 1e-6


@every_variant
def test_no_gradient_flows_from_a_logit_to_a_later_token(changes):
    model = model_of(**changes)
    found = []

    def keep_the_stream(module, args):
        args[0].requires_grad_().retain_grad()
        found.append(args[0])

    model.blocks[0].register_forward_pre_hook(keep_the_stream)
    logits, _ = model(some_ids(1, 8))
    logits[0, 3].sum().backward()
    gradient = found[0].grad[0].abs().sum(-1)
    assert (gradient[4:] == 0).all() and gradient[3] > 0


def test_right_padding_leaves_the_last_real_logits_alone():
    for model in (model_of(), model_of(positions="learned")):
        ids = some_ids(1, 9)
        padded = torch.cat([ids, torch.zeros(1, 6, dtype=torch.long)], 1)
        with torch.no_grad():
            torch.testing.assert_close(model(padded)[0][:, 8], model(ids)[0][:, 8], atol=1e-6, rtol=1e-6)


def cached_logits(model, ids, parts):
    state, at, logits = model.begin_state(len(ids)), 0, []
    with torch.inference_mode():
        for size in parts:
            part, state = model(ids[:, at : at + size], state)
            logits.append(part)
            at += size
    return torch.cat(logits, 1)


def test_cached_is_uncached():
    model, ids = model_of(), some_ids(2, 20)
    with torch.inference_mode():
        whole = model(ids)[0]
    for parts in ([20], [1] * 20, [7, 1, 1, 5, 6], [1, 19]):
        torch.testing.assert_close(cached_logits(model, ids, parts), whole, atol=2e-5, rtol=1e-4)


@every_variant
def test_every_variant_is_cached_as_it_is_not(changes):
    model, ids = model_of(**changes), some_ids(1, 20)
    with torch.inference_mode():
        torch.testing.assert_close(cached_logits(model, ids, [5, 1, 1, 9, 4]), model(ids)[0], atol=2e-5, rtol=1e-4)


def test_the_cache_is_as_large_as_the_formula():
    model = model_of()
    state = model.begin([1, 2, 3])
    assert state._memory.n_bytes == 2 * 3 * 2 * 6 * 4 * 4  # k and v, layers, kv heads, width, tokens with the start, bytes


def test_a_context_that_is_full():
    model = model_of(context_length=8)
    cache = model.begin_state(1)
    model(some_ids(1, 6), cache)
    with pytest.raises(ValueError, match=r"at most context_length = 8 tokens, got 9 \(6 of them in the cache\)"):
        model(some_ids(1, 3), cache)
    model(some_ids(1, 2), cache)  # the refused call has left the cache as it was
    assert cache.length == 8
    for call in (model, model.streams, model.attention_maps):
        with pytest.raises(ValueError, match="at most context_length = 8 tokens, got 9; shorten the text, or use score"):
            call(some_ids(1, 9))


# ------------------------------------------------------------------------------------------------------- looking inside


@every_variant
def test_streams_end_in_the_features(changes):
    model = model_of(**changes)
    streams = model.streams(some_ids())
    assert len(streams) == 4
    torch.testing.assert_close(model.norm(streams[-1]), model.features(some_ids())[0], atol=1e-6, rtol=1e-5)
    lens = model.logits(model.norm(streams[1]))  # also outside inference mode: for the logit lens
    assert lens.shape == (2, 12, 17)


@every_variant
def test_attention_maps_are_the_weights_that_attention_uses(changes):
    model = model_of(**changes)
    maps = model.attention_maps(some_ids())
    assert len(maps) == 3 and maps[0].shape == (2, 4, 12, 12)
    for weights in maps:
        assert (weights.sum(-1) - 1).abs().max() < 1e-5 and (weights.triu(1) == 0).all()
    # values weighted by the first map give the first layer's output
    block = model.blocks[0]
    with torch.no_grad():
        x, rotary = model.embed(some_ids())
        x = block.norm1(x) if block.pre else x
        _, _, v = block.attention.heads(x, rotary)
        out = (maps[0] @ v.repeat_interleave(4 // v.shape[1], 1)).transpose(1, 2).reshape(2, 12, 24)
        torch.testing.assert_close(block.attention.o(out), block.attention(x, rotary), atol=1e-5, rtol=1e-4)


# ------------------------------------------------------------------------------------------------ config, weights, names


@pytest.mark.parametrize(
    "changes, words",
    [
        (dict(hidden_dim=25), "hidden_dim to divide by n_heads, got 25 and 4"),
        (dict(n_kv_heads=3), "n_heads to divide by n_kv_heads, got 4 and 3: each key-value head serves the same number"),
        (dict(n_kv_heads=8), "n_heads to divide by n_kv_heads, got 4 and 8"),
        (dict(hidden_dim=12), "an even head width for rotation, got 3; change hidden_dim or n_heads"),
        (dict(n_layers=0), "n_layers of at least 1, got 0"),
        (dict(vocab_size=0), "vocab_size of at least 1"),
        (dict(context_length=-1), "context_length of at least 1"),
        (dict(ffn_dim=0), "ffn_dim of at least 1"),
        (dict(positions="alibi"), "positions to be one of rope, learned, sinusoidal, none, got 'alibi'"),
        (dict(norm="batch"), "norm to be one of rms, layer, none"),
        (dict(activation="tanh"), "activation to be one of"),
        (dict(norm_place="mid"), "norm_place to be one of pre, post"),
        (dict(dropout=1.0), r"dropout in \[0, 1\) and a start id below 17, got 1.0 and 0"),
        (dict(start_id=17), "got 0.0 and 17"),
    ],
)
def test_configs_that_do_not_fit(changes, words):
    with pytest.raises(ValueError, match=words):
        Config(**SMALL | changes)


def test_a_config_fills_in_and_an_odd_head_is_fine_without_rotation():
    config = Config(vocab_size=5, hidden_dim=192)
    assert (config.n_kv_heads, config.ffn_dim, config.head_dim) == (4, 512, 48)
    assert Config(vocab_size=5, hidden_dim=192, activation="gelu").ffn_dim == 768
    assert Config(**SMALL | dict(hidden_dim=12, positions="learned")).head_dim == 3
    model = Transformer(config)
    assert Transformer(Config(**model.settings)).config == config


def test_starting_weights():
    a, b, c = Transformer(Config(**SMALL)), Transformer(Config(**SMALL), seed=0), Transformer(Config(**SMALL), seed=1)
    assert all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters()))
    assert not torch.equal(a.embedding.weight, c.embedding.weight)
    wide = Transformer(Config(vocab_size=500, hidden_dim=128, n_layers=8))
    assert wide.embedding.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert wide.blocks[3].ffn.down.weight.std().item() == pytest.approx(0.02 / 4, rel=0.05)  # sqrt(2 * 8) = 4
    with torch.no_grad():
        loss, _ = wide.loss(torch.randint(500, (4, 32)), torch.randint(500, (4, 32)))
    assert float(loss) == pytest.approx(math.log(500), abs=0.1)  # it starts as unsure as it should be


def test_llama_names():
    assert llama_name("model.layers.3.mlp.up_proj.weight") == "blocks.3.ffn.up.weight"
    assert llama_name("model.layers.11.post_attention_layernorm.weight") == "blocks.11.norm2.weight"
    assert llama_name("model.norm.weight") == "norm.weight" and llama_name("lm_head.weight") == "out.weight"
    assert llama_name("model.embed_tokens.weight") == "embedding.weight"


def llama_weights(model):
    theirs = {
        "embedding": "model.embed_tokens",
        "norm.": "model.norm.",
        "blocks": "model.layers",
        "attention.q": "self_attn.q_proj",
        "attention.k": "self_attn.k_proj",
        "attention.v": "self_attn.v_proj",
        "attention.o": "self_attn.o_proj",
        "ffn.gate": "mlp.gate_proj",
        "ffn.up": "mlp.up_proj",
        "ffn.down": "mlp.down_proj",
        "norm1": "input_layernorm",
        "norm2": "post_attention_layernorm",
    }
    renamed = {}
    for name, w in model.state_dict().items():
        key = name if not name.startswith("norm.") else "model." + name
        for ours, other in theirs.items():
            key = key if ours == "norm." else key.replace(ours, other)
        renamed[key] = w
    return renamed


def test_weights_of_a_llama_are_shared_not_copied():
    model = model_of()
    weights = llama_weights(model) | {"lm_head.weight": model.embedding.weight}  # a tied head may be listed
    other = Transformer.from_llama(model.config, weights)
    assert other.embedding.weight.data_ptr() == model.embedding.weight.data_ptr() and not other.training
    assert torch.equal(other(some_ids())[0], model(some_ids())[0])


@pytest.mark.parametrize(
    "spoil, words",
    [
        (lambda w: w.pop("model.layers.1.mlp.up_proj.weight"), "Missing key.*blocks.1.ffn.up.weight"),
        (lambda w: w.update({"model.layers.9.mlp.up_proj.weight": torch.zeros(1)}), "Unexpected key.*blocks.9"),
        (lambda w: w.update({"model.norm.weight": torch.zeros(7)}), "size mismatch for norm.weight"),
    ],
)
def test_weights_that_do_not_fit(spoil, words):
    model = model_of()
    weights = llama_weights(model)
    spoil(weights)
    with pytest.raises(ValueError, match=f"(?s)these weights do not fit this config.*{words}"):
        Transformer.from_llama(model.config, weights)


def test_a_table_made_while_judging_also_serves_training():
    model = model_of()
    model.score([1, 2, 3])
    model.train()
    loss, _ = model.loss(some_ids(), some_ids())
    loss.backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())
    assert isinstance(model.begin_state(1), KVCache)


def test_dropout_only_while_training():
    model = model_of(dropout=0.5)
    assert torch.equal(model(some_ids())[0], model(some_ids())[0])
    model.train()
    assert not torch.equal(model(some_ids())[0], model(some_ids())[0])
