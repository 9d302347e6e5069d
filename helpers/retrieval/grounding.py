"""Is an answer in its source? Spans that can be checked, letter by letter, and no judgement by another model.

A citation is a half-open span of characters: source[start:end] must equal what is quoted. Whether an answer is *supported* is
decided on what can be wrong in it, its numbers and names: each must stand in the sources, or in the question.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from helpers.features.spelling import pieces, spans
from helpers.retrieval.chunking import sentences

__all__ = ["Citation", "check_citation", "claims", "contains_answer", "find_support", "marks", "supported"]

_marks = re.compile(r"\[(\d{1,3})\]")
_STOP = frozenset(
    "a an and are as at be by for from had has have he her his in is it its of on or she that the their they this "
    "to was were which who will with you your i we not no yes there what when where how".split()
)


class Citation(NamedTuple):
    """A quote. source: number of the source, counted from 1 as in the prompt; start, end: half-open offsets in its text.

    >>> Citation(source=1, start=3, end=8, quote="otter").quote
    'otter'
    """

    source: int
    start: int
    end: int
    quote: str


def contains_answer(text: str, accepted: Sequence[str]) -> bool:
    """Whether one of the accepted answers stands in the text as whole words ("74" does not stand in "1974").

    Raises ValueError when nothing is accepted: an unanswerable question is right when it is declined, not here.

    >>> contains_answer("It has 74 rooms.", ["74"]), contains_answer("Built in 1974.", ["74"])
    (True, False)
    """
    if isinstance(accepted, str) or not accepted:
        raise ValueError(f"expected a list of accepted answers, got {accepted!r}")
    body = pieces(text)
    wanted = [pieces(a) for a in accepted]
    return any(body[i : i + len(w)] == w for w in wanted if w for i in range(len(body) - len(w) + 1))


def check_citation(citation: Citation, sources: Sequence[str]) -> str:
    """ "" when the citation holds, else what is wrong with it: no such source, offsets outside, another text there.

    >>> check_citation(Citation(1, 3, 8, "otter"), ["An otter swims."]), check_citation(Citation(1, 0, 2, "A"), ["An otter."])
    ('', "source [1] says 'An' there, not 'A'")
    """
    if not 1 <= citation.source <= len(sources):
        return f"there is no source [{citation.source}]; there are {len(sources)}"
    text = sources[citation.source - 1]
    if not 0 <= citation.start < citation.end <= len(text):
        return f"the span {citation.start}:{citation.end} lies outside source [{citation.source}] of {len(text)} characters"
    found = text[citation.start : citation.end]
    return "" if found == citation.quote else f"source [{citation.source}] says {found!r} there, not {citation.quote!r}"


def marks(answer: str) -> list[int]:
    """The numbers of the sources that an answer names, like [2], in order. That a number is named proves nothing yet.

    >>> marks("2,574 km [2], see also [1]")
    [2, 1]
    """
    return [int(n) for n in _marks.findall(answer)]


def claims(answer: str, question: str = "") -> list[str]:
    """The words of an answer that carry facts and were not in the question: numbers, and words with a capital inside a sentence
    or at its beginning (common little words aside).

    >>> claims("The Zambezi is 2,574 km long, says Ada.", "How long is the Zambezi?")
    ['2,574', 'Ada']
    """
    asked = set(pieces(question)) | _STOP
    return [w for w in spans(_marks.sub(" ", answer)) if _loud(w) and not asked.issuperset(pieces(w))]


def _loud(word: str) -> bool:
    """Whether a word carries a fact: a number, a capital, or any word of a script that has no capitals."""
    first = word.lstrip("+-")[:1]
    return first.isdigit() or first.isalpha() and not first.islower()


def supported(answer: str, sources: Sequence[str], question: str = "") -> float:
    """The share of an answer's claims that stand in one of the sources; 1.0 for an answer without any.

    >>> supported("2,574 km, says Ada", ["It is 2,574 km long."])
    0.5
    """
    body = set(pieces("\n".join(sources)))
    made = claims(answer, question)
    return sum(body.issuperset(pieces(w)) for w in made) / len(made) if made else 1.0


def _words(text: str) -> set[str]:
    return {p for p in pieces(text) if any(c.isalnum() for c in p)}


def find_support(answer: str, sources: Sequence[str]) -> Citation | None:
    """The sentence, among all sources, that shares most words with the answer (claims count double); None when none is shared.

    This is how an answer gets its citation when the model gives none: looked for afterwards, and checkable like any other.

    >>> find_support("It swims", ["Rain fell.", "It is brown. An otter swims."])
    Citation(source=2, start=13, end=28, quote='An otter swims.')
    """
    words = _words(_marks.sub(" ", answer)) - _STOP
    heavy = {p for w in claims(answer) for p in pieces(w)}
    best, found = 0.0, None
    for number, text in enumerate(sources, start=1):
        for start, end in sentences(text):
            have = _words(text[start:end])
            value = len(words & have) + len(heavy & have)
            if value > best:
                best, found = value, Citation(number, start, end, text[start:end])
    return found
