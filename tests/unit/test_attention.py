"""Attention: worked rows, the mask, rotation and its identities, grouped heads, the cache."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from helpers.models.attention import (
    attend,
    attention_weights,
    causal_mask,
    fused_attend,
    online_softmax_attention,
    repeat_heads,
    rotary_table,
    rotate,
    rotate_interleaved,
)
from helpers.models.kv_cache import KVCache


def random(*shape, seed=0, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


# ------------------------------------------------------------------------------------------------------- mask and weights


def test_the_causal_mask_shows_what_came_before():
    assert causal_mask(3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]
    # two new tokens behind three cached ones
    assert causal_mask(2, 5).tolist() == [[True, True, True, True, False], [True] * 5]
    with pytest.raises(ValueError, match="at least as many keys as queries, got 2 and 3"):
        causal_mask(3, 2)


def test_the_worked_row():
    # D = 6, so the scores are divided by sqrt(6): choose q and k so that they become exactly 2, 7, 4, 5
    q = torch.tensor([[1.0, 0, 0, 0, 0, 0]])
    k = torch.zeros(4, 6)
    k[:, 0] = torch.tensor([2.0, 7.0, 4.0, 5.0]) * math.sqrt(6)
    row = attention_weights(q, k, torch.tensor([[True, True, False, False]]))[0]
    expected = 1 / (1 + math.exp(-5))  # sigmoid(7 - 2)
    assert row[:2].tolist() == pytest.approx([1 - expected, expected], abs=1e-6)
    assert row[:2].tolist() == pytest.approx([0.006693, 0.993307], abs=1e-6)
    assert row[2:].tolist() == [0, 0]  # exactly


def test_the_scores_are_divided_by_the_root_of_the_head_width():
    q, k = random(2, 3, 16), random(2, 5, 16, seed=1)
    expected = torch.softmax(torch.einsum("btd,bsd->bts", q, k) * 16**-0.5, dim=-1)
    torch.testing.assert_close(attention_weights(q, k), expected)
    assert (torch.softmax(q @ k.mT, -1) - expected).abs().max() > 0.1  # the difference shows


@given(st.integers(1, 6), st.integers(0, 5), st.sampled_from([1, 2, 8]), st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_rows_sum_to_one_and_hidden_keys_get_exactly_nothing(T, past, D, seed):
    q, k = random(2, T, D, seed=seed) * 5, random(2, past + T, D, seed=seed + 1) * 5
    mask = causal_mask(T, past + T)
    weights = attention_weights(q, k, mask)
    assert (weights.sum(-1) - 1).abs().max() < 1e-6 and (weights >= 0).all()
    assert (weights.masked_select(~mask) == 0).all()


def test_a_query_that_may_look_nowhere_is_an_error():
    q = random(3, 4)
    with pytest.raises(ValueError, match="a row of the mask is all False; is it upside down"):
        attention_weights(q, q, ~causal_mask(3))


def test_later_keys_and_values_never_change_an_earlier_output():
    q, k, v = random(1, 2, 6, 8), random(1, 2, 6, 8, seed=1), random(1, 2, 6, 8, seed=2)
    before, fused_before = attend(q, k, v, causal_mask(6)), fused_attend(q, k, v)
    k[:, :, 4:], v[:, :, 4:] = 99.0, -99.0
    assert torch.equal(attend(q, k, v, causal_mask(6))[:, :, :4], before[:, :, :4])
    assert torch.equal(fused_attend(q, k, v)[:, :, :4], fused_before[:, :, :4])
    assert not torch.allclose(fused_attend(q, k, v)[:, :, 4:], fused_before[:, :, 4:])


@pytest.mark.parametrize("block", [1, 3, 16, 100])
def test_online_softmax_is_the_same_average(block):
    q, k, v = random(2, 5, 8) * 3, random(2, 33, 8, seed=1) * 3, random(2, 33, 4, seed=2)
    torch.testing.assert_close(online_softmax_attention(q, k, v, block), attend(q, k, v), atol=2e-6, rtol=1e-5)
    big = online_softmax_attention(q * 1000, k, v, block)  # exp of such scores overflows unless the largest is taken off
    assert torch.isfinite(big).all()


# ---------------------------------------------------------------------------------------------------------- grouped heads


def test_heads_of_a_group_stand_side_by_side():
    x = torch.arange(2.0).view(1, 2, 1, 1)
    assert repeat_heads(x, 3).flatten().tolist() == [0, 0, 0, 1, 1, 1]
    x = random(2, 3, 4, 5)
    assert torch.equal(repeat_heads(x, 2), x.repeat_interleave(2, dim=1)) and repeat_heads(x, 1) is x


@pytest.mark.parametrize("H, K", [(4, 4), (4, 2), (6, 2), (4, 1)])
@pytest.mark.parametrize("T, S", [(5, 5), (1, 1), (1, 7), (3, 7)])
def test_the_fused_form_is_the_plain_form(H, K, T, S):
    q, k, v = random(2, H, T, 8), random(2, K, S, 8, seed=1), random(2, K, S, 8, seed=2)
    plain = attend(q, k.repeat_interleave(H // K, 1), v.repeat_interleave(H // K, 1), causal_mask(T, S))
    torch.testing.assert_close(fused_attend(q, k, v), plain, atol=1e-6, rtol=1e-5)


# --------------------------------------------------------------------------------------------------------------- rotation


def test_a_turn_by_45_degrees():
    angle = torch.tensor([math.pi / 4])
    turned = rotate(torch.tensor([2.0, 1.0]), angle.cos(), angle.sin())
    assert turned.tolist() == pytest.approx([math.sqrt(2) / 2, 3 * math.sqrt(2) / 2], abs=1e-6)
    assert torch.equal(rotate_interleaved(torch.tensor([2.0, 1.0]), angle.cos(), angle.sin()), turned)  # one pair: no difference


def test_frequencies_of_width_six():
    cos, sin = rotary_table(6, 5)
    assert cos.shape == sin.shape == (5, 3)
    expected = [10_000 ** (-2 * i / 6) for i in range(3)]
    assert expected == pytest.approx([1, 0.0464159, 0.0021544], abs=5e-8)
    for position in range(5):
        angles = [position * f for f in expected]
        assert cos[position].tolist() == pytest.approx([math.cos(a) for a in angles], abs=1e-6)
        assert sin[position].tolist() == pytest.approx([math.sin(a) for a in angles], abs=1e-6)
    cos, _ = rotary_table(4, 2, base=500_000.0)
    assert cos[1].tolist() == pytest.approx([math.cos(1), math.cos(500_000**-0.5)], abs=1e-6)


def test_the_pairs_are_two_halves():
    cos, sin = rotary_table(4, 3)
    x = torch.tensor([1.0, 0, 0, 0])
    turned = rotate(x, cos[1], sin[1])  # channel 0 turns with channel 2
    assert turned.tolist() == pytest.approx([math.cos(1), 0, math.sin(1), 0], abs=1e-6)
    assert rotate_interleaved(x, cos[1], sin[1]).tolist() == pytest.approx([math.cos(1), math.sin(1), 0, 0], abs=1e-6)


@given(st.sampled_from([2, 4, 6, 16]), st.integers(0, 40), st.integers(0, 40), st.integers(0, 50), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_rotation_keeps_norms_and_knows_only_distances(D, m, n, shift, seed):
    cos, sin = rotary_table(D, 100)
    q, k = random(D, seed=seed), random(D, seed=seed + 1)
    for turn in (rotate, rotate_interleaved):
        at = lambda x, p, turn=turn: turn(x, cos[p], sin[p])  # noqa: E731
        assert torch.equal(at(q, 0), q)  # position 0 changes nothing
        assert float(at(q, m).norm()) == pytest.approx(float(q.norm()), rel=1e-5)
        assert float(at(q, m) @ at(k, n)) == pytest.approx(float(at(q, m + shift) @ at(k, n + shift)), abs=2e-4)


def test_the_two_pairings_are_one_permutation_apart():
    D, (cos, sin) = 8, rotary_table(8, 10)
    x = random(3, 10, D)
    to_halves = torch.tensor([0, 2, 4, 6, 1, 3, 5, 7])  # even channels first, then odd ones
    torch.testing.assert_close(rotate(x[..., to_halves], cos, sin), rotate_interleaved(x, cos, sin)[..., to_halves])
    assert (rotate(x, cos, sin) - rotate_interleaved(x, cos, sin)).abs().max() > 0.5


def test_an_odd_width_cannot_be_rotated():
    with pytest.raises(ValueError, match="an even head_dim, since channels are rotated in pairs, got 5"):
        rotary_table(5, 3)


# ------------------------------------------------------------------------------------------------------------------ cache


def fill(cache, total, parts, seed=0):
    """Append keys and values in parts to both layers; returns all of them and what the last call gave back."""
    k, v = random(2, 3, total, 4, seed=seed), random(2, 3, total, 4, seed=seed + 1)
    at, got = 0, None
    for size in parts:
        got = [cache.append(layer, k[:, :, at : at + size], v[:, :, at : at + size]) for layer in range(2)]
        at += size
    return k[:, :, :at], v[:, :, :at], got


@given(st.lists(st.integers(1, 90), min_size=1, max_size=6))
@settings(max_examples=25, deadline=None)
def test_the_cache_gives_back_what_was_put_in(parts):
    cache = KVCache(2, limit=600)
    k, v, got = fill(cache, sum(parts), parts)
    assert cache.length == sum(parts)
    for keys, values in got:
        assert torch.equal(keys, k) and torch.equal(values, v)


def test_the_length_moves_on_with_the_last_layer():
    cache, x = KVCache(2, limit=10), random(1, 1, 3, 4)
    cache.append(0, x, x)
    assert cache.length == 0
    cache.append(1, x, x)
    assert cache.length == 3


def test_a_fork_goes_its_own_way():
    cache = KVCache(2, limit=200)
    fill(cache, 5, [5])
    other = cache.fork()
    x = random(2, 3, 1, 4, seed=9)
    kept = [t[:, :, :5].clone() for t in cache.keys]
    for layer in range(2):
        other.append(layer, x, x)
    assert (cache.length, other.length) == (5, 6)
    for layer in range(2):
        cache.append(layer, -x, -x)
        assert torch.equal(other.keys[layer][:, :, 5:6], x) and torch.equal(cache.keys[layer][:, :, :5], kept[layer])


def test_a_full_cache_and_another_number_of_rows_are_errors():
    cache = KVCache(1, limit=4)
    x = random(2, 1, 3, 4)
    cache.append(0, x, x)
    with pytest.raises(ValueError, match="at most 4 positions in the cache, got 6; the model's context is full"):
        cache.append(0, x, x)
    with pytest.raises(ValueError, match="expected 2 rows, as many as the cache holds, got 1; begin a new cache"):
        cache.append(0, x[:1, :, :1], x[:1, :, :1])
    assert cache.length == 3


@pytest.mark.parametrize(
    "n_layers, K, D, dtype, per_token",
    [
        (30, 3, 64, torch.float32, 46_080),  # SmolLM2-135M
        (32, 32, 128, torch.float16, 524_288),  # Llama-2-7B
    ],
)
def test_bytes_of_the_cache(n_layers, K, D, dtype, per_token):
    assert 2 * n_layers * K * D * dtype.itemsize == per_token
    cache, x = KVCache(n_layers, limit=100), torch.zeros(1, K, 3, D, dtype=dtype)
    for layer in range(n_layers):
        cache.append(layer, x, x)
    assert cache.n_bytes == 3 * per_token
    if K == 32:
        assert 4096 * per_token == 2 * 2**30


def test_torch_aligns_its_causal_mask_at_the_first_key():
    """Why `fused_attend` builds a mask of its own when keys are cached: torch's flag means another mask there."""
    q, k = random(1, 1, 2, 4), random(1, 1, 5, 4, seed=1)
    flag = F.scaled_dot_product_attention(q, k, k, is_causal=True)
    assert not torch.allclose(flag, attend(q, k, k, causal_mask(2, 5)), atol=1e-3)


def test_the_online_softmax_stays_on_its_device():
    q = torch.empty(2, 5, 8, device="meta")
    assert online_softmax_attention(q, q, q, block=2).device.type == "meta"
