"""Constrained decoding: a regular expression, or a JSON schema made into one, becomes a mask over the tokens at each step.

The expression is compiled to an automaton over bytes. A token is allowed when all of its bytes can be read from the current
state, and when the rest can still be completed in the tokens that are left. So whatever the model prefers, the text matches.

    allowed = Constraint(r"(yes|no)", tokens, end_id=0, max_tokens=5)       # tokens: the bytes of each id
    generate(model, prompt, sampler, allowed=allowed, max_tokens=5, stop_ids=[0])

A mask guarantees form, not sense. Source: Willard and Louf 2023, Efficient guided generation. Standard library and NumPy.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from helpers.generation.regex_automata import DEAD, Automaton, compile_pattern

__all__ = ["Constraint", "TokenTable", "choices_pattern", "json_pattern", "token_bytes"]


class TokenTable:
    """The bytes of every token as one array, for reading all tokens through an automaton at once.

    >>> table = TokenTable([b"", b"a", b"ab"])
    >>> automaton = compile_pattern("ab")
    >>> (table.read(automaton, automaton.start) != DEAD).tolist()
    [False, True, True]
    """

    def __init__(self, tokens: Sequence[bytes]):
        """tokens: the bytes of each id; b"" for special tokens, which are never allowed. Raises ValueError for no tokens."""
        longest = max((len(t) for t in tokens), default=0)
        if longest == 0:
            raise ValueError("expected the bytes of each token, got none")
        self.size = len(tokens)
        self.bytes = np.full((longest, len(tokens)), 256, dtype=np.int64)  # 256: nothing left to read
        for id, token in enumerate(tokens):
            self.bytes[: len(token), id] = list(token)
        self.empty = np.array([not token for token in tokens])
        self.singles = {t[0] for t in tokens if len(t) == 1}

    def read(self, automaton: Automaton, state: int) -> np.ndarray:
        """(V,) the state after reading each token from `state`; DEAD where it cannot be read."""
        after = np.full(self.size, state, dtype=np.int64)
        for column in self.bytes:
            after = automaton.table[after, column]
        after[self.empty] = DEAD
        return after


class Constraint:
    """A logits mask for structured output: `mask()` says which ids may come next in a pattern, `advance(id)` moves on.

    The end id is allowed exactly where the text so far matches the whole pattern. With `max_tokens` a token is allowed only if
    the pattern can still be completed in the tokens left, byte by byte if need be.

    >>> allowed = Constraint("(ab|b)", [b"", b"a", b"b", b"ab"], end_id=0)
    >>> allowed.mask().tolist()
    [False, True, True, True]
    >>> allowed.advance(1)
    >>> allowed.mask().tolist()  # only "b" may follow "a"
    [False, False, True, False]
    """

    def __init__(
        self, pattern: str | Automaton, tokens: Sequence[bytes] | TokenTable, *, end_id: int, max_tokens: int | None = None
    ):
        """Raises ValueError for a pattern that cannot be compiled, or needs more than max_tokens, or lacks tokens."""
        self.automaton = compiled(pattern) if isinstance(pattern, str) else pattern
        self.tokens = tokens if isinstance(tokens, TokenTable) else TokenTable(tokens)
        if not 0 <= end_id < self.tokens.size:
            raise ValueError(f"expected an end_id from 0 to {self.tokens.size - 1}, got {end_id}")
        self.end_id, self.left, self.state, self.ended = end_id, max_tokens, self.automaton.start, False
        self._after: dict[int, np.ndarray] = {}
        self._distance = self._distances()
        need = self._distance[self.state]
        if not np.isfinite(need):
            raise ValueError(
                "expected a pattern that these tokens can spell, got one that needs a byte of which no token consists"
            )
        if max_tokens is not None and need > max_tokens:
            raise ValueError(
                f"the shortest text that matches takes up to {int(need)} tokens, but only {max_tokens} are left; "
                "allow more tokens or make the pattern shorter"
            )

    def _distances(self) -> np.ndarray:
        """(S,) for each state how many single-byte tokens complete a match; inf where none can. Breadth first, backwards."""
        table, usable = self.automaton.table, np.array(sorted(self.tokens.singles), dtype=np.int64)
        before: list[set[int]] = [set() for _ in range(len(table))]
        for state in range(1, len(table)):
            for after in set(table[state, usable].tolist()) - {DEAD}:
                before[after].add(state)
        distance = np.full(len(table), np.inf)
        queue = deque(self.automaton.accepting)
        distance[list(self.automaton.accepting)] = 0
        while queue:
            state = queue.popleft()
            for earlier in before[state]:
                if not np.isfinite(distance[earlier]):
                    distance[earlier] = distance[state] + 1
                    queue.append(earlier)
        return distance

    @property
    def matches(self) -> bool:
        """Whether the text so far matches the whole pattern."""
        return self.state in self.automaton.accepting

    def mask(self) -> np.ndarray:
        """(V,) True where an id may come next. After the end, or when nothing more fits, only the end id."""
        allowed = np.zeros(self.tokens.size, dtype=bool)
        if not self.ended:
            need = self._distance[self.after()]
            allowed = np.isfinite(need) if self.left is None else need <= self.left - 1
        allowed[self.end_id] = self.ended or self.matches
        return allowed

    def after(self) -> np.ndarray:
        """(V,) the state after each token, computed once for each state."""
        if self.state not in self._after:
            self._after[self.state] = self.tokens.read(self.automaton, self.state)
        return self._after[self.state]

    def advance(self, id: int) -> None:
        """Move on by a token. Raises ValueError for one that `mask` does not allow."""
        if not self.mask()[id]:
            raise ValueError(f"expected an id that is allowed here, got {id}; choose among mask()")
        if id == self.end_id:
            self.ended = True
        else:
            self.state = int(self.after()[id])
        if self.left is not None:
            self.left -= 1


def token_bytes(tokenizer: Any) -> list[bytes]:
    """The bytes of every id of a byte-level tokenizer: the course's own, or one of transformers; b"" for special tokens.

    Raises TypeError for a tokenizer that is neither.

    >>> from helpers.tokenizers.bpe import BPE
    >>> tokens = token_bytes(BPE.from_smollm2())
    >>> tokens[2], len(tokens)  # a special token is never allowed
    (b'', 49152)
    """
    if hasattr(tokenizer, "decode_bytes"):
        special = set(tokenizer.special_tokens.values())
        return [b"" if id in special else tokenizer.decode_bytes([id]) for id in range(tokenizer.vocab_size)]
    if not hasattr(tokenizer, "convert_ids_to_tokens"):
        raise TypeError(f"expected a byte-level tokenizer, got {type(tokenizer).__name__}")
    from helpers.tokenizers.bpe_training import from_visible

    special = set(tokenizer.all_special_ids)
    return [
        b"" if id in special else from_visible(t) for id, t in enumerate(tokenizer.convert_ids_to_tokens(range(len(tokenizer))))
    ]


# ------------------------------------------------------------------------------------------------------------- patterns


def choices_pattern(options: Iterable[str]) -> str:
    """A pattern for one of several texts. Raises ValueError when there is none.

    >>> choices_pattern(["yes", "no"])
    '(yes|no)'
    """
    listed = [re.escape(option) for option in options]
    if not listed:
        raise ValueError("expected at least one option, got none")
    return "(" + "|".join(listed) + ")"


STRING_CHARACTER = r'([^"\\\x00-\x1f]|\\["\\/bfnrt])'
INTEGER = r"-?(0|[1-9][0-9]{0,9})"
LONGEST = 200_000  # characters of a pattern: a schema in a schema doubles with each level
NUMBER = INTEGER + r"(\.[0-9]{1,6})?"


_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str),
    "integer": lambda v: _TYPES["number"](v) and v % 1 == 0,
    "number": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
    "boolean": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
}
_NOTES = {"title", "description"}  # which change nothing
_KEYS = _NOTES | set("type properties required additionalProperties items minItems maxItems minLength maxLength".split())


def json_pattern(schema: dict[str, Any], depth: int = 0) -> str:
    """A pattern for the JSON texts of a schema, written compactly and with the properties in the order of the schema.

    Known keys: type (object, array, string, integer, number, boolean, null), properties, required, items, minItems, maxItems,
    minLength, maxLength, enum, const, anyOf. All properties are required and no other is allowed; arrays hold at most 8 items and
    strings at most 60 characters unless said otherwise, since a regular expression can count only so far. Raises ValueError for
    anything else, with the name of the key.

    >>> json_pattern({"enum": ["red", 1]})
    '("red"|1)'
    """
    if not isinstance(schema, dict):
        raise ValueError(f"expected a schema as a dictionary, got one of type {type(schema).__name__}")
    if depth > 20:
        raise ValueError("expected a schema of at most 20 levels, got a deeper one")
    values = next((key for key in ("const", "enum", "anyOf") if key in schema), "")
    known = _NOTES | ({"anyOf"} if values == "anyOf" else {values, "type"}) if values else _KEYS
    if set(schema) - known:
        strange = ", ".join(sorted(map(str, set(schema) - known)))
        raise ValueError(f"expected a schema with the keys {', '.join(sorted(known))}, got {strange}, which cannot be kept here")
    if values == "anyOf":
        options = schema["anyOf"]
        if not isinstance(options, list) or not options:
            raise ValueError(f"expected anyOf as a list of at least one option, got {options!r}")
        return _short("(" + "|".join(json_pattern(option, depth + 1) for option in options) + ")")
    kind = schema.get("type")
    if not isinstance(kind, str | None):
        raise ValueError(f"expected one type, got {kind!r}; for a choice of types use anyOf")
    if kind not in _TYPES and not (kind is None and values):
        raise ValueError(f"expected a type among {', '.join(_TYPES)}, got {kind!r}")
    if values:
        listed = schema["enum"] if values == "enum" else [schema["const"]]
        if not isinstance(listed, list):
            raise ValueError(f"expected enum as a list of values, got {listed!r}")
        pattern = choices_pattern(_compact(value, values) for value in listed)
        wrong = [value for value in listed if kind and not _TYPES[kind](value)]
        if wrong:
            raise ValueError(f"expected {values} to hold values of the type {kind}, got {wrong[0]!r}")
        return pattern if values == "enum" else pattern[1:-1]
    return _short(_pattern_of(kind, schema, depth))


def _short(pattern: str) -> str:
    if len(pattern) > LONGEST:
        raise ValueError(f"expected a schema with a pattern of at most {LONGEST:,} characters, got a larger one; nest less")
    return pattern


def _pattern_of(kind: str | None, schema: dict[str, Any], depth: int) -> str:
    """The pattern of a type with the keys that limit it."""
    simple = {"integer": INTEGER, "number": NUMBER, "boolean": "(true|false)", "null": "null"}
    if kind in simple:
        return simple[kind]
    if kind == "string":
        low, high = _limits(schema, "Length", 60)
        return f'"{STRING_CHARACTER}{{{low},{high}}}"'
    if kind == "array":
        low, high = _limits(schema, "Items", 8)
        if high == 0:
            return r"\[\]"
        item = json_pattern(schema.get("items", {"type": "string"}), depth + 1)
        filled = f"{item}(,{item}){{{max(0, low - 1)},{high - 1}}}"
        return rf"\[{filled}\]" if low else rf"\[({filled})?\]"
    properties, required = schema.get("properties", {}), schema.get("required", [])
    if not isinstance(properties, dict) or not all(isinstance(name, str) for name in properties):
        raise ValueError(f"expected properties as a dictionary from names to schemas, got {properties!r}")
    if not isinstance(required, list) or any(name not in list(properties) for name in required):
        raise ValueError(f"expected required as a list of names that stand in properties, got {required!r}")
    if not isinstance(schema.get("additionalProperties", False), bool):
        raise ValueError("expected additionalProperties as true or false, got a schema, which cannot be kept here")
    parts = [re.escape(_compact(name, "properties")) + ":" + json_pattern(sub, depth + 1) for name, sub in properties.items()]
    return r"\{" + ",".join(parts) + r"\}"


def _compact(value: Any, key: str) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        text.encode("utf-8")
        if json.loads(text) != value:  # tuples, numbers as keys
            raise ValueError(f"{text} would be read as another value")
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"expected {key} to hold values that JSON can write, got others ({error})") from None
    return text


def _limits(schema: dict[str, Any], what: str, default: int) -> tuple[int, int]:
    low = schema.get(f"min{what}", 0)
    high = schema.get(f"max{what}", max(default, low) if isinstance(low, int) else default)
    if not all(isinstance(n, int) and not isinstance(n, bool) for n in (low, high)) or not 0 <= low <= high <= LONGEST:
        raise ValueError(f"expected whole numbers 0 <= min{what} <= max{what} <= {LONGEST:,}, got {low!r} and {high!r}")
    return low, high


@lru_cache(maxsize=64)
def compiled(pattern: str) -> Automaton:
    """`compile_pattern`, remembered: a schema is often used again."""
    return compile_pattern(pattern)
