"""One spelling for what means the same: how answers are compared, wherever the course judges one.

Upper and lower case, wide letters, accents on Latin, Greek and Cyrillic letters, kinds of dash, quote and space do not count. A
number is its value: signs count, separators of thousands do not. In scripts written without spaces each character is a piece.
"""

from __future__ import annotations

import unicodedata

import regex

__all__ = ["CONTROL", "folded", "number", "pieces", "spans", "without_controls"]

_NO_SPACES = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_field = regex.compile(r"\x13[^\x13-\x15]*\x14")  # the hidden half of a word processor's link
CONTROL = regex.compile(r"[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_raised = regex.compile(r"(?<=\d)(?=\p{No})")
_accents = regex.compile(r"(?<=[\p{Latin}\p{Greek}\p{Cyrillic}]\p{M}*)[\u0300-\u036f]")
_thousands = regex.compile(r"(?<=\d)[\u00a0\u2009\u202f](?=\d{3}(?!\d))")  # spaces that do not break a line
_signs = str.maketrans({"\u2019": "'", "\u066b": ".", "\u066c": ","})  # and Arabic separators in numbers
_DIGITS = (
    r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}|\d{1,3}(?:'\d{3})+(?:\.\d+)?|\d+(?:[.,]\d+)?"
)
_number = rf"(?:(?<![\w)\]])[-+])?(?<!\w|\d[.,])(?:{_DIGITS})(?!\w|[.,]\d)"
_piece = regex.compile(rf"(?P<number>{_number})|[{_NO_SPACES}]\p{{M}}*|[\w--[{_NO_SPACES}]]+(?:[.,]\d+)*|\S", regex.V1)


def without_controls(text: str) -> str:
    """The text with a space for each control character, which no tokenizer has an id for; tabs and line ends stay.

    >>> without_controls('see \\x13HYPERLINK "x"\\x14the map\\x15')
    'see the map '
    """
    return CONTROL.sub(" ", _field.sub("", text))


def folded(text: str) -> str:
    """The text with what does not count taken off; white space is single spaces.

    >>> folded("The  Café, 1939\\u20131945 \\uff21")
    'the cafe, 1939-1945 a'
    """
    if not text.isascii():
        text = _thousands.sub(",", text.translate(_signs))
        text = unicodedata.normalize("NFKC", _raised.sub(" ", text))  # "10\u00b2" is not "102"
        text = _accents.sub("", unicodedata.normalize("NFD", text.casefold()))
        text = regex.sub(r"[\u2010-\u2015\u2212]", "-", unicodedata.normalize("NFC", text))
        text = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
    return " ".join(text.casefold().split())


def number(text: str) -> str:
    """The value of a number as it is written, in one form; a sign of plus, separators and zeros at the end are left out.

    A comma before three digits separates thousands ("1,234"), any other is a decimal comma ("3,14"); a single point is
    decimal ("1.234"), several separate thousands.

    >>> [number(n) for n in ("2,574", "-5", "3,14", "1.234,50", "1.234.567", "0,125")]
    ['2574', '-5', '3.14', '1234.5', '1234567', '0.125']
    """
    sign, body = "-" * text.startswith("-"), regex.sub(r"['+-]", "", text)
    last = max(body.rfind("."), body.rfind(","))
    whole, part = (body[:last], body[last + 1 :]) if last >= 0 else (body, "")
    thousands = body.count(body[last]) > 1 or (body[last] == "," and len(part) == 3 and whole != "0") if last >= 0 else False
    if thousands and not ("," in whole and "." in whole):
        whole, part = body, ""
    whole, part = regex.sub(r"[.,]", "", whole), part.rstrip("0")
    return sign + whole + ("." + part if part else "")


def pieces(text: str) -> list[str]:
    """Words, numbers in one form and signs, in order: two texts with the same pieces say the same.

    >>> pieces("It is 2,574 km: \\u22125 \\uff21!")
    ['it', 'is', '2574', 'km', ':', '-5', 'a', '!']
    >>> pieces("\\u9996\\u90fd\\u662f")
    ['首', '都', '是']
    """
    return [number(m[0]) if m["number"] else m[0] for m in _piece.finditer(folded(text))]


def spans(text: str) -> list[str]:
    """The pieces of a text as they are written in it.

    >>> spans("Ada: 2,574 km")
    ['Ada', ':', '2,574', 'km']
    """
    return [m[0] for m in _piece.finditer(unicodedata.normalize("NFC", text).replace("\u2212", "-"))]
