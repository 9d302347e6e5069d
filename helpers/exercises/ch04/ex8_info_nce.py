"""Exercise 4.8, InfoNCE with in-batch negatives: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def info_nce(A, B, temperature):
    """Mean InfoNCE loss of n pairs: row i of A (n, d) belongs to row i of B (n, d); the other rows of B are its negatives."""
    S = A @ B.T / temperature
    S = S - S.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(S).sum(axis=1)) - np.diag(S)))


def info_nce_without_temperature(A, B, temperature):
    return info_nce(A, B, 1.0)


def info_nce_times_temperature(A, B, temperature):
    return info_nce(A, B, 1 / temperature)


def info_nce_without_own_pair(A, B, temperature):
    S = A @ B.T / temperature
    E = np.exp(S)
    return float(-np.mean(np.diag(S) - np.log(E.sum(axis=1) - np.diag(E))))


def info_nce_sum(A, B, temperature):
    return info_nce(A, B, temperature) * len(A)


def info_nce_columns(A, B, temperature):
    return info_nce(B, A, temperature)


def info_nce_positive_only(A, B, temperature):
    return float(-np.mean(np.sum(A * B, axis=1)) / temperature)


def info_nce_overflows(A, B, temperature):
    with np.errstate(over="ignore", invalid="ignore"):
        E = np.exp(A @ B.T / temperature)
        return float(-np.mean(np.log(np.diag(E) / E.sum(axis=1))))


def info_nce_log_of_infinity(A, B, temperature):
    S = A @ B.T / temperature
    with np.errstate(over="ignore"):
        return float(np.mean(np.log(np.exp(S).sum(axis=1)) - np.diag(S)))


def info_nce_one_maximum(A, B, temperature):
    S = A @ B.T / temperature
    S = S - S.max()
    with np.errstate(divide="ignore"):
        return float(np.mean(np.log(np.exp(S).sum(axis=1)) - np.diag(S)))


def info_nce_clipped(A, B, temperature):
    S = np.clip(A @ B.T / temperature, -700, 700)
    return float(np.mean(np.log(np.exp(S).sum(axis=1)) - np.diag(S)))


def info_nce_both_ways(A, B, temperature):
    return (info_nce(A, B, temperature) + info_nce(B, A, temperature)) / 2


def info_nce_unit_length(A, B, temperature):
    return info_nce(*(M / np.linalg.norm(M, axis=1, keepdims=True) for M in (A, B)), temperature)


def draw_info_nce(rng: np.random.Generator) -> tuple:
    n, d = int(rng.integers(2, 6)), int(rng.integers(2, 5))
    return rng.normal(size=(n, d)), rng.normal(size=(n, d)), float(rng.uniform(0.2, 2))


def check_info_nce(t: Trial) -> None:
    rng = np.random.default_rng(2)
    cases = [
        (np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([[1.0, 2.0], [0.0, 1.0]]), 0.5),
        (np.ones((3, 2)), np.ones((3, 2)), 1.0),
        (rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), 2.0),
        (np.eye(3) * 40, np.eye(3) * 40, 0.05),
        (np.array([[40.0, 0.0], [0.0, 1.0]]), np.array([[40.0, 39.9], [1.0, 1.0]]), 0.05),
    ]
    for A, B, temperature in [*cases, *t.fresh(draw_info_nce)]:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            got = t.call(A, B, temperature)
        t.close(got, info_nce(A, B, temperature), rtol=1e-7, atol=1e-9, what="the loss")


HINTS = (
    "S = A @ B.T / temperature holds the similarity of every row of A with every row of B. The right answers stand on "
    "the diagonal.",
    "Each row is a softmax over n candidates (chapter 02): -ln of the probability at the diagonal, then the mean.",
    "Subtract the largest entry of each row before exp: with a temperature of 0.05 the similarities become large.",
)
WRONG = (
    Wrong(info_nce_without_temperature, "ignores the temperature"),
    Wrong(
        info_nce_times_temperature,
        "multiplies by the temperature; a small temperature must make the differences larger, so divide",
    ),
    Wrong(
        info_nce_without_own_pair,
        "leaves the true pair out of the denominator; the softmax runs over all candidates, the right one included",
    ),
    Wrong(info_nce_sum, "adds the losses up; the result is the mean over the batch"),
    Wrong(info_nce_columns, "runs the softmax over the rows of A; for each row of A the candidates are the rows of B"),
    Wrong(info_nce_both_ways, "averages over both directions; here only the rows of A look for their partner"),
    Wrong(info_nce_unit_length, "divides the rows by their lengths first; take A and B as they come"),
    Wrong(info_nce_positive_only, "pulls the pairs together and never compares with the others; the negatives are missing"),
    Wrong(
        info_nce_overflows,
        "computes exp of large numbers: 32,000 after the division by 0.05 is infinite. Subtract "
        "the largest "
        "entry of each row first",
    ),
    Wrong(
        info_nce_log_of_infinity,
        "takes the logarithm of an infinite sum: exp of 32,000 is too large. Subtract the largest entry of each row before exp",
    ),
    Wrong(
        info_nce_one_maximum,
        "subtracts the largest entry of the whole table: in a row far below it every exp becomes "
        "0, and ln 0 is -inf. Take the largest entry of each row",
    ),
    Wrong(
        info_nce_clipped,
        "clips the similarities: what lies beyond the limits becomes equal. Subtract the largest "
        "entry of each row, then nothing has to be cut off",
    ),
)
EXERCISE = Exercise("4.8", "InfoNCE with in-batch negatives", "stretch", info_nce, check_info_nce, HINTS, WRONG, points=3)
