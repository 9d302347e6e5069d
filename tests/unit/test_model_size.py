"""The calculator against published sizes and the worked numbers of chapter 08."""

from dataclasses import replace

import pytest

from helpers.models import sizes
from helpers.models.sizes import SIZES, Size


@pytest.mark.parametrize(
    "name, expected",
    [
        ("SmolLM2-135M", 134_515_008),
        ("Llama-2-7B", 6_738_415_616),
        ("Llama-3-8B", 8_030_261_248),
        ("Phi-3-mini", 3_821_079_552),
    ],
)
def test_published_sizes(name, expected):
    assert SIZES[name].parameters()["total"] == expected


def test_gpt2_with_and_without_biases_and_tying():
    tied = replace(SIZES["GPT-2 small"], attention_bias="output")
    assert tied.parameters()["total"] == 124_412_160
    assert replace(tied, tied=False).parameters()["total"] == 163_009_536
    assert SIZES["GPT-2 small"].parameters()["total"] == 124_439_808  # with the biases of q, k and v: 12 * 3 * 768 more


def test_small_decoders_by_hand():
    post = Size(
        32_000,
        512,
        8,
        8,
        2_056,
        gated=False,
        tied=True,
        learned_positions=256,
        attention_bias="all",
        ffn_bias=True,
        norm_vectors=2,
    )  # the one norm outside the blocks stands after the embeddings
    assert post.parameters()["attention"] == 8 * 1_050_624 and post.parameters()["feed-forward"] == 8 * 2_107_912
    assert post.parameters()["total"] == 41_800_768
    assert replace(post, tied=False).parameters()["total"] == 58_184_768
    two = Size(32_011, 128, 2, 8, 512, gated=False, ffn_bias=True, extra_norms=0)
    assert two.parameters()["total"] == 8_589_824
    assert two.parameters()["total"] + 32_011 + 128 == 8_621_963  # what was printed: an output bias and a last norm more


def test_a_misprinted_width_shows_in_the_count():
    big = SIZES["Llama-2-70B"]
    assert big.parameters()["total"] / 1e9 == pytest.approx(68.98, abs=0.005)
    assert replace(big, ffn_dim=22_016).parameters()["total"] / 1e9 == pytest.approx(55.9, abs=0.05)


def test_block_of_the_textbook_has_12_d_squared():
    p = Size(10, 64, 3, 4, 256, gated=False).parameters()
    assert p["attention"] + p["feed-forward"] == 3 * 12 * 64**2


def test_cache():
    assert SIZES["SmolLM2-135M"].cache_bytes_per_token(4) == 46_080
    assert SIZES["Llama-2-7B"].cache_bytes_per_token(2) == 524_288
    assert SIZES["Llama-2-7B"].cache_bytes_per_token(2) * 4_096 == 2 * 2**30
    assert SIZES["Phi-3-mini"].cache_bytes_per_token(2) * 4_096 == 1.5 * 2**30
    shared = replace(SIZES["Llama-2-7B"], n_kv_heads=8)
    assert shared.cache_bytes_per_token() * 4 == SIZES["Llama-2-7B"].cache_bytes_per_token()


def test_operations_memory_days_and_money():
    assert sizes.training_flops(175e9, 300e9) == pytest.approx(3.15e23)
    assert sizes.training_bytes(999_885_952) / 2**30 == pytest.approx(14.90, abs=0.005)
    assert sizes.days_of_training(3.14e23, 256, 5.2e18) == pytest.approx(235.88, abs=0.005)
    assert sizes.price_of_training(236, 256, 2, 0.7) == pytest.approx(4_142_811.43, abs=0.005)
    size = SIZES["SmolLM2-135M"]
    short, long = size.flops_per_token(0), size.flops_per_token(2_048)
    assert 2 * 134e6 < short < 2 * 135e6  # tied: the matrix of the embedding is used once, for the output
    assert long - short == 4 * 30 * 576 * 2_048
    assert size.flops_per_token(100, training=True) == 3 * size.flops_per_token(100)


@pytest.mark.parametrize(
    "choices",
    [
        {},
        {"tied": False},
        {"n_kv_heads": 2},
        {"positions": "learned"},
        {"activation": "gelu"},
        {"norm": "layer"},
        {"norm": "none"},
        {"norm_place": "post"},
        {"ffn_dim": 40, "n_layers": 3},
    ],
)
def test_it_agrees_with_the_class(choices):
    from helpers.models.neural import count_parameters
    from helpers.models.transformer import Config, Transformer

    config = Config(vocab_size=50, context_length=16, hidden_dim=32, n_layers=choices.pop("n_layers", 2), n_heads=4, **choices)
    expected = count_parameters(Transformer(config))
    if config.norm == "layer":  # the class leaves LayerNorm's shifts in, so both have two vectors
        assert Size.of(config).norm_vectors == 2
    assert Size.of(config).parameters()["total"] == expected


@pytest.mark.parametrize(
    "call",
    [
        lambda: Size(0, 8, 1, 1, 8),
        lambda: Size(10, 8, 1, 4, 8, n_kv_heads=3),
        lambda: Size(10, 8, 1, 4, 8, attention_bias="some"),
        lambda: sizes.days_of_training(1e20, 0, 1e18),
        lambda: sizes.price_of_training(1, 1, 1, 0),
        lambda: sizes.price_of_training(1, 1, 1, 1.5),
    ],
)
def test_bad_input_is_refused_in_words(call):
    with pytest.raises(ValueError, match="expected"):
        call()


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match="expected hidden_dim to divide by n_heads, got 10 and 3"):
        Size(100, 10, 1, 3, 20)
    assert Size(100, 10, 1, 3, 20, head_dim=4).head_dim == 4
