"""Speculative decoding: the same greedy text, the same distribution, fewer runs of the large model."""

import numpy as np
import pytest

from helpers.generation.sampling import GREEDY, Sampler, generate
from helpers.generation.speculative import PromptLookup, accept, speculate
from helpers.models import ngram, ngram_counts
from helpers.models.language_model import State, Uniform, scores_of
from helpers.models.rnn import RecurrentLM
from helpers.models.transformer import Config, Transformer

V = 7
DOCUMENTS = [[1, 2, 3, 0], [1, 2, 4, 0], [5, 2, 3, 0], [1, 2, 3, 3, 0], [6, 1, 2, 0]]
COUNTS = ngram.kneser_ney(ngram_counts.count_ngrams(DOCUMENTS, 3, V), 0.5)


def transformer(seed=0, scale=8.0):
    model = Transformer(Config(V, context_length=24, hidden_dim=16, n_layers=2, n_heads=2), seed=seed).eval()
    for p in model.parameters():
        if p.ndim == 2:
            p.data.mul_(scale)
    return model


def rnn():
    return RecurrentLM(V, kind="gru", embedding_dim=8, hidden_dim=12, seed=3).eval()


@pytest.mark.parametrize("target", [transformer(), rnn(), COUNTS], ids=["transformer", "rnn", "counts"])
@pytest.mark.parametrize("draft", [COUNTS, Uniform(V), transformer(5)], ids=["counts", "uniform", "transformer"])
def test_greedy_text_is_that_of_the_target_alone(target, draft):
    alone = generate(target, [1], GREEDY, max_tokens=18).ids
    for n_guesses in (1, 3):
        assert speculate(target, draft, [1], GREEDY, n_guesses=n_guesses, max_tokens=18).ids == alone


def test_beyond_the_context_too():
    alone = generate(transformer(), [1, 2], GREEDY, max_tokens=60).ids
    assert speculate(transformer(), COUNTS, [1, 2], GREEDY, n_guesses=4, max_tokens=60).ids == alone


def test_a_draft_that_is_the_target_is_always_right():
    out = speculate(COUNTS, COUNTS, [1], n_guesses=3, max_tokens=40)
    assert out.acceptance == 1 and out.rounds == 10 and len(out.ids) == 40


def test_accepting_draws_from_p_exactly():
    rng = np.random.default_rng(0)
    p, q = rng.dirichlet(np.ones(5)), rng.dirichlet(np.ones(5))
    kept = np.minimum(p, q)
    rest = np.maximum(p - q, 0)
    assert kept + (1 - kept.sum()) * rest / rest.sum() == pytest.approx(p)  # the two ways of getting a token add up to p
    n = 20_000
    drawn = [accept(p, q, int(rng.choice(5, p=q)), rng)[1] for _ in range(n)]
    assert np.abs(np.bincount(drawn, minlength=5) / n - p).max() < 5 * 0.5 / np.sqrt(n)


def test_the_distribution_of_texts_is_that_of_the_target():
    # Texts of 3 tokens: chi-square against the exact probabilities. With 4,000 draws a total variation of 5 % raises the
    # statistic by at least 4 * 4000 * 0.05**2 = 40, well above the gap between mean and limit.
    target, draft, n = ngram.add_k(ngram_counts.count_ngrams(DOCUMENTS, 2, V), 0.3, 2), COUNTS, 4000
    counts = np.zeros((V, V, V))
    for seed in range(n):
        counts[tuple(speculate(target, draft, [1], Sampler(temperature=1.3), n_guesses=2, max_tokens=3, rng=seed).ids)] += 1
    exact = np.zeros((V, V, V))
    sampler = Sampler(temperature=1.3)
    for a in range(V):
        for b in range(V):
            p = [sampler.probs(target.begin(ids).log_probs) for ids in ([1], [1, a], [1, a, b])]
            exact[a, b] = p[0][a] * p[1][b] * p[2]
    order = np.argsort(exact.ravel())
    expected, seen = exact.ravel()[order] * n, counts.ravel()[order]
    cut = np.searchsorted(np.cumsum(expected), 30)  # rare texts count as one
    e = np.array([expected[: cut + 1].sum(), *expected[cut + 1 :]])
    o = np.array([seen[: cut + 1].sum(), *seen[cut + 1 :]])
    e, o = e[e > 0], o[e > 0]
    statistic, degrees = float(((o - e) ** 2 / e).sum()), len(e) - 1
    assert statistic < degrees + 5 * np.sqrt(2 * degrees), (statistic, degrees)


def test_reading_ahead_equals_stepping():
    for model in (transformer(), rnn(), COUNTS, Uniform(V), PromptLookup(COUNTS)):
        state = model.begin([1, 2])
        after = state.fork()
        rows = after.read_ahead([3, 4, 0])
        assert len(rows) == 4 and np.allclose(after.log_probs, model.begin([1, 2, 3, 4, 0]).log_probs, atol=1e-5)
        step = model.begin([1, 2])
        for id, row in zip([3, 4, 0], rows):
            assert np.allclose(row, scores_of(step), atol=1e-5)
            step.advance(id)
        assert np.allclose(state.log_probs, model.begin([1, 2]).log_probs, atol=1e-6)  # the state itself has not moved


def test_it_stops_and_refuses_bad_input():
    out = speculate(COUNTS, COUNTS, [1], GREEDY, stop_ids=[0])
    assert out.reason == "stop id" and 0 not in out.ids and out.ids == generate(COUNTS, [1], GREEDY, stop_ids=[0]).ids
    for call, message in (
        (lambda: speculate(COUNTS, Uniform(V + 1)), "one vocabulary"),
        (lambda: speculate(COUNTS, COUNTS, n_guesses=0), "n_guesses"),
        (lambda: speculate(COUNTS, COUNTS, sampler=Sampler(presence=1)), "penalties"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_prompt_lookup_guesses_what_followed_before():
    draft = PromptLookup(Uniform(V), longest=2, share=0.9)
    state = draft.begin([1, 2, 3, 5, 1, 2])
    assert int(np.argmax(state.log_probs)) == 3 and np.exp(state.log_probs).sum() == pytest.approx(1)
    assert np.exp(state.log_probs[3]) == pytest.approx(0.9 + 0.1 / V)
    other = state.fork()
    other.advance(4)  # 4 was never seen: the fallback speaks
    assert other.log_probs == pytest.approx(Uniform(V).log_probs) and int(np.argmax(state.log_probs)) == 3
    assert int(np.argmax(draft.begin([4, 2, 1, 2, 6, 3, 1, 2]).log_probs)) == 6  # two tokens that match count more than one
    assert int(np.argmax(draft.begin([1, 2, 1, 3, 1]).log_probs)) == 3  # of equal matches the latest
    ids = [1, 2, 3, 1, 2]
    assert draft.score(ids) == pytest.approx([draft.begin(ids[:n]).log_probs[i] for n, i in enumerate(ids)])
    for wrong in (dict(longest=0), dict(share=1.0), dict(share=0.0)):
        with pytest.raises(ValueError, match="expected longest"):
            PromptLookup(Uniform(V), **wrong)


def test_prompt_lookup_keeps_the_greedy_text():
    draft = PromptLookup(COUNTS)
    alone = generate(transformer(), [1, 2], GREEDY, max_tokens=18).ids
    assert speculate(transformer(), draft, [1, 2], GREEDY, n_guesses=3, max_tokens=18).ids == alone


def test_without_a_start_symbol():
    model = transformer()
    alone = generate(model, [1, 2], GREEDY, max_tokens=10, start=False).ids
    assert speculate(model, COUNTS, [1, 2], GREEDY, n_guesses=3, max_tokens=10, start=False).ids == alone
    assert model.begin([1, 2], start=False).log_probs != pytest.approx(model.begin([1, 2]).log_probs)


def test_the_large_model_runs_once_for_each_round(monkeypatch):
    target, sizes = transformer(), []
    features = target.features
    monkeypatch.setattr(target, "features", lambda ids, state=None: sizes.append(ids.shape[1]) or features(ids, state))
    out = speculate(target, COUNTS, [1, 2], GREEDY, n_guesses=3, max_tokens=20)
    assert len(out.ids) == 20 and len(sizes) == 1 + out.rounds  # once for the prompt, with the start symbol
    assert sizes[:2] == [3, 3] and max(sizes[2:]) == 4  # the last token written is read together with three guesses


def test_reading_ahead_is_without_dropout():
    model = Transformer(Config(V, context_length=24, hidden_dim=16, n_layers=2, n_heads=2, dropout=0.5))  # in training mode
    rows = model.begin([1, 2]).read_ahead([4, 5])
    step = model.begin([1, 2])
    for id, row in zip([4, 5], rows):
        assert np.allclose(row, np.asarray(step.logits.double()), atol=1e-5)
        step.advance(id)
    assert np.allclose(rows[2], np.asarray(step.logits.double()), atol=1e-5) and model.training


def test_the_state_that_was_moved_back_is_the_right_one():
    for model in (transformer(), rnn(), COUNTS, Uniform(V), PromptLookup(COUNTS)):
        state = model.begin([1, 2])
        state.read_ahead([3, 4, 0])
        state.rewind(1)
        assert np.allclose(state.log_probs, model.begin([1, 2, 3, 4]).log_probs, atol=1e-5)
        state.advance(5)
        assert np.allclose(state.log_probs, model.begin([1, 2, 3, 4, 5]).log_probs, atol=1e-5)


def test_rewinding_takes_back_what_was_read_ahead_and_no_more():
    for model in (transformer(), rnn(), COUNTS, Uniform(V), PromptLookup(COUNTS)):
        state, n = model.begin([1, 2]), 20 if model.__class__ is Transformer else 3
        state.read_ahead([3, 4, 0])
        with pytest.raises(ValueError, match="n from 0 to 3, the number of ids just read ahead, got 4"):
            state.rewind(4)
        state.rewind(0)
        assert np.allclose(state.log_probs, model.begin([1, 2, 3, 4, 0]).log_probs, atol=1e-5)
        for left in (2, 1, 0):  # in parts, back to the beginning
            state.rewind(1)
            assert np.allclose(state.log_probs, model.begin([1, 2, *[3, 4, 0][:left]]).log_probs, atol=1e-5)
        state.read_ahead([5] * n)  # beyond the context of the Transformer
        state.rewind(n - 1)
        assert np.allclose(state.log_probs, model.begin([1, 2, 5]).log_probs, atol=1e-5)
    network = transformer().begin([1, 2])
    network.read_ahead([3, 4])
    network.advance(5)  # what was read ahead lies further back now
    with pytest.raises(ValueError, match="n from 0 to 0"):
        network.rewind(1)


def test_a_state_of_one_s_own_inherits_reading_ahead():
    class Own(State):
        """Twice as likely: the token after the last one."""

        def __init__(self, last=0):
            self.last = last

        @property
        def log_probs(self):
            p = np.ones(V)
            p[(self.last + 1) % V] = 2
            return np.log(p / p.sum())

        def begin(self, ids=(), *, start=True):
            return Own(ids[-1] if len(ids) else 0)

        def advance(self, id):
            self.last = id

        def fork(self):
            return Own(self.last)

    model = Own()
    model.vocab_size = V
    assert speculate(model, COUNTS, [1], GREEDY, max_tokens=9).ids == generate(model, [1], GREEDY, max_tokens=9).ids
