"""Exercises of chapter 10, sampling: checks, hints, reference solutions, wrong answers with their diagnoses."""

import math

import numpy as np

from helpers.lab.checks import Exercise, Trial, Wrong

# ------------------------------------------------------------------------------------------------- 10.1


def temperature_probs(logits, T):
    """Probabilities at temperature T. T = 0: all on the largest logit (of equals, the first). T < 0: a ValueError."""
    logits = np.asarray(logits, dtype=float)
    if T < 0:
        raise ValueError(f"expected a temperature of 0 or more, got {T}")
    if T == 0:
        p = np.zeros(len(logits))
        p[np.argmax(logits)] = 1.0
        return p
    z = logits / T
    e = np.exp(z - z.max())
    return e / e.sum()


def _tempered(logits, T, f):
    logits = np.asarray(logits, dtype=float)
    if T < 0:
        raise ValueError("T < 0")
    return np.eye(len(logits))[np.argmax(logits)] if T == 0 else f(logits, T)


def _softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


def temperature_multiplied(logits, T):
    return _tempered(logits, T, lambda z, T: _softmax(z * T))


def temperature_of_probs(logits, T):
    return _tempered(logits, T, lambda z, T: _softmax(_softmax(z) / T))


def temperature_after(logits, T):
    return _tempered(logits, T, lambda z, T: _softmax(z) / T)


def temperature_overflow(logits, T):
    return _tempered(logits, T, lambda z, T: np.exp(z / T) / np.exp(z / T).sum())


def temperature_zero_is_one(logits, T):
    if T < 0:
        raise ValueError("T < 0")
    return _softmax(np.asarray(logits, dtype=float) / (T or 1.0))


def temperature_shares_ties(logits, T):
    logits = np.asarray(logits, dtype=float)
    if T == 0:
        best = logits == logits.max()
        return best / best.sum()
    return temperature_probs(logits, T)


def temperature_negative(logits, T):
    return temperature_probs(logits, abs(T))


def check_temperature(t: Trial) -> None:
    for logits, T in (([4.0, 2.0, 0.0], 1.0), ([4.0, 2.0, 0.0], 0.5), ([4.0, 2.0, 0.0], 2.0), ([1000.0, 998.0], 1.0)):
        t.close(t.call(np.array(logits), T), temperature_probs(logits, T), atol=1e-9, what=f"the probabilities at T = {T}")
    t.close(t.call(np.array([1.0, 3.0, 2.0]), 0), [0, 1, 0], what="the probabilities at T = 0")
    t.close(t.call(np.array([3.0, 1.0, 3.0]), 0), [1, 0, 0], what="the probabilities at T = 0 where two are equal")

    def refuses(f):
        try:
            f(np.array([1.0, 2.0]), -1.0)
        except ValueError:
            return True
        return False

    refused = t.run(refuses, "temperature_probs(logits, -1.0)")
    diagnosis = "accepts a negative temperature, which has no meaning here: refuse it with a ValueError"
    t.true(refused, diagnosis, "ValueError", "a result")


# ------------------------------------------------------------------------------------------------- 10.2


def nucleus(probs, p):
    """The smallest set of likeliest tokens that reaches probability p together, made to sum to 1; the rest 0. probs: (V,)."""
    order = np.argsort(-probs, kind="stable")
    before = np.cumsum(probs[order]) - probs[order]  # probability of all likelier tokens
    kept = order[before < p]
    out = np.zeros(len(probs))
    out[kept] = probs[kept]
    return out / out.sum()


def nucleus_off_by_one(probs, p):
    """The smallest set of likeliest tokens that reaches probability p together, made to sum to 1; the rest 0. probs: (V,)."""
    order = np.argsort(-probs, kind="stable")
    reached = np.cumsum(probs[order])
    kept = order[reached <= p]
    out = np.zeros(len(probs))
    out[kept] = probs[kept]
    return out / out.sum()


def _nucleus(probs, keep):
    out = np.zeros(len(probs))
    kept = keep(np.argsort(-probs, kind="stable"))
    out[kept] = probs[kept]
    return out / out.sum()


def nucleus_one_too_many(probs, p):
    return _nucleus(probs, lambda order: order[: np.sum(np.cumsum(probs[order]) < p) + 2])


def nucleus_exact_hit(probs, p):
    return _nucleus(probs, lambda order: order[np.cumsum(probs[order]) - probs[order] <= p])


def nucleus_by_value(probs, p):
    return np.where(probs >= p * probs.max(), probs, 0) / probs[probs >= p * probs.max()].sum()


def nucleus_not_normalized(probs, p):
    out = nucleus(probs, p)
    return np.where(out > 0, probs, 0)


def nucleus_unsorted(probs, p):
    before = np.cumsum(probs) - probs
    out = np.where(before < p, probs, 0)
    return out / out.sum()


def nucleus_keeps_one(probs, p):
    return _nucleus(probs, lambda order: order[: max(1, np.sum(np.cumsum(probs[order]) <= p))])


def nucleus_sorted_result(probs, p):
    return -np.sort(-nucleus(probs, p))


def check_nucleus(t: Trial) -> None:
    probs = np.array([0.5, 0.25, 0.125, 0.0625, 0.0625])
    for p in (0.2, 0.8, 0.7, 0.75, 1.0):
        t.close(t.call(probs, p), nucleus(probs, p), what=f"the nucleus for p = {p}")
    mixed = np.array([0.125, 0.5, 0.0625, 0.25, 0.0625])
    t.close(t.call(mixed, 0.8), nucleus(mixed, 0.8), what="the nucleus of unsorted probabilities")


# ------------------------------------------------------------------------------------------------- 10.3


def penalize(logits, seen, penalty):
    """Make each id in `seen` less likely, once: by the repetition penalty (> 1). Returns new logits; the others stay."""
    out = np.array(logits, dtype=float)
    for id in set(seen):
        out[id] = out[id] / penalty if out[id] > 0 else out[id] * penalty
    return out


def penalize_wrong_sign(logits, seen, penalty):
    """Make each id in `seen` less likely, once: by the repetition penalty (> 1). Returns new logits; the others stay."""
    out = np.array(logits, dtype=float)
    for id in set(seen):
        out[id] = out[id] / penalty
    return out


def penalize_each_time(logits, seen, penalty):
    out = np.array(logits, dtype=float)
    for id in seen:
        out[id] = out[id] / penalty if out[id] > 0 else out[id] * penalty
    return out


def penalize_subtracts(logits, seen, penalty):
    out = np.array(logits, dtype=float)
    out[list(set(seen))] -= penalty
    return out


def penalize_replaces(logits, seen, penalty):
    out = np.array(logits, dtype=float)
    out[list(set(seen))] = -penalty
    return out


def penalize_forbids(logits, seen, penalty):
    out = np.array(logits, dtype=float)
    out[list(set(seen))] = -math.inf
    return out


def penalize_rewards(logits, seen, penalty):
    out = np.array(logits, dtype=float)
    for id in set(seen):
        out[id] = out[id] * penalty if out[id] > 0 else out[id] / penalty
    return out


def penalize_all(logits, seen, penalty):
    out = np.array(logits, dtype=float)
    return np.where(out > 0, out / penalty, out * penalty)


def check_penalize(t: Trial) -> None:
    four = [2.0, -1.0, 0.5, -3.0]
    for logits, seen, penalty in ((four, [0, 1], 2.0), (four, [1, 1, 2], 1.5), ([1.0, 2.0], [], 3.0)):
        t.close(t.call(np.array(logits), seen, penalty), penalize(logits, seen, penalty), what="the logits after the penalty")


# ------------------------------------------------------------------------------------------------- 10.4


def cut_at_stop(pieces, stop):
    """Join tokens until the text holds the stop string. Returns the text before it, and how many tokens were needed.

    pieces: the texts of the tokens, in order. Without the stop string: all of the text, and the number of all tokens.
    """
    text = ""
    for n, piece in enumerate(pieces, start=1):
        text += piece
        if stop in text:
            return text[: text.index(stop)], n
    return text, len(pieces)


def stop_single_token(pieces, stop):
    text = ""
    for n, piece in enumerate(pieces, start=1):
        if piece == stop:
            return text, n
        text += piece
    return text, len(pieces)


def stop_kept(pieces, stop):
    text = ""
    for n, piece in enumerate(pieces, start=1):
        text += piece
        if stop in text:
            return text, n
    return text, len(pieces)


def stop_within_a_token(pieces, stop):
    text = ""
    for n, piece in enumerate(pieces, start=1):
        if stop in piece:
            return text + piece[: piece.index(stop)], n
        text += piece
    return text, len(pieces)


def stop_at_the_end_only(pieces, stop):
    text = ""
    for n, piece in enumerate(pieces, start=1):
        text += piece
        if text.endswith(stop):
            return text[: -len(stop)], n
    return text, len(pieces)


def stop_drops_the_token(pieces, stop):
    text = ""
    for n, piece in enumerate(pieces, start=1):
        if stop in text + piece:
            return text, n
        text += piece
    return text, len(pieces)


def stop_after_all(pieces, stop):
    return "".join(pieces).split(stop)[0], len(pieces)


def stop_at_the_last(pieces, stop):
    text = ""
    for n, piece in enumerate(pieces, start=1):
        text += piece
        if stop in text:
            return text[: text.rindex(stop)], n
    return text, len(pieces)


def stop_takes_blanks_off(pieces, stop):
    text, n = cut_at_stop(pieces, stop)
    return text.strip(), n


def check_cut(t: Trial) -> None:
    cases = [
        (["aSTOPb", "ST", "OP", "STOP", "e"], "STOP"),
        (["Paris", ".", "\n\n", "Q:", " What"], "\n\nQ:"),
        ([], "STOP"),
        (["a", "STOP", "c"], "STOP"),
        (["go", " on", "!"], "STOP"),
        (["x", "yST", "OPz", "w"], "STOP"),
        (["aSTOPbSTOPc"], "STOP"),
        ([" Rome. ", "STOP"], "STOP"),
    ]
    for pieces, stop in cases:
        t.equal(t.call(pieces, stop), cut_at_stop(pieces, stop), what="text and number of tokens")


# ------------------------------------------------------------------------------------------------- 10.5


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


def check_beam(t: Trial) -> None:
    log = np.log
    first = [((0,), -1.0), ((1,), -1.5)]
    rows = log(np.array([[0.3, 0.3, 0.4], [0.9, 0.05, 0.05]]))
    equal, even = [((0,), -1.0), ((1,), -1.0)], log(np.full((2, 2), 0.5))
    for beams, table, width in (
        (first, rows, 2),
        (first, rows, 4),
        ([((), 0.0)], log(np.array([[0.2, 0.5, 0.3]])), 2),
        (equal, even, 3),
        (equal[::-1], even, 3),
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


# ------------------------------------------------------------------------------------------------- 10.6


def pass_at_k(n, c, k):
    """Chance that at least one of k answers is right, estimated from n sampled answers of which c are right (k <= n)."""
    if n - c < k:
        return 1.0
    return 1.0 - math.comb(n - c, k) / math.comb(n, k)


def pass_power(n, c, k):
    return 1.0 - (1.0 - c / n) ** k


def pass_times_k(n, c, k):
    return min(1.0, k * c / n)


def pass_share(n, c, k):
    return c / n


def pass_all(n, c, k):
    return math.comb(c, k) / math.comb(n, k)


def pass_none(n, c, k):
    return math.comb(n - c, k) / math.comb(n, k)


def pass_first(n, c, k):
    return 1.0 if c >= 1 else 0.0


def check_pass(t: Trial) -> None:
    for n, c, k in ((2, 1, 1), (4, 1, 2), (10, 3, 5), (10, 0, 5), (10, 8, 5), (64, 2, 8), (5, 5, 5)):
        t.close(t.call(n, c, k), pass_at_k(n, c, k), what=f"the estimate for n = {n}, c = {c}, k = {k}")


# ------------------------------------------------------------------------------------------------- 10.7


def speculative_step(p, q, guess, u, v):
    """Check one guess. p, q: (V,) of the large and the small model; guess: drawn from q; u, v: two random numbers in [0, 1).

    Kept when u < p[guess] / q[guess]. Otherwise the token is drawn from max(p - q, 0), normalized: the first id at which the
    running sum exceeds v. Returns (whether it was kept, the token).
    """
    if u < p[guess] / q[guess]:
        return True, guess
    rest = np.maximum(p - q, 0)
    return False, int(np.searchsorted(np.cumsum(rest / rest.sum()), v, side="right"))


def _drawn(rest, v):
    return int(min(np.searchsorted(np.cumsum(rest), v, side="right"), len(rest) - 1))


def speculative_from_p(p, q, guess, u, v):
    return (True, guess) if u < p[guess] / q[guess] else (False, _drawn(p, v))


def speculative_not_clipped(p, q, guess, u, v):
    if u < p[guess] / q[guess]:
        return True, guess
    rest = np.abs(p - q)
    return False, _drawn(rest / rest.sum(), v)


def speculative_not_normalized(p, q, guess, u, v):
    return (True, guess) if u < p[guess] / q[guess] else (False, _drawn(np.maximum(p - q, 0), v))


def speculative_upside_down(p, q, guess, u, v):
    return (True, guess) if u < q[guess] / p[guess] else (False, speculative_step(p, q, guess, 2.0, v)[1])


def speculative_only_p(p, q, guess, u, v):
    return (True, guess) if u < p[guess] else (False, speculative_step(p, q, guess, 2.0, v)[1])


def speculative_hard(p, q, guess, u, v):
    return (True, guess) if p[guess] >= q[guess] else (False, speculative_step(p, q, guess, 2.0, v)[1])


def speculative_keeps_all(p, q, guess, u, v):
    return True, guess


def speculative_best_of_p(p, q, guess, u, v):
    return (True, guess) if u < p[guess] / q[guess] else (False, int(np.argmax(p)))


def speculative_best_of_rest(p, q, guess, u, v):
    return (True, guess) if u < p[guess] / q[guess] else (False, int(np.argmax(p - q)))


def speculative_turned(p, q, guess, u, v):
    rest = np.maximum(q - p, 0)
    return (True, guess) if u < p[guess] / q[guess] else (False, _drawn(rest / rest.sum(), v))


def speculative_softmax(p, q, guess, u, v):
    return (True, guess) if u < p[guess] / q[guess] else (False, _drawn(_softmax(np.maximum(p - q, 0)), v))


def speculative_same_number(p, q, guess, u, v):
    return speculative_step(p, q, guess, u, u)


def speculative_keeps_at_the_border(p, q, guess, u, v):
    return (True, guess) if u <= p[guess] / q[guess] else speculative_step(p, q, guess, u, v)


def speculative_reaches(p, q, guess, u, v):
    rest = np.maximum(p - q, 0)
    drawn = int(np.searchsorted(np.cumsum(rest / rest.sum()), v, side="left"))
    return (True, guess) if u < p[guess] / q[guess] else (False, drawn)


def check_speculative(t: Trial) -> None:
    p, q = np.array([0.35, 0.3, 0.05, 0.3]), np.array([0.25, 0.25, 0.4, 0.1])  # max(p - q, 0): 0.1, 0.05, 0, 0.2
    others = np.array([0.5, 0.3, 0.15, 0.05]), np.array([0.2, 0.5, 0.1, 0.2])
    cases = [
        (p, q, 2, 0.02, 0.5),
        (p, q, 2, 0.1, 0.5),
        (p, q, 3, 0.99, 0.3),
        (p, q, 2, 0.4, 0.05),
        (p, q, 2, 0.4, 0.25),
        (p, q, 2, 0.95, 0.95),
        (p, q, 2, 0.3, 0.5),
        (*others, 1, 0.7, 0.9),
        (*others, 3, 0.9, 0.5),
        (np.array([0.0, 0.4, 0.6]), np.array([0.5, 0.2, 0.3]), 0, 0.0, 0.0),
    ]
    for p, q, guess, u, v in cases:
        got = t.call(p, q, guess, u, v)
        t.true(isinstance(got, tuple) and len(got) == 2, "returns something else than (kept, token)", "(kept, token)", got)
        t.equal((bool(got[0]), int(got[1])), speculative_step(p, q, guess, u, v), what="kept and token")


# ------------------------------------------------------------------------------------------------- 10.8


def allowed_next(written, options, pieces, left):
    """Numbers of the tokens that may come next, so that the text can still become one of the options within `left` tokens.

    written: the text so far; pieces: the text of each token. The number -1, in front, stands for the end: allowed where
    `written` is an option. A token needs one of the tokens that are left; the end needs none.
    """

    def can_finish(text, left):
        if text in options:
            return True
        return left > 0 and any(
            option.startswith(text + piece) and can_finish(text + piece, left - 1)
            for piece in pieces
            if piece
            for option in options
        )

    end = [-1] if written in options else []
    if left == 0:
        return end
    return end + [
        n
        for n, piece in enumerate(pieces)
        if piece and any(o.startswith(written + piece) for o in options) and can_finish(written + piece, left - 1)
    ]


def _next(written, options, pieces, fits, end=True):
    found = [-1] if end and written in options else []
    return found + [n for n, piece in enumerate(pieces) if piece and fits(written + piece)]


def allowed_any_length(written, options, pieces, left):
    return (
        _next(written, options, pieces, lambda text: any(o.startswith(text) for o in options))
        if left
        else _next(written, options, [], lambda text: False)
    )


def allowed_no_end(written, options, pieces, left):
    return [n for n in allowed_next(written, options, pieces, left) if n != -1]


def allowed_whole_only(written, options, pieces, left):
    return _next(written, options, pieces, lambda text: left > 0 and text in options)


def allowed_inside(written, options, pieces, left):
    found = [-1] if written in options else []
    return found + [n for n, piece in enumerate(pieces) if piece and left and any(piece in o for o in options)]


def allowed_end_always(written, options, pieces, left):
    return [-1] + [n for n in allowed_next(written, options, pieces, left) if n != -1]


def allowed_one_short(written, options, pieces, left):
    return allowed_next(written, options, pieces, max(0, left - 1))


def allowed_empty_piece(written, options, pieces, left):
    found = allowed_next(written, options, pieces, left)
    return found + [n for n, piece in enumerate(pieces) if not piece and left]


def allowed_greedy(written, options, pieces, left):
    def finishes(text):
        for option in (o for o in options if o.startswith(text)):
            at, used = text, 1
            while at != option:
                fitting = [piece for piece in pieces if piece and option.startswith(at + piece)]
                if not fitting:
                    break
                at, used = at + max(fitting, key=len), used + 1
            if at == option and used <= left:
                return True
        return False

    return _next(written, options, pieces, finishes)


def check_allowed(t: Trial) -> None:
    pieces, options = ["", "n", "o", "no", "t", "not", " now", "y", "es", "yes"], ["no", "not now", "yes"]
    asked = (("", 3), ("no", 3), ("no", 2), ("", 1), ("not", 1), ("y", 1), ("not now", 2), ("", 2), ("yes", 0))
    for case in [(written, options, pieces, left) for written, left in asked] + [("", ["xabc"], ["x", "ab", "a", "bc"], 3)]:
        got, expected = t.call(*case), allowed_next(*case)
        t.equal(list(got) if isinstance(got, tuple) else got, expected, what="the allowed tokens")


EXERCISES = [
    Exercise(
        id="10.1",
        title="One knob, three cases",
        kind="warm-up",
        solution=temperature_probs,
        check=check_temperature,
        hints=(
            "Divide the logits by T, subtract the largest, exponentiate, divide by the sum.",
            "T = 0 cannot be divided by. Return zeros with a 1 at np.argmax(logits). T < 0: raise ValueError.",
        ),
        wrong=(
            Wrong(temperature_multiplied, "multiplies by T: then a high temperature makes the favorite stronger"),
            Wrong(
                temperature_of_probs, "divides the probabilities and makes a softmax of them; the temperature divides the logits"
            ),
            Wrong(temperature_after, "divides the probabilities by T: they do not sum to 1, and their ratios stay the same"),
            Wrong(temperature_overflow, "does not subtract the largest logit: exp(1000) is too large, and inf / inf is NaN"),
            Wrong(temperature_zero_is_one, "treats T = 0 like T = 1; the limit is the greedy choice"),
            Wrong(
                temperature_shares_ties, "shares the probability among equal logits at T = 0; here the first of them gets it all"
            ),
            Wrong(temperature_negative, "accepts a negative temperature, which has no meaning here: refuse it with a ValueError"),
        ),
    ),
    Exercise(
        id="10.2",
        title="One token too few",
        kind="find the bug",
        solution=nucleus,
        check=check_nucleus,
        start=nucleus_off_by_one,
        hints=(
            "p = 0.8 with probabilities 0.5, 0.25, 0.125: after two tokens 0.75 is reached, after three 0.875. Which "
            "belong to it?",
            "A token belongs to the set when the tokens BEFORE it have not yet reached p. What happens for p = 0.3?",
        ),
        wrong=(
            Wrong(
                nucleus_off_by_one,
                "drops the token that crosses the threshold: the set must reach p, and at least one token stays",
            ),
            Wrong(nucleus_one_too_many, "keeps one token more than is needed to reach p"),
            Wrong(
                nucleus_exact_hit,
                "keeps one token more where p is reached exactly: 0.5 and 0.25 reach 0.75 already, so "
                "compare with < and not with <=",
            ),
            Wrong(nucleus_by_value, "compares each probability with p times the largest one: that is min-p"),
            Wrong(nucleus_not_normalized, "does not divide by the sum: what is left must sum to 1"),
            Wrong(nucleus_unsorted, "adds up in the order of the ids, not from the likeliest down"),
            Wrong(nucleus_keeps_one, "saves the case of a single token only, and drops the token that crosses in all others"),
            Wrong(nucleus_sorted_result, "returns the probabilities sorted: each must stay at the place of its own token"),
        ),
    ),
    Exercise(
        id="10.3",
        title="A penalty that rewards",
        kind="find the bug",
        solution=penalize,
        check=check_penalize,
        start=penalize_wrong_sign,
        hints=(
            "Follow the logit -1 with penalty 2. Is -0.5 more or less likely than -1?",
            "Positive logits are divided by the penalty, negative ones multiplied: both move down.",
        ),
        wrong=(
            Wrong(penalize_wrong_sign, "divides negative logits too: -1 becomes -0.5, so the seen token gets MORE likely"),
            Wrong(penalize_each_time, "applies the penalty once for each time a token was seen; this one counts a token once"),
            Wrong(penalize_subtracts, "subtracts the penalty: that is the presence penalty"),
            Wrong(penalize_replaces, "replaces the logit by a constant, whatever it was before"),
            Wrong(penalize_forbids, "forbids every seen token; a penalty only makes it less likely"),
            Wrong(penalize_rewards, "has the two cases the wrong way round: every seen token moves up"),
            Wrong(penalize_all, "changes all tokens, also those that were not seen"),
        ),
    ),
    Exercise(
        id="10.4",
        title="Stop",
        kind="core",
        solution=cut_at_stop,
        check=check_cut,
        points=2,
        hints=(
            "The stop string may begin in one token and end in another, so look at the joined text, not at single tokens.",
            "Look again after each token; cut with text[: text.index(stop)].",
        ),
        wrong=(
            Wrong(stop_single_token, "compares single tokens with the stop string: it is often spread over several tokens"),
            Wrong(stop_kept, "leaves the stop string in the text"),
            Wrong(stop_within_a_token, "looks inside each token by itself, so it misses a stop string across two tokens"),
            Wrong(stop_at_the_end_only, "finds the stop string only where a token ends with it"),
            Wrong(stop_drops_the_token, "throws away the whole last token, with the letters that stand before the stop string"),
            Wrong(stop_at_the_last, "cuts at the last stop string of a token; the text ends before the first one"),
            Wrong(
                stop_takes_blanks_off,
                "takes blanks off the ends of the text: nothing but the stop string, and what follows it, is to be cut away",
            ),
            Wrong(stop_after_all, "cuts the finished text: then all tokens were written, and paid for, in vain"),
        ),
    ),
    Exercise(
        id="10.5",
        title="One step of a beam",
        kind="core",
        solution=beam_step,
        check=check_beam,
        points=2,
        hints=(
            "Continue every beam by every token: the ids with the new one at the end, the old sum plus the new log-probability.",
            "Sort all of them together by their sum, largest first, and keep `width`. One beam may have several "
            "children, another none.",
        ),
        wrong=(
            Wrong(beam_each_best, "lets each beam go on with its own best token: then they are greedy searches side by side"),
            Wrong(beam_forgets_the_sum, "ranks by the last log-probability alone; the whole beam's sum counts"),
            Wrong(beam_multiplies, "multiplies log-probabilities: probabilities are multiplied, their logarithms are added"),
            Wrong(beam_worst_first, "returns the right beams, but the worst one first"),
            Wrong(
                beam_keeps_the_worst, "keeps the beams with the smallest sums: log-probabilities are negative, larger is better"
            ),
            Wrong(beam_width_per_beam, "keeps `width` children of each beam: the number of beams grows at every step"),
            Wrong(beam_puts_in_front, "puts the new token in front of the ids"),
            Wrong(
                beam_ties_by_id,
                "sorts equals by the new id: the earlier beam comes first, then the smaller id. A stable sort "
                "by the sum alone keeps them so",
            ),
            Wrong(beam_ties_by_ids, "sorts equals by all their ids: what counts is the order in which the beams were given"),
        ),
    ),
    Exercise(
        id="10.6",
        title="At least one",
        kind="core",
        solution=pass_at_k,
        check=check_pass,
        hints=(
            "Draw k of the n answers without putting back. The only bad case: all k come from the n - c wrong ones.",
            "There are math.comb(n, k) ways to draw, and math.comb(n - c, k) bad ones.",
        ),
        wrong=(
            Wrong(pass_power, "draws with putting back, 1 - (1 - c/n)^k: from a finite number of answers that is too low"),
            Wrong(pass_times_k, "adds up the chances k times: they overlap, so the sum is too high"),
            Wrong(pass_share, "returns the share of right answers, whatever k is"),
            Wrong(pass_all, "computes the chance that ALL k answers are right"),
            Wrong(pass_none, "returns the chance that none is right; one minus that is wanted"),
            Wrong(pass_first, "returns 1 as soon as any answer is right; with k < n it may not be among those drawn"),
        ),
    ),
    Exercise(
        id="10.7",
        title="Check one guess",
        kind="core",
        solution=speculative_step,
        check=check_speculative,
        points=2,
        hints=(
            "Compare u with p[guess] / q[guess]. Where it is smaller, the guess stays.",
            "Otherwise: rest = np.maximum(p - q, 0), divided by its sum; np.searchsorted(np.cumsum(rest), v, side='right').",
        ),
        wrong=(
            Wrong(
                speculative_from_p, "draws from p after a rejection: tokens that p likes more than q would then come too rarely"
            ),
            Wrong(speculative_not_clipped, "does not clip p - q at 0, but takes its size: a rejected token could come back"),
            Wrong(speculative_not_normalized, "does not divide the rest by its sum: the running sum then ends below 1"),
            Wrong(speculative_upside_down, "has the ratio upside down: it must be p / q"),
            Wrong(speculative_only_p, "keeps the guess with probability p[guess]; it was drawn with q[guess], so divide by that"),
            Wrong(speculative_hard, "decides without chance: where p < q the guess must still be kept with probability p / q"),
            Wrong(speculative_keeps_all, "keeps every guess: then the text is the small model's"),
            Wrong(speculative_best_of_p, "takes the likeliest token of p after a rejection; it must be drawn"),
            Wrong(speculative_best_of_rest, "takes the token with the largest rest after a rejection; it must be drawn"),
            Wrong(speculative_turned, "draws from q - p after a rejection: tokens that q likes too much already; it is p - q"),
            Wrong(
                speculative_softmax,
                "makes a softmax of the rest, which gives a share to tokens without any; divide it by its sum",
            ),
            Wrong(speculative_same_number, "draws with u again; after a rejection u is known to be large, so use v"),
            Wrong(
                speculative_keeps_at_the_border,
                "keeps the guess where u equals the ratio: at u = 0 it would keep a token that p never writes. It is <, not <=",
            ),
            Wrong(
                speculative_reaches,
                "takes the first id at which the running sum reaches v: at v = 0 that is id 0 even when "
                "its rest is 0. The sum must exceed v (side='right')",
            ),
        ),
    ),
    Exercise(
        id="10.8",
        title="A mask that can always be completed",
        kind="stretch",
        solution=allowed_next,
        check=check_allowed,
        points=3,
        hints=(
            "A token fits when some option starts with written + piece. The empty piece never fits.",
            "Then ask: with left - 1 tokens more, can the text still become an option? Write that as a function that "
            "calls itself.",
            "The end (-1) is allowed exactly where written is one of the options, even when another option goes on from there.",
        ),
        wrong=(
            Wrong(allowed_any_length, "allows tokens after which the option can no longer be completed in the tokens left"),
            Wrong(allowed_no_end, "never allows the end: where the text is an option, it may stop"),
            Wrong(allowed_whole_only, "allows only tokens that complete an option at once"),
            Wrong(allowed_inside, "allows every token that occurs somewhere in an option, not only those that continue the text"),
            Wrong(allowed_end_always, "allows the end everywhere: the text would be cut off in the middle of an option"),
            Wrong(allowed_one_short, "counts one token too few: the last token that is left may be used"),
            Wrong(
                allowed_greedy,
                "completes an option with the longest token each time: after 'ab' nothing fits, but 'a' and "
                "'bc' would. Try every token that fits",
            ),
            Wrong(allowed_empty_piece, "allows the empty token: it could be written forever"),
        ),
    ),
]
