"""Exercise 6.7, The summary that says everything twice: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def rouge_1(candidate, reference):
    """ROUGE-1 of two lists of words, as (precision, recall, F1); all 0 when no word is shared."""
    shared = 0
    for word in set(candidate):
        shared += min(candidate.count(word), reference.count(word))
    if shared == 0:
        return 0.0, 0.0, 0.0
    p, r = shared / len(candidate), shared / len(reference)
    return p, r, 2 * p * r / (p + r)


def rouge_unclipped(candidate, reference):
    """ROUGE-1 of two lists of words, as (precision, recall, F1); all 0 when no word is shared."""
    shared = 0
    for word in candidate:
        shared += word in reference
    if shared == 0:
        return 0.0, 0.0, 0.0
    p, r = shared / len(candidate), shared / len(reference)
    return p, r, 2 * p * r / (p + r)


def _rouge(shared, n_candidate, n_reference):
    p, r = shared / n_candidate, shared / n_reference
    return (p, r, 2 * p * r / (p + r)) if shared else (0.0, 0.0, 0.0)


def rouge_types(candidate, reference):
    return _rouge(len(set(candidate) & set(reference)), len(set(candidate)), len(set(reference)))


def rouge_types_over_tokens(candidate, reference):
    return _rouge(len(set(candidate) & set(reference)), len(candidate), len(reference))


def rouge_by_reference(candidate, reference):
    shared = sum(reference.count(w) for w in set(candidate) & set(reference))
    return _rouge(shared, len(candidate), len(reference))


def rouge_swapped(candidate, reference):
    p, r, f1 = rouge_1(candidate, reference)
    return r, p, f1


def rouge_mean(candidate, reference):
    p, r, _ = rouge_1(candidate, reference)
    return p, r, (p + r) / 2


def draw_rouge_1(rng: np.random.Generator) -> str:
    words = list("abcde")
    return " ".join(rng.choice(words, size=int(rng.integers(3, 8)))) + " | " + " ".join(rng.choice(words, size=6))


def check_rouge_1(t: Trial) -> None:
    cases = [
        "the cat | the cat sat",
        "a b | c d",
        "the the | the cat sat",
        "the the the the cat | the cat sat on the mat",
        "on the mat | the mat the cat sat on",
        "we count the words the words | words we count daily",
    ]
    for case in [*cases, *t.fresh(draw_rouge_1)]:
        candidate, reference = (side.split() for side in case.split("|"))
        got, expected = t.call(candidate, reference), rouge_1(candidate, reference)
        t.close(got, expected, rtol=1e-9, what="(precision, recall, F1)")


HINTS = (
    'Score "the the the the" against "the cat sat". How many of its words are shared, in earnest?',
    "A word counts as shared as often as it stands in both: min(candidate.count(word), reference.count(word)), once "
    "for each different word.",
)
WRONG = (
    Wrong(
        rouge_unclipped,
        "counts a repeated word each time it comes: clip it by the number of times it stands in the reference",
    ),
    Wrong(rouge_types, "compares sets, on both sides of the line: a word that the reference has twice should be found twice"),
    Wrong(rouge_types_over_tokens, "counts each different word once: a word that stands twice in both is shared twice"),
    Wrong(
        rouge_by_reference,
        "counts a shared word as often as it stands in the reference, even if the candidate has it once: take the smaller count",
    ),
    Wrong(
        rouge_swapped,
        "has precision and recall the wrong way round: precision divides by the candidate's length, recall by the reference's",
    ),
    Wrong(rouge_mean, "averages precision and recall: F1 is their harmonic mean, 2 p r / (p + r)"),
)
EXERCISE = Exercise(
    "6.7",
    "The summary that says everything twice",
    "find the bug",
    rouge_1,
    check_rouge_1,
    HINTS,
    WRONG,
    points=2,
    start=rouge_unclipped,
)
