"""Exercise 5.6, Decode, whatever comes: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def decode(ids, tokens):
    """The text of ids, where tokens[i] holds the bytes of id i; bytes that are no valid UTF-8 become U+FFFD."""
    return b"".join(tokens[i] for i in ids).decode("utf-8", errors="replace")


def decode_token_by_token(ids, tokens):
    return "".join(tokens[i].decode("utf-8", errors="replace") for i in ids)


def decode_all_or_each(ids, tokens):
    try:
        return b"".join(tokens[i] for i in ids).decode("utf-8")
    except UnicodeDecodeError:
        return "".join(tokens[i].decode("utf-8", errors="replace") for i in ids)


def decode_stripped(ids, tokens):
    return b"".join(tokens[i] for i in ids).decode("utf-8", errors="replace").strip()


def decode_dropping(ids, tokens):
    return b"".join(tokens[i] for i in ids).decode("utf-8", errors="ignore")


def decode_as_latin(ids, tokens):
    return b"".join(tokens[i] for i in ids).decode("latin-1")


def decode_with_spaces(ids, tokens):
    return b" ".join(tokens[i] for i in ids).decode("utf-8", errors="replace")


def draw_decode(rng: np.random.Generator) -> list:
    return rng.integers(0, 7, size=int(rng.integers(4, 9))).tolist()


def check_decode(t: Trial) -> None:
    tokens = [b"Hi", b" there", b"\xc3", b"\xa9", b"\xf0\x9f", b"\x99\x82", b"!"]
    for ids in ([0], [0, 1, 6], [2, 3], [0, 2], [4, 5, 6], [3, 0, 4], [], [2, 3, 2], [1], *t.fresh(draw_decode)):
        t.equal(t.call(ids, tokens), decode(ids, tokens), what="the text")


HINTS = (
    "Join all bytes first and decode once: a character may be spread over several tokens.",
    "bytes.decode has an argument errors; errors='replace' writes U+FFFD for what cannot be read.",
)
WRONG = (
    Wrong(
        decode_token_by_token,
        "decodes token by token: characters that are spread over two tokens are lost; join the bytes first",
    ),
    Wrong(
        decode_all_or_each,
        "goes back to token by token when anything is invalid: then good characters are lost as well; decode the "
        "joined bytes with errors='replace'",
    ),
    Wrong(decode_stripped, "strips the spaces at the ends; a space in a token belongs to the text"),
    Wrong(decode_dropping, "drops bytes that are no valid UTF-8; the docstring asks for U+FFFD, so that one sees the damage"),
    Wrong(decode_as_latin, "reads each byte as one Latin-1 character; the bytes are UTF-8"),
    Wrong(decode_with_spaces, "puts spaces between the tokens; the tokens hold their own spaces"),
)
EXERCISE = Exercise("5.6", "Decode, whatever comes", "warm-up", decode, check_decode, HINTS, WRONG)
