"""Our recurrent layers are torch's: outputs, states and every gradient; the language model too, whichever backend runs it."""

import pytest
import torch

from helpers.models.chunked_loss import chunked_cross_entropy
from helpers.models.rnn import GRU, KINDS, LSTM, Elman, RecurrentLM

LIBRARY = {kind: library for kind, library in KINDS.values()}
SHAPES = [(1, 1, 1, 1), (3, 7, 5, 4), (2, 30, 8, 16)]  # B, T, C, H
close = dict(atol=1e-10, rtol=1e-9)  # in 64 bits


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def pair(kind, C, H):
    """Our layer and torch's, in 64 bits, with the same random numbers in every weight and bias: the names are the same."""
    ours, theirs = kind(C, H).double(), LIBRARY[kind](C, H, batch_first=True).double()
    with torch.no_grad():
        for n, p in enumerate(ours.parameters()):
            p.copy_(random(*p.shape, seed=n))
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def state_of(kind, B, H, seed=50):
    return (random(B, H, seed=seed), random(B, H, seed=seed + 1)) if kind is LSTM else random(B, H, seed=seed)


def tensors(state):
    return list(state) if isinstance(state, tuple) else [state]


def everything(run, layer, x, state, library):
    """(outputs, last state, gradients of input, first state and weights) when outputs and last state are both asked for."""
    layer.zero_grad()
    x = x.clone().requires_grad_()
    leaves = [t.clone().requires_grad_() for t in tensors(state)]
    given = [t[None] for t in leaves] if library else leaves
    outputs, after = run(x, tuple(given) if isinstance(state, tuple) else given[0])
    after = [t[0] if library else t for t in tensors(after)]
    asked = (outputs * random(*outputs.shape, seed=90)).sum() + sum(
        (t * random(*t.shape, seed=91 + n)).sum() for n, t in enumerate(after)
    )
    asked.backward()
    return [outputs, *after, x.grad, *(t.grad for t in leaves), *(p.grad.clone() for p in layer.parameters())]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", [Elman, LSTM, GRU])
def test_outputs_states_and_all_gradients(kind, shape):
    B, T, C, H = shape
    ours, theirs = pair(kind, C, H)
    x, state = random(B, T, C, seed=40), state_of(kind, B, H)
    expected = everything(theirs, theirs, x, state, library=True)
    for run in (ours, *([ours.fast] if kind is LSTM else [])):
        got = everything(run, ours, x, state, library=False)
        assert len(got) == len(expected)
        for a, b in zip(got, expected):
            torch.testing.assert_close(a, b, **close)


@pytest.mark.parametrize("kind", [Elman, LSTM, GRU])
def test_without_a_state_both_begin_with_zeros(kind):
    ours, theirs = pair(kind, 5, 4)
    x = random(2, 6, 5, seed=40)
    torch.testing.assert_close(ours(x)[0], theirs(x)[0], **close)
    if kind is LSTM:
        torch.testing.assert_close(ours.fast(x)[0], theirs(x)[0], **close)


def test_in_32_bits_over_many_steps():
    for kind in (Elman, LSTM, GRU):
        ours, theirs = (layer.float() for layer in pair(kind, 8, 16))
        with torch.no_grad():
            for p in ours.parameters():
                p.mul_(0.3)
            theirs.load_state_dict(ours.state_dict())
            x = random(4, 200, 8).float()
            torch.testing.assert_close(ours(x)[0], theirs(x)[0], atol=2e-5, rtol=1e-4)


def test_torch_s_own_starting_weights_give_the_same_outputs_too():
    """The other way round: weights of a fresh torch layer, moved into ours."""
    for kind in (Elman, LSTM, GRU):
        theirs = LIBRARY[kind](6, 5, batch_first=True)
        ours = kind(6, 5)
        ours.load_state_dict(theirs.state_dict())
        x = torch.randn(2, 9, 6)
        torch.testing.assert_close(ours(x)[0], theirs(x)[0], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_the_language_model_runs_the_same_on_both_backends(kind, tied):
    common = dict(kind=kind, embedding_dim=6, hidden_dim=8, n_layers=2, tied=tied)
    ours, theirs = RecurrentLM(15, backend="own", **common), RecurrentLM(15, backend="torch", seed=5, **common)
    theirs.load_state_dict(ours.state_dict())
    ids = torch.randint(15, (3, 12), generator=torch.Generator().manual_seed(0))
    results = []
    for model in (ours, theirs):
        first, state = model.loss(ids[:, :5], ids[:, 1:6])
        second, state = model.loss(ids[:, 5:11], ids[:, 6:12], state)  # the state goes from part to part
        (first + second).backward()
        leaves = [t for s in state for t in tensors(s)]
        results.append([first, second, *leaves, *(p.grad for p in model.parameters())])
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, atol=2e-6, rtol=1e-4)
    assert abs(ours.score(range(15)) - theirs.score(range(15))).max() < 1e-5


def test_the_loss_is_torch_s_cross_entropy_on_the_logits():
    model = RecurrentLM(15, embedding_dim=6, hidden_dim=8)
    ids = torch.randint(15, (3, 12), generator=torch.Generator().manual_seed(0))
    x, y = ids[:, :-1], ids[:, 1:].clone()
    y[0, 3:] = -100
    loss, _ = model.loss(x, y, chunk=7)
    plain = torch.nn.functional.cross_entropy(model(x)[0].flatten(0, 1), y.flatten())
    torch.testing.assert_close(loss, plain)
    features, _ = model.features(x)
    torch.testing.assert_close(chunked_cross_entropy(features, *model.output()[:1], y, model.output()[1]), plain)
    gradients = [torch.autograd.grad(value, list(model.parameters())) for value in (loss, plain)]
    for a, b in zip(*gradients):
        torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-4)
