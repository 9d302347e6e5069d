"""LoRA: equal to the base at the start, sizes, exact merging, what is trained, bad input; quantisation in blocks."""

import copy

import numpy as np
import pytest
import torch

from helpers.finetuning import lora, quantization
from helpers.models.neural import count_parameters
from helpers.models.transformer import Config, Transformer

IDS = torch.tensor([[1, 5, 3, 2], [4, 4, 1, 0]])


def model():
    return Transformer(Config(20, context_length=16, hidden_dim=16, n_layers=2, n_heads=2, n_kv_heads=1), seed=1).eval()


def adapted(**settings):
    m = model()
    lora.add_lora(m, **settings)
    with torch.no_grad():
        for p in lora.lora_parameters(m):
            p.normal_(0, 0.3, generator=torch.Generator().manual_seed(p.numel()))
    return m


def test_before_training_the_adapted_model_is_the_base_exactly():
    m = model()
    before = m(IDS)[0]
    assert lora.add_lora(m, rank=4) == 4  # q and v of two layers
    assert torch.equal(m(IDS)[0], before)


@pytest.mark.parametrize(
    "shape, rank, expected",
    [((1024, 1024), 8, 16_384), ((2048, 2048), 8, 32_768), ((12_288, 12_288), 8, 196_608), ((10, 10), 1, 20)],
)
def test_worked_sizes(shape, rank, expected):
    with torch.device("meta"):
        layer = lora.LoRALinear(torch.nn.Linear(shape[1], shape[0], bias=False), rank, 16)
    assert count_parameters(layer, trainable=True) == expected


def test_smollm2_with_rank_8_on_q_and_v_has_460800_trained_weights():
    with torch.device("meta"):
        m = Transformer(Config(49_152, 8192, 576, 30, 9, 3, 1536), seed=None)
        for block in m.blocks:
            block.attention.q = lora.LoRALinear(block.attention.q, 8, 16)
            block.attention.v = lora.LoRALinear(block.attention.v, 8, 16)
    assert sum(p.numel() for p in lora.lora_parameters(m)) == 30 * (8 * (576 + 576) + 8 * (576 + 192)) == 460_800


def test_the_update_is_scaled_by_alpha_over_rank_and_has_that_rank():
    a, b = adapted(rank=2, alpha=4), adapted(rank=2, alpha=8)
    one, two = (next(iter(lora._layers(m)))[2] for m in (a, b))
    assert one.scale == 2 and torch.allclose(two.delta(), 2 * one.delta()) and torch.linalg.matrix_rank(one.delta()) == 2
    x = torch.randn(3, 16)
    assert torch.allclose(one(x) - one.base(x), x @ one.delta().T, atol=1e-6)


def test_merged_equals_unmerged_and_unmerging_is_exact():
    m = adapted(rank=4, targets=("q", "k", "v", "o", "up", "down", "gate"))
    weights = {n: p.clone() for n, p in m.named_parameters()}
    free = m(IDS)[0]
    lora.merge(m)
    lora.merge(m)
    assert torch.allclose(m(IDS)[0], free, atol=1e-5)
    lora.unmerge(m)
    lora.unmerge(m)
    assert all(torch.equal(p, weights[n]) for n, p in m.named_parameters()) and torch.equal(m(IDS)[0], free)


def test_merging_leaves_weights_that_are_shared_with_another_model_alone():
    base = model()
    shared = copy.copy(base.state_dict())
    other = Transformer.from_llama(base.config, {n: t for n, t in shared.items()})
    before = base(IDS)[0]
    lora.add_lora(other, rank=2)
    with torch.no_grad():
        lora.lora_parameters(other)[1].normal_()
    lora.merge(other)
    assert torch.equal(base(IDS)[0], before) and not torch.equal(other(IDS)[0], before)


def test_only_the_updates_are_trained():
    m = model()
    lora.add_lora(m, rank=2)
    frozen = {n: p.clone() for n, p in m.named_parameters() if not n.endswith((".A", ".B"))}
    optimizer = torch.optim.AdamW([p for p in m.parameters() if p.requires_grad], lr=0.05)
    losses = []
    for _ in range(20):
        loss, _ = m.loss(IDS[:, :-1], IDS[:, 1:])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] - 0.1
    assert all(torch.equal(p, frozen[n]) for n, p in m.named_parameters() if n in frozen)
    assert count_parameters(m, trainable=True) == sum(p.numel() for p in lora.lora_parameters(m))


def test_updates_can_be_saved_and_put_into_a_fresh_model():
    a, b = adapted(rank=3), model()
    lora.add_lora(b, rank=3, seed=9)
    lora.load_lora(b, lora.lora_weights(a))
    assert torch.equal(a(IDS)[0], b(IDS)[0])
    c = model()
    lora.add_lora(c, rank=2)
    with pytest.raises(ValueError, match="another rank"):
        lora.load_lora(c, lora.lora_weights(a))
    lora.merge(b)
    with pytest.raises(ValueError, match="unmerged"):
        lora.load_lora(b, lora.lora_weights(a))


def test_after_removal_the_layers_are_plain_and_keep_what_was_merged():
    m = adapted(rank=3)
    free = m(IDS)[0]
    lora.merge(m)
    lora.remove_lora(m)
    assert not lora.lora_parameters(m) and torch.allclose(m(IDS)[0], free, atol=1e-5)
    assert count_parameters(m, trainable=True) == count_parameters(model())
    lora.add_lora(m, rank=3)  # and it can be adapted again


def test_bad_input_is_refused_and_changes_nothing():
    m = model()
    for settings, message in (
        (dict(rank=17), "smaller side"),
        (dict(rank=0), "smaller side"),
        (dict(alpha=0), "alpha"),
        (dict(targets=("query",)), "no linear layer named query"),
        (dict(dropout=1.0), "dropout"),
    ):
        with pytest.raises(ValueError, match=message):
            lora.add_lora(m, **settings)
        assert count_parameters(m, trainable=True) == count_parameters(model()) and not lora.lora_parameters(m)
    lora.add_lora(m)
    with pytest.raises(ValueError, match="already"):
        lora.add_lora(m)


def test_quantisation_in_blocks_limits_what_an_outlier_costs():
    w = np.random.default_rng(0).normal(size=4096)
    w[0] = 30
    w = torch.tensor(w, dtype=torch.float32)

    def rms(bits, block):
        q = quantization.quantize(w, quantization.codebook("uniform", bits), block)
        return float(((q.dequantize() - w)[1:] ** 2).mean().sqrt())

    assert rms(4, None) == pytest.approx(0.953, abs=5e-4) and rms(8, None) == pytest.approx(0.0691, abs=5e-5)
    assert 0.14 < rms(4, 64) < 0.17 and 0.010 < rms(8, 64) < 0.011
    assert rms(4, 16) < rms(4, 64) < rms(4, 1024)


def test_the_normal_codebook_is_that_of_qlora_and_better_on_gaussian_weights():
    nf4 = quantization.codebook("normal")
    known = [
        -1.0,
        -0.6961928,
        -0.52507305,
        -0.39491749,
        -0.28444138,
        -0.18477343,
        -0.09105004,
        0.0,
        0.0795803,
        0.1609302,
        0.2461123,
        0.33791524,
        0.44070983,
        0.562617,
        0.72295684,
        1.0,
    ]
    assert torch.allclose(nf4, torch.tensor(known), atol=1e-4)
    g = torch.tensor(np.random.default_rng(0).normal(size=4096), dtype=torch.float32)
    error = {
        name: float(((quantization.quantize(g, book).dequantize() - g) ** 2).mean().sqrt())
        for name, book in (("normal", nf4), ("uniform", torch.linspace(-1, 1, 16)))
    }
    assert error["normal"] == pytest.approx(0.0919, abs=1e-3) and error["normal"] < error["uniform"]


def test_quantised_shapes_storage_and_bad_input():
    w = torch.randn(5, 7, generator=torch.Generator().manual_seed(0))
    w[0, 0] = -4  # the largest absolute value is negative
    q = quantization.quantize(w, quantization.codebook("uniform", 8), 16)
    assert q.dequantize().shape == w.shape and float((q.dequantize() - w).abs().max()) <= float(w.abs().max()) / 254 + 1e-6
    assert quantization.quantize(torch.zeros(8), quantization.codebook("normal"), 4).dequantize().abs().max() == 0
    assert quantization.bits_per_weight(4, 64) == 4.5 and quantization.bits_per_weight(4, 64, 256) == pytest.approx(
        4.127, abs=5e-4
    )
    for call in (
        lambda: quantization.codebook("normal", 9),
        lambda: quantization.codebook("x"),
        lambda: quantization.quantize(w, w[0], 0),
    ):
        with pytest.raises(ValueError, match="expected"):
            call()


def test_merged_weights_follow_the_model_to_another_type():
    m = adapted()
    lora.merge(m)
    m.double()
    lora.unmerge(m)
    assert m(torch.tensor([[1, 2, 3]]))[0].dtype == torch.float64
    assert not any("original" in name for name in m.state_dict())


@pytest.mark.parametrize("targets", [(), "gate"])
def test_targets_are_a_list_of_names(targets):
    with pytest.raises(ValueError, match="expected a list of names"):
        lora.add_lora(model(), targets)
