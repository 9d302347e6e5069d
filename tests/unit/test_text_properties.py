"""Properties over all of Unicode: a tokenizer loses nothing, a pattern means what `re` means, a schema's JSON is valid."""

import json
import random
import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from helpers.features.bag_of_words import CountVectorizer, TfidfVectorizer
from helpers.generation.constrained import json_pattern
from helpers.generation.prompt_tasks import find_json
from helpers.generation.regex_automata import compile_pattern
from helpers.tokenizers.bpe import BPE
from helpers.tokenizers.bpe_training import learn_merges
from helpers.tokenizers.wordpiece import WordPiece

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
PATTERNS = st.lists(
    st.sampled_from(
        [
            r"[^Q]+",
            r"\p{L}+",
            r"\s+",
            r"[^\s\p{L}]",
            r".",
            r"(?s:.)",
            r"\w+",
            r"a*",
            r"(?=x)",
            r"\b",
            r"(?<=a)b",
            "^",
            "$",
            r"[\s\S]",
        ]
    ),
    min_size=1,
    max_size=4,
).map("|".join)


@given(PATTERNS, TEXTS)
@settings(max_examples=200, deadline=None)
@example("[^Q]+", "aQb")
def test_whatever_pattern_is_accepted_nothing_is_lost(pattern, text):
    try:
        tokenizer = BPE.train([text + " ab ab"], 260, pattern=pattern)
    except ValueError as error:
        assert "expected" in str(error)
        return
    assert tokenizer.decode(tokenizer.encode(text)) == text and "".join(tokenizer.split(text)) == text


@given(st.text("ab\u00e9", min_size=33, max_size=90))
@settings(max_examples=60, deadline=None)
def test_a_long_word_is_merged_as_a_short_one(word):
    tokenizer = BPE(learn_merges({"abab": 3, "aabb": 2, "\u00e9ab": 2, "ba": 2}, 12), pattern="none")
    long = tokenizer.encode(word)
    expected = [bytes([b]) for b in word.encode()]
    for left, right in tokenizer.merges:  # the definition: one merge after the other, each from the left
        merged = []
        for token in expected:
            if merged and merged[-1] == left and token == right:
                merged[-1] = left + right
            else:
                merged.append(token)
        expected = merged
    assert [tokenizer.tokens[i] for i in long] == expected


def test_a_long_run_takes_n_log_n():
    tokenizer = BPE.from_smollm2()
    rng = random.Random(0)
    for letters in ("abcdefghijklmnopqrstuvwxyz", "ab", "a", "\u7684"):
        took = []
        for n in (20_000, 80_000):
            text = "".join(rng.choice(letters) for _ in range(n))
            begin = time.process_time()
            assert tokenizer.decode(tokenizer.encode(text)) == text
            took.append(time.process_time() - begin)
        assert took[1] < 10 * took[0] + 0.05, letters  # 16 where it grows with the square


def test_bert_reads_every_character_as_the_library_does():
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer

    normalize, cut = BertNormalizer(lowercase=True), BertPreTokenizer()
    own = WordPiece(["[UNK]"])
    own.split_word = lambda word: [word]
    rng = random.Random(1)
    alone = ["a" + chr(c) + "b" for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    mixed = ["".join(rng.choice(alone)[1] for _ in range(4)) for _ in range(2000)] + [
        "\u039f\u0394\u039f\u03a3 \u0391\u03a3.",
        "\u0130I\u0307",
    ]
    for text in [*alone[:0x3400], *alone[0x3400::7], *mixed]:  # all but the long rows of ideographs, of which every seventh
        assert own.pieces(text) == [piece for piece, _ in cut.pre_tokenize_str(normalize.normalize_str(text))], ascii(text)


# --------------------------------------------------------------------------------------------------- patterns

ATOMS = st.sampled_from(
    [
        "a",
        "b",
        "\u00e9",
        ".",
        r"\d",
        r"\w",
        r"\s",
        r"\.",
        "[ab]",
        "[^a]",
        "[a-c\u00e9]",
        r"[\w-]",
        r"[\w-z]",
        r"[\d-]",
        "-",
        "0",
        r"\x41",
        "\u20ac",
        " ",
        "\n",
        r"\n",
        "{",
        "}",
        "]",
        "^",
        "$",
        r"\b",
        r"\1",
        "(?i)",
        "(?=a)",
        "[]a]",
        "[^]a]",
        "[a",
        "\u00b2",
    ]
)
SIGNS = st.sampled_from(
    [
        "",
        "",
        "",
        "*",
        "+",
        "?",
        "{2}",
        "{0,2}",
        "{1,}",
        "+?",
        "*?",
        "??",
        "{2}?",
        "a++",
        "{2}+",
        "**",
        "{,2}",
        "{2,1}",
        "{\u00b2}",
    ]
)
TREES = st.recursive(
    st.tuples(ATOMS, SIGNS).map("".join),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=1, max_size=3).map("|".join),
        st.tuples(inner, SIGNS).map(lambda p: f"({p[0]}){p[1]}"),
    ),
    max_leaves=6,
)


@given(TREES, st.lists(st.text("ab\u00e9\u00b20A. -z_\n\u20ac\U0001f600]{}^", max_size=6), min_size=8, max_size=8))
@settings(max_examples=400, deadline=None)
@example("a+?", ["", "a"])
@example(r"[\w-z]", ["-", "y"])
def test_a_pattern_means_what_re_means_or_is_refused(pattern, texts):
    try:
        automaton = compile_pattern(pattern)
    except ValueError:
        return
    meant = re.compile(pattern, re.ASCII)  # and what re refuses is refused
    for text in texts:
        assert automaton.matches(text) == bool(meant.fullmatch(text)), text


@pytest.mark.parametrize(
    "pattern",
    [
        "(a?){4000}",
        "((a?){60}){60}",
        "(((a{30}){30}){30}){30}",
        "a{1,100000}",
        "((a|b)?c?){900}",
        "(" * 3000 + ")" * 3000,
        "(.*a){300}",
        "[a-z]{0,19999}{0,9}",
    ],
)
def test_the_work_for_a_pattern_is_bounded(pattern):
    begin = time.process_time()
    with pytest.raises(ValueError):
        compile_pattern(pattern)
    assert time.process_time() - begin < 20  # some seconds; without a limit minutes, and all memory


# --------------------------------------------------------------------------------------------------- JSON


@pytest.mark.parametrize(
    "schema, key",
    [
        ({"type": "object", "required": ["a"]}, "required"),
        ({"type": "object", "properties": {"a": {"type": "null"}}, "required": ["a", "b"]}, "required"),
        ({"type": "object", "required": "a"}, "required"),
        ({"type": "integer", "enum": ["a"]}, "enum"),
        ({"type": "integer", "const": True}, "const"),
        ({"type": "string", "const": 1, "title": "x"}, "const"),
        ({"const": float("inf")}, "const"),
        ({"enum": [float("nan")]}, "enum"),
        ({"enum": [{1, 2}]}, "enum"),
        ({"enum": "ab"}, "enum"),
        ({"const": "\ud800"}, "const"),
        ({"enum": ["a"], "minLength": 2}, "minLength"),
        ({"anyOf": [{"type": "null"}], "type": "null"}, "type"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "additionalProperties"),
        ({"type": "object", "properties": [1]}, "properties"),
        ({"type": "object", "properties": {1: {"type": "null"}}}, "properties"),
        ({"type": "object", "properties": {"a": True}}, "schema"),
        ({"type": "array", "items": [{"type": "null"}]}, "schema"),
        ({"type": "array", "minItems": True}, "minItems"),
        ({"type": "string", "maxLength": 2.5}, "maxLength"),
        ({"type": "string", "minLength": -1}, "minLength"),
        *(({"type": "string", key: 1}, key) for key in ("pattern", "format", "minimum", "$ref", "oneOf", "uniqueItems", "not")),
        ({}, "type"),
    ],
)
def test_a_schema_that_cannot_be_kept_is_refused_by_the_name_of_its_key(schema, key):
    with pytest.raises(ValueError, match=re.escape(key)):
        json_pattern(schema)


def test_a_schema_may_not_be_endless():
    schema = {"type": "null"}
    for _ in range(50):
        schema = {"type": "array", "items": schema}
    with pytest.raises(ValueError, match="levels"):
        json_pattern(schema)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 3000,
        '{"a":' * 100_000,
        "{" * 2000,
        "{" * 1_000_000,
        '{"a": NaN}',
        '{"a": -Infinity}',
        '{"a": 1e999}',
        '{"a": ' + "9" * 5000 + "}",
        "{'a'" * 50_000,
    ],
)
def test_what_is_no_json_is_refused_soon(text):
    begin = time.process_time()
    with pytest.raises(ValueError, match="object"):
        find_json(text)
    assert time.process_time() - begin < 5


@given(
    st.dictionaries(
        st.text(max_size=5),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda v: st.lists(v, max_size=3), max_leaves=5
        ),
        min_size=1,
        max_size=3,
    )
)
@settings(max_examples=60, deadline=None)
def test_an_object_in_a_sentence_is_found(value):
    assert find_json(f"Here it is: {json.dumps(value)} Done.") == value


@pytest.mark.parametrize("words", ["english", "the", ["the", 1], [None]])
def test_stop_words_are_a_list_of_words(words):
    for make in (CountVectorizer, TfidfVectorizer):
        with pytest.raises(TypeError, match="list of words"):
            make(stop_words=words)
