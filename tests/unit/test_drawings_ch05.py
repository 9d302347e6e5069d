"""Drawings of chapter 05: tokens as boxes are safe and complete, figures say what they show."""

import re

import numpy as np
import pytest

from helpers.lab.drawings import ch05 as drawings
from helpers.tokenizers.bpe import BPE

TOY = {"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}
MERGES = [("u", "g"), ("u", "n"), ("h", "ug"), ("p", "un"), ("p", "ug"), ("hug", "s"), ("b", "un")]


@pytest.mark.parametrize(
    "token, text",
    [
        (b" the", "·the"),
        (b"\n\t", "⏎⇥"),
        (b"\xc3", "‹C3›"),
        ("é".encode(), "é"),
        (b"\x00", "‹00›"),
        (b"", ""),
        ("🙂".encode()[:2], "‹F0 9F›"),
    ],
)
def test_a_token_for_the_eye(token, text):
    assert drawings.shown(token) == text


def test_text_of_the_reader_cannot_break_out_of_the_page():
    tokenizer = BPE([], pattern="none")
    page = drawings.side_by_side("<script>x</script>", {"<b>": lambda text: drawings.bpe_pieces(tokenizer, text)})
    whole = drawings.boxes([("<script>", 1)])
    assert "<script" not in page + whole and "<b>&lt;b&gt;</b>" in page and "&lt;script&gt;" in whole


def test_an_empty_text_is_shown():
    assert "0 characters" in drawings.side_by_side("", {"bytes": drawings.byte_pieces})


@pytest.mark.parametrize("step, tokens, following", [(0, 113, "u + g: 20"), (2, 77, "h + ug: 15"), (7, 36, "")])
def test_the_steps_of_the_toy(step, tokens, following):
    page = drawings.merge_steps(TOY, MERGES, step)
    assert f"{tokens} tokens for 36 words" in page
    assert re.findall(r"<li>([^<]*?) times &larr; next", page) == ([following] if following else [])


def test_figures_tell_what_they_show():
    tokenizer = BPE([(b"a", b"b"), (b"ab", b"c")])
    _, alt = drawings.merge_tree(tokenizer, "abcd")
    assert "a + b (rank 0), ab + c (rank 1)" in alt and "2 tokens: abc d" in alt
    assert "0.500" in drawings.vocabulary_curve([257, 512], [1.0, 0.4], [1.0, 0.5])[1]
    assert "English: bytes 3.0" in drawings.language_price({"English": {"bytes": 3.0}, "French": {"bytes": 4.0}})[1]
    assert "1 of 4 tokens" in drawings.token_use(np.array([9, 0, 3, 1]), ["a", "b", "c", "d"])[1]


@pytest.mark.parametrize("word", ["two words", "", "a" * 41])
def test_a_tree_is_for_one_word(word):
    with pytest.raises(ValueError, match="one piece"):
        drawings.merge_tree(BPE([]), word)
