"""Filters, penalties, greedy and beam decoding against transformers, on random scores and random tiny Llamas."""

import numpy as np
import pytest
import torch

from helpers.generation import filters
from helpers.generation.beam import beam_search
from helpers.generation.sampling import GREEDY, Sampler, generate
from helpers.models.losses import softmax
from tests.tools import tiny_llama

transformers = pytest.importorskip("transformers", reason="transformers is not installed")
from transformers import LogitsProcessorList, generation  # noqa: E402

V, END = 40, 0
RNG = np.random.default_rng(0)
ROWS = [RNG.normal(size=V) * scale for scale in (0.3, 1, 3) for _ in range(8)]


def theirs(processors, scores, seen=(1,)):
    out = LogitsProcessorList(processors)(torch.tensor([list(seen)]), torch.tensor(scores)[None].double())
    return out[0].numpy()


SINGLE = {
    "temperature": (lambda s: filters.temperature(s, 0.6), lambda: generation.TemperatureLogitsWarper(0.6)),
    "top-k": (lambda s: filters.top_k(s, 7), lambda: generation.TopKLogitsWarper(7)),
    "top-p": (lambda s: filters.top_p(s, 0.8), lambda: generation.TopPLogitsWarper(0.8)),
    "min-p": (lambda s: filters.min_p(s, 0.1), lambda: generation.MinPLogitsWarper(0.1)),
    "typical": (lambda s: filters.typical(s, 0.7), lambda: generation.TypicalLogitsWarper(0.7)),
    "repetition": (
        lambda s: filters.repetition_penalty(s, [3, 5, 3], 1.4),
        lambda: generation.RepetitionPenaltyLogitsProcessor(1.4),
    ),
}


@pytest.mark.parametrize("name", SINGLE)
def test_each_filter_equals_that_of_transformers(name):
    ours, make = SINGLE[name]
    for scores in ROWS:
        a, b = ours(scores), theirs([make()], scores, seen=(3, 5, 3))
        assert np.array_equal(np.isfinite(a), np.isfinite(b))
        assert np.allclose(a[np.isfinite(a)], b[np.isfinite(b)], atol=1e-9)


def test_all_together_in_the_same_order():
    sampler = Sampler(temperature=0.7, top_k=20, top_p=0.9, min_p=0.02, typical_p=0.95, repetition=1.2)
    chain = [
        generation.RepetitionPenaltyLogitsProcessor(1.2),
        generation.TemperatureLogitsWarper(0.7),
        generation.TopKLogitsWarper(20),
        generation.TopPLogitsWarper(0.9),
        generation.MinPLogitsWarper(0.02),
        generation.TypicalLogitsWarper(0.95),
    ]
    for scores in ROWS:
        a, b = sampler.scores(scores, [2, 9]), theirs(chain, scores, seen=(2, 9))
        assert np.array_equal(np.isfinite(a), np.isfinite(b))
        assert np.allclose(softmax(a), torch.tensor(b).softmax(0).numpy(), atol=1e-9)


def pair(seed):
    """A random tiny Llama with lively logits, as the library's model and as ours."""
    torch.manual_seed(seed)
    return tiny_llama.pair(V, 64, tied=False, scale=6, bos_token_id=1, eos_token_id=END, pad_token_id=END)


@pytest.mark.parametrize("seed", range(6))
def test_greedy_and_beam_give_the_same_tokens_and_scores(seed):
    library, own = pair(seed)
    own.start_id = 1
    prompt = [1, *np.random.default_rng(seed).integers(2, V, size=5).tolist()]  # the library counts the start symbol as given
    ids = torch.tensor([prompt])
    greedy = library.generate(ids, max_new_tokens=12, do_sample=False)[0, len(prompt) :].tolist()
    written = generate(own, prompt[1:], GREEDY, max_tokens=12, stop_ids=[END])
    assert written.ids == [i for i in greedy if i != END]
    for penalty in (0.0, 1.0):
        found = library.generate(
            ids,
            max_new_tokens=10,
            do_sample=False,
            num_beams=4,
            num_return_sequences=3,
            length_penalty=penalty,
            output_scores=True,
            return_dict_in_generate=True,
        )
        ours = beam_search(own, prompt[1:], width=4, max_tokens=10, end_id=END, length_penalty=penalty)[:3]
        for row, score, beam in zip(found.sequences[:, len(prompt) :].tolist(), found.sequences_scores.tolist(), ours):
            cut = row[: row.index(END) + 1] if END in row else row
            assert list(beam.ids) == cut and beam.score == pytest.approx(score, abs=1e-4)


@pytest.mark.parametrize("seed", [2, 8, 10])  # their texts end early enough for the three to differ
def test_beam_search_stops_where_that_of_transformers_does(seed):
    library, own = pair(seed)
    own.start_id = 1
    prompt = [1, *np.random.default_rng(seed).integers(2, V, size=5).tolist()]
    for width, penalty in ((4, 1.0), (2, 2.0), (4, 0.5), (2, 0.0), (4, -1.0)):
        found = {}
        for early in (True, False, "never"):
            theirs = library.generate(
                torch.tensor([prompt]),
                max_new_tokens=20,
                do_sample=False,
                num_beams=width,
                num_return_sequences=width,
                length_penalty=penalty,
                early_stopping=early,
                output_scores=True,
                return_dict_in_generate=True,
            )
            ours = beam_search(
                own, prompt[1:], width=width, max_tokens=20, end_id=END, length_penalty=penalty, early_stopping=early
            )
            rows = theirs.sequences[:, len(prompt) :].tolist()
            found[early] = [row[: row.index(END) + 1] if END in row else row for row in rows]
            assert [list(b.ids) for b in ours] == found[early], (width, penalty, early)
            assert [b.score for b in ours] == pytest.approx(theirs.sequences_scores.tolist(), abs=1e-4)
        if (width, penalty) == (4, 1.0):
            assert found[True] != found[False] != found["never"]
