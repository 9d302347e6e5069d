"""Patterns as automata, and masks over tokens: what is written always matches, also in the last token."""

import json
import random
import re

import numpy as np
import pytest

from helpers.generation.constrained import Constraint, TokenTable, choices_pattern, json_pattern, token_bytes
from helpers.generation.regex_automata import compile_pattern
from helpers.generation.sampling import GREEDY, Sampler, generate
from helpers.models.language_model import Uniform

BYTES = [bytes([b]) for b in range(256)]
TOKENS = TokenTable([b"", *BYTES, b'{"', b'":', b"true", b"false", b"null", b"12", b"yes", b"no", b'"}', "é".encode(), b"},{"])
V = TOKENS.size


@pytest.mark.parametrize(
    "pattern",
    [
        r"a*b",
        r"(yes|no)",
        r"\d{2}-\d{2}-\d{4}",
        r"[^a-c]+x?",
        r"(ab|a)(c|bcd)*",
        r"\w+\s?é?",
        r".{2,4}",
        r"[äö]+|z",
        r"(a|b){2,}c",
        r"\{\}",
        "",
        r"a{0}b?",
        r"(?:ab)+",
        r"[]a]+",
        r"[a\-c]*",
        r"\x41+",
    ],
)
def test_an_automaton_agrees_with_re(pattern):
    automaton, rng = compile_pattern(pattern), random.Random(0)
    for _ in range(1500):
        text = "".join(rng.choice("abcxyzAd0159-éäö \n{}]€") for _ in range(rng.randint(0, 9)))
        assert automaton.matches(text) == bool(re.fullmatch(pattern, text, re.ASCII)), text


@pytest.mark.parametrize("pattern", ["(a", "a)", "[a", "*a", "a{3,1}", "a{x}", r"\q", "(?=a)", "[b-a]", "^a", "[^é]"])
def test_patterns_that_cannot_be_read_are_refused(pattern):
    with pytest.raises(ValueError, match="cannot be read"):
        compile_pattern(pattern)


def random_schema(rng, depth=0):
    kinds = ["string", "integer", "number", "boolean", "null", "enum", "const"] + ["object", "array"] * (depth < 2)
    kind = rng.choice(kinds)
    if kind == "enum":
        return {"enum": rng.sample(["red", "blue", 'say "hi"', 1, 2.5, None, True, "naïve"], k=rng.randint(1, 4))}
    if kind == "const":
        return {"const": rng.choice(["x", 3, [1, 2], {"a": None}])}
    if kind == "object":
        return {"type": "object", "properties": {f"k{i}": random_schema(rng, depth + 1) for i in range(rng.randint(0, 3))}}
    if kind == "array":
        low = rng.randint(0, 2)
        return {"type": "array", "items": random_schema(rng, depth + 1), "minItems": low, "maxItems": low + rng.randint(0, 2)}
    return {"type": "string", "maxLength": rng.randint(0, 8)} if kind == "string" else {"type": kind}


def fits(value, schema):
    if "enum" in schema:
        return any(value == option and type(value) is type(option) for option in schema["enum"])
    if "const" in schema:
        return value == schema["const"]
    kind = schema["type"]
    if kind == "object":
        return (
            isinstance(value, dict)
            and list(value) == list(schema["properties"])
            and all(fits(value[k], s) for k, s in schema["properties"].items())
        )
    if kind == "array":
        return (
            isinstance(value, list)
            and schema["minItems"] <= len(value) <= schema["maxItems"]
            and all(fits(v, schema["items"]) for v in value)
        )
    if kind == "string":
        return isinstance(value, str) and len(value) <= schema["maxLength"]
    return {
        "integer": type(value) is int,
        "number": type(value) in (int, float),
        "boolean": type(value) is bool,
        "null": value is None,
    }[kind]


def test_500_random_schemas_always_give_valid_json():
    rng, model = random.Random(0), Uniform(V)
    for number in range(500):
        schema = random_schema(rng)
        free = Constraint(json_pattern(schema), TOKENS, end_id=0)
        limit = int(free._distance[free.state]) + 1 + rng.randint(0, 20)  # often hardly enough: the last tokens must close it
        allowed = Constraint(free.automaton, TOKENS, end_id=0, max_tokens=limit)
        written = generate(model, [], Sampler(), allowed=allowed, max_tokens=limit, stop_ids=[0], rng=number)
        text = b"".join(
            ([b"", *BYTES, b'{"', b'":', b"true", b"false", b"null", b"12", b"yes", b"no", b'"}', "é".encode(), b"},{"])[i]
            for i in written.ids
        ).decode("utf-8")
        assert fits(json.loads(text), schema), (schema, text)


def test_the_end_is_allowed_exactly_where_the_text_matches():
    allowed = Constraint("(yes|no)", TOKENS, end_id=0)
    assert not allowed.mask()[0] and allowed.mask().sum() == 4  # y, n, yes, no
    allowed.advance(V - 5)  # "yes"
    assert allowed.matches and np.flatnonzero(allowed.mask()).tolist() == [0]
    allowed.advance(0)
    assert allowed.ended and np.flatnonzero(allowed.mask()).tolist() == [0]
    with pytest.raises(ValueError, match="that is allowed here"):
        allowed.advance(5)


def test_what_cannot_be_completed_is_refused_at_once():
    with pytest.raises(ValueError, match="only 5 are left"):
        Constraint(r"\d{2}-\d{2}-\d{4}", TOKENS, end_id=0, max_tokens=5)
    with pytest.raises(ValueError, match="of which no token consists"):
        Constraint("ab", [b"", b"a"], end_id=0)
    with pytest.raises(ValueError, match="end_id"):
        Constraint("a", [b"", b"a"], end_id=2)
    with pytest.raises(ValueError, match="bytes of each token"):
        TokenTable([b"", b""])
    assert (
        generate(Uniform(V), [], GREEDY, allowed=Constraint("no", TOKENS, end_id=0), max_tokens=3, stop_ids=[0]).reason
        == "stop id"
    )


def test_form_is_not_sense():
    automaton = compile_pattern(r"\d{2}/\d{2}/\d{4}")
    assert automaton.matches("99/99/9999") and not automaton.matches("2024-01-05") and not automaton.matches("12/31/202")


@pytest.mark.parametrize(
    "schema", [{"type": "date"}, {"type": "string", "format": "date"}, [], {"type": "array", "minItems": 3, "maxItems": 1}]
)
def test_schemas_that_are_not_known_are_refused(schema):
    with pytest.raises(ValueError, match="expected"):
        json_pattern(schema)


def test_choices_and_the_bytes_of_tokenizers():
    assert compile_pattern(choices_pattern(["a+b", "c"])).matches("a+b")
    with pytest.raises(ValueError, match="at least one"):
        choices_pattern([])
    from helpers.tokenizers.bpe import BPE

    tokenizer = BPE.train(["low lower lowest"], 262, special_tokens=["<|endoftext|>"])
    listed = token_bytes(tokenizer)
    assert listed[0] == b"" and len(listed) == tokenizer.vocab_size and b"low" in listed
    with pytest.raises(TypeError, match="byte-level"):
        token_bytes(object())


def test_what_a_pattern_does_not_know_is_refused():
    with pytest.raises(ValueError):
        compile_pattern(r"\bcat\b")  # a word boundary, not a backspace
    with pytest.raises(ValueError, match="expected one type"):
        json_pattern({"type": ["string", "null"]})
    with pytest.raises(ValueError, match="at least one option"):
        json_pattern({"anyOf": []})
