"""Exercise 0.1, Bytes per character: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def bytes_per_character(text):
    """UTF-8 bytes of ``text`` divided by its number of characters, a float. ``text`` has at least one character."""
    return len(text.encode("utf-8")) / len(text)


def characters_per_byte(text):
    return len(text) / len(text.encode("utf-8"))


def counts_characters_twice(text):
    return len(text) / len(list(text))


def whole_bytes(text):
    return len(text.encode("utf-8")) // len(text)


def bytes_only(text):
    return len(text.encode("utf-8"))


def rounded(text):
    return round(len(text.encode("utf-8")) / len(text), 1)


def per_different_character(text):
    return len(text.encode("utf-8")) / len(set(text))


def draw_bytes_per_character(rng: np.random.Generator) -> str:
    return "".join(rng.choice(list("aeé日🙂ßж"), size=rng.integers(5, 12)))


def check_bytes_per_character(t: Trial) -> None:
    for text in ("é", "naïve", "ice", "日本", "a🙂", "été", *t.fresh(draw_bytes_per_character)):
        t.close(t.call(text), bytes_per_character(text), what="the number of bytes per character")


HINTS = (
    '`text.encode("utf-8")` gives the bytes of a text; `len` counts what it is given.',
    "Divide the length of the encoded text by the length of the text, with `/`.",
)
WRONG = (
    Wrong(characters_per_byte, "divides the wrong way round: it gives characters per byte"),
    Wrong(counts_characters_twice, 'counts characters twice; the bytes are in text.encode("utf-8")'),
    Wrong(whole_bytes, "drops the part after the decimal point; divide with / and not with //"),
    Wrong(rounded, "rounds the result to one digit; give the quotient as it is"),
    Wrong(
        per_different_character,
        "divides by the number of different characters; a character that stands twice counts twice, so no set",
    ),
    Wrong(bytes_only, "counts the bytes but does not divide by the number of characters"),
)
EXERCISE = Exercise("0.1", "Bytes per character", "warm-up", bytes_per_character, check_bytes_per_character, HINTS, WRONG)
