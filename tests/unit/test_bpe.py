"""helpers.tokenizers: worked examples, properties, ties, files, and refusal of bad input."""

import json
import math
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.tokenizers import bpe, course_bpe, labels, unigram, wordpiece
from helpers.tokenizers.bpe import BPE
from helpers.tokenizers.bpe_training import (
    BYTE_ORDER,
    PATTERNS,
    count_words,
    cutter,
    from_visible,
    learn_merges,
    learn_merges_plainly,
    visible,
)

ROOT = Path(__file__).parents[2]
TOY = {"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}
TEXTS = ["It's a test: naïve café, 中文 🙂!", "the other test; the theater  there\n\n", "1,234 and 5678 or 1234.5"] * 3
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


# -- worked examples


def test_the_toy_of_the_literature_gives_ug_un_hug():
    assert learn_merges(TOY, 3) == [(b"u", b"g"), (b"u", b"n"), (b"h", b"ug")]


def test_the_toy_runs_out_after_seven_merges():
    tokenizer = BPE.train([" ".join(w for w, n in TOY.items() for _ in range(n))], 10_000, pattern=r"\S+|\s+", min_count=1)
    assert tokenizer.vocab_size < 10_000
    assert len(learn_merges(TOY, 99)) == 7
    assert learn_merges(TOY, 99, min_count=15) == [(b"u", b"g"), (b"u", b"n"), (b"h", b"ug")]


def test_three_merges_over_bytes():
    tokenizer = BPE([(b"a", b"a"), (b"aa", b"a"), (b"aaa", b"b")], pattern="none")
    assert [tokenizer.tokens[i] for i in tokenizer.encode("aaabdaaabac")] == [b"aaab", b"d", b"aaab", b"a", b"c"]
    assert [i - tokenizer.vocab_size for i in tokenizer.encode("aaab")] == [-1]


def test_a_merge_goes_from_the_left_and_joins_whole_tokens():
    assert [BPE([(b"a", b"a")]).tokens[i] for i in BPE([(b"a", b"a")]).encode("aaa")] == [b"aa", b"a"]
    tokenizer = BPE([(b"x", b"a"), (b"a", b"b")])
    assert [tokenizer.tokens[i] for i in tokenizer.encode("xab")] == [b"xa", b"b"]


def test_the_byte_alphabet():
    assert visible(b" ") == "Ġ" == chr(ord(" ") + 256) == chr(288)
    assert sorted(BYTE_ORDER) == list(range(256)) and visible(BYTE_ORDER) == "".join(sorted(visible(BYTE_ORDER)))
    assert from_visible(visible(bytes(range(256)))) == bytes(range(256))
    with pytest.raises(ValueError, match="stands for no byte"):
        from_visible("中")


def test_ids_are_special_tokens_bytes_merges():
    tokenizer = BPE(learn_merges(TOY, 3), special_tokens=["<|endoftext|>", "<|x|>"])
    assert tokenizer.special_tokens == {"<|endoftext|>": 0, "<|x|>": 1} and tokenizer.end_of_text == 0
    assert tokenizer.tokens[2] == b"!" and tokenizer.tokens[-3:] == [b"ug", b"un", b"hug"]
    assert tokenizer.vocab_size == 2 + 256 + 3 == len(tokenizer.vocabulary())
    assert "261 tokens" in repr(tokenizer)


def test_the_pieces_of_the_two_patterns():
    text = "It's 2026, we'll  pay 10:\n\nété 中文"
    assert BPE([]).split(text) == ["It", "'s", " 2026", ",", " we", "'ll", " ", " pay", " 10", ":", "\n", "\n", "été", " 中文"]
    assert BPE([], pattern="smollm2").split("a  12 b") == ["a", "  ", "1", "2", " b"]


# -- training


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text("aab ", min_size=1, max_size=9), st.integers(1, 4), min_size=1, max_size=8), st.integers(0, 25))
def test_the_fast_trainer_learns_what_the_definition_says(words, n_merges):
    assert learn_merges(words, n_merges, min_count=1) == learn_merges_plainly(words, n_merges, min_count=1)
    assert learn_merges(words, n_merges, min_count=2) == learn_merges_plainly(words, n_merges)


def test_two_spellings_of_one_token_share_an_id():
    """a+a, aa+a and then a+aa as another way to aaa."""
    merges = [(b"a", b"a"), (b"aa", b"b"), (b"a", b"b"), (b"a", b"ab")]
    tokenizer = BPE(merges)
    assert tokenizer.vocab_size == 1 + 256 + 3
    assert tokenizer.decode(tokenizer.encode("aaaabab")) == "aaaabab"


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_the_texts_changes_nothing(seed):
    texts = ["ab cd ef gh", "cd ab gh ef", "xy yx zz", "ba dc fe"] + TEXTS
    shuffled = random.Random(seed).sample(texts, len(texts))
    assert BPE.train(shuffled, 340, min_count=1).merges == BPE.train(texts, 340, min_count=1).merges


def test_ties_go_to_the_oldest_tokens():
    assert learn_merges({"zy": 2, "ab": 2, "ba": 2, "aa": 2}, 4) == [(b"a", b"a"), (b"a", b"b"), (b"b", b"a"), (b"z", b"y")]
    blank_last = learn_merges({" a": 2, "ba": 2}, 2)  # the blank is byte 220 in BYTE_ORDER
    assert blank_last == [(b"b", b"a"), (b" ", b"a")]


def test_a_small_vocabulary_is_the_start_of_a_large_one():
    large = BPE.train(TEXTS, 330)
    assert BPE.train(TEXTS, 300).merges == large.merges[:43]


# -- there and back


TOKENIZER = BPE.train(TEXTS, 320, special_tokens=["<|endoftext|>", "<|end|>"])


@settings(max_examples=150, deadline=None)
@given(ANY_TEXT)
def test_every_text_survives(text):
    for tokenizer in (TOKENIZER, BPE([]), BPE(TOKENIZER.merges, pattern="none"), BPE(TOKENIZER.merges, pattern="smollm2")):
        ids = tokenizer.encode(text)
        assert tokenizer.decode(ids) == text
        assert tokenizer.encode(text) == ids  # the second time from memory
        assert "".join(tokenizer.split(text)) == text


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, TOKENIZER.vocab_size - 1), max_size=20))
def test_every_row_of_ids_can_be_decoded(ids):
    assert TOKENIZER.decode(ids) == b"".join(TOKENIZER.tokens[i] for i in ids).decode("utf-8", "replace")
    assert TOKENIZER.decode(np.array(ids, dtype=np.int64)) == TOKENIZER.decode(ids)


def test_the_memory_for_words_can_start_afresh(monkeypatch):
    monkeypatch.setattr(bpe, "CACHED_WORDS", 3)
    tokenizer = BPE(TOKENIZER.merges)
    text = " ".join(f"word{i}" for i in range(20))
    assert tokenizer.decode(tokenizer.encode(text)) == text and len(tokenizer._words) <= 3


def test_a_long_piece_takes_no_forever():
    text = "a" * 200_000
    merges = [(b"a" * 2**k, b"a" * 2**k) for k in range(10)]
    tokenizer = BPE(merges)
    assert len(tokenizer.encode(text)) == 195 + (200_000 % 1024).bit_count()


def test_special_tokens_inside_text_are_text_unless_asked_for():
    text = "a<|endoftext|>b<|end|>"
    assert 0 not in TOKENIZER.encode(text) and TOKENIZER.decode(TOKENIZER.encode(text)) == text
    ids = TOKENIZER.encode(text, special=True)
    assert ids == [*TOKENIZER.encode("a"), 0, *TOKENIZER.encode("b"), 1]
    assert TOKENIZER.decode(ids) == text and TOKENIZER.decode(ids, skip_special=True) == "ab"
    longer = BPE([], special_tokens=["<a>", "<a><b>"])
    assert longer.encode("<a><b><a>", special=True) == [1, 0]
    assert BPE([], special_tokens=[]).encode("<a>", special=True) == BPE([], special_tokens=[]).encode("<a>")


def test_invalid_utf8_is_replaced_dropped_or_refused():
    smile = BPE([]).encode("🙂")
    assert BPE([]).decode(smile[:-1]) == "\ufffd" and BPE([]).decode(smile[:-1], errors="ignore") == ""
    with pytest.raises(ValueError, match="valid UTF-8"):
        BPE([]).decode(smile[:-1], errors="strict")
    assert BPE([]).decode_bytes(smile[:2]) == "🙂".encode()[:2]


# -- files


def test_save_and_load(tmp_path):
    path = tmp_path / "t.json"
    TOKENIZER.save(path)
    again = BPE.load(path)
    assert (again.merges, again.tokens, again.pattern) == (TOKENIZER.merges, TOKENIZER.tokens, TOKENIZER.pattern)
    assert again.special_tokens == TOKENIZER.special_tokens and [p.name for p in tmp_path.iterdir()] == ["t.json"]
    assert json.loads(path.read_text(encoding="utf-8"))["merges"]


@pytest.mark.parametrize("content", ["", "{}", "[]", "no json", '{"format": "other"}', "broken merges"])
def test_a_damaged_file_is_refused(tmp_path, content):
    path = tmp_path / "t.json"
    if content == "broken merges":
        TOKENIZER.save(path)
        content = path.read_text(encoding="utf-8").replace('"merges": [', '"merges": ["q q q",')
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=r"t\.json was not written by BPE\.save"):
        BPE.load(path)
    with pytest.raises(FileNotFoundError):
        BPE.load(tmp_path / "nowhere.json")


# -- bad input


@pytest.mark.parametrize("texts", [[], [""], ["", ""], iter([])])
def test_nothing_to_learn_from(texts):
    with pytest.raises(ValueError, match="nothing to learn from"):
        BPE.train(texts, 300)


@pytest.mark.parametrize("texts", ["one string", b"bytes", ["good", 3], ["good", b"bad"], [None]])
def test_texts_of_another_type(texts):
    with pytest.raises(TypeError, match="texts"):
        BPE.train(texts, 300)


@pytest.mark.parametrize("size, special", [(256, ["<|endoftext|>"]), (0, []), (-5, []), (257, ["a", "b"])])
def test_a_vocabulary_smaller_than_the_bytes(size, special):
    with pytest.raises(ValueError, match="expected vocab_size >="):
        BPE.train(["text"], size, special_tokens=special)
    least = 256 + len(special)
    assert BPE.train(["text"], least, special_tokens=special).vocab_size == least


@pytest.mark.parametrize(
    "ids, error, said",
    [
        ([400_000], ValueError, f"outside 0 .. {TOKENIZER.vocab_size - 1}"),
        ([-1], ValueError, "id -1 is outside"),
        ([0, 320], ValueError, "id 320"),
        ([1.5], TypeError, "whole numbers"),
        (["a"], TypeError, "whole numbers"),
        ([None], TypeError, "whole numbers"),
        ([[1, 2]], TypeError, "one dimension"),
        (np.array([[1, 2]]), TypeError, "one dimension"),
    ],
)
def test_ids_that_are_not_there(ids, error, said):
    with pytest.raises(error, match=said):
        TOKENIZER.decode(ids)


def test_texts_that_cannot_be_encoded():
    with pytest.raises(TypeError, match=r"expected a text \(str\), got bytes"):
        TOKENIZER.encode(b"abc")
    with pytest.raises(ValueError, match="half of a surrogate pair"):
        TOKENIZER.encode("a\ud800b")
    with pytest.raises(ValueError, match="expected errors as"):
        TOKENIZER.encode("a", errors="drop")
    assert TOKENIZER.encode("") == [] and TOKENIZER.decode([]) == ""


def test_bytes_without_an_id():
    tokenizer = BPE([(b"a", b"b")], alphabet=b"abc ")
    with pytest.raises(ValueError, match="byte 0x78 .* has no id"):
        tokenizer.encode("ab x")
    assert tokenizer.decode(tokenizer.encode("axb c", errors="ignore")) == "ab c"
    assert tokenizer.encode("axb", errors="ignore") == tokenizer.encode("ab") == [5]


@pytest.mark.parametrize(
    "make, said",
    [
        (lambda: BPE([(b"ab", b"c")]), "not both tokens by then"),
        (lambda: BPE([], special_tokens=["x", "x"]), "different, non-empty"),
        (lambda: BPE([], special_tokens=[""]), "different, non-empty"),
        (lambda: BPE([], pattern=r"\w+"), "loses characters"),
        (lambda: BPE([], pattern=r"(\w+)|[\s\S]"), "capturing groups"),
        (lambda: BPE([], pattern="("), "expected pattern"),
        (lambda: BPE([], special_tokens=["a"]).end_of_text, r"expected the special token <\|endoftext\|>"),
        (lambda: learn_merges({"ab": 1}, -1), "n_merges"),
        (lambda: learn_merges({"ab": 1}, 1, min_count=0), "min_count of at least 1"),
    ],
)
def test_settings_that_cannot_work(make, said):
    with pytest.raises(ValueError, match=said):
        make()


def test_special_tokens_as_one_string():
    with pytest.raises(TypeError, match="list of strings, got one string"):
        BPE([], special_tokens="<|endoftext|>")


def test_all_patterns_keep_every_character():
    for name in PATTERNS:
        assert "".join(cutter(name)(" x\t\n 7  ß'S")) == " x\t\n 7  ß'S"
    assert count_words(["a a"]) == {"a": 1, " a": 1}


# -- the course's tokenizer, and SmolLM2's


def test_the_course_tokenizer_is_made_once_and_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    course_bpe.course_tokenizer.cache_clear()
    made = course_bpe.course_tokenizer()
    path = next(tmp_path.glob("bpe-4096-*.json"))
    assert made.vocab_size == 4096 and made.end_of_text == 0 and path.stat().st_size < 100_000
    assert [visible(a + b) for a, b in made.merges[:6]] == ["Ġa", "Ġt", "he", "in", "Ġo", "Ġthe"]
    monkeypatch.setattr(BPE, "train", lambda *a, **k: pytest.fail("it was trained again"))
    course_bpe.course_tokenizer.cache_clear()
    assert course_bpe.course_tokenizer().merges == made.merges
    monkeypatch.setattr(BPE, "train", lambda *a, **k: made)
    path.write_text("damaged", encoding="utf-8")
    course_bpe.course_tokenizer.cache_clear()
    assert course_bpe.course_tokenizer().merges == made.merges and BPE.load(path).merges == made.merges
    course_bpe.course_tokenizer.cache_clear()


def test_a_tokenizer_of_another_kind_is_no_smollm2(tmp_path):
    other = {"model": {"type": "WordPiece", "vocab": {}, "merges": []}, "pre_tokenizer": None, "added_tokens": []}
    (tmp_path / "tokenizer.json").write_text(json.dumps(other), encoding="utf-8")
    with pytest.raises(ValueError, match="individual digits"):
        BPE.from_smollm2(tmp_path)


def test_smollm2s_vocabulary():
    tokenizer = BPE.from_smollm2()
    assert tokenizer.vocab_size == 49_152 and len(tokenizer.alphabet) == 235 and len(tokenizer.merges) == 48_900
    assert [tokenizer.special_tokens[s] for s in ("<|endoftext|>", "<|im_start|>", "<|im_end|>")] == [0, 1, 2]
    with pytest.raises(ValueError, match="0x04"):
        tokenizer.encode("\x04")


def test_importing_bpe_needs_neither_torch_nor_transformers():
    heavy = "{'torch', 'transformers', 'tokenizers', 'numpy'}"
    code = f"import sys, helpers.tokenizers.bpe, helpers.tokenizers.wordpiece; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# -- WordPiece, Unigram, labels


def test_wordpiece_takes_the_longest_entry_from_the_left():
    tokenizer = wordpiece.WordPiece(["[UNK]", "un", "unh", "##happy", "##appy", "##hap", "a"])
    assert tokenizer.pieces("unhappy a ö Á") == ["unh", "##appy", "a", "[UNK]", "a"]
    assert tokenizer.encode("unhap") == [0]  # unh, and then nothing fits: the whole word is lost
    assert tokenizer.decode([2, 4]) == "unhappy" and tokenizer.split_word("a" * 101) == ["[UNK]"]
    with pytest.raises(ValueError, match="outside"):
        tokenizer.decode([7])
    with pytest.raises(TypeError, match="expected a text"):
        tokenizer.encode(b"a")
    with pytest.raises(ValueError, match="expected the entry"):
        wordpiece.WordPiece(["a"])


def test_wordpiece_scores_of_the_toy():
    assert wordpiece.learn_wordpieces(TOY, 2) == [("##g", "##s"), ("##u", "##g")]
    assert wordpiece.learn_wordpieces({"a": 3}, 5) == []


def every_way(word, pieces):
    return (
        [[word[:k], *rest] for k in range(1, len(word) + 1) if word[:k] in pieces for rest in every_way(word[k:], pieces)]
        if word
        else [[]]
    )


@settings(max_examples=80, deadline=None)
@given(
    st.text("abc", min_size=1, max_size=8), st.dictionaries(st.text("abc", min_size=2, max_size=4), st.floats(-9, -1), max_size=6)
)
def test_unigram_finds_the_best_way_and_expects_the_right_counts(word, more):
    log_probs = {"a": -3.0, "b": -4.0, "c": -5.0} | more
    model = unigram.Unigram(log_probs)
    ways = every_way(word, log_probs)
    scores = np.array([sum(log_probs[p] for p in way) for way in ways])
    pieces, score = model.split_word(word)
    assert "".join(pieces) == word and score == pytest.approx(scores.max()) == pytest.approx(sum(log_probs[p] for p in pieces))
    weights = np.exp(scores) / np.exp(scores).sum()
    expected = Counter()
    for way, weight in zip(ways, weights):
        for p in way:
            expected[p] += weight
    used, likelihood = model.expected_counts({word: 1})
    assert likelihood == pytest.approx(math.log(np.exp(scores).sum()))
    assert {p: n for p, n in used.items() if n > 1e-9} == pytest.approx({p: n for p, n in expected.items() if n > 1e-9})


def test_unigram_training_keeps_letters_and_raises_the_likelihood():
    words = dict(TOY, bugs=2, thug=1)
    model = unigram.Unigram.train(words, size=11)
    assert len(model.log_probs) <= 11 and "hug" in model.log_probs
    assert sum(map(math.exp, model.log_probs.values())) == pytest.approx(1.0)
    first = unigram.Unigram({c: math.log(1 / 8) for c in "hugpnbst"})
    assert model.expected_counts(words)[1] > first.expected_counts(words)[1]
    assert "".join(model.split_word("zebra")[0]) == "zebra"  # unknown letters cost much but do not stop it
    with pytest.raises(ValueError, match="expected size >="):
        unigram.Unigram.train(words, size=3)
    with pytest.raises(ValueError, match="at least one piece"):
        unigram.Unigram({})


def test_labels_follow_their_words():
    tags = [1, 2, 0, 0, 0, 0, 0, 0, 3, 0]
    pieces = [1, 1, 1, 1, 1, 2, 1, 1, 1, 1]
    assert labels.align_labels(tags, pieces) == [-100, 1, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, -100]
    assert labels.align_labels([1], [3], False, False, {1: 2}) == [1, 2, 2]
    assert labels.align_labels([1], [3], False, False) == [1, 1, 1]
    with pytest.raises(ValueError, match="2 labels, 1 numbers"):
        labels.align_labels([1, 2], [1])
    with pytest.raises(ValueError, match="at least one piece"):
        labels.align_labels([1], [0])


def test_a_unigram_vocabulary_that_would_never_shrink_is_refused():
    for wrong in (dict(keep=1.0), dict(keep=0.0), dict(rounds=0)):
        with pytest.raises(ValueError, match="keep between 0 and 1"):
            unigram.Unigram.train({"low": 5, "lower": 2, "newest": 6, "widest": 3}, 12, **wrong)
