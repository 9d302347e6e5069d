"""Filters, penalties and samplers: worked numbers, ties, order, bad settings; generation on counts and networks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.generation import filters, sampling
from helpers.generation.beam import beam_search
from helpers.generation.sampling import GREEDY, Sampler, generate, generate_tokens
from helpers.models import ngram, ngram_counts
from helpers.models.broken_backoff import BrokenBackoff
from helpers.models.language_model import Uniform
from helpers.models.losses import softmax

P = np.array([0.5, 0.3, 0.1, 0.06, 0.04])
SCORES = np.log(P)
DOCUMENTS = [[1, 2, 3, 0], [1, 2, 4, 0], [5, 2, 3, 0], [1, 2, 3, 3, 0]]
MODEL = ngram.kneser_ney(ngram_counts.count_ngrams(DOCUMENTS, 3, 6), 0.5)


def kept(scores):
    return np.flatnonzero(np.isfinite(scores)).tolist()


@pytest.mark.parametrize(
    "T, expected",
    [(0.1, 0.999955), (0.2, 0.993307), (0.5, 0.880797), (0.7, 0.806678), (1, 0.731059), (2, 0.622459), (5, 0.549834)],
)
def test_temperature_of_two_logits(T, expected):
    assert softmax(filters.temperature([1.0, 2.0], T))[1] == pytest.approx(expected, abs=1e-6)
    assert softmax(filters.temperature([1.0, 2.0], T))[1] == pytest.approx(1 / (1 + np.exp(-1 / T)), abs=1e-12)


def test_filters_on_the_worked_distribution():
    assert softmax(filters.top_k(SCORES, 2))[:2] == pytest.approx([0.625, 0.375])
    assert softmax(filters.top_p(SCORES, 0.85))[:3] == pytest.approx([5 / 9, 3 / 9, 1 / 9])
    assert kept(filters.top_p(SCORES / 0.5, 0.85)) == [0, 1] and kept(filters.top_p(SCORES / 2, 0.85)) == [0, 1, 2, 3]
    after = softmax(filters.temperature(filters.top_p(SCORES, 0.85), 2))[:3]
    assert after == pytest.approx([0.4501, 0.3486, 0.2013], abs=5e-5)  # the order of top-p and temperature matters
    assert softmax(Sampler(temperature=2, top_p=0.85).scores(SCORES))[:4] == pytest.approx(
        [0.3894, 0.3016, 0.1741, 0.1349], abs=5e-5
    )
    assert kept(filters.min_p(SCORES, 0.2)) == [0, 1, 2] and kept(filters.min_p(SCORES, 0.0)) == [0, 1, 2, 3, 4]


def test_top_p_keeps_the_token_that_crosses_and_at_least_one():
    assert kept(filters.top_p(SCORES, 0.5)) == [0] and kept(filters.top_p(SCORES, 0.500001)) == [0, 1]
    assert kept(filters.top_p(SCORES, 1e-9)) == [0] and kept(filters.top_p(SCORES, 1.0)) == [0, 1, 2, 3, 4]


def test_top_k_keeps_exactly_k_where_scores_are_equal():
    assert kept(filters.top_k(np.zeros(5), 2)) == [0, 1] and kept(filters.top_k(np.zeros(5), 9)) == [0, 1, 2, 3, 4]


def test_penalties():
    scores = np.array([2.0, -1.0, 0.5])
    assert filters.repetition_penalty(scores, [0, 1, 1], 2.0).tolist() == [1.0, -2.0, 0.5]
    assert filters.presence_penalty(scores, [1, 1], 0.5).tolist() == [2.0, -1.5, 0.5]
    assert filters.frequency_penalty(scores, [1, 1, 0], 0.5).tolist() == [1.5, -2.0, 0.5]
    assert scores.tolist() == [2.0, -1.0, 0.5]  # untouched


@pytest.mark.parametrize(
    "settings_",
    [
        dict(temperature=-1),
        dict(temperature=float("nan")),
        dict(top_p=0),
        dict(top_p=1.1),
        dict(top_k=-1),
        dict(min_p=2),
        dict(typical_p=0),
        dict(repetition=0),
    ],
)
def test_bad_settings_are_refused(settings_):
    with pytest.raises(ValueError, match="expected"):
        Sampler(**settings_)


def test_an_empty_set_of_candidates_is_refused():
    with pytest.raises(ValueError, match="no token is left"):
        Sampler().probs(np.full(4, -np.inf))
    with pytest.raises(ValueError, match="greedy"):
        filters.temperature(SCORES, 0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-20, 20), min_size=1, max_size=40), st.floats(0.05, 1), st.integers(1, 50), st.floats(0.1, 5))
def test_every_sampler_gives_a_distribution_over_some_of_the_tokens(scores, p, k, T):
    for sampler in (
        Sampler(top_p=p),
        Sampler(top_k=k),
        Sampler(min_p=p),
        Sampler(typical_p=p),
        GREEDY,
        Sampler(temperature=T, top_k=k, top_p=p, min_p=p / 2, repetition=1.3, presence=0.2, frequency=0.1),
    ):
        probs = sampler.probs(np.array(scores), [0])
        assert probs.sum() == pytest.approx(1) and (probs >= 0).all()
        assert sampler.choose(np.array(scores), [0], np.random.default_rng(0)) in np.flatnonzero(probs)


def test_temperature_commutes_with_top_k():
    a = filters.temperature(filters.top_k(SCORES, 3), 0.7)
    b = filters.top_k(filters.temperature(SCORES, 0.7), 3)
    assert np.array_equal(a, b)


def test_generate_stops_for_three_reasons():
    assert generate(MODEL, [1], GREEDY, stop_ids=[0]).reason == "stop id"
    assert generate(MODEL, [1], GREEDY, max_tokens=2).reason == "length"
    stopped = generate(MODEL, [1], GREEDY, stop=lambda ids: ids[-1] == 3)
    assert stopped.reason == "stop" and stopped.ids[-1] == 3
    assert generate(MODEL, [1], max_tokens=0).ids == [] and generate(MODEL, max_tokens=0).mean_log_prob == 0


def test_generate_draws_from_the_model_and_reports_its_log_probabilities():
    written = generate(MODEL, [1], Sampler(temperature=0.7, top_k=3), max_tokens=8, rng=3)
    assert written.ids == generate(MODEL, [1], Sampler(temperature=0.7, top_k=3), max_tokens=8, rng=3).ids
    assert written.log_probs == pytest.approx(MODEL.score([1, *written.ids])[1:])
    first = [generate(MODEL, [1], max_tokens=1, rng=seed).ids[0] for seed in range(2000)]
    p = np.exp(MODEL.begin([1]).log_probs)
    assert np.abs(np.bincount(first, minlength=6) / 2000 - p).max() < 5 * 0.5 / np.sqrt(2000)


@pytest.mark.parametrize(
    "call",
    [lambda: generate(MODEL, [9]), lambda: generate(MODEL, [1], stop_ids=[6]), lambda: generate(MODEL, [1], max_tokens=-1)],
)
def test_generate_refuses_bad_input(call):
    with pytest.raises(ValueError, match="expected"):
        call()


def test_tokens_come_one_by_one_and_are_those_of_generate():
    settings_ = dict(max_tokens=12, stop_ids=[0], rng=4)
    tokens, whole, got = generate_tokens(MODEL, [1], **settings_), generate(MODEL, [1], **settings_), []
    while True:
        try:
            got.append(next(tokens))
        except StopIteration as end:
            assert end.value == whole.reason
            break
    assert [t.id for t in got] == whole.ids and [t.log_prob for t in got] == whole.log_probs and len(got) > 1


def test_a_token_is_there_before_it_is_read():
    asked = []
    tokens = generate_tokens(MODEL, [1], GREEDY, max_tokens=9, stop=lambda ids: asked.append(list(ids)))
    first = next(tokens)
    assert asked == [] and next(tokens).id == generate(MODEL, [1, first.id], GREEDY, max_tokens=1).ids[0]
    assert asked == [[first.id]]


def test_without_a_start_symbol_counts_know_a_shorter_context():
    for model in (MODEL, Uniform(6), BrokenBackoff(MODEL.counts)):
        assert len(generate(model, [2], GREEDY, max_tokens=4, start=False).ids) == 4
        assert len(generate(model, [], max_tokens=2, start=False).ids) == 2  # for counts an empty text has a next token
        long = [1, 2, 3]
        assert np.array_equal(model.begin(long, start=False).log_probs, model.begin(long).log_probs)  # the context is full anyway
    # after two start symbols comes 1 or 5; anywhere in a text 2 is likelier than 1
    assert MODEL.begin([]).log_probs.argmax() == 1 and MODEL.begin([], start=False).log_probs.argmax() != 1
    wide = ngram.kneser_ney(ngram_counts.count_ngrams(DOCUMENTS, 5, 6), 0.5)
    state = wide.begin([1, 2, 3], start=False)  # shorter than the context of 4: nothing of it may be lost
    assert state.context == (1, 2, 3) and not state.advance(3) and state.context == (1, 2, 3, 3)


def brute_force(model, prompt, length, end, penalty):
    """Every continuation of up to `length` tokens, closed by the end or cut at `length`."""
    done, open_ = [], [((), 0.0)]
    for n in range(1, length + 1):
        nxt = []
        for ids, total in open_:
            for id, lp in enumerate(model.begin([*prompt, *ids]).log_probs):
                (done if id == end or n == length else nxt).append(((*ids, id), total + lp))
        open_ = nxt
    return sorted(done, key=lambda x: -x[1] / len(x[0]) ** penalty)


def test_a_beam_as_wide_as_everything_finds_the_best_sum():
    best = brute_force(MODEL, [1], 3, 0, 0.0)
    found = beam_search(MODEL, [1], width=300, max_tokens=3, end_id=0, length_penalty=0.0)
    assert found[0].ids == best[0][0] and found[0].total == pytest.approx(best[0][1])


def test_width_one_is_greedy_and_steps_are_told():
    steps = []
    beam = beam_search(MODEL, [1], width=1, max_tokens=6, end_id=0, steps=steps)[0]
    written = generate(MODEL, [1], GREEDY, max_tokens=6, stop_ids=[0])
    assert list(beam.ids) == [*written.ids, 0] and beam.ended and len(steps) == len(beam.ids)
    assert beam.total == pytest.approx(float(MODEL.score([1, *beam.ids])[1:].sum()))


def test_the_sum_prefers_short_texts_and_the_mean_does_not():
    short = beam_search(MODEL, [1], width=6, max_tokens=6, end_id=0, length_penalty=0.0)[0]
    long = beam_search(MODEL, [1], width=6, max_tokens=6, end_id=0, length_penalty=2.0)[0]
    assert len(short.ids) <= len(long.ids)


def test_beam_search_refuses_bad_input():
    for arguments in (dict(width=0), dict(max_tokens=0), dict(end_id=7)):
        with pytest.raises(ValueError, match="expected"):
            beam_search(Uniform(5), [], **({"end_id": 0} | arguments))
    for early in ("always", 1, None, np.ones(2)):
        with pytest.raises(ValueError, match="expected early_stopping"):
            beam_search(Uniform(5), [], end_id=0, early_stopping=early)


class Pieces:
    """A tokenizer of five pieces."""

    pieces = ["x", "yST", "OPz", "STOP", "end"]

    def decode(self, ids):
        return "".join(self.pieces[i] for i in ids)


def test_stop_strings_across_tokens():
    stop = sampling.stop_at(Pieces(), ["STOP", "end"])
    assert not stop([0, 1]) and stop([0, 1, 2]) and stop([3]) and stop([0, 4])
    assert sampling.cut_at(Pieces().decode([0, 1, 2]), ["STOP", "end"]) == "xy"
    assert sampling.cut_at("b end a STOP", ["STOP", "end"]) == "b " and sampling.cut_at("go on", ["STOP"]) == "go on"
    for call in (lambda: sampling.cut_at("a", [""]), lambda: sampling.stop_at(Pieces(), ["STOP", ""])):
        with pytest.raises(ValueError, match="not empty"):
            call()


def test_generate_ends_at_a_stop_string():
    class Letters:
        decode = staticmethod(lambda ids: "".join("-ab  c"[i] for i in ids))

    written = generate(MODEL, [5], GREEDY, max_tokens=9, stop=sampling.stop_at(Letters, ["b "]))
    assert written.reason == "stop" and Letters.decode(written.ids).endswith("b ")
    assert sampling.cut_at(Letters.decode(written.ids), ["b "]) == ""


def test_p_of_1_keeps_every_token():
    scores = np.array([0.0, -40.0, -800.0])  # rounding: the first alone sums to 1
    assert np.array_equal(filters.top_p(scores, 1.0), scores) and np.array_equal(filters.typical(scores, 1.0), scores)


class _Toy:
    """A model of three tokens; probs(ids) are those of the next one."""

    vocab_size = 3

    def __init__(self, probs):
        self.probs = probs

    def begin(self, ids=()):
        return _ToyState(self.probs, list(ids))


class _ToyState:
    def __init__(self, probs, ids):
        self.probs, self.ids = probs, ids

    @property
    def log_probs(self):
        return np.log(self.probs(self.ids))

    def advance(self, id):
        self.ids = [*self.ids, id]

    def fork(self):
        return _ToyState(self.probs, list(self.ids))


def test_at_the_limit_living_beams_are_ranked_with_those_that_ended():
    model = _Toy(lambda ids: [0.5, 0.1, 0.4] if ids in ([], [0]) else [0.99, 0.005, 0.005])  # 2 ends a text
    found = beam_search(model, [], width=2, max_tokens=3, end_id=2)
    assert found[0].ids == (0, 0, 0) and found[0].score == pytest.approx(np.log([0.5, 0.5, 0.99]).mean())
    found = beam_search(model, [], width=2, max_tokens=3, end_id=2, early_stopping=True)
    assert [b.ids for b in found] == [(0, 2), (2,)]  # both had ended by then


def test_early_stopping_decides_how_long_beam_search_waits():
    model = _Toy(lambda ids: [0.3, 0.2, 0.5] if len(ids) < 2 else [1 - 2e-9, 1e-9, 1e-9])
    for early, penalty, length in ((True, 1, 1), (False, 1, 1), ("never", 1, 20), ("never", 0, 1), ("never", -1, 1)):
        arguments = dict(width=1, max_tokens=20, end_id=2, length_penalty=penalty, early_stopping=early)
        assert len(beam_search(model, [], **arguments)[0].ids) == length, arguments
