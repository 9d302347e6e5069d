"""Losses of preferences and rewards: worked numbers, gradients, and that they move a model where they should."""

import math

import pytest
import torch

from helpers.finetuning import preferences as pref
from helpers.models.transformer import Config, Transformer
from helpers.tokenizers.labels import IGNORE


def model():
    return Transformer(Config(12, context_length=16, hidden_dim=16, n_layers=1, n_heads=2), seed=0)


X = torch.tensor([[1, 2, 3, 4], [1, 2, 5, 6]])
Y = torch.tensor([[IGNORE, 3, 4, 0], [IGNORE, 5, 6, IGNORE]])


@pytest.mark.parametrize("d, loss", [(-2, 2.126928), (-1, 1.313262), (0, 0.693147), (1, 0.313262), (2, 0.126928)])
def test_the_pairwise_loss_and_its_derivative(d, loss):
    better = torch.tensor([float(d)], requires_grad=True)
    value = pref.pairwise_loss(better, torch.zeros(1))
    value.backward()
    assert float(value) == pytest.approx(loss, abs=1e-6) and float(better.grad) == pytest.approx(-1 / (1 + math.exp(d)), abs=1e-6)


def test_dpo_starts_at_ln_2_and_has_the_worked_value():
    a, b = torch.tensor([-3.0]), torch.tensor([-5.0])
    assert float(pref.dpo_loss(a, b, a, b)) == pytest.approx(math.log(2))
    assert float(pref.dpo_loss(a + 1, b - 1, a, b, beta=0.1)) == pytest.approx(0.598139, abs=1e-6)
    assert float(pref.dpo_loss(a - 1, b + 1, a, b)) > math.log(2)


def test_group_advantages():
    a = pref.group_advantages(torch.tensor([[0.0, 0, 0, 1], [1, 1, 1, 1]]))
    assert a[0].tolist() == pytest.approx([-0.57735] * 3 + [1.73205], abs=1e-5) and a[1].tolist() == [0, 0, 0, 0]


def test_answer_log_probs_are_those_of_the_logits():
    m = model().eval()
    found = pref.answer_log_probs(m, X, Y)
    log_probs = m(X)[0].log_softmax(-1)
    expected = [sum(float(log_probs[b, t, Y[b, t]]) for t in range(4) if Y[b, t] != IGNORE) for b in range(2)]
    assert found.tolist() == pytest.approx(expected, abs=1e-5)


def test_dpo_training_prefers_the_chosen_answer():
    m = model()
    with torch.no_grad():
        reference = pref.answer_log_probs(m, X, Y)
    optimizer = torch.optim.AdamW(m.parameters(), lr=0.01)
    for _ in range(30):
        now = pref.answer_log_probs(m, X, Y)
        loss = pref.dpo_loss(now[:1], now[1:], reference[:1], reference[1:], beta=0.5)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    now = pref.answer_log_probs(m, X, Y) - reference
    assert float(loss.detach()) < 0.3 and float(now[0] - now[1]) > 1


def test_policy_gradient_raises_what_was_rewarded():
    m = model()
    optimizer = torch.optim.AdamW(m.parameters(), lr=0.01)
    before = pref.answer_log_probs(m, X, Y).detach()
    advantages = pref.group_advantages(torch.tensor([[1.0, 0.0]]))[0]
    for _ in range(5):
        pref.policy_gradient_loss(pref.answer_log_probs(m, X, Y), advantages).backward()
        optimizer.step()
        optimizer.zero_grad()
    after = pref.answer_log_probs(m, X, Y).detach()
    assert after[0] > before[0] and after[1] < before[1]


def test_bad_input_is_refused():
    one, two = torch.zeros(1), torch.zeros(2)
    for call in (
        lambda: pref.dpo_loss(one, one, one, one, beta=0),
        lambda: pref.pairwise_loss(one, two),
        lambda: pref.group_advantages(two),
        lambda: pref.policy_gradient_loss(one, two),
        lambda: pref.answer_log_probs(model(), X, torch.full_like(Y, IGNORE)),
    ):
        with pytest.raises(ValueError, match="expected"):
            call()


def test_samples_have_the_probabilities_of_the_model_and_fit_the_log_probs():
    m, prompt = model().eval(), torch.tensor([[1, 2, 3]])
    x, y = pref.sample_answers(m, prompt.expand(4_000, -1), 2, stop_id=0, generator=torch.Generator().manual_seed(0))
    p = m(prompt)[0][0, -1].softmax(-1)
    share = torch.bincount(y[:, 2], minlength=12) / 4_000
    assert float((share - p).abs().max()) < 0.03  # four standard deviations
    stopped = y[:, 2] == 0
    assert bool((y[stopped, 3] == IGNORE).all()) and bool((y[~stopped, 3] != IGNORE).all()) and bool((y[:, :2] == IGNORE).all())
    each = pref.answer_log_probs(m, x[:50], y[:50])
    row = int((~stopped[:50]).nonzero()[0])
    log_probs = m(x[row : row + 1])[0][0].log_softmax(-1)
    assert float(each[row]) == pytest.approx(float(log_probs[2, y[row, 2]] + log_probs[3, y[row, 3]]), abs=1e-5)


def test_the_cache_does_not_change_a_sample():
    m, prompts = model().eval(), torch.tensor([[1, 2, 3], [4, 5, 6]])
    x, y = pref.sample_answers(m, prompts, 5, stop_id=99 % 12, temperature=0)
    for row in range(2):
        for place in range(2, 7):
            if y[row, place] != IGNORE:
                assert int(m(x[row : row + 1, : place + 1])[0][0, -1].argmax()) == int(y[row, place])


def test_sampling_refuses_what_makes_no_sense():
    for prompts, new, T in ((torch.tensor([1, 2]), 2, 1.0), (torch.tensor([[1]]), 0, 1.0), (torch.tensor([[1]]), 2, -1.0)):
        with pytest.raises(ValueError, match="expected"):
            pref.sample_answers(model(), prompts, new, 0, temperature=T)


def test_many_prompts_are_answered_in_parts_and_each_as_alone(monkeypatch):
    own = Transformer(Config(13, context_length=16, hidden_dim=16, n_layers=1, n_heads=2), seed=0)
    prompts = torch.randint(0, 12, (10, 4), generator=torch.Generator().manual_seed(0))
    whole = pref.sample_answers(own, prompts, 3, 12, temperature=0)
    monkeypatch.setattr(pref, "CHUNK", 4)
    parts = pref.sample_answers(own, prompts, 3, 12, temperature=0)
    assert all(torch.equal(a, b) for a, b in zip(whole, parts)) and parts[0].shape == (10, 6)


@pytest.mark.parametrize("reward, n", [(0.7, 7), (0.1, 7), (0.3, 6), (0.9, 3)])
def test_equal_rewards_teach_nothing_however_their_mean_is_rounded(reward, n):
    assert pref.group_advantages(torch.full((1, n), reward)).tolist() == [[0.0] * n]
