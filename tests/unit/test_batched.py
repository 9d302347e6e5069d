"""Many texts at once: the same texts as one by one, whatever the batch; prompts read once; constraints; bad input."""

import numpy as np
import pytest
import torch

from helpers.generation.batched import generate_batch, next_scores
from helpers.generation.constrained import Constraint
from helpers.generation.sampling import GREEDY, Sampler, generate
from helpers.models.kv_cache import repeat_rows
from helpers.models.rnn import RecurrentLM
from helpers.models.transformer import Config, Transformer

V = 11


def transformer():
    model = Transformer(Config(V, context_length=32, hidden_dim=16, n_layers=2, n_heads=4, n_kv_heads=2), seed=0).eval()
    for p in model.parameters():
        if p.ndim == 2:
            p.data.mul_(8)
    return model


MODELS = [
    transformer(),
    RecurrentLM(V, kind="lstm", embedding_dim=8, hidden_dim=12, seed=1).eval(),
    RecurrentLM(V, kind="gru", embedding_dim=8, hidden_dim=12, seed=2).eval(),
]
EACH = pytest.mark.parametrize("number", range(3), ids=["transformer", "lstm", "gru"])
SAMPLER = Sampler(temperature=0.9, top_p=0.9, repetition=1.2)


@EACH
def test_greedy_rows_equal_single_texts(number):
    model = MODELS[number]
    prompts = [[1, 2, 3], [4, 5, 6], [7, 7, 7]]
    made = generate_batch(model, prompts, GREEDY, max_tokens=9, stop_ids=[0])
    for prompt, text in zip(prompts, made):
        alone = generate(model, prompt, GREEDY, max_tokens=9, stop_ids=[0])
        assert text.ids == alone.ids and text.reason == alone.reason
        assert text.log_probs == pytest.approx(alone.log_probs, abs=1e-4)


@EACH
def test_prompts_of_any_length_are_read_and_continued_side_by_side(number):
    model = MODELS[number]
    prompts = [[1, 2, 3, 4, 5, 6, 7], [3], [2, 2], [5, 4, 3, 2]]
    made = generate_batch(model, prompts, SAMPLER, n=2, max_tokens=5, stop_ids=[0], seed=6)
    for i, text in enumerate(made):
        alone = generate(model, prompts[i // 2], SAMPLER, max_tokens=5, stop_ids=[0], rng=np.random.default_rng([6, i]))
        assert text.ids == alone.ids and text.reason == alone.reason
        assert text.log_probs == pytest.approx(alone.log_probs, abs=1e-4)
    short = generate_batch(model, [[1] * 9, [3]], GREEDY, max_tokens=2)  # the second ends while the first still reads
    assert [len(t.ids) for t in short] == [2, 2] and short[1].ids == generate(model, [3], GREEDY, max_tokens=2).ids
    assert [t.ids for t in generate_batch(model, prompts, max_tokens=0)] == [[]] * 4


@EACH
def test_a_row_uses_its_own_random_numbers_whatever_the_batch(number):
    model = MODELS[number]
    four, nine = (generate_batch(model, [1, 2], SAMPLER, n=n, max_tokens=8, seed=3) for n in (4, 9))
    assert [t.ids for t in four] == [t.ids for t in nine[:4]]
    assert len({tuple(t.ids) for t in nine}) > 1  # and the rows differ from each other
    alone = generate(model, [1, 2], SAMPLER, max_tokens=8, rng=np.random.default_rng([3, 2]))
    assert four[2].ids == alone.ids


@EACH
def test_texts_that_end_leave_and_the_others_go_on(number):
    model = MODELS[number]
    made = generate_batch(model, [1], Sampler(), n=40, max_tokens=4, stop_ids=[0, 1, 2], seed=0)
    reasons = {t.reason for t in made}
    assert reasons == {"stop id", "length"} and all(not {0, 1, 2} & set(t.ids) for t in made)
    assert all(t.log_probs == pytest.approx(model.score([1, *t.ids])[1:], abs=1e-4) for t in made[:8])
    stopped = generate_batch(model, [1], Sampler(), n=5, max_tokens=12, stop=lambda ids: len(ids) == 3)
    assert all(len(t.ids) == 3 and t.reason == "stop" for t in stopped)


def test_the_draws_follow_the_model():
    model, n = MODELS[0], 3000
    first = np.bincount([t.ids[0] for t in generate_batch(model, [1], Sampler(), n=n, max_tokens=1)], minlength=V)
    assert np.abs(first / n - np.exp(model.begin([1]).log_probs)).max() < 5 * 0.5 / np.sqrt(n)


@EACH
def test_scores_after_a_shared_prefix(number):
    model = MODELS[number]
    endings = [[3], [4, 5, 6], [7, 8]]
    rows = next_scores(model, [1, 2], endings, batch_size=2)
    for row, ending in zip(rows, endings):
        expected = model.begin([1, 2, *ending]).logits.double().numpy()
        assert row == pytest.approx(expected, abs=1e-4)  # not the logits of the padding
    assert next_scores(model, [], [[3]])[0] == pytest.approx(model.begin([3]).logits.double().numpy(), abs=1e-4)


def test_a_constraint_for_each_text():
    tokens = [b"", *(bytes([97 + i]) for i in range(V - 1))]
    allowed = [Constraint("(ab|cde)", tokens, end_id=0, max_tokens=4) for _ in range(6)]
    made = generate_batch(MODELS[0], [1], Sampler(), n=6, max_tokens=4, stop_ids=[0], allowed=allowed)
    assert {"".join(chr(96 + i) for i in t.ids) for t in made} <= {"ab", "cde"}
    with pytest.raises(ValueError, match="a constraint for each of 6"):
        generate_batch(MODELS[0], [1], n=6, allowed=allowed[:2])


def test_the_mode_of_the_model_is_kept():
    model = transformer().train()
    generate_batch(model, [1], n=2, max_tokens=2)
    next_scores(model, [1], [[2]])
    assert model.training


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda m: generate_batch(m, [[1], []], start=False), "at least one token"),
        (lambda m: generate_batch(m, [[1], [1] * 20], max_tokens=20), "at most 32"),
        (lambda m: generate_batch(m, [1], n=0), "n >= 1"),
        (lambda m: generate_batch(m, [1], max_tokens=-1), "max_tokens"),
        (lambda m: generate_batch(m, [V]), "from 0 to"),
        (lambda m: generate_batch(m, [1] * 20, max_tokens=20), "at most 32"),
        (lambda m: generate_batch(m, [], start=False, max_tokens=2), "at least one token"),
        (lambda m: next_scores(m, [1], [[]]), "not empty"),
        (lambda m: next_scores(m, [], [[1]], start=False), "prefix"),
        (lambda m: repeat_rows(m.begin_state(1), 2), "read the prompt first"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(MODELS[0])


def test_only_memories_can_be_repeated():
    assert repeat_rows((torch.zeros(1, 3),), 4)[0].shape == (4, 3)
    with pytest.raises(TypeError, match="cache or tensors"):
        repeat_rows("text", 2)


def test_a_stop_id_outside_the_vocabulary_and_no_endings():
    m = transformer()
    with pytest.raises(ValueError, match="stop_ids"):
        generate_batch(m, [1, 2], stop_ids=[999])
    with pytest.raises(ValueError, match="endings"):
        next_scores(m, [1], [])
