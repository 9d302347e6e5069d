"""Recurrent networks by hand, the written-out backward pass against autograd, and the language model made of them."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.models.bptt import elman_backward, elman_forward, lstm_through_time
from helpers.models.neural import count_parameters
from helpers.models.rnn import GRU, KINDS, LSTM, Elman, RecurrentLM, initialize


def random(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def layer_of(kind, C=3, H=4, seed=0):
    """A layer in 64 bits whose every number, biases too, is random."""
    layer = kind(C, H).double()
    with torch.no_grad():
        for n, p in enumerate(layer.parameters()):
            p.copy_(random(*p.shape, seed=seed + n))
    return layer


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


# ------------------------------------------------------------------------------------------------------------ by hand


def test_an_elman_step_by_hand():
    # h_t = tanh(x_t W + h_{t-1} U + b), one number each: W = 0.5, U = -2, b = 0.1; h_0 = 0
    x, W, U, b = torch.tensor([[[1.0]], [[3.0]]]), torch.tensor([[0.5]]), torch.tensor([[-2.0]]), torch.tensor([0.1])
    h1 = math.tanh(1 * 0.5 + 0 * -2 + 0.1)
    h2 = math.tanh(3 * 0.5 + h1 * -2 + 0.1)
    assert elman_forward(x, torch.zeros(1, 1), W, U, b).flatten().tolist() == pytest.approx([0, h1, h2], abs=1e-6)
    layer = Elman(1, 1)
    with torch.no_grad():
        for p, value in zip(layer.parameters(), (0.5, -2.0, 0.1, 0.0)):
            p.fill_(value)
    outputs, last = layer(x.transpose(0, 1))
    assert outputs.flatten().tolist() == pytest.approx([h1, h2], abs=1e-6) and last.item() == pytest.approx(h2, abs=1e-6)


def test_an_lstm_step_by_hand():
    layer = layer_of(LSTM, 1, 1)
    w, u, b, d = (p.flatten().tolist() for p in layer.parameters())  # four numbers each: i, f, g, o
    x, h, c = 0.7, -0.3, 0.9
    i, f, g, o = (w[n] * x + u[n] * h + b[n] + d[n] for n in range(4))
    c_new = sigmoid(f) * c + sigmoid(i) * math.tanh(g)
    h_new = sigmoid(o) * math.tanh(c_new)
    state = (torch.tensor([[h]], dtype=torch.float64), torch.tensor([[c]], dtype=torch.float64))
    for run in (layer, layer.fast):
        outputs, (h_after, c_after) = run(torch.tensor([[[x]]], dtype=torch.float64), state)
        assert outputs.item() == h_after.item() == pytest.approx(h_new, rel=1e-12)
        assert c_after.item() == pytest.approx(c_new, rel=1e-12)


def test_a_gru_step_by_hand_resets_after_the_product():
    layer = layer_of(GRU, 1, 1)
    w, u, b, d = (p.flatten().tolist() for p in layer.parameters())  # three numbers each: r, z, n
    x, h = 0.7, -0.3
    r, z = (sigmoid(w[n] * x + b[n] + u[n] * h + d[n]) for n in range(2))
    n = math.tanh(w[2] * x + b[2] + r * (u[2] * h + d[2]))  # r outside the brackets, the bias d inside
    outputs, _ = layer(torch.tensor([[[x]]], dtype=torch.float64), torch.tensor([[h]], dtype=torch.float64))
    assert outputs.item() == pytest.approx((1 - z) * n + z * h, rel=1e-12)


def test_a_gradient_through_32_halves():
    assert 0.5**32 == pytest.approx(2.328306e-10, rel=1e-6)
    # tanh(0) has slope 1, so with U = 0.5 and x = 0 each step halves the gradient exactly
    states = torch.zeros(33, 1, 1, dtype=torch.float64)
    d_outputs = torch.zeros(32, 1, 1, dtype=torch.float64)
    d_outputs[-1] = 1
    U = torch.tensor([[0.5]], dtype=torch.float64)
    gradient = elman_backward(torch.zeros(32, 1, 1, dtype=torch.float64), states, U, d_outputs)["h0"]
    assert float(gradient) == 0.5**32


@pytest.mark.parametrize("kind", [Elman, LSTM, GRU])
def test_reading_in_two_parts_is_reading_at_once(kind):
    layer, x = layer_of(kind), random(2, 7, 3, seed=9)
    whole, last = layer(x)
    first, state = layer(x[:, :3])
    second, state = layer(x[:, 3:], state)
    torch.testing.assert_close(torch.cat([first, second], 1), whole)
    torch.testing.assert_close(state, last)
    end = last[0] if kind is LSTM else last
    assert whole.shape == (2, 7, 4) and torch.equal(end, whole[:, -1])


@pytest.mark.parametrize("kind", [Elman, LSTM, GRU])
def test_later_inputs_never_change_earlier_outputs(kind):
    layer, x = layer_of(kind), random(2, 7, 3, seed=9)
    before = layer(x)[0]
    x[:, 4:] += 10
    after = layer(x)[0]
    assert torch.equal(after[:, :4], before[:, :4]) and not torch.allclose(after[:, 4:], before[:, 4:])


# ------------------------------------------------------------------------------------------- the written-out backward pass


@given(st.integers(1, 6), st.integers(1, 4), st.integers(1, 5), st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_elman_backward_is_autograd_s(T, B, H, seed):
    leaves = [random(*s, seed=seed + n).requires_grad_() for n, s in enumerate([(B, H), (3, H), (H, H), (H,)])]
    h0, W, U, b = leaves
    x, d = random(T, B, 3, seed=seed + 7), random(T, B, H, seed=seed + 8)
    states = elman_forward(x, h0, W, U, b)
    (states[1:] * d).sum().backward()
    ours = elman_backward(x, states.detach(), U.detach(), d)
    for name, leaf in zip(("h0", "W", "U", "b"), leaves):
        torch.testing.assert_close(ours[name], leaf.grad, atol=1e-10, rtol=1e-8)


def lstm_gradients(run, layer, x, state, d_outputs, d_c):
    """All gradients, of the weights, the input and the first state, when outputs and last cell are both asked for."""
    leaves = [t.clone().requires_grad_() for t in (x, *state)]
    outputs, (_, c) = run(leaves[0], tuple(leaves[1:]))
    layer.zero_grad()
    ((outputs * d_outputs).sum() + (c * d_c).sum()).backward()
    return [t.grad.clone() for t in (*leaves, *layer.parameters())]


def test_the_written_out_lstm_has_autograd_s_gradients():
    layer, x = layer_of(LSTM), random(2, 6, 3, seed=9)
    state, d, d_c = (random(2, 4, seed=10), random(2, 4, seed=11)), random(2, 6, 4, seed=12), random(2, 4, seed=13)
    for weight_of_c in (0, 1):
        ours = lstm_gradients(layer.fast, layer, x, state, d, weight_of_c * d_c)
        plain = lstm_gradients(layer, layer, x, state, d, weight_of_c * d_c)
        for a, b in zip(ours, plain):
            torch.testing.assert_close(a, b, atol=1e-10, rtol=1e-8)


def test_finite_differences_agree_with_the_written_out_lstm():
    arguments = [random(2, 4, 12, seed=1), random(2, 3, seed=2), random(2, 3, seed=3), random(12, 3, seed=4)]
    assert torch.autograd.gradcheck(lstm_through_time, [a.requires_grad_() for a in arguments])


def test_the_fast_lstm_does_not_write_into_its_input():
    layer, x, state = layer_of(LSTM), random(2, 5, 3), (random(2, 4), random(2, 4, seed=1))
    kept = [t.clone() for t in (x, *state)]
    outputs, _ = layer.fast(x, state)
    outputs.sum().backward()
    assert all(torch.equal(a, b) for a, b in zip(kept, (x, *state)))


# ------------------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize("shape", [(5, 3), (2, 5, 4), (2, 5, 3, 1)])
def test_inputs_of_another_shape(shape):
    with pytest.raises(ValueError, match=r"inputs of shape \(batch, time, 3\), got"):
        Elman(3, 4)(torch.zeros(shape))


@pytest.mark.parametrize("sizes", [(0, 4), (3, 0)])
def test_sizes_below_one(sizes):
    with pytest.raises(ValueError, match=f"input_dim and hidden_dim of at least 1, got {sizes[0]} and {sizes[1]}"):
        GRU(*sizes)


@pytest.mark.parametrize(
    "changes, words",
    [
        (dict(kind="rnn"), "kind elman, lstm, gru and backend own, torch, got 'rnn' and 'torch'"),
        (dict(backend="jax"), "'jax'"),
        (dict(hidden_dim=0), "sizes of at least 1, .* hidden_dim 0"),
        (dict(dropout=1.0), r"dropout in \[0, 1\)"),
        (dict(start_id=9), "a start id below 9, got 0.0 and 9"),
        (dict(n_layers=0), "n_layers 0"),
    ],
)
def test_settings_that_make_no_sense(changes, words):
    with pytest.raises(ValueError, match=words):
        RecurrentLM(9, **changes)


# ---------------------------------------------------------------------------------------------------- the language model


def model_of(kind="lstm", **changes):
    return RecurrentLM(9, **dict(kind=kind, embedding_dim=6, hidden_dim=8, n_layers=2) | changes)


def test_starting_weights():
    layer = LSTM(6, 8)
    initialize(layer, torch.Generator().manual_seed(0))
    for gate in layer.weight_hh_l0.detach().split(8):
        torch.testing.assert_close(gate @ gate.T, torch.eye(8), atol=1e-5, rtol=0)
    assert layer.weight_ih_l0.abs().max() <= math.sqrt(6 / (6 + 8))
    assert layer.bias_ih_l0.tolist() == [0] * 8 + [1] * 8 + [0] * 16 and not layer.bias_hh_l0.any()


def test_a_seed_makes_a_model_and_leaves_the_random_numbers_alone():
    a, b, c = model_of(seed=1, backend="own"), model_of(seed=1), model_of(seed=2)
    for name, p in a.state_dict().items():
        assert torch.equal(p, b.state_dict()[name]), name  # the backend does not matter either
    assert not torch.equal(a.embedding.weight, c.embedding.weight)


@pytest.mark.parametrize("kind", KINDS)
def test_shapes(kind):
    model = model_of(kind)
    ids = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 8]])
    features, states = model.features(ids)
    logits, _ = model(ids)
    assert features.shape == (2, 4, 6) and logits.shape == (2, 4, 9) and len(states) == 2
    h = states[0][0] if kind == "lstm" else states[0]
    assert h.shape == (2, 8)


@pytest.mark.parametrize("backend", ["own", "torch"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_state_carries_all_that_was_read(kind, backend):
    model = model_of(kind, backend=backend).eval()
    ids = torch.randint(9, (3, 8), generator=torch.Generator().manual_seed(0))
    whole, _ = model(ids)
    first, state = model(ids[:, :5])
    second, _ = model(ids[:, 5:], state)
    torch.testing.assert_close(torch.cat([first, second], 1), whole, atol=1e-5, rtol=1e-5)
    fresh, _ = model(ids, model.begin_state(3))
    torch.testing.assert_close(fresh, whole, atol=1e-6, rtol=1e-5)


def test_a_later_token_never_changes_earlier_logits():
    for kind in KINDS:
        model = model_of(kind).eval()
        ids = torch.randint(9, (1, 8), generator=torch.Generator().manual_seed(0))
        other = ids.clone()
        other[0, 5] = (ids[0, 5] + 1) % 9
        a, b = model(ids)[0], model(other)[0]
        assert torch.equal(a[:, :5], b[:, :5]) and not torch.allclose(a[:, 5:], b[:, 5:])


def test_parameters_of_two_elman_layers_with_a_large_vocabulary():
    """8,292,619 = V d + 2 (2 d^2 + d) + V (d + 1) for one bias in each layer; torch's layers, and ours, have two."""
    V, d = 32_011, 128
    recurrent = 2 * (2 * d**2 + d)
    formula = V * d + recurrent + V * (d + 1)
    assert formula == 8_292_619 and recurrent == 65_792 and (formula - recurrent) / formula == pytest.approx(0.992, abs=5e-4)
    with torch.device("meta"):
        layers = [torch.nn.Embedding(V, d), Elman(d, d), Elman(d, d), torch.nn.Linear(d, V)]
    second_biases = 2 * d
    assert sum(count_parameters(layer) for layer in layers) == formula + second_biases
    model = RecurrentLM(320, kind="elman", embedding_dim=d, hidden_dim=d, n_layers=2, tied=False)
    assert count_parameters(model) == 320 * d + recurrent + second_biases + 320 * (d + 1)


@pytest.mark.parametrize("kind, gates", [("elman", 1), ("lstm", 4), ("gru", 3)])
@pytest.mark.parametrize("tied", [False, True])
def test_parameters_follow_the_formula(kind, gates, tied):
    V, E, H, L = 9, 6, 8, 2
    layers = sum(gates * (H * a + H * H + 2 * H) for a in (E, H))
    output = H * E if tied else V * H  # tied: a projection to the width of the embedding
    assert count_parameters(model_of(kind, tied=tied, n_layers=L)) == V * E + layers + output + V


def test_dropout_only_while_training():
    model = model_of(dropout=0.5)
    ids = torch.tensor([[1, 2, 3]])
    assert not torch.equal(model(ids)[0], model(ids)[0])
    model.eval()
    assert torch.equal(model(ids)[0], model(ids)[0])
