"""Regular expressions as trees, of sets of bytes: what `regex_automata` builds from.

Known: literals, escapes (\\d \\w \\s \\n \\t \\xHH and escaped signs), ., [...], [^...], (...), (?:...), |, and the repetitions
*, +, ?, {m}, {m,}, {m,n}. \\d, \\w and \\s are those of ASCII. Characters beyond ASCII are read as their UTF-8 bytes; a negated
class or a dot takes any well-formed character beyond ASCII.
"""

from __future__ import annotations

import re

__all__ = ["Parser"]

MAX_DEPTH = 60  # brackets in brackets
_DIGIT, _WORD, _SPACE = (
    set(b"0123456789"),
    set(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"),
    set(b" \t\n\r\f\v"),
)
_CLASSES = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_SIGNS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
_ASCII = set(range(128))
# Well-formed UTF-8 of two, three and four bytes (RFC 3629): ranges of each byte.
_BEYOND = [
    [(0xC2, 0xDF), (0x80, 0xBF)],
    [(0xE0, 0xE0), (0xA0, 0xBF), (0x80, 0xBF)],
    [(0xE1, 0xEC), (0x80, 0xBF), (0x80, 0xBF)],
    [(0xED, 0xED), (0x80, 0x9F), (0x80, 0xBF)],
    [(0xEE, 0xEF), (0x80, 0xBF), (0x80, 0xBF)],
    [(0xF0, 0xF0), (0x90, 0xBF), (0x80, 0xBF), (0x80, 0xBF)],
    [(0xF1, 0xF3), (0x80, 0xBF), (0x80, 0xBF), (0x80, 0xBF)],
    [(0xF4, 0xF4), (0x80, 0x8F), (0x80, 0xBF), (0x80, 0xBF)],
]


class Parser:
    """Recursive descent into nested tuples: ("set", bytes), ("cat", parts), ("or", parts), ("repeat", part, low, high).

    >>> Parser("a?").either()
    ('cat', [('repeat', ('cat', [('set', {97})]), 0, 1)])
    """

    def __init__(self, pattern: str):
        self.pattern, self.at, self.depth = pattern, 0, 0

    def fail(self, message: str):
        raise ValueError(f"the pattern {self.pattern!r} cannot be read at position {self.at}: {message}")

    def peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def take(self) -> str:
        if self.at >= len(self.pattern):
            self.fail("it ends too early")
        self.at += 1
        return self.pattern[self.at - 1]

    def either(self):
        parts = [self.sequence()]
        while self.peek() == "|":
            self.take()
            parts.append(self.sequence())
        return ("or", parts) if len(parts) > 1 else parts[0]

    def sequence(self):
        parts = []
        while self.peek() and self.peek() not in "|)":
            parts.append(self.repeated())
        return ("cat", parts)

    def repeated(self):
        part = self.single()
        if self.peek() and self.peek() in "*+?{":
            sign = self.take()
            low, high = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(sign) or self.counts()
            part = ("repeat", part, low, high)
            if self.peek() and self.peek() in "*+?{":
                self.fail(
                    "two repetitions in a row; lazy and possessive ones are not known here, others want (?:...) around the first"
                )
        return part

    def counts(self):
        start = self.at
        while self.peek() and self.peek() != "}":
            self.take()
        low, comma, high = self.pattern[start : self.at].partition(",")
        self.take()
        if (
            not re.fullmatch(r"[0-9]{1,6}", low)
            or high
            and not re.fullmatch(r"[0-9]{1,6}", high)
            or high
            and int(high) < int(low)
        ):
            self.fail("expected {m}, {m,} or {m,n} with m <= n")
        return int(low), (int(high) if high else None) if comma else int(low)

    def single(self):
        sign = self.take()
        if sign == "(":
            if self.pattern.startswith("?:", self.at):
                self.at += 2
            elif self.peek() == "?":
                self.fail("look-around and named groups are not known here")
            self.depth += 1
            if self.depth > MAX_DEPTH:
                self.fail(f"more than {MAX_DEPTH} brackets in each other")
            inner = self.either()
            self.depth -= 1
            if self.take() != ")":
                self.fail("expected )")
            return inner
        if sign == "[":
            return self.brackets()
        if sign == ".":
            return _any_but(set(b"\n"))
        if sign == "\\":
            found = self.escape()
            return ("set", found) if isinstance(found, set) else _character(found)
        if sign in "*+?{}])^$":
            self.fail(f"{sign!r} has a meaning of its own; write \\{sign} for the sign itself (^ and $ are not needed)")
        return _character(sign)

    def escape(self):
        """After a backslash: a set of bytes (\\d), or one character."""
        sign = self.take()
        if sign in _CLASSES:
            return set(_CLASSES[sign])
        if sign == "x":
            digits = self.take() + self.take()
            if not re.fullmatch("[0-9a-fA-F]{2}", digits):
                self.fail(f"expected two hexadecimal digits after \\x, got {digits!r}")
            return chr(int(digits, 16))
        if sign.isalnum() and sign not in _SIGNS:
            self.fail(f"\\{sign} is not known here")
        return _SIGNS.get(sign, sign)

    def brackets(self) -> tuple:
        negated = self.peek() == "^"
        if negated:
            self.take()
        ascii_set: set[int] = set()
        others: list = []
        first = True
        while first or self.peek() != "]":
            first = False
            sign = self.take()
            found = self.escape() if sign == "\\" else sign
            if isinstance(found, set):
                if self.peek() == "-" and self.pattern[self.at + 1 : self.at + 2] not in ("]", ""):
                    self.fail("a class such as \\d cannot begin a range; write \\- for the sign itself")
                ascii_set |= found
                continue
            last = found
            if self.peek() == "-" and self.pattern[self.at + 1 : self.at + 2] not in ("]", ""):
                self.take()
                sign = self.take()
                last = self.escape() if sign == "\\" else sign
                if isinstance(last, set) or ord(last) < ord(found):
                    self.fail("the range runs backwards")
            ascii_set |= set(range(ord(found), min(ord(last), 127) + 1))
            if ord(last) > 127:
                if negated or ord(last) - max(ord(found), 128) > 500:
                    self.fail("a class may hold characters beyond ASCII one by one, not negated and not in long ranges")
                others += [_character(chr(c)) for c in range(max(ord(found), 128), ord(last) + 1)]
        self.take()
        if negated:
            return _any_but(ascii_set)
        return ("or", [("set", ascii_set), *others]) if others else ("set", ascii_set)


def _character(character: str):
    return ("cat", [("set", {byte}) for byte in character.encode("utf-8")])


def _any_but(excluded: set[int]):
    beyond = [("cat", [("set", set(range(low, high + 1))) for low, high in row]) for row in _BEYOND]
    return ("or", [("set", _ASCII - excluded), *beyond])
