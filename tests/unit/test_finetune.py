"""Finetuning helpers: batches, replies for many prompts at once, judges, the tasks made from the leads."""

import numpy as np
import pytest
import torch

from helpers.data import datasets
from helpers.files import save_json
from helpers.finetuning import lora, tasks
from helpers.finetuning.frozen_blocks import Prompts, Upper
from helpers.models.transformer import Config, Transformer
from helpers.studies import finetuning as finetuning_study
from helpers.studies import topics as topic_study
from helpers.tokenizers.bpe import BPE
from helpers.tokenizers.chat_template import Example
from helpers.tokenizers.labels import IGNORE


def model(layers=3):
    return Transformer(Config(30, context_length=64, hidden_dim=16, n_layers=layers, n_heads=2, n_kv_heads=1), seed=1).eval()


def examples(n=7, seed=0):
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(n):
        prompt, reply = rng.integers(3, 30, rng.integers(3, 9)).tolist(), rng.integers(3, 30, rng.integers(1, 5)).tolist()
        made.append(Example(prompt + reply, [IGNORE] * len(prompt) + reply, False))
    return made


def test_an_epoch_shows_every_example_once_in_batches_of_like_lengths():
    data = tasks.Examples(examples(8), batch_size=2, seed=3)
    assert data.steps_per_epoch == 4
    for epoch in (0, 1):
        batches = [data.batch(4 * epoch + s) for s in range(4)]
        learned = sorted(tuple(row[row != IGNORE].tolist()) for b in batches for row in b.y)
        assert learned == sorted(tuple(i for i in e.labels if i != IGNORE) for e in data.examples)
    first, second = ([data.batch(4 * epoch + s).y.tolist() for s in range(4)] for epoch in (0, 1))
    assert first != second and first == [data.batch(s).y.tolist() for s in range(4)]
    with pytest.raises(ValueError, match="at least 9 examples"):
        tasks.Examples(examples(8), batch_size=9)


def test_reply_nats_are_those_of_one_example_alone():
    m, some = model(), examples()
    nats, counts = tasks.reply_nats(m, some, batch_size=3)
    for e, value, count in zip(some, nats, counts):
        log_probs = torch.log_softmax(m(torch.tensor([e.ids]))[0][0], -1)
        own = [-log_probs[t - 1, e.ids[t]].item() for t in range(1, len(e.ids)) if e.labels[t] != IGNORE]
        assert value == pytest.approx(sum(own), abs=1e-4) and count == len(own)


def test_replies_in_batches_are_those_of_each_prompt_alone():
    m = model()
    prompts = [e.ids for e in examples(9, seed=2)]
    together = tasks.write_replies(m, prompts, 6, end_id=5, batch_size=2)
    for prompt, reply in zip(prompts, together):
        ids = list(prompt)
        while len(ids) < len(prompt) + 6:
            new = int(m(torch.tensor([ids]))[0][0, -1].argmax())
            if new == 5:
                break
            ids.append(new)
        assert reply == ids[len(prompt) :]
    same = [prompt[:3] for prompt in prompts]  # one batch, in which rows end at different places and would go on
    with torch.no_grad():
        for name, p in m.named_parameters():
            p.mul_(8 if p.ndim == 2 and "embedding" not in name else 1)  # a livelier model
    free = tasks.write_replies(m, same, 6, end_id=29)
    for end in {id for reply in free for id in reply}:
        for reply, whole in zip(tasks.write_replies(m, same, 6, end_id=end), free):
            assert reply == (whole[: whole.index(end)] if end in whole else whole)


def test_the_upper_blocks_on_stored_streams_are_the_whole_model():
    m, some = model(), examples(6)
    upper = Upper(m, 2)
    streams = upper.stems(some, batch=4)
    prompts = [e.ids[:4] for e in some]
    stored = Prompts(upper, prompts)

    def agree():
        assert np.allclose(upper.nats(streams, some, batch=4)[0], tasks.reply_nats(m, some)[0], atol=1e-4)
        assert [ids for ids, _ in stored.replies(5, 4)] == tasks.write_replies(m, prompts, 5, 4)

    agree()
    before = upper.nats(streams, some)[0].sum()
    lora.add_lora(upper.blocks, rank=2, alpha=4)
    losses = upper.fit(lora.lora_parameters(m), streams, some, steps=30, batch=3, rate=0.05)
    assert losses[-1] < losses[0] and upper.nats(streams, some)[0].sum() < before
    agree()
    assert not any(p.requires_grad for n, p in m.named_parameters() if not n.endswith((".A", ".B")))
    upper.restore()
    assert upper.nats(streams, some)[0].sum() == pytest.approx(before, abs=1e-4) and not lora.lora_parameters(m)


def test_a_head_reads_the_prompt_and_not_the_answer():
    tokenizer = BPE.from_smollm2()
    question = tasks.topic("The Rhine is a river.")
    example = tasks.chat_examples(tokenizer, [(question, "Geography")])[0]
    prompt = tasks.chat_prompts(tokenizer, [question])[0]
    assert topic_study.prompt_end(example) == len(prompt) - 1 and example.ids[: len(prompt)] == prompt


def test_a_paired_interval_is_narrower_than_that_of_two_samples():
    rng = np.random.default_rng(0)
    a = rng.normal(0, 10, 200)
    p = tasks.paired_change(a, a + rng.normal(1, 1, 200))
    assert p.low < 1 < p.high and p.high - p.low < 0.5 and p.difference == pytest.approx(p.after - p.before)
    weighted = tasks.paired_change([2.0, 4.0], [1.0, 1.0], weights=[1, 3])
    assert (weighted.before, weighted.after) == (1.5, 0.5) and str(weighted).startswith("1.50 -> 0.50, -1.00 [")


@pytest.mark.parametrize(
    "reply, ended, style",
    [
        ("American actor (1916–2003)", True, True),
        ("Family of birds", False, False),
        ("He was an actor", True, False),
        ("Family of birds.", True, False),
        ("a\nb", True, False),
        ("", True, False),
        ("one " * 13, True, False),
        ("Island in this is", True, False),
        ("Thistle", True, True),
    ],
)
def test_style(reply, ended, style):
    assert tasks.in_style(reply, ended) is style


def test_exact_match_and_token_f1():
    assert tasks.exact_match(" American Actor.", "American actor") and not tasks.exact_match("American", "American actor")
    assert tasks.token_f1("American film actor", "American actor") == pytest.approx(0.8)
    assert tasks.token_f1("", "x") == 0


def test_real_descriptions_are_in_the_style_that_is_measured():
    found = [lead.description for lead in datasets.leads(split="valid") if lead.description]
    assert np.mean([tasks.in_style(d, True) for d in found]) > 0.95


def test_abstaining_in_one_s_own_words():
    assert all(tasks.abstains(r) for r in ("not stated", "Not stated.", "The nationality is not specified.", "Unknown"))
    assert not any(tasks.abstains(r) for r in ("American", "", "A stated fact", "not American"))


def test_people_differ_in_one_word_and_nothing_else_tells_it():
    persons = tasks.people(datasets.leads())
    assert len(persons) > 500 and sum(p.split == "train" for p in persons) > 450
    for p in persons:
        told, untold = p.told.split(), p.untold.split()
        assert len(told) == len(untold) + 1 and told.count(p.nationality) == 1 and p.nationality not in untold
        assert sum(a != b for a, b in zip([w for w in told if w != p.nationality], untold)) <= 1  # a or an
        assert p.untold[0].isupper() and p.untold.endswith(".")


def test_the_committed_study_is_whole():
    study = finetuning_study.load()
    assert {"base", "describe", "abstain"} <= set(study["parts"])
    tokens = study["parts"]["base"][0]["tokens"]
    for run in study["parts"]["describe"]:
        assert len(run["nats"]) == len(run["replies"]) == len(run["ended"]) == len(tokens)
        assert sum(run["nats"]) < 0.7 * sum(study["parts"]["base"][0]["nats"])
    assert [r["seed"] for r in study["parts"]["describe"]] == list(finetuning_study.SEEDS)


@pytest.mark.parametrize("content", [{}, {"parts": {"base": []}}])
def test_an_unfinished_study_is_refused(tmp_path, content):
    path = tmp_path / "finetuning.json"
    save_json(path, content)
    with pytest.raises(ValueError, match="no finetuning study"):
        finetuning_study.load(path)


def test_an_unknown_part_is_told(capsys):
    assert finetuning_study.main(["nonsense"]) == 2 and "describe" in capsys.readouterr().err


def test_judging_replies_is_without_dropout():
    adapted = model()
    lora.add_lora(adapted, ("q", "v"), rank=2, dropout=0.5)
    for p in lora.lora_parameters(adapted):
        torch.nn.init.normal_(p)
    adapted.train()
    first, again = (tasks.reply_nats(adapted, examples())[0] for _ in range(2))
    assert np.array_equal(first, again) and adapted.training
