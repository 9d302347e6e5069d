"""Bag of words against scikit-learn: the same counts, the same TF-IDF, the same naive Bayes, the same hashed rows."""

import numpy as np
import pytest
import regex
from sklearn.cluster import KMeans
from sklearn.feature_extraction import text as sk
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB

from helpers.data import datasets
from helpers.features import bag_of_words, clustering, tfidf
from helpers.features.hashing import HashingVectorizer
from helpers.models.logistic import SoftmaxRegression
from helpers.models.naive_bayes import NaiveBayes

WORD = r"\w+"


@pytest.fixture(scope="module")
def leads():
    """Texts without marks that belong to a letter: scikit-learn's pattern cuts words there, ours does not."""
    texts = [" ".join(lead.text.split()) for language in ("en", "fr", "es") for lead in datasets.leads(language, split="valid")]
    return [text for text in texts if not regex.search(r"\p{M}|\u0130", text)]


def reordered(ours, theirs):
    """Their columns in our order; the same n-grams must be there."""
    assert set(theirs.vocabulary_) == set(ours.vocabulary.words)
    return [theirs.vocabulary_[word] for word in ours.vocabulary.words]


@pytest.mark.parametrize(
    "settings, theirs",
    [
        ({}, {}),
        ({"grams": (1, 2)}, {"ngram_range": (1, 2)}),
        ({"grams": (2, 3), "min_df": 2}, {"ngram_range": (2, 3), "min_df": 2}),
        ({"binary": True, "max_df": 0.3, "min_df": 3}, {"binary": True, "max_df": 0.3, "min_df": 3}),
        ({"grams": (1, 2), "stop_words": ["the", "of", "la"]}, {"ngram_range": (1, 2), "stop_words": ["the", "of", "la"]}),
        ({"grams": (1, 3), "unit": "char", "min_df": 2}, {"ngram_range": (1, 3), "analyzer": "char", "min_df": 2}),
    ],
)
def test_counts_are_equal(leads, settings, theirs):
    texts = [text[:120] for text in leads] if settings.get("unit") == "char" else leads
    pattern = {} if "unit" in settings else {"token_pattern": WORD}
    ours, peer = bag_of_words.CountVectorizer(**settings), sk.CountVectorizer(**pattern, **theirs)
    X, Y = ours.fit_transform(texts), peer.fit_transform(texts)
    columns = reordered(ours, peer)
    assert X.dtype == Y.dtype and (X != Y[:, columns]).nnz == 0
    new = ["An unseen text about the sea, la mer.", "", "zzzz"]
    assert (ours.transform(new) != peer.transform(new)[:, columns]).nnz == 0


@pytest.mark.parametrize("sublinear", [False, True])
@pytest.mark.parametrize("grams", [(1, 1), (1, 2)])
def test_tfidf_is_equal(leads, sublinear, grams):
    ours = bag_of_words.TfidfVectorizer(sublinear=sublinear, grams=grams, min_df=2)
    peer = sk.TfidfVectorizer(token_pattern=WORD, sublinear_tf=sublinear, ngram_range=grams, min_df=2)
    X, Y = ours.fit_transform(leads), peer.fit_transform(leads)
    columns = reordered(ours, peer)
    assert abs(X - Y[:, columns]).max() < 1e-14
    np.testing.assert_allclose(ours.idf, peer.idf_[columns], rtol=1e-14)


def test_the_tokenizer_of_scikit_learn_can_be_plugged_in(leads):
    peer = sk.CountVectorizer()
    ours = bag_of_words.CountVectorizer(tokenize=lambda text: peer.build_tokenizer()(text.lower()))
    assert (ours.fit_transform(leads[:50]) != peer.fit_transform(leads[:50])[:, reordered(ours, peer)]).nnz == 0


@pytest.mark.parametrize("alpha", [1.0, 0.1, 1e-3])
def test_naive_bayes_is_equal(alpha):
    rows = [lead for lead in datasets.leads(split="valid") if lead.topic]
    names = sorted({lead.topic for lead in rows})
    y = np.array([names.index(lead.topic) for lead in rows])
    X = bag_of_words.CountVectorizer().fit_transform([lead.text for lead in rows])
    ours, peer = NaiveBayes(alpha).fit(X, y), MultinomialNB(alpha=alpha).fit(X, y)
    np.testing.assert_allclose(ours.log_likelihood.T, peer.feature_log_prob_, rtol=1e-13)
    np.testing.assert_allclose(ours.log_prior, peer.class_log_prior_, rtol=1e-13)
    np.testing.assert_allclose(ours.probabilities(X), peer.predict_proba(X), atol=1e-11)
    assert (ours.predict(X) == peer.predict(X)).all()


@pytest.mark.parametrize("signed, length", [(True, True), (False, False), (True, False)])
@pytest.mark.parametrize("size", [2**18, 1000, 7])
def test_hashed_rows_are_equal(leads, signed, length, size):
    ours = HashingVectorizer(size, signed=signed, unit_length=length, grams=(1, 2))
    peer = sk.HashingVectorizer(
        n_features=size, alternate_sign=signed, norm="l2" if length else None, token_pattern=WORD, ngram_range=(1, 2)
    )
    assert abs(ours.transform(leads[:150]) - peer.transform(leads[:150])).max() < 1e-14


def test_k_means_is_equal_from_the_same_start():
    rng = np.random.default_rng(0)
    X = tfidf.unit_rows(rng.normal(size=(300, 5)))
    start = rng.choice(300, 4, replace=False)
    ours, peer = clustering.k_means(X, 4, start=start), KMeans(4, init=X[start], n_init=1, algorithm="lloyd", tol=0).fit(X)
    assert (ours.labels == peer.labels_).all()
    assert ours.inertia == pytest.approx(peer.inertia_, rel=1e-10)


def test_logistic_regression_on_sparse_rows_reaches_the_same_loss():
    rows = [lead for lead in datasets.leads(split="valid") if lead.topic]
    names = sorted({lead.topic for lead in rows})
    y = np.array([names.index(lead.topic) for lead in rows])
    X = bag_of_words.TfidfVectorizer(min_df=2, sublinear=True).fit_transform([lead.text for lead in rows])
    ours = SoftmaxRegression(l2=1e-3).fit(X, y)
    peer = LogisticRegression(C=1 / (len(y) * 1e-3), tol=1e-8, max_iter=2000).fit(X, y)
    np.testing.assert_allclose(ours.probabilities(X), peer.predict_proba(X), atol=1e-5)
