"""Properties over all of Unicode: a tokenizer loses nothing, a pattern means what `re` means, a schema's JSON is valid."""

import json
import random
import re
import time

import jsonschema
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from helpers.features.bag_of_words import CountVectorizer, TfidfVectorizer
from helpers.generation.constrained import json_pattern
from helpers.generation.prompt_tasks import find_json
from helpers.generation.regex_automata import compile_pattern
from helpers.tokenizers import bpe_training
from helpers.tokenizers.bpe import BPE
from helpers.tokenizers.bpe_training import learn_merges, learn_merges_plainly
from helpers.tokenizers.plain import ByteTokenizer, WordTokenizer
from helpers.tokenizers.unigram import Unigram
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


# --------------------------------------------------------------------------------------- siblings, one test each


@pytest.mark.parametrize("pattern", ["((){999999}){999999}", "((){0,999999}){99}", "(((){500}){500}){500}", "((a|){999}){999}"])
def test_parts_without_a_letter_cost_work_too(pattern):
    begin = time.process_time()
    with pytest.raises(ValueError, match="smaller counts"):
        compile_pattern(pattern)
    assert time.process_time() - begin < 10


@pytest.mark.parametrize(
    "pattern", [r"(?:(?:[\s\S]{1000}){1000}){1000}|[\s\S]", r"[\s\S]{1000000000}|[\s\S]", r"[\s\S]{1000000000,}|[\s\S]"]
)
def test_a_pattern_for_tokens_that_would_fill_the_memory_is_refused(pattern):
    with pytest.raises(ValueError, match="counts are too large"):
        BPE([], pattern=pattern)


def test_a_pattern_for_tokens_that_is_slow_on_a_text_is_stopped(monkeypatch):
    monkeypatch.setattr(bpe_training, "SECONDS", 0.3)
    tokenizer = BPE([], pattern=r"(?:a|aa)+$|[\s\S]")
    assert tokenizer.decode(tokenizer.encode("aab")) == "aab"
    begin = time.process_time()
    with pytest.raises(ValueError, match="fast on this text"):
        tokenizer.encode("a" * 60 + "b")
    assert time.process_time() - begin < 4


@given(st.lists(st.tuples(st.text("ab\u00e9", min_size=1, max_size=40), st.integers(1, 3)), min_size=1, max_size=3))
@settings(max_examples=100, deadline=None)
@example([("abababab", 1), ("aaaaa", 2)])
def test_long_words_teach_the_merges_of_the_definition(words):
    for n in (3, 30):
        assert learn_merges(dict(words), n, 1) == learn_merges_plainly(dict(words), n, 1)


def test_training_on_one_long_run_does_not_grow_with_the_square():
    rng = random.Random(0)
    for letters in ("abcdefghijklmnopqrstuvwxyz", "ab", "a"):
        took = []
        for n in (20_000, 80_000):
            text = "".join(rng.choice(letters) for _ in range(n))
            begin = time.process_time()
            learn_merges({text: 2}, 100)
            took.append(time.process_time() - begin)
        assert took[1] < 10 * took[0] + 0.05, letters


def test_one_long_piece_does_not_slow_every_cut():
    unigram = Unigram({"a": -1.0, "b": -1.0, "ab" * 1500: -2.0})
    begin = time.process_time()
    assert unigram.split_word("ab" * 3000 + "b") == (["ab" * 1500] * 2 + ["b"], -5.0)
    assert time.process_time() - begin < 2  # 12 s when each length up to the longest is tried


@pytest.mark.parametrize("pieces", [{}, {"": -1.0}, {"a": float("nan")}, {"a": float("-inf")}])
def test_unigram_pieces_are_characters_with_probabilities(pieces):
    with pytest.raises(ValueError, match="pieces|piece"):
        Unigram(pieces)


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\ude00\ud83d"])
def test_half_a_surrogate_pair_is_named_by_every_tokenizer(text):
    tokenizers = [ByteTokenizer(), WordTokenizer.train(["a b"]), WordPiece(["[UNK]", "a"]), BPE([])]
    for encode in [tokenizer.encode for tokenizer in tokenizers] + [compile_pattern, compile_pattern(".*").matches]:
        with pytest.raises(ValueError, match="half of a surrogate pair"):
            encode(text)
    with pytest.raises(ValueError, match="half of a surrogate pair"):
        BPE([], special_tokens=[text])
    with pytest.raises(ValueError, match="object"):
        find_json(json.dumps({"a": text}))


DEEP = []
for _ in range(100_000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    "schema, key",
    [
        ({"type": "integer", "const": float("inf")}, "const"),
        ({"type": "integer", "enum": [1, float("nan")]}, "enum"),
        ({"type": "object", "properties": {}, "required": [["a"]]}, "required"),
        ({"const": {1: "a"}}, "const"),
        ({"const": {True: 1, "true": 2}}, "const"),
        ({"enum": [(1, 2)]}, "enum"),
        ({"const": 10**5000}, "const"),
        ({"const": DEEP}, "const"),
        ({"type": "array", "items": DEEP}, "schema"),
        ({"type": "string", "maxLength": 10**9}, "maxLength"),
        ({"type": "array", "maxItems": 10**9, "items": {"type": "null"}}, "maxItems"),
    ],
)
def test_odd_values_in_a_schema_are_named_too(schema, key):
    with pytest.raises(ValueError, match=f"expected.*{key}"):
        json_pattern(schema)


@pytest.mark.parametrize("wrap", ["items", "anyOf", "properties"])
def test_a_schema_that_doubles_at_each_level_is_refused_soon(wrap):
    schema = {"type": "null"}
    for _ in range(18):
        schema = {
            "items": {"type": "array", "items": schema},
            "anyOf": {"anyOf": [schema, schema]},
            "properties": {"type": "object", "properties": {"a": schema, "b": schema}},
        }[wrap]
    begin = time.process_time()
    with pytest.raises(ValueError, match="nest less"):
        json_pattern(schema)
    assert time.process_time() - begin < 5


VALUES = st.recursive(
    st.sampled_from([None, True, False, 0, 1, -1, 1.0, 1.5, "", "a", "1", "\u00e9\u0301", "\U0001f600", '"\\', "\n"]),
    lambda v: st.lists(v, max_size=2) | st.dictionaries(st.sampled_from("a\u00e9"), v, max_size=2),
    max_leaves=3,
)
SCHEMAS = st.recursive(
    st.one_of(
        st.fixed_dictionaries({"type": st.sampled_from("integer number boolean null".split())}),
        st.fixed_dictionaries(
            {"type": st.just("string")}, optional={"minLength": st.integers(0, 3), "maxLength": st.integers(0, 4)}
        ),
        st.fixed_dictionaries({"const": VALUES}, optional={"type": st.sampled_from(["integer", "number", "string", "boolean"])}),
        st.fixed_dictionaries({"enum": st.lists(VALUES, max_size=3)}, optional={"type": st.sampled_from(["integer", "object"])}),
    ),
    lambda s: st.one_of(
        st.fixed_dictionaries({"anyOf": st.lists(s, min_size=1, max_size=2)}),
        st.fixed_dictionaries(
            {"type": st.just("array"), "items": s}, optional={"minItems": st.integers(0, 2), "maxItems": st.integers(0, 3)}
        ),
        st.fixed_dictionaries(
            {
                "type": st.just("object"),
                "properties": st.dictionaries(st.sampled_from(["a", "\u00e9", "a.b", "\n"]), s, max_size=2),
            },
            optional={"required": st.lists(st.sampled_from("ab"), max_size=1), "additionalProperties": st.booleans()},
        ),
    ),
    max_leaves=4,
)


@given(SCHEMAS, st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_json_that_a_pattern_lets_through_satisfies_a_validator(schema, seed):
    try:
        automaton = compile_pattern(json_pattern(schema))
    except ValueError:
        return
    rng, distance = random.Random(seed), _distances(automaton.table, automaton.accepting)
    for _ in range(5):
        state, text = automaton.start, bytearray()
        while not (state in automaton.accepting and (len(text) > 60 or rng.random() < 0.3)):
            ways = [b for b in range(256) if distance[automaton.table[state, b]] < 1e9]
            if not ways:
                break
            if len(text) > 60:  # go home
                ways = [min(ways, key=lambda b: distance[automaton.table[state, b]])]
            text.append(rng.choice(ways))
            state = automaton.table[state, text[-1]]
        jsonschema.validate(json.loads(text.decode()), schema)


def _distances(table, accepting):
    """For each state, how many bytes lead to an end."""
    distance = np.where(np.isin(np.arange(len(table)), list(accepting)), 0.0, 1e9)
    distance[0] = 1e9
    for _ in range(len(table)):
        nearer = np.minimum(distance, distance[table[:, :256]].min(1) + 1)
        if (nearer == distance).all():
            return distance
        distance = nearer
    return distance


@pytest.mark.parametrize(
    "settings_",
    [
        {"stop_words": None},
        {"stop_words": 5},
        {"stop_words": b"the"},
        {"max_df": "0.5"},
        {"min_df": "2"},
        {"min_df": True},
        {"max_features": "10"},
        {"grams": "12"},
    ],
)
def test_settings_of_a_vectorizer_of_a_wrong_type_are_named(settings_):
    for make in (CountVectorizer, TfidfVectorizer):
        with pytest.raises(TypeError, match="expected"):
            make(**settings_)
