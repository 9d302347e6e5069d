"""Exercise 1.8, The scaler that peeks: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def standardize(X, n_train):
    """Scale the columns of X (n, d) to mean 0, deviation 1; return the first n_train rows, and the rest."""
    train = X[:n_train]
    mean, std = train.mean(axis=0), train.std(axis=0)
    Z = (X - mean) / std
    return Z[:n_train], Z[n_train:]


def standardize_on_all(X, n_train):
    """Scale the columns of X (n, d) to mean 0, deviation 1; return the first n_train rows, and the rest."""
    mean, std = X.mean(axis=0), X.std(axis=0)
    Z = (X - mean) / std
    return Z[:n_train], Z[n_train:]


def standardize_each(X, n_train):
    train, test = X[:n_train], X[n_train:]
    return (train - train.mean(axis=0)) / train.std(axis=0), (test - test.mean(axis=0)) / test.std(axis=0)


def standardize_by_variance(X, n_train):
    train = X[:n_train]
    Z = (X - train.mean(axis=0)) / train.var(axis=0)
    return Z[:n_train], Z[n_train:]


def standardize_one_mean(X, n_train):
    train = X[:n_train]
    Z = (X - train.mean()) / train.std()
    return Z[:n_train], Z[n_train:]


def standardize_train_only(X, n_train):
    train = X[:n_train]
    return (train - train.mean(axis=0)) / train.std(axis=0), X[n_train:]


def standardize_on_test(X, n_train):
    test = X[n_train:]
    Z = (X - test.mean(axis=0)) / test.std(axis=0)
    return Z[:n_train], Z[n_train:]


def standardize_n_minus_one(X, n_train):
    train = X[:n_train]
    Z = (X - train.mean(axis=0)) / train.std(axis=0, ddof=1)
    return Z[:n_train], Z[n_train:]


def standardize_only_centers(X, n_train):
    Z = X - X[:n_train].mean(axis=0)
    return Z[:n_train], Z[n_train:]


def draw_standardize(rng: np.random.Generator) -> tuple:
    return rng.normal(size=(int(rng.integers(7, 10)), 3)) * [1, 10, 0.1] + [0, 5, -2], int(rng.integers(3, 6))


def check_standardize(t: Trial) -> None:
    cases = [
        ([[0.0, 1.0], [4.0, 2.0], [6.0, 7.0], [8.0, 7.5]], 2),
        ([[1.0, 10.0], [2.0, 30.0], [6.0, 20.0], [3.0, 15.0], [100.0, 0.0]], 3),
    ]
    for X, n_train in [*cases, *t.fresh(draw_standardize)]:
        X = np.array(X)
        got, expected = t.call(X, n_train), standardize(X, n_train)
        t.several(got, 2, "must return two arrays: (train, test)", expected)
        t.close(got[0], expected[0], what="the scaled training part")
        t.close(got[1], expected[1], what="the scaled test part")


HINTS = (
    "Which rows may the mean and the standard deviation know about on the day the model is trained?",
    "Compute both numbers from X[:n_train] alone. Then use the same two numbers for all rows.",
)
WRONG = (
    Wrong(
        standardize_on_all,
        "computes mean and standard deviation over all rows, the test rows among them: they "
        "leak into training. Use the first n_train rows alone",
    ),
    Wrong(
        standardize_each,
        "scales the test part by its own mean and standard deviation: the same input would then mean "
        "different things in training and in use. Apply the numbers of the training rows",
    ),
    Wrong(standardize_by_variance, "divides by the variance: the standard deviation is its square root (.std)"),
    Wrong(standardize_n_minus_one, "divides by n - 1 inside the deviation (ddof=1): the training part then has not deviation 1"),
    Wrong(standardize_only_centers, "subtracts the mean but does not divide by the standard deviation"),
    Wrong(standardize_one_mean, "uses one mean for the whole table: each column has its own (axis=0)"),
    Wrong(standardize_train_only, "returns the test part unscaled: the weights were fitted to scaled columns"),
    Wrong(standardize_on_test, "takes mean and standard deviation from the test rows: it should be the other part"),
)
EXERCISE = Exercise(
    "1.8",
    "The scaler that peeks",
    "find the bug",
    standardize,
    check_standardize,
    HINTS,
    WRONG,
    points=2,
    start=standardize_on_all,
)
