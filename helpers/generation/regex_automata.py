"""Regular expressions as automata over bytes, for masks over tokens: parse, build, make deterministic.

Known: literals, escapes (\\d \\w \\s \\n \\t \\xHH and escaped signs), ., [...], [^...], (...), (?:...), |, and
the repetitions *, +, ?, {m}, {m,}, {m,n}.
A pattern matches the whole text. Characters beyond ASCII are read as their UTF-8 bytes; a negated class or a dot takes any
well-formed character beyond ASCII. Standard library and NumPy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["DEAD", "Automaton", "compile_pattern"]

DEAD = 0  # the state from which nothing can match
MAX_STATES = 20_000
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


@dataclass(frozen=True)
class Automaton:
    """A deterministic automaton. table: (S, 257) next state for each byte, column 256 stays; state 0 is DEAD.

    >>> compile_pattern("(yes|no)").matches("no"), compile_pattern("(yes|no)").matches("yes, no")
    (True, False)
    """

    table: np.ndarray
    start: int
    accepting: frozenset[int]

    def matches(self, text: str | bytes) -> bool:
        """Whether the whole text matches."""
        state = self.start
        for byte in text.encode("utf-8") if isinstance(text, str) else text:
            state = self.table[state, byte]
        return int(state) in self.accepting


class _Parser:
    """Recursive descent into nested tuples: ("set", bytes), ("cat", parts), ("or", parts), ("repeat", part, low, high)."""

    def __init__(self, pattern: str):
        self.pattern, self.at = pattern, 0

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
        while self.peek() and self.peek() in "*+?{":
            sign = self.take()
            low, high = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(sign) or self.counts()
            part = ("repeat", part, low, high)
        return part

    def counts(self):
        start = self.at
        while self.peek() and self.peek() != "}":
            self.take()
        low, comma, high = self.pattern[start : self.at].partition(",")
        self.take()
        if not low.isdigit() or high and not high.isdigit() or high and int(high) < int(low):
            self.fail("expected {m}, {m,} or {m,n} with m <= n")
        return int(low), (int(high) if high else None) if comma else int(low)

    def single(self):
        sign = self.take()
        if sign == "(":
            if self.pattern.startswith("?:", self.at):
                self.at += 2
            elif self.peek() == "?":
                self.fail("look-around and named groups are not known here")
            inner = self.either()
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
            try:
                return chr(int(digits, 16))
            except ValueError:
                self.fail(f"expected two hexadecimal digits after \\x, got {digits!r}")
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


class _Nfa:
    """Thompson's construction: states with edges on sets of bytes, and empty edges."""

    def __init__(self) -> None:
        self.edges: list[list[tuple[set[int], int]]] = []
        self.empty: list[list[int]] = []

    def state(self) -> int:
        self.edges.append([])
        self.empty.append([])
        if len(self.edges) > 40 * MAX_STATES:
            raise ValueError("the pattern is too large; use smaller counts")
        return len(self.edges) - 1

    def add(self, node, start: int) -> int:
        """Build `node` behind `start`; returns the state at its end."""
        kind = node[0]
        if kind == "set":
            end = self.state()
            self.edges[start].append((node[1], end))
            return end
        if kind == "cat":
            for part in node[1]:
                start = self.add(part, start)
            return start
        if kind == "or":
            end = self.state()
            for part in node[1]:
                branch = self.state()
                self.empty[start].append(branch)
                self.empty[self.add(part, branch)].append(end)
            return end
        _, part, low, high = node
        for _ in range(low):
            start = self.add(part, start)
        if high is None:
            loop = self.state()
            self.empty[start].append(loop)
            self.empty[self.add(part, loop)].append(loop)
            return loop
        end = self.state()
        for _ in range(high - low):
            self.empty[start].append(end)
            start = self.add(part, start)
        self.empty[start].append(end)
        return end


def compile_pattern(pattern: str) -> Automaton:
    """The automaton of a pattern. Raises ValueError for a pattern that cannot be read, or is too large.

    >>> compile_pattern("[a-c]{2}é?").matches("abé")
    True
    """
    # 1. Read the pattern into a tree, and build an automaton that may be in several states at once.
    parser = _Parser(pattern)
    tree = parser.either()
    if parser.at < len(pattern):
        parser.fail("a ) without its (")
    nfa = _Nfa()
    first = nfa.state()
    last = nfa.add(tree, first)
    # 2. Where each state leads without reading a byte.
    closures: dict[int, frozenset[int]] = {}

    def closure(state: int) -> frozenset[int]:
        if state not in closures:
            seen, todo = {state}, [state]
            while todo:
                for after in nfa.empty[todo.pop()]:
                    if after not in seen:
                        seen.add(after)
                        todo.append(after)
            closures[state] = frozenset(s for s in seen if nfa.edges[s] or s == last)  # the others lead on, no more
        return closures[state]

    # 3. Each set of states that can be reached together is one state of the result.
    numbers: dict[frozenset[int], int] = {frozenset(): DEAD, closure(first): 1}
    rows, todo = [np.zeros(257, dtype=np.int32)], [closure(first)]
    while todo:
        states, row = todo.pop(0), np.zeros(257, dtype=np.int32)
        reached: dict[int, set[int]] = {}
        for state in states:
            for symbols, after in nfa.edges[state]:
                for byte in symbols:
                    reached.setdefault(byte, set()).update(closure(after))
        for byte, after in reached.items():
            key = frozenset(after)
            if key not in numbers:
                numbers[key] = len(numbers)
                todo.append(key)
                if len(numbers) > MAX_STATES:
                    raise ValueError(f"the pattern needs more than {MAX_STATES:,} states; use smaller counts")
            row[byte] = numbers[key]
        row[256] = len(rows)
        rows.append(row)
    accepting = frozenset(number for key, number in numbers.items() if last in key)
    return Automaton(np.array(rows), 1, accepting)
