"""The adding Transformer: problems, answers, the judge, and that each way of learning moves it where it should."""

import copy

import pytest
import torch

from helpers.finetuning import preferences
from helpers.finetuning import verifiable_sums as sums
from helpers.tokenizers.labels import IGNORE
from helpers.training import checkpoint


def few(n=40):
    train, _ = sums.problems()
    return train.rows(slice(0, n))


def test_problems_are_all_sums_once():
    train, held_out = sums.problems(n_held_out=500)
    assert len(train.sums) == 9_500 and len(held_out.sums) == 500
    texts = {"".join(sums.ALPHABET[i] for i in row) for part in (train, held_out) for row in part.prompts.tolist()}
    assert len(texts) == 10_000 and "07+40=" in texts
    row = train.prompts[3].tolist()
    a, b = ("".join(sums.ALPHABET[i] for i in row[k : k + 2]) for k in (0, 3))
    assert int(a) + int(b) == int(train.sums[3])


def test_targets_and_answers_are_each_others_inverse():
    part = few()
    x, y = sums.targets(part)
    assert sums.answers_of(y) == [f"{total}." for total in part.sums.tolist()]
    assert sums.rewards_of(y, part.sums).tolist() == [1.0] * 40
    assert bool((y[:, :5] == IGNORE).all()) and torch.equal(x[:, :6], part.prompts)


@pytest.mark.parametrize("text, reward", [("72.", 1), ("72", 0), ("072.", 0), ("73.", 0), ("7.2.", 0), (".", 0), ("72..", 0)])
def test_the_judge_wants_the_sum_and_the_end(text, reward):
    y = torch.full((1, 9), IGNORE)
    y[0, 5 : 5 + len(text)] = torch.tensor(sums.encode(text)[:4])
    assert sums.rewards_of(y, torch.tensor([72])).tolist() == [reward]


def test_supervised_steps_lower_the_loss_and_repeat():
    runs = []
    for _ in range(2):
        model = sums.fresh_model(0, width=16, layers=1)
        runs.append(sums.supervise(model, few(), 30, batch_size=32, seed=1))
    assert runs[0] == runs[1] and runs[0][-1] < 0.8 * runs[0][0]


@pytest.fixture(scope="module")
def learner():
    """A small model that knows forty sums by heart, half-way."""
    model = sums.fresh_model(0, width=32, layers=1)
    sums.supervise(model, few(), 50, batch_size=40)
    return model


def test_a_policy_gradient_raises_the_reward(learner):
    model = copy.deepcopy(learner)
    rewards = sums.reinforce(model, few(), 40, n_problems=20, rate=2e-3)
    first, last = sum(rewards[:5]) / 5, sum(rewards[-5:]) / 5
    assert 0.05 < first < 0.95 and last > first + 0.05


def test_rejection_sampling_beats_imitating_all(learner):
    part = few()
    x, y = preferences.sample_answers(
        learner, part.prompts.repeat_interleave(8, 0), sums.MAX_NEW, sums.STOP, generator=torch.Generator().manual_seed(0)
    )
    good = sums.rewards_of(y, part.sums.repeat_interleave(8)) == 1
    found = []
    for kept in (good, torch.ones_like(good)):
        model = copy.deepcopy(learner)
        sums.imitate(model, x[kept], y[kept], 40, batch_size=64, rate=1e-3)
        _, again = preferences.sample_answers(
            model, part.prompts.repeat_interleave(8, 0), sums.MAX_NEW, sums.STOP, generator=torch.Generator().manual_seed(1)
        )
        found.append(float(sums.rewards_of(again, part.sums.repeat_interleave(8)).mean()))
    assert found[0] > found[1]


def test_own_pairs_and_dpo(learner):
    part = few()
    pairs = sums.self_pairs(learner, part)
    assert len(pairs.right[0]) == len(pairs.wrong[0]) > 5
    right, wrong = (sums.answers_of(side[1]) for side in pairs)
    problems = ["".join(sums.ALPHABET[i] for i in row) for row in pairs.right[0][:, :6].tolist()]
    for problem, r, w in zip(problems, right, wrong):
        total = int(problem[:2]) + int(problem[3:5])
        assert r == f"{total}." and w != r
    assert torch.equal(pairs.right[0][:, :6], pairs.wrong[0][:, :6])
    told = sums.tune_dpo(copy.deepcopy(learner), pairs, 20, beta=0.5, rate=1e-3)
    assert told[0][0] == pytest.approx(0.693147, abs=1e-4) and told[0][1:] == pytest.approx((0, 0), abs=1e-4)
    assert told[-1][0] < 0.65 and told[-1][1] > told[-1][2]


def test_a_baseline_sums_to_zero():
    r = torch.tensor([[0.0, 1.0, 1.0, 0.0], [1.0, 1.0, 1.0, 1.0]])
    assert sums.centred(r).tolist() == [[-0.5, 0.5, 0.5, -0.5], [0, 0, 0, 0]]
    assert torch.equal(sums.centred(r), sums.centred(r + 1))


def test_the_shipped_start_is_half_trained_and_says_how_it_was_made(tmp_path, monkeypatch):
    model, facts = sums.start_model(), checkpoint.load_tensors(sums.START_FILE)[1]
    assert facts["command"] == "python -m helpers.finetuning.verifiable_sums" and facts["steps"] == sums.START_STEPS
    right = sums.accuracy(model, sums.problems()[1])
    assert 0.6 < right < 0.8 and right == pytest.approx(facts["accuracy"], abs=0.01)
    monkeypatch.setattr(sums, "START_FILE", tmp_path / "adder.safetensors")
    with pytest.raises(FileNotFoundError, match="no checkpoint adder.safetensors"):
        sums.start_model()


def test_the_command_writes_what_start_model_reads(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sums, "START_FILE", tmp_path / "adder.safetensors")
    monkeypatch.setattr(sums, "START_STEPS", 2)
    threads = torch.get_num_threads()
    try:
        assert sums.main() == 0 and "adder.safetensors" in capsys.readouterr().out
    finally:
        torch.set_num_threads(threads)
    losses = checkpoint.load_tensors(tmp_path / "adder.safetensors")[1]["losses"]
    assert len(losses) == 1 and losses[0] > 2  # ln 13 = 2.56 would be a guess
    assert sums.start_model().config == sums.fresh_model(0).config
