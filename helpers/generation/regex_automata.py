"""Regular expressions as automata over bytes, for masks over tokens: build from the tree of `regex_parser`, make deterministic.

A pattern matches the whole text, and means what it means to Python's `re` with the flag ASCII, or is refused. Standard library
and NumPy.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from helpers.generation.regex_parser import Parser
from helpers.tokenizers.checks import checked_text, utf8

__all__ = ["DEAD", "Automaton", "compile_pattern"]

DEAD = 0  # the state from which nothing can match
MAX_STATES = 20_000
MAX_WORK = 4_000_000  # steps of building, some seconds; also a limit on memory


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
        """Whether the whole text matches. Raises ValueError for half of a surrogate pair."""
        state = self.start
        for byte in utf8(text) if isinstance(text, str) else text:
            state = self.table[state, byte]
        return int(state) in self.accepting


class _Nfa:
    """Thompson's construction: states with edges on sets of bytes, and empty edges."""

    def __init__(self) -> None:
        self.edges: list[list[tuple[set[int], int]]] = []
        self.empty: list[list[int]] = []
        self.parts = 0

    def state(self) -> int:
        self.edges.append([])
        self.empty.append([])
        if len(self.edges) > 5 * MAX_STATES:
            raise ValueError("the pattern is too large; use smaller counts")
        return len(self.edges) - 1

    def add(self, node, start: int) -> int:
        """Build `node` behind `start`; returns the state at its end."""
        self.parts += 1  # an empty part needs no state, so that states alone are no limit
        if self.parts > 20 * MAX_STATES:
            raise ValueError("the pattern is too large; use smaller counts")
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
    """The automaton of a pattern. Raises TypeError for no string, ValueError for a pattern that cannot be read, or is too large.

    >>> compile_pattern("[a-c]{2}é?").matches("abé")
    True
    """
    # 1. Read the pattern into a tree, and build an automaton that may be in several states at once.
    utf8(checked_text(pattern))
    parser = Parser(pattern)
    tree = parser.either()
    if parser.at < len(pattern):
        parser.fail("a ) without its (")
    nfa = _Nfa()
    first = nfa.state()
    last = nfa.add(tree, first)
    # 2. Where each state leads without reading a byte.
    closures: dict[int, frozenset[int]] = {}
    work = 0

    def spend(steps: int) -> None:
        nonlocal work
        work += steps
        if work > MAX_WORK:
            raise ValueError("the pattern takes too much work; use smaller counts, and fewer of them inside each other")

    def closure(state: int) -> frozenset[int]:
        if state not in closures:
            seen, todo = {state}, [state]
            while todo:
                for after in nfa.empty[todo.pop()]:
                    if after not in seen:
                        seen.add(after)
                        todo.append(after)
            spend(len(seen))
            closures[state] = frozenset(s for s in seen if nfa.edges[s] or s == last)  # the others lead on, no more
        return closures[state]

    # 3. Each set of states that can be reached together is one state of the result.
    numbers: dict[frozenset[int], int] = {frozenset(): DEAD, closure(first): 1}
    rows, todo = [np.zeros(257, dtype=np.int32)], deque([closure(first)])
    while todo:
        states, row = todo.popleft(), np.zeros(257, dtype=np.int32)
        reached: dict[int, set[int]] = {}
        for state in states:
            for symbols, after in nfa.edges[state]:
                spend(1 + len(symbols) * len(closure(after)) // 8)
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
