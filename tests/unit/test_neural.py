"""What all neural language models share: loss, padding, checks of ids, and the decoding interface with its moving window."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from helpers.evaluation.yardstick import check_sums_to_one
from helpers.generation.sampling import generate
from helpers.models import fast_linear
from helpers.models.chunked_loss import chunked_cross_entropy
from helpers.models.fast_linear import Linear, linear
from helpers.models.language_model import LanguageModel
from helpers.models.neural import NeuralLM, as_ids, count_parameters, evaluating, label_log_probs, pad
from helpers.models.neural_state import fork_memory
from helpers.models.rnn import RecurrentLM
from helpers.models.transformer import Config, Transformer
from helpers.tokenizers.labels import IGNORE

V = 13


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def loud(model):
    """Larger weights, so that logits differ much and a mistake shows."""
    with torch.no_grad():
        for p in model.parameters():
            if p.ndim == 2:
                p.mul_(8 if isinstance(model, Transformer) else 2)
    return model


def transformer(context_length=8, **changes):
    settings_ = dict(vocab_size=V, context_length=context_length, hidden_dim=16, n_layers=2, n_heads=4, n_kv_heads=2, start_id=3)
    return loud(Transformer(Config(**settings_ | changes)))


def recurrent(kind="lstm", **changes):
    return loud(RecurrentLM(V, **dict(kind=kind, embedding_dim=8, hidden_dim=12, n_layers=2, start_id=3) | changes))


MODELS = {
    "transformer": transformer,
    "window of 7": lambda: transformer(7),
    "window of 1": lambda: transformer(1),
    "learned positions": lambda: transformer(positions="learned"),
    "post-norm": lambda: transformer(norm_place="post"),
    "elman": lambda: recurrent("elman"),
    "lstm": recurrent,
    "gru": lambda: recurrent("gru"),
    "own lstm": lambda: recurrent(backend="own"),
}
every_model = pytest.mark.parametrize("name", MODELS)


# --------------------------------------------------------------------------------------------------------------- the loss


def test_five_worked_losses_and_their_mean():
    p = torch.tensor([0.1, 0.05, 0.02, 0.34, 0.11], dtype=torch.float64)
    expected = [2.302585, 2.995732, 3.912023, 1.078810, 2.207275]
    logits = torch.stack([p, 1 - p], dim=1).log().float()  # two ids; id 0 is the target
    losses = [float(chunked_cross_entropy(row[None], torch.eye(2), torch.tensor([0]))) for row in logits]
    assert losses == pytest.approx(expected, abs=1e-6)
    mean = float(chunked_cross_entropy(logits, torch.eye(2), torch.zeros(5, dtype=torch.long)))
    assert mean == pytest.approx(2.499285, abs=1e-6) and mean == pytest.approx(float(-p.log().mean()), abs=1e-6)


def test_equal_logits_cost_the_logarithm_of_the_vocabulary():
    loss = chunked_cross_entropy(torch.zeros(3, 4), torch.zeros(32_000, 4), torch.tensor([0, 5, 31_999]))
    assert float(loss) == pytest.approx(10.373491, abs=2e-6) and float(loss) == pytest.approx(math.log(32_000), abs=2e-6)


def losses_and_gradients(features, weight, bias, targets, chunk):
    """(loss, gradients) of the chunked and of the plain form; the loss is scaled, to test the gradient that flows in."""
    results = []
    for plain in (False, True):
        leaves = [t.clone().requires_grad_() for t in (features, weight, bias) if t is not None]
        f, w, b = (*leaves, None)[:3]
        if plain:
            loss = F.cross_entropy(F.linear(f, w, b).flatten(0, -2), targets.flatten(), ignore_index=IGNORE)
        else:
            loss = chunked_cross_entropy(f, w, targets, b, chunk=chunk)
        (3 * loss).backward()
        results.append((loss.detach(), [leaf.grad for leaf in leaves]))
    return results


@given(st.integers(1, 4), st.integers(1, 9), st.integers(1, 8), st.booleans(), st.floats(0, 0.7), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_chunked_is_plain_for_the_loss_and_every_gradient(B, T, chunk, with_bias, ignored, seed):
    features, weight = random(B, T, 5, seed=seed), random(V, 5, seed=seed + 1)
    bias = random(V, seed=seed + 2) if with_bias else None
    generator = torch.Generator().manual_seed(seed)
    targets = torch.randint(V, (B, T), generator=generator)
    targets[torch.rand(B, T, generator=generator) < ignored] = IGNORE
    targets[0, 0] = 2  # at least one counts; with none, torch says nan and we say 0
    (ours, our_gradients), (plain, plain_gradients) = losses_and_gradients(features, weight, bias, targets, chunk)
    torch.testing.assert_close(ours, plain, atol=2e-6, rtol=1e-5)
    for a, b in zip(our_gradients, plain_gradients):
        torch.testing.assert_close(a, b, atol=2e-6, rtol=1e-5)


def test_ignored_targets_do_not_count():
    features, weight = random(6, 5), random(V, 5, seed=1)
    targets = torch.tensor([1, 2, IGNORE, 4, IGNORE, IGNORE])
    kept = targets != IGNORE
    loss = chunked_cross_entropy(features, weight, targets, chunk=2)
    torch.testing.assert_close(loss, F.cross_entropy(features[kept] @ weight.T, targets[kept]))  # the mean over 3, not over 6
    features.requires_grad_()
    chunked_cross_entropy(features, weight, targets, chunk=2).backward()
    assert bool((features.grad[~kept] == 0).all()) and bool((features.grad[kept] != 0).any(1).all())
    assert chunked_cross_entropy(features, weight, torch.full((6,), IGNORE)).item() == 0


def test_the_loss_survives_huge_logits():
    loss = chunked_cross_entropy(torch.tensor([[1000.0]]), torch.tensor([[1.0], [-1.0]]), torch.tensor([1]))
    assert float(loss) == 2000


@pytest.mark.parametrize(
    "targets, error, words",
    [
        (torch.zeros(2, 4, dtype=torch.long), ValueError, r"one target for each position, \(2, 3\), got \(2, 4\)"),
        (torch.full((2, 3), V), ValueError, f"targets from 0 to {V - 1}, or -100 for positions that do not count; got 13 to 13"),
        (torch.full((2, 3), -1), ValueError, "got -1 to -1"),
        (torch.zeros(2, 3), TypeError, "targets as ids, a tensor of torch.int64, got torch.float32"),
        (torch.zeros(2, 3, dtype=torch.long, device="meta"), ValueError, r"targets on cpu, where the model is, .* on meta"),
    ],
)
def test_bad_targets(targets, error, words):
    with pytest.raises(error, match=words):
        chunked_cross_entropy(random(2, 3, 5), random(V, 5), targets)


# ------------------------------------------------------------------------------------------------- ids, padding, lookup


def test_a_row_is_shifted_by_one():
    ids = torch.arange(12)[None]
    x, y = ids[:, :-1], ids[:, 1:]
    assert y.numel() == 11 and torch.equal(y, x + 1)


def test_lookup_is_the_product_with_one_hot_rows_and_padding_gets_no_gradient():
    table = nn.Embedding(5, 3, padding_idx=1)
    ids = torch.tensor([0, 2, 4])
    assert torch.equal(table(ids), table.weight[ids])
    torch.testing.assert_close(table(ids), F.one_hot(ids, 5).float() @ table.weight)
    assert torch.equal(table.weight[1], torch.zeros(3))
    table(torch.tensor([0, 1, 1])).sum().backward()
    assert table.weight.grad.tolist() == [[1, 1, 1], [0] * 3, [0] * 3, [0] * 3, [0] * 3]


def test_padding_fills_up_on_the_right():
    assert pad([[1, 2, 3], [4], np.array([5, 6])], 0).tolist() == [[1, 2, 3], [4, 0, 0], [5, 6, 0]]


@pytest.mark.parametrize(
    "ids, error, words",
    [
        (torch.zeros(1, 3), TypeError, r"whole numbers \(torch.int64\), got a tensor of torch.float32; write torch.tensor"),
        ([[1, 2]], TypeError, "got list"),
        (torch.zeros(3, dtype=torch.long), ValueError, r"shape \(batch, time\), got \(3,\); for one text write ids\[None, :\]"),
        (torch.zeros(1, 0, dtype=torch.long), ValueError, r"at least one token, got none; .* pass \[\[model.start_id\]\]"),
        (torch.zeros(1, 9, dtype=torch.long), ValueError, "at most context_length = 8 tokens, got 9; shorten the text"),
        (torch.tensor([[0, V]]), ValueError, f"ids from 0 to {V - 1}, got {V}; does the tokenizer belong to this model"),
        (torch.tensor([[0, -1]]), ValueError, "got -1"),
        (
            torch.zeros(1, 3, dtype=torch.long, device="meta"),
            ValueError,
            r"ids on cpu, where the model is, got them on meta; write ids.to\(model.device\)",
        ),
    ],
)
def test_bad_ids(ids, error, words):
    model = transformer(8)
    with pytest.raises(error, match=words):
        model(ids)
    with pytest.raises(error, match=words):
        model.loss(ids, ids)
    if "context_length" not in words:  # a recurrent network takes texts of any length
        with pytest.raises(error, match=words):
            recurrent()(ids)


def test_as_ids_takes_both_kinds_of_whole_numbers():
    for dtype in (torch.int64, torch.int32):
        assert as_ids(torch.ones(2, 3, dtype=dtype), 2).dtype == dtype
    with pytest.raises(ValueError, match=r"context_length = 8 tokens, got 9 \(6 of them in the cache\)"):
        as_ids(torch.ones(1, 3, dtype=torch.long), V, 8, past=6)


@every_model
@pytest.mark.parametrize(
    "ids, error, words",
    [
        ([V], ValueError, "ids from 0 to 12, got 13"),
        ([-1], ValueError, "got -1"),
        ([1.5], TypeError, "flat sequence of whole numbers"),
        ([[1, 2]], TypeError, "flat sequence"),
    ],
)
def test_bad_ids_in_score_begin_and_advance(name, ids, error, words):
    model = MODELS[name]()
    for call in (model.score, model.begin, lambda i: model.begin().advance(i[0])):
        with pytest.raises(error, match=words):
            call(ids)


# ------------------------------------------------------------------------------------------------ one row, read in parts


@pytest.mark.parametrize("shape", [(7,), (1, 7), (1, 1, 7), (2, 7), (3, 4, 7)])
@pytest.mark.parametrize("n_out", [8, 9])
@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("amd", [True, False])
def test_linear_is_the_library_s(shape, n_out, with_bias, amd, monkeypatch):
    monkeypatch.setattr(fast_linear, "_amd", lambda: amd)  # both ways, whatever this machine is
    x, weight, bias = random(*shape), random(n_out, 7, seed=1), random(n_out, seed=2) if with_bias else None
    for context in (torch.no_grad(), torch.enable_grad(), torch.inference_mode()):
        with context:
            ours = linear(x, weight, bias)
            assert ours.shape == (*shape[:-1], n_out)
            torch.testing.assert_close(ours, F.linear(x, weight, bias), atol=1e-6, rtol=1e-5)
    layer = Linear(7, n_out, bias=with_bias)
    torch.testing.assert_close(layer(x), F.linear(x, layer.weight, layer.bias))


def test_parameters_that_are_shared_count_once():
    tied, untied = recurrent(), recurrent(tied=False)
    assert count_parameters(untied) - count_parameters(tied) == V * 12 - 12 * 8  # an output matrix more, a projection less
    for p in tied.layers.parameters():
        p.requires_grad = False
    assert count_parameters(tied, trainable=True) == V * 8 + V + 12 * 8 < count_parameters(tied)


# ------------------------------------------------------------------------------------------------ the decoding interface


def by_hand(model, ids):
    """log p of each id: `begin`, then `advance` one by one."""
    state, found = model.begin(), []
    for i in ids:
        found.append(state.log_probs[i])
        state.advance(i)
    return np.array(found)


@every_model
def test_score_is_begin_and_advance_also_beyond_the_context(name):
    model = MODELS[name]()
    ids = np.random.default_rng(0).integers(V, size=41)
    scores = model.score(ids)
    assert scores.shape == (41,) and scores.dtype == np.float64
    np.testing.assert_allclose(scores, by_hand(model, ids), atol=2e-5)
    for cut in (0, 1, 6, 7, 8, 9, 12, 20, 40):  # begin with a longer prompt: the window that score uses
        assert model.begin(ids[:cut]).log_probs[ids[cut]] == pytest.approx(scores[cut], abs=2e-5)


@given(st.integers(1, 9), st.integers(0, 30), st.integers(0, 30))
@settings(max_examples=30, deadline=None)
def test_the_window_of_score_is_the_window_of_begin_for_every_length(context_length, n_prompt, n_more):
    model = transformer(context_length)
    ids = np.random.default_rng(n_prompt + 31 * n_more).integers(V, size=n_prompt + n_more + 1)
    state = model.begin(ids[:n_prompt])
    for i in ids[n_prompt:-1]:
        state.advance(i)
    assert state.log_probs[ids[-1]] == pytest.approx(model.score(ids)[-1], abs=2e-5)


def test_every_token_is_scored_once_by_a_window_of_at_most_the_context():
    for limit in range(1, 12):
        model = transformer(limit)
        for length in range(0, 40):
            windows = model._windows(0, length)
            assert [t for _, _, last, new in windows for t in range(new, last)] == list(range(length))
            assert all(0 < last - first <= limit and first <= new for _, first, last, new in windows)
            # but for the first window, a token sees at least half of the context
            assert all(new - first >= limit - max(1, limit // 2) for _, first, _, new in windows[1:])


@every_model
def test_distributions_sum_to_one_and_score_agrees(name):
    model = MODELS[name]()
    documents = [np.random.default_rng(n).integers(V, size=20) for n in range(3)]
    assert check_sums_to_one(model, documents, tolerance=1e-6, score_tolerance=1e-4) < 1e-6
    assert isinstance(model, LanguageModel)


@every_model
def test_the_scores_of_all_continuations_sum_to_one(name):
    model = MODELS[name]()
    prompt = [1, 2, 3, 4]
    total = sum(math.exp(model.score([*prompt, i])[-1]) for i in range(V))
    assert total == pytest.approx(1, abs=1e-6)


@every_model
def test_a_batch_of_documents_scores_as_each_alone(name):
    model = MODELS[name]()
    documents = [np.random.default_rng(n).integers(V, size=n) for n in (0, 3, 17, 1, 30, 8)]
    for batch_size in (1, 2, 16):
        for ids, scores in zip(documents, model.score_batch(documents, batch_size)):
            assert scores.shape == ids.shape
            np.testing.assert_allclose(scores, model.score(ids), atol=2e-5)
    assert model.score_batch([]) == []


@every_model
def test_a_fork_goes_its_own_way(name):
    model = MODELS[name]()
    state = model.begin([1, 2])
    fork = state.fork()
    before = state.log_probs.copy()
    for i in (4, 5, 6, 7, 8, 9, 10):  # beyond a window of 7 and 8
        fork.advance(i)
    assert np.array_equal(state.log_probs, before)
    state.advance(11)
    np.testing.assert_allclose(state.log_probs, model.begin([1, 2, 11]).log_probs, atol=2e-5)
    np.testing.assert_allclose(fork.log_probs, model.begin([1, 2, 4, 5, 6, 7, 8, 9, 10]).log_probs, atol=2e-5)


def test_a_memory_without_fork_is_shared():
    memory = (torch.zeros(2), [torch.ones(1)])
    assert fork_memory(memory) is memory and fork_memory(None) is None


@every_model
def test_the_start_symbol_stands_before_the_text(name):
    model = MODELS[name]()
    with torch.inference_mode():
        logits, _ = model.eval()(torch.tensor([[3]]))
    np.testing.assert_allclose(model.begin().log_probs, logits[0, -1].double().log_softmax(-1).numpy(), atol=2e-5)


def test_dropout_is_off_while_judging_and_on_again_afterwards():
    for model in (transformer(dropout=0.5), recurrent(dropout=0.5)):
        model.train()
        a, b = model.score(range(6)), model.score(range(6))
        assert np.array_equal(a, b) and model.training
        model.begin([1, 2])
        assert model.training
        with pytest.raises(ValueError):
            model.score([99])
        assert model.training
        assert not torch.equal(model(torch.tensor([[1, 2]]))[0], model(torch.tensor([[1, 2]]))[0])


def test_judging_leaves_the_random_numbers_alone():
    model = transformer(dropout=0.5)
    before = torch.get_rng_state()
    model.score(range(8))
    model.begin([1]).advance(2)
    assert torch.equal(torch.get_rng_state(), before)


def test_writing_with_the_course_s_sampler():
    for model in (transformer(), recurrent()):
        assert generate(model, [1], max_tokens=12, rng=0) == generate(model, [1], max_tokens=12, rng=0)
        assert len(generate(model, max_tokens=12, stop_ids=[5], rng=1).ids) <= 12


def test_a_subclass_needs_only_features_and_output():
    class Bigram(NeuralLM):
        vocab_size, start_id = 4, 0

        def __init__(self):
            super().__init__()
            self.table = nn.Parameter(random(4, 4))

        def features(self, ids, state=None):
            return F.one_hot(as_ids(ids, 4), 4).float(), None

        def output(self):
            return self.table.T, None

    model = Bigram()
    np.testing.assert_allclose(model.score([2, 1]), by_hand(model, [2, 1]), atol=1e-6)
    assert model.score([2, 1])[1] == pytest.approx(float(model.table[2].log_softmax(-1)[1].detach()), abs=1e-6)
    with pytest.raises(NotImplementedError):
        NeuralLM().features(torch.zeros(1, 1))
    with pytest.raises(NotImplementedError):
        NeuralLM().output()


def test_the_loss_in_parts_refuses_what_does_not_fit():
    x, y = torch.randn(2, 3, 4), torch.zeros(2, 3, dtype=torch.int64)
    with pytest.raises(ValueError, match="chunk of at least 1, got -1"):
        chunked_cross_entropy(x, torch.randn(5, 4), y, chunk=-1)
    with pytest.raises(ValueError, match=r"weights of shape \(V, 4\), got \(5, 3\)"):
        chunked_cross_entropy(x, torch.randn(5, 3), y)


def test_evaluating_gives_the_mode_back_even_after_an_error():
    model = nn.Dropout(0.5)
    with pytest.raises(KeyError), evaluating(model):
        assert not model.training
        raise KeyError
    assert model.training


def test_label_log_probs_are_the_sums_that_score_gives():
    x = torch.tensor([[3, 1, 2, 4], [3, 5, 6, 0]])  # each row begins with the start symbol
    y = torch.tensor([[IGNORE, 2, 4, 5], [IGNORE, IGNORE, 7, IGNORE]])
    for model in (transformer().eval(), recurrent().eval()):
        found = label_log_probs(model, x, y, torch.float64)
        expected = [model.score([1, 2, 4, 5])[1:].sum(), model.score([5, 6, 7])[2]]
        assert found.detach().numpy() == pytest.approx(expected, abs=1e-5) and found.dtype == torch.float64
        torch.testing.assert_close(label_log_probs(model, x, y), found.float(), atol=1e-4, rtol=1e-5)
        assert label_log_probs(model, x, torch.full_like(y, IGNORE)).tolist() == [0, 0]
        found.sum().backward()
        assert all(p.grad is not None for p in model.parameters())
