"""Exercise 10.5, One step of a beam: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def beam_step(beams, next_log_probs, width):
    """One step of beam search: the best `width` of all continuations, best first, again as (ids, sum).

    beams: list of (ids as a tuple, sum of log-probabilities). next_log_probs: (number of beams, V), what the model says
    after each beam. Of equals, the earlier beam comes first, then the smaller id.
    """
    grown = []
    for (ids, total), row in zip(beams, next_log_probs):
        for id, log_prob in enumerate(row):
            grown.append((ids + (id,), total + float(log_prob)))
    return sorted(grown, key=lambda beam: -beam[1])[:width]


def _grow(beams, rows, value=lambda total, x: total + x):
    return [(ids + (id,), value(total, float(x))) for (ids, total), row in zip(beams, rows) for id, x in enumerate(row)]


def beam_each_best(beams, next_log_probs, width):
    best = [max(_grow([b], [row]), key=lambda beam: beam[1]) for b, row in zip(beams, next_log_probs)]
    return sorted(best, key=lambda beam: -beam[1])[:width]


def beam_forgets_the_sum(beams, next_log_probs, width):
    return sorted(_grow(beams, next_log_probs, lambda total, x: x), key=lambda beam: -beam[1])[:width]


def beam_multiplies(beams, next_log_probs, width):
    return sorted(_grow(beams, next_log_probs, lambda total, x: total * x), key=lambda beam: -beam[1])[:width]


def beam_worst_first(beams, next_log_probs, width):
    return beam_step(beams, next_log_probs, width)[::-1]


def beam_keeps_the_worst(beams, next_log_probs, width):
    return sorted(_grow(beams, next_log_probs), key=lambda beam: beam[1])[:width]


def beam_width_per_beam(beams, next_log_probs, width):
    return sorted([b for beam, row in zip(beams, next_log_probs) for b in beam_step([beam], [row], width)], key=lambda b: -b[1])


def beam_puts_in_front(beams, next_log_probs, width):
    return [((ids[-1], *ids[:-1]), total) for ids, total in beam_step(beams, next_log_probs, width)]


def beam_ties_by_id(beams, next_log_probs, width):
    return sorted(_grow(beams, next_log_probs), key=lambda beam: (-beam[1], beam[0][-1]))[:width]


def beam_ties_by_ids(beams, next_log_probs, width):
    return sorted(_grow(beams, next_log_probs), key=lambda beam: (-beam[1], beam[0]))[:width]


def draw_beam_step(rng: np.random.Generator) -> tuple:
    n = int(rng.integers(2, 4))
    beams = [((i, i + 1), -float(rng.uniform(1, 4))) for i in range(n)]
    return beams, np.log(rng.dirichlet(np.ones(4), size=n)), int(rng.integers(2, 5))


def check_beam(t: Trial) -> None:
    log = np.log
    first = [((0,), -1.0), ((1,), -1.5)]
    rows = log(np.array([[0.3, 0.3, 0.4], [0.9, 0.05, 0.05]]))
    equal, even = [((0,), -1.0), ((1,), -1.0)], log(np.full((2, 2), 0.5))
    for beams, table, width in (
        ([((0,), -1.0), ((1,), -2.0)], np.array([[-1.0, -3.0], [-0.5, -4.0]]), 2),
        (first, rows, 2),
        (first, rows, 4),
        ([((), 0.0)], log(np.array([[0.2, 0.5, 0.3]])), 2),
        (equal, even, 3),
        (equal[::-1], even, 3),
        *t.fresh(draw_beam_step),
    ):
        got, expected = t.call(beams, table, width), beam_step(beams, table, width)
        t.true(
            isinstance(got, list) and all(isinstance(b, tuple) and len(b) == 2 for b in got),
            "returns something else than a list of beams (ids, sum)",
            expected,
            got,
        )
        t.equal([tuple(b[0]) for b in got], [b[0] for b in expected], what="the ids of the beams")
        t.close([b[1] for b in got], [b[1] for b in expected], what="the sums of log-probabilities")


HINTS = (
    "Continue every beam by every token: the ids with the new one at the end, the old sum plus the new log-probability.",
    "Sort all of them together by their sum, largest first, and keep `width`. One beam may have several children, another none.",
)
WRONG = (
    Wrong(beam_each_best, "lets each beam go on with its own best token: then they are greedy searches side by side"),
    Wrong(beam_forgets_the_sum, "ranks by the last log-probability alone; the whole beam's sum counts"),
    Wrong(beam_multiplies, "multiplies log-probabilities: probabilities are multiplied, their logarithms are added"),
    Wrong(beam_worst_first, "returns the right beams, but the worst one first"),
    Wrong(beam_keeps_the_worst, "keeps the beams with the smallest sums: log-probabilities are negative, larger is better"),
    Wrong(beam_width_per_beam, "keeps `width` children of each beam: the number of beams grows at every step"),
    Wrong(beam_puts_in_front, "puts the new token in front of the ids"),
    Wrong(
        beam_ties_by_id,
        "sorts equals by the new id: the earlier beam comes first, then the smaller id. A stable sort "
        "by the sum alone keeps them so",
    ),
    Wrong(beam_ties_by_ids, "sorts equals by all their ids: what counts is the order in which the beams were given"),
)
EXERCISE = Exercise("10.5", "One step of a beam", "core", beam_step, check_beam, HINTS, WRONG, points=2)
