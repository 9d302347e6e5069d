"""n-gram models (performance targets 2a and 2b): fitting Kneser-Ney and scoring text, beside nltk.lm and KenLM."""

import math
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from helpers.data import datasets
from helpers.models import ngram, ngram_counts
from helpers.models.language_model import encode_documents
from helpers.tokenizers.plain import WordTokenizer
from tests.benchmarks.harness import Case, needs
from tests.tools import arpa

N_FIT, N_COMPARED, DISCOUNT = 600, 25, 0.1  # documents of the slice; tokens that nltk scores (it is slow); nltk's own discount
NO_LMPLZ = "its trainer lmplz is a program of its own, not part of the Python package"


@cache
def data():
    """(tokenizer, training documents, test documents): the leads as words."""
    texts = {split: [lead.text for lead in datasets.leads(split=split)] for split in ("train", "test")}
    tokenizer = WordTokenizer.train(texts["train"])
    return tokenizer, encode_documents(tokenizer, texts["train"]), encode_documents(tokenizer, texts["test"])


def nltk_fit(documents, order):
    """nltk's interpolated Kneser-Ney from the n-grams that end in real tokens, after order - 1 start symbols."""
    from nltk.lm import KneserNeyInterpolated, Vocabulary

    model = KneserNeyInterpolated(order, discount=DISCOUNT, vocabulary=Vocabulary())
    for ids in documents:
        row = ["<s>"] * (order - 1) + ids.tolist()
        model.counts.update([[tuple(row[e - k + 1 : e + 1]) for e in range(order - 1, len(row)) for k in range(1, order + 1)]])
    return model


def like_nltk(documents, order, vocab_size):
    return ngram.kneser_ney(ngram_counts.count_ngrams(documents, order, vocab_size), [0.0] + [DISCOUNT] * (order - 1))


def compared_tokens(documents, order):
    """(context, token) for the first tokens of a document, start symbols included."""
    row = ["<s>"] * (order - 1) + documents[0].tolist()
    return [(tuple(row[i - order + 1 : i]), row[i]) for i in range(order - 1, order - 1 + N_COMPARED)]


def nltk_scores(model, documents, order):
    return np.log([model.unmasked_score(word, context) for context, word in compared_tokens(documents, order)])


def same_log_probs(ours, theirs):
    assert np.abs(ours[: len(theirs)] - theirs).max() < 1e-9, "log-probabilities differ"


def kenlm_case(model, documents, n_tokens):
    import kenlm

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.arpa"
        arpa.write(model, path)
        theirs = kenlm.Model(str(path))
    lines = [arpa.text(ids) for ids in documents]

    def same(ours, totals):
        for ids, scores, total in list(zip(documents, ours, totals))[:50]:
            n = model.order - 1  # the first n tokens without start symbols before them, as KenLM scores them here
            first = sum(math.log(model.path(ids[:i])[-1][3][ids[i]]) for i in range(n))
            assert abs(first + scores[n:].sum() - total * math.log(10)) < 2e-5 * len(ids), "scores differ"

    return Case(
        name=f"score {n_tokens:,} tokens with modified Kneser-Ney, order {model.order} (from ids; KenLM from text)",
        item="2b",
        ours=lambda: model.score_batch(documents),
        peers={"KenLM (Python)": lambda: [theirs.score(line, bos=False, eos=False) for line in lines]},
        same=same,
        targets={"KenLM (Python)": 5.0},
        stretch={"KenLM (Python)": 2.0},
        amounts={"ours": n_tokens, "KenLM (Python)": n_tokens},
        unit="tokens",
        note="target: at least 0.2x KenLM's speed",
    )


def cases() -> list[Case]:
    tokenizer, train, test = data()
    V, slice_, listed = tokenizer.vocab_size, train[:N_FIT], []
    n_slice, n_all, n_test = (sum(map(len, d)) for d in (slice_, train, test))
    for order in (3, 5):
        listed.append(
            Case(
                name=f"fit Kneser-Ney, order {order}, {n_slice:,} word tokens",
                item="2a",
                ours=lambda o=order: like_nltk(slice_, o, V),
                peers={"nltk.lm": needs("nltk", lambda o=order: lambda: nltk_fit(slice_, o)), "KenLM": NO_LMPLZ},
                targets={"nltk.lm": 1 / 20},
                amounts={"ours": n_slice, "nltk.lm": n_slice},
                unit="tokens",
                same=lambda ours, theirs, o=order: same_log_probs(ours.score(slice_[0]), nltk_scores(theirs, slice_, o)),
            )
        )
        listed.append(
            Case(
                name=f"fit modified Kneser-Ney, order {order}, all {n_all:,} word tokens",
                item="2a",
                ours=lambda o=order: ngram.kneser_ney(ngram_counts.count_ngrams(train, o, V)),
                peers={"KenLM": NO_LMPLZ},
                amounts={"ours": n_all},
                unit="tokens",
            )
        )

        def scored_by_nltk(o=order):
            model = nltk_fit(slice_, o)
            return lambda: nltk_scores(model, slice_, o)

        small = like_nltk(slice_, order, V)
        listed.append(
            Case(
                name=f"score text, Kneser-Ney order {order} of the slice",
                item="2b",
                ours=lambda m=small: np.concatenate(m.score_batch(slice_)),
                peers={"nltk.lm": needs("nltk", scored_by_nltk)},
                same=same_log_probs,
                targets={"nltk.lm": 1 / 5000},
                amounts={"ours": n_slice, "nltk.lm": N_COMPARED},
                unit="tokens",
                note=f"nltk scores {N_COMPARED} tokens",
            )
        )
        model = ngram.kneser_ney(ngram_counts.count_ngrams(train, order, V)) if order == 3 else None
        if model is not None and not isinstance(needs("kenlm", lambda: print), str):
            listed.append(kenlm_case(model, test, n_test))
    return listed
