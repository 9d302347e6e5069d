"""The yardstick and the interface: worked numbers, refusals, and the two plain tokenizers."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.evaluation import yardstick
from helpers.generation.sampling import generate
from helpers.models import language_model as lm
from helpers.models import ngram, ngram_counts
from helpers.models.broken_backoff import BrokenBackoff
from helpers.tokenizers.plain import ByteTokenizer, WordTokenizer, pieces

P = np.array([0.10, 0.20, 0.05, 0.50, 0.30, 0.40, 0.15, 0.25])
TEXTS = ["we count words daily", "today we count words", "naïve café, 数え words!"]


# --------------------------------------------------------------------------------------------------------- perplexity


def test_perplexity_is_the_geometric_mean_form():
    assert float(yardstick.perplexity(np.log(P), unit="word")) == pytest.approx(5.081327, abs=5e-7)
    assert float(yardstick.perplexity(np.log(P), unit="word")) == pytest.approx(np.prod(P) ** (-1 / 8), rel=1e-12)
    assert float(yardstick.perplexity(np.full(3000, math.log(0.01)), unit="token")) == pytest.approx(100)  # no underflow


def test_a_uniform_model_has_perplexity_v():
    model = lm.Uniform(32_000)
    scores = model.score([5, 6, 7])
    assert -scores.mean() == pytest.approx(10.373491, abs=5e-7)
    assert -scores.mean() / math.log(2) == pytest.approx(14.965784, abs=5e-7)
    assert float(yardstick.perplexity(scores, unit="token")) == pytest.approx(32_000)
    assert isinstance(model, lm.LanguageModel)


def test_perplexities_carry_their_unit_and_compare_only_within_it():
    a, b = yardstick.perplexity(np.log(P), unit="word"), yardstick.perplexity(np.log(P) - 1, unit="word")
    assert a < b and str(a) == "5.081 per word" and a.n == 8
    with pytest.raises(ValueError, match="use bits per byte"):
        a < yardstick.perplexity(np.log(P), unit="token")  # noqa: B015
    assert float(yardstick.perplexity(np.log(P), unit="word", n=4)) == pytest.approx(5.081327**2, rel=1e-6)
    assert float(yardstick.perplexity([-math.inf], unit="token")) == math.inf


@pytest.mark.parametrize(
    "log_probs, unit, n",
    [([], "word", None), (np.log(P), "", None), (P, "word", None), ([math.nan], "word", None), (np.log(P), "word", 0)],
)
def test_perplexity_refuses(log_probs, unit, n):
    with pytest.raises(ValueError, match="expected"):
        yardstick.perplexity(log_probs, unit=unit, n=n)


def test_seventeen_per_token_and_086_bits_per_byte_mean_475_bytes_per_token():
    r = yardstick.BitsPerByte(0.86, 0.8, 0.9, 1, 100, 475, np.array([408.5]), np.array([475.0]))
    assert r.bytes_per_token == 4.75 and r.perplexity.value == pytest.approx(17.0, abs=0.05)
    assert math.log2(17) / 0.86 == pytest.approx(4.75, abs=0.005)


# ------------------------------------------------------------------------------------------------------ bits per byte


def test_bits_per_byte_counts_all_tokens_and_all_bytes():
    tokenizer = ByteTokenizer()
    r = yardstick.bits_per_byte(lm.Uniform(257), tokenizer, TEXTS)
    n_bytes = sum(len(t.encode()) for t in TEXTS)
    assert r.score == pytest.approx(math.log2(257) * (n_bytes + 3) / n_bytes)
    assert r.n_bytes == n_bytes and r.n_tokens == n_bytes + 3
    assert r.low <= r.score <= r.high and r.n_documents == 3
    assert str(r) == f"{r.score:.3f} [{r.low:.3f}, {r.high:.3f}]"


def test_the_broken_backoff_is_refused_and_kneser_ney_is_not():
    tokenizer = ByteTokenizer()
    counts = ngram_counts.count_ngrams(lm.encode_documents(tokenizer, TEXTS), 3, tokenizer.vocab_size)
    with pytest.raises(ValueError, match="sum to .*expected 1"):
        yardstick.bits_per_byte(BrokenBackoff(counts), tokenizer, TEXTS)
    assert yardstick.bits_per_byte(ngram.kneser_ney(counts), tokenizer, TEXTS).score < 4
    worst = yardstick.check_sums_to_one(ngram.kneser_ney(counts), lm.encode_documents(tokenizer, TEXTS))
    assert worst < 1e-12


def test_a_model_that_scores_by_other_numbers_than_it_shows_is_refused():
    class TwoFaced(lm.Uniform):
        def score(self, ids):
            return super().score(ids) + 1.0

    with pytest.raises(ValueError, match="to be the same model"):
        yardstick.bits_per_byte(TwoFaced(257), ByteTokenizer(), TEXTS)


def test_a_tokenizer_that_loses_text_is_refused():
    class Lower(ByteTokenizer):
        def encode(self, text):
            return super().encode(text.lower())

    yardstick.bits_per_byte(lm.Uniform(257), Lower(), ["small"])
    with pytest.raises(ValueError, match="gives every text back"):
        yardstick.bits_per_byte(lm.Uniform(257), Lower(), ["Capital"])


@pytest.mark.parametrize("texts", [[], [""], ["", ""]], ids=str)
def test_nothing_to_measure_is_refused(texts):
    with pytest.raises(ValueError, match="at least one"):
        yardstick.bits_per_byte(lm.Uniform(257), ByteTokenizer(), texts)


def test_one_string_is_no_list_of_texts_and_a_tokenizer_needs_an_end():
    with pytest.raises(TypeError, match="write"):
        yardstick.bits_per_byte(lm.Uniform(257), ByteTokenizer(), "one text")
    with pytest.raises(ValueError, match="with an end of text"):
        lm.end_of_text(object())

    class Special:
        special_tokens = {lm.END_OF_TEXT: 0}

    assert lm.end_of_text(Special()) == 0 and lm.end_of_text(ByteTokenizer()) == 256


def test_an_impossible_token_costs_infinity():
    tokenizer = ByteTokenizer()
    model = ngram.maximum_likelihood(ngram_counts.count_ngrams(lm.encode_documents(tokenizer, ["aab"]), 1, 257))
    assert yardstick.bits_per_byte(model, tokenizer, ["ac"]).score == math.inf


@pytest.mark.parametrize(
    "ids, error", [([300], ValueError), ([-1], ValueError), ([1.5], TypeError), ([[1]], TypeError), (["a"], TypeError)]
)
def test_ids_are_checked(ids, error):
    with pytest.raises(error, match="expected"):
        lm.Uniform(257).score(ids)
    with pytest.raises(error, match="expected"):
        lm.check_ids(ids, 257)


def test_uniform_needs_a_vocabulary():
    with pytest.raises(ValueError, match="vocab_size"):
        lm.Uniform(0)


def test_samples_stop_at_the_end_and_repeat_with_their_seed():
    tokenizer = ByteTokenizer()
    model = ngram.kneser_ney(ngram_counts.count_ngrams(lm.encode_documents(tokenizer, TEXTS), 4, 257))
    one, two = (generate(model, tokenizer.encode("we"), max_tokens=30, stop_ids=[256], rng=5).ids for _ in range(2))
    assert one == two and 256 not in one and len(one) <= 30


# --------------------------------------------------------------------------------------------------- plain tokenizers


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60))
def test_both_tokenizers_give_every_text_back(text):
    assert "".join(pieces(text)) == text
    for tokenizer in (ByteTokenizer(), WORDS):
        ids = tokenizer.encode(text)
        assert tokenizer.decode(ids) == text and all(0 <= i < tokenizer.vocab_size and i != tokenizer.end_id for i in ids)


WORDS = WordTokenizer.train(TEXTS * 2, min_count=2)


def test_words_are_numbered_by_count_then_by_code_point():
    t = WordTokenizer.train(["b a a", "b c"], min_count=1)
    assert t.words == [" a", "b", " c"] and t.vocab_size == 260 and t.encode("b a") == [258, 257]
    assert WordTokenizer.train(["b a a", "b c"], min_count=2).words == [" a", "b"]
    assert WordTokenizer.train(["b a a", "b c"], min_count=1, max_words=1).words == [" a"]
    forth, back = (WordTokenizer.train(texts, min_count=1).words for texts in (["c b", "a b a"], ["a b a", "c b"]))
    assert forth == back


def test_unknown_words_are_spelled_out():
    t = WordTokenizer(["The", " river"])
    assert t.encode("The Po") == [257, *b" Po"] and t.decode(t.encode("The Po") + [t.end_id]) == "The Po"
    assert t.knows(" river") and not t.knows("river") and t.token_bytes(257) == b"The"


def test_invalid_utf8_becomes_a_replacement_sign():
    assert ByteTokenizer().decode([255, 97]) == "\ufffda" and WORDS.decode([195]) == "\ufffd"


def test_plain_tokenizers_refuse():
    for call in (lambda: ByteTokenizer().decode([257]), lambda: WORDS.decode([-1]), lambda: WORDS.token_bytes(10**6)):
        with pytest.raises(ValueError, match="expected an id"):
            call()
    for call in (lambda: ByteTokenizer().encode(b"x"), lambda: WORDS.encode(3), lambda: WordTokenizer.train("text")):
        with pytest.raises(TypeError, match="expected"):
            call()
    with pytest.raises(ValueError, match="min_count"):
        WordTokenizer.train(TEXTS, min_count=0)
    with pytest.raises(ValueError, match="once"):
        WordTokenizer(["a", "a"])
    assert WordTokenizer.train([]).vocab_size == 257  # no words: everything is spelled out


def test_an_empty_text_among_others_does_not_spoil_the_interval():
    found = yardstick.bits_per_byte(lm.Uniform(257), ByteTokenizer(), ["", "abc"], n_contexts=1)
    assert np.isfinite([found.score, found.low, found.high]).all()
