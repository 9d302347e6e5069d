"""Our n-gram probabilities are those of nltk.lm, on the same n-grams, to 1e-9; text scores those of KenLM where it is installed.

nltk's own ways, and how the comparison meets them:
- Its vocabulary always holds "<UNK>", so one id of ours has no occurrence.
- Its own padding also counts n-grams that *end* in a start symbol (as if "<s>" were predicted) and makes "<s>" a word of the
  vocabulary. We hand it the n-grams that end in real tokens, after n - 1 start symbols, and a vocabulary without "<s>".
- Its Kneser-Ney and absolute discounting leave the unigrams as they are: no discount, no uniform distribution below them.
  So our discount for length 1 is 0. Its Kneser-Ney counts a start symbol as a left neighbor, as we do.
- Its Kneser-Ney of order 1 divides by zero, for want of bigrams; ours falls back to plain counts.
- After a context that was never seen it gives 0 with MLE, 1/V with Lidstone, and the shorter context's answer with the others.
"""

import itertools
import math

import numpy as np
import pytest

from helpers.models import ngram, ngram_counts

nltk_lm = pytest.importorskip("nltk.lm")

TEXTS = [
    "we count words daily",
    "today we count words",
    "daily we count",
    "words we count we count today",
    "count words",
    "we say words we count",
    "say today",
]
SENTENCES = [text.split() + ["</s>"] for text in TEXTS]
WORDS = ["<UNK>", *sorted({w for s in SENTENCES for w in s})]
IDS = {w: i for i, w in enumerate(WORDS)}
DOCUMENTS = [[IDS[w] for w in s] for s in SENTENCES]


def nltk_ngrams(order):
    """All n-grams of length 1 to order that end in a real token, with order - 1 start symbols before each sentence."""
    for sentence in SENTENCES:
        row = ["<s>"] * (order - 1) + sentence
        yield [tuple(row[end - k + 1 : end + 1]) for end in range(order - 1, len(row)) for k in range(1, order + 1)]


def nltk_model(kind, order, *args):
    vocabulary = nltk_lm.Vocabulary(WORDS[1:], unk_cutoff=1)
    vocabulary.unk_label = "<UNK>"
    model = kind(*args, order=order, vocabulary=vocabulary)
    # masking would turn "<s>" into "<UNK>", since it is no word: fill the counts directly
    model.counts.update(nltk_ngrams(order))
    return model


def contexts(order):
    """Every context that a text can reach, seen or not: start symbols, then words."""
    for starts in range(order):
        for words in itertools.product(WORDS[1:], repeat=order - 1 - starts):
            yield ("<s>",) * starts + words


def compare(ours, theirs, order):
    worst = 0.0
    for context in contexts(order):
        got = ours.path([IDS.get(w, len(WORDS)) for w in context])[-1][3]
        expected = [theirs.unmasked_score(w, context or None) for w in WORDS]
        worst = max(worst, float(np.abs(got - expected).max()))
    return worst


CASES = {
    "MLE": (nltk_lm.MLE, (), lambda c: ngram.maximum_likelihood(c)),
    "Laplace": (nltk_lm.Laplace, (), lambda c: ngram.laplace(c)),
    "Lidstone": (nltk_lm.Lidstone, (0.3,), lambda c: ngram.add_k(c, 0.3)),
    "Kneser-Ney": (nltk_lm.KneserNeyInterpolated, (), lambda c: ngram.kneser_ney(c, [0.0] + [0.1] * (c.order - 1))),
    "absolute": (
        nltk_lm.AbsoluteDiscountingInterpolated,
        (),
        lambda c: ngram.absolute_discounting(c, [0.0] + [0.75] * (c.order - 1)),
    ),
}


@pytest.mark.parametrize(
    "name, order", [(name, order) for name in CASES for order in (1, 2, 3, 4) if (name, order) != ("Kneser-Ney", 1)]
)
def test_probabilities_are_those_of_nltk(name, order):
    kind, args, build = CASES[name]
    ours = build(ngram_counts.count_ngrams(DOCUMENTS, order, len(WORDS)))
    assert compare(ours, nltk_model(kind, order, *args), order) < 1e-9


def test_sentence_scores_are_those_of_nltk():
    order = 3
    ours = ngram.kneser_ney(ngram_counts.count_ngrams(DOCUMENTS, order, len(WORDS)), [0.0, 0.1, 0.1])
    theirs = nltk_model(nltk_lm.KneserNeyInterpolated, order)
    sentence = "today we say words daily </s>".split()
    row = ["<s>"] * (order - 1) + sentence
    expected = [math.log(theirs.unmasked_score(row[i], tuple(row[i - 2 : i]))) for i in range(2, len(row))]
    assert np.abs(ours.score([IDS[w] for w in sentence]) - expected).max() < 1e-9


def test_text_scores_are_those_of_kenlm(tmp_path):
    """The same modified Kneser-Ney model, written as ARPA file and read by KenLM (which keeps single precision)."""
    kenlm = pytest.importorskip("kenlm")
    from tests.tools import arpa

    rng = np.random.default_rng(0)
    documents = [np.minimum(rng.geometric(0.08, size=40), 59) for _ in range(300)]
    model = ngram.kneser_ney(ngram_counts.count_ngrams(documents[:250], 3, 60))
    arpa.write(model, tmp_path / "model.arpa")
    theirs = kenlm.Model(str(tmp_path / "model.arpa"))
    worst = 0.0
    for ids in documents[250:]:
        got = [score * math.log(10) for score, *_ in theirs.full_scores(arpa.text(ids), bos=False, eos=False)]
        worst = max(worst, float(np.abs(model.score(ids)[2:] - got[2:]).max()))  # the first two have start symbols before them
    assert worst < 2e-5
