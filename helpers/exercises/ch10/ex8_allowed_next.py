"""Exercise 10.8, A mask that can always be completed: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


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


def draw_allowed_next(rng: np.random.Generator) -> tuple:
    options = ["".join(rng.choice(list("ab"), size=int(n))) for n in rng.integers(2, 6, size=3)]
    return options[0][: int(rng.integers(0, 2))], options, ["a", "b", "ab", "ba", "bb", ""], int(rng.integers(1, 5))


def check_allowed(t: Trial) -> None:
    pieces, options = ["", "n", "o", "no", "t", "not", " now", "y", "es", "yes"], ["no", "not now", "yes"]
    asked = (("", 3), ("no", 3), ("no", 2), ("", 1), ("not", 1), ("y", 1), ("not now", 2), ("", 2), ("yes", 0))
    for case in [(written, options, pieces, left) for written, left in asked] + [
        ("", ["xabc"], ["x", "ab", "a", "bc"], 3),
        ("", ["ab"], ["a", "b"], 2),
        ("", ["abcd"], ["a", "b", "cd", "c"], 3),
        ("", ["abcd"], ["a", "b", "cd", "c"], 2),
        ("a", ["abcd", "axy"], ["b", "cd", "c", "x"], 2),
        ("", ["aab"], ["a", "ab"], 2),
        *t.fresh(draw_allowed_next),
    ]:
        got, expected = t.call(*case), allowed_next(*case)
        t.equal(list(got) if isinstance(got, tuple) else got, expected, what="the allowed tokens")


HINTS = (
    "A token fits when some option starts with written + piece. The empty piece never fits.",
    "Then ask: with left - 1 tokens more, can the text still become an option? Write that as a function that calls itself.",
    "The end (-1) is allowed exactly where written is one of the options, even when another option goes on from there.",
)
WRONG = (
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
)
EXERCISE = Exercise("10.8", "A mask that can always be completed", "stretch", allowed_next, check_allowed, HINTS, WRONG, points=3)
