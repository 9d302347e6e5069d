"""Exercise 6.4, A backoff that sums to more than 1: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.exercises.ch06.shared import count_windows
from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def next_probability(word, context, counts, V, D):
    """P(word | context) by absolute discounting, from short contexts to long ones; over all V words it sums to 1.

    context: a tuple of words. counts: n-grams as tuples -> occurrences, of all lengths up to len(context) + 1.
    Below the single words stands the uniform distribution 1/V. A context that was never seen adds nothing.
    """
    p = 1 / V
    for k in range(len(context) + 1):
        u = context[len(context) - k :]
        following = [c for gram, c in counts.items() if len(gram) == k + 1 and gram[:-1] == u]
        c = counts.get(u + (word,), 0)
        if following:
            p = max(c - D, 0) / sum(following) + D * len(following) / sum(following) * p
    return p


def next_without_weight(word, context, counts, V, D):
    """P(word | context) by absolute discounting, from short contexts to long ones; over all V words it sums to 1.

    context: a tuple of words. counts: n-grams as tuples -> occurrences, of all lengths up to len(context) + 1.
    Below the single words stands the uniform distribution 1/V. A context that was never seen adds nothing.
    """
    p = 1 / V
    for k in range(len(context) + 1):
        u = context[len(context) - k :]
        following = [c for gram, c in counts.items() if len(gram) == k + 1 and gram[:-1] == u]
        c = counts.get(u + (word,), 0)
        if c > 0:
            p = c / sum(following)
    return p


def _steps(word, context, counts, V, D, step):
    p = 1 / V
    for k in range(len(context) + 1):
        u = context[len(context) - k :]
        following = [c for gram, c in counts.items() if len(gram) == k + 1 and gram[:-1] == u]
        p = step(counts.get(u + (word,), 0), following, p, D)
    return p


def next_adds_all(word, context, counts, V, D):
    return _steps(word, context, counts, V, D, lambda c, f, p, D: max(c - D, 0) / sum(f) + p if f else p)


def next_no_discount(word, context, counts, V, D):
    return _steps(word, context, counts, V, D, lambda c, f, p, D: (c + D * len(f) * p) / sum(f) if f else p)


def next_weight_of_one(word, context, counts, V, D):
    return _steps(word, context, counts, V, D, lambda c, f, p, D: (max(c - D, 0) + D * p) / sum(f) if f else p)


def next_only_if_unseen(word, context, counts, V, D):
    return _steps(word, context, counts, V, D, lambda c, f, p, D: ((c - D) if c else D * len(f) * p) / sum(f) if f else p)


def next_by_tokens(word, context, counts, V, D):
    return _steps(word, context, counts, V, D, lambda c, f, p, D: max(c - D, 0) / sum(f) + D * p if f else p)


def next_only_if_seen(word, context, counts, V, D):
    return _steps(word, context, counts, V, D, lambda c, f, p, D: (max(c - D, 0) + D * len(f) * p) / sum(f) if c else p)


def next_unseen_zero(word, context, counts, V, D):
    return _steps(word, context, counts, V, D, lambda c, f, p, D: (max(c - D, 0) + D * len(f) * p) / sum(f) if f else 0.0)


def next_context_one_short(word, context, counts, V, D):
    return next_probability(word, context[1:], counts, V, D)


def draw_next_probability(rng: np.random.Generator) -> tuple:
    rows = [rng.choice(list("abcd"), size=8).tolist() for _ in range(3)]
    counts = {gram: c for n in (1, 2, 3) for gram, c in count_windows(rows, n).items()}
    context = tuple(rng.choice(list("abcd"), size=int(rng.integers(0, 3))).tolist())
    return str(rng.choice(list("abcd"))), context, counts, 4, float(rng.uniform(0.2, 0.9))


def check_next_probability(t: Trial) -> None:
    small = {("a",): 2, ("b",): 1, ("a", "b"): 1}
    for case in [
        ("a", (), small, 2, 0.5),
        ("b", ("a",), small, 2, 0.5),
        ("a", ("a",), small, 4, 0.25),
        *t.fresh(draw_next_probability),
    ]:
        t.close(t.call(*case), next_probability(*case), rtol=1e-9, what=f"P({case[0]} | {' '.join(case[1])})")
    toy = [["we", "count", "words", "daily"], ["today", "we", "count", "words"]]
    counts = {}
    for n in (1, 2, 3):
        counts |= count_windows(toy, n)
    words, D = ("count", "we", "words", "daily", "today"), 0.5
    for context in ((), ("we",), ("count",), ("we", "count"), ("daily",), ("daily", "we"), ("words", "daily")):
        for word in words:
            got, expected = t.call(word, context, counts, 5, D), next_probability(word, context, counts, 5, D)
            t.close(got, expected, rtol=1e-9, what=f"P({word} | {' '.join(context)})")
        total = sum(t.call(word, context, counts, 5, 0.75) for word in words)
        t.close(total, 1.0, rtol=1e-9, what="the sum over all words")


HINTS = (
    "Add the answers for all words after (we, count). Which words get probability from the short context, although "
    "the long one has "
    "given all of its own away?",
    "A seen n-gram must give something up: max(c - D, 0) in place of c. What the n-grams of this context give up "
    "together is D times their "
    "number.",
    "p = max(c - D, 0) / total + D * len(following) / total * p, for every word, whenever the context has been seen at all.",
)
WRONG = (
    Wrong(next_context_one_short, "never reaches the longest context: its lengths are 0, 1, ... up to len(context)"),
    Wrong(
        next_without_weight,
        "takes the longest n-gram it finds and keeps all of its share, while unseen words "
        "keep that of the "
        "shorter context: together more than 1. Discount what was seen, and weight what comes from below",
    ),
    Wrong(
        next_adds_all,
        "adds the shorter context's probability in full: it must be weighted with the share that the discounts have set free",
    ),
    Wrong(
        next_no_discount,
        "hands probability down without taking it from anybody: subtract D from each count, max(c - D, 0)",
    ),
    Wrong(
        next_weight_of_one,
        "frees D for each different word but hands down D only once: the weight is D * len(following) / total",
    ),
    Wrong(
        next_only_if_unseen,
        "uses the shorter context for unseen words only: the weight was worked out for all "
        "words, so some of it is "
        "lost and the sum stays below 1. Add it for seen words too (interpolation)",
    ),
    Wrong(
        next_by_tokens,
        "weights the shorter context with D: the share set free is D * (number of different words) / total",
    ),
    Wrong(
        next_only_if_seen,
        "uses the formula for seen words only, so that unseen ones keep the shorter context's "
        "probability in full: with c = 0 the formula holds too. Ask whether the context was seen (`if following`)",
    ),
    Wrong(
        next_unseen_zero,
        "gives 0 after a context that was never seen: there the shorter context's answer must stand as it is",
    ),
)
EXERCISE = Exercise(
    "6.4",
    "A backoff that sums to more than 1",
    "find the bug",
    next_probability,
    check_next_probability,
    HINTS,
    WRONG,
    points=3,
    start=next_without_weight,
)
