"""Exercise 10.4, Stop: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


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


def stop_takes_spaces_off(pieces, stop):
    text, n = cut_at_stop(pieces, stop)
    return text.strip(), n


def draw_cut_at_stop(rng: np.random.Generator) -> tuple:
    return rng.choice(["a", "S", "ST", "OP", "TOP", " b"], size=int(rng.integers(5, 12))).tolist(), "STOP"


def check_cut(t: Trial) -> None:
    cases = [
        (["a", "STOP"], "STOP"),
        (["aSTOPb", "ST", "OP", "STOP", "e"], "STOP"),
        (["Paris", ".", "\n\n", "Q:", " What"], "\n\nQ:"),
        ([], "STOP"),
        (["a", "STOP", "c"], "STOP"),
        (["go", " on", "!"], "STOP"),
        (["x", "yST", "OPz", "w"], "STOP"),
        (["aSTOPbSTOPc"], "STOP"),
        ([" Rome. ", "STOP"], "STOP"),
    ]
    for pieces, stop in [*cases, *t.fresh(draw_cut_at_stop)]:
        t.equal(t.call(pieces, stop), cut_at_stop(pieces, stop), what="text and number of tokens")


HINTS = (
    "The stop string may begin in one token and end in another, so look at the joined text, not at single tokens.",
    "Look again after each token; cut with text[: text.index(stop)].",
)
WRONG = (
    Wrong(stop_single_token, "compares single tokens with the stop string: it is often spread over several tokens"),
    Wrong(stop_kept, "leaves the stop string in the text"),
    Wrong(stop_within_a_token, "looks inside each token by itself, so it misses a stop string across two tokens"),
    Wrong(stop_at_the_end_only, "finds the stop string only where a token ends with it"),
    Wrong(stop_drops_the_token, "throws away the whole last token, with the letters that stand before the stop string"),
    Wrong(stop_at_the_last, "cuts at the last stop string of a token; the text ends before the first one"),
    Wrong(
        stop_takes_spaces_off,
        "takes spaces off the ends of the text: nothing but the stop string, and what follows it, is to be cut away",
    ),
    Wrong(stop_after_all, "cuts the finished text: then all tokens were written, and paid for, in vain"),
)
EXERCISE = Exercise("10.4", "Stop", "core", cut_at_stop, check_cut, HINTS, WRONG, points=2)
