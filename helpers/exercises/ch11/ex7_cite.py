"""Exercise 11.7, Where does it say so?: the reference solution, wrong answers, the check."""

import re

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def cite(answer, source):
    """Half-open offsets (start, end) of the first place where the answer stands in the source as whole words, or None."""
    match = re.search(rf"(?<!\w){re.escape(answer)}(?!\w)", source)
    return match.span() if match else None


def cite_inclusive(answer, source):
    span = cite(answer, source)
    return (span[0], span[1] - 1) if span else None


def cite_inside_words(answer, source):
    at = source.find(answer)
    return (at, at + len(answer)) if at >= 0 else None


def cite_minus_one(answer, source):
    return cite(answer, source) or (-1, len(answer) - 1)


def cite_any_case(answer, source):
    match = re.search(rf"(?<!\w){re.escape(answer)}(?!\w)", source, re.IGNORECASE)
    return match.span() if match else None


def cite_as_pattern(answer, source):
    match = re.search(rf"(?<!\w){answer}(?!\w)", source)
    return match.span() if match else None


def cite_last(answer, source):
    found = [m.span() for m in re.finditer(rf"(?<!\w){re.escape(answer)}(?!\w)", source)]
    return found[-1] if found else None


def cite_length(answer, source):
    span = cite(answer, source)
    return (span[0], len(answer)) if span else None


def cite_first_only(answer, source):
    first = cite_inside_words(answer, source)
    return first if first == cite(answer, source) else None


def cite_word_borders(answer, source):
    match = re.search(rf"\b{re.escape(answer)}\b", source)
    return match.span() if match else None


def cite_ascii(answer, source):
    match = re.search(rf"(?<![A-Za-z0-9]){re.escape(answer)}(?![A-Za-z0-9])", source)
    return match.span() if match else None


def draw_cite(rng: np.random.Generator) -> tuple:
    words = rng.choice(["74", "1974", "gold", "golden", "a.b", "axb"], size=8).tolist()
    return str(rng.choice(["74", "gold", "a.b"])), " ".join(words) + "."


def check_cite(t: Trial) -> None:
    cases = (
        ("Lone", "The Lone is long. The Lone is cold."),
        ("74", "In 1974 element 74 was rare."),
        ("gold", "The Golden Gate"),
        ("3.5 m", "It is 335 m wide and 3.5 m high."),
        ("tower", "The Tower has a tower."),
        ("1744", "Nobody knows."),
        ("1215.", "It was sealed in 1215. Then came peace."),
        ("Pel", "Pelé ran."),
    )
    for number, (answer, source) in enumerate([*cases, *t.fresh(draw_cite)]):
        got, expected = t.call(answer, source), cite(answer, source)
        if number and got is None and expected is not None:
            got = ()  # None is a legal result, only not here: so there is a return, and the bank may know more
        t.equal(got, expected, what=f"the place of {answer!r} in {source!r}")


HINTS = (
    "str.find is nearly right, but '74' also stands inside '1974'. Before and after the answer there must be no \\w.",
    "re.search(rf'(?<!\\w){re.escape(answer)}(?!\\w)', source) and match.span(); None when there is no match.",
)
WRONG = (
    Wrong(cite_inclusive, "gives the last character's place as the end: spans are half-open"),
    Wrong(cite_inside_words, "finds the answer inside longer words or numbers: 74 does not stand in 1974"),
    Wrong(cite_minus_one, "gives offsets for what is not there; find says -1, a citation must say None"),
    Wrong(cite_any_case, "ignores upper and lower case: then source[start:end] is not the answer, letter by letter"),
    Wrong(cite_as_pattern, "reads the answer as a pattern: a point stands for any character; use re.escape"),
    Wrong(cite_last, "gives the last place; the first is asked for"),
    Wrong(cite_length, "gives the length as the end"),
    Wrong(cite_first_only, "gives up: the first place is inside a word; look further, the answer may stand there later"),
    Wrong(
        cite_word_borders,
        "uses \\b, which wants a letter or digit on just one side: behind the point of '1215.' "
        "there is none. Forbid \\w before and after",
    ),
    Wrong(cite_ascii, "knows only the letters a to z: é is one too, so 'Pel' stands inside a word. \\w knows them all"),
)
AFTER = "It shows where an answer stands in the chat that course.py mine writes."
EXERCISE = Exercise("11.7", "Where does it say so?", "core", cite, check_cite, HINTS, WRONG, points=2, after=AFTER)
