"""Chunks: every word is kept, offsets hold, sentences end where sentences end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.retrieval.chunking import chunk_all, fixed_chunks, sentence_chunks, sentences

TEXT = 'Dr. Ada Lone measured 3.14 m. It was J. S. Bach\'s bridge, i.e. the old one. Was it? Yes!  He said "No." Then he left.'


def test_fixed_chunks_by_hand():
    text = " ".join(f"w{i}" for i in range(10))
    assert [c.text.split() for c in fixed_chunks(text, 4, 1)] == [
        ["w0", "w1", "w2", "w3"],
        ["w3", "w4", "w5", "w6"],
        ["w6", "w7", "w8", "w9"],
    ]
    assert [len(c.text.split()) for c in fixed_chunks(text, 4)] == [4, 4, 2]
    assert len(fixed_chunks(text, 99)) == 1 and fixed_chunks("  \n ", 3) == []


WORDS = st.lists(st.text("ab.", min_size=1, max_size=3), max_size=40).map(" ".join)


@given(WORDS, st.integers(1, 9), st.integers(0, 8))
def test_no_word_is_lost_and_offsets_hold(text, size, overlap):
    chunks = fixed_chunks(text, size, min(overlap, size - 1))
    assert all(text[c.start : c.end] == c.text and 1 <= len(c.text.split()) <= size for c in chunks)
    covered = {i for c in chunks for i in range(c.start, c.end)}
    assert all(i in covered for i, char in enumerate(text) if char != " ")


def test_sentences():
    got = [TEXT[a:b] for a, b in sentences(TEXT)]
    first = ["Dr. Ada Lone measured 3.14 m.", "It was J. S. Bach's bridge, i.e. the old one."]
    assert got == [*first, "Was it?", "Yes!", 'He said "No."', "Then he left."]
    basin = "It is half of the Nile's. The river is 2,574 km long."
    assert [basin[a:b] for a, b in sentences(basin)] == ["It is half of the Nile's.", "The river is 2,574 km long."]
    vitamin = "They are rich in vitamin C. They keep well."  # a capital alone is taken for an initial: known, and harmless
    assert len(sentences(vitamin)) == 1
    assert [("One.\n\nTwo")[a:b] for a, b in sentences("One.\n\nTwo")] == ["One.", "Two"] and sentences("") == []


@given(WORDS, st.integers(1, 9), st.integers(0, 3))
def test_sentence_chunks_keep_everything(text, size, overlap):
    chunks = sentence_chunks(text, size, overlap)
    assert all(text[c.start : c.end] == c.text for c in chunks)
    covered = {i for c in chunks for i in range(c.start, c.end)}
    assert all(i in covered for i, char in enumerate(text) if not char.isspace())


def test_sentence_chunks_with_overlap():
    text = "One is here. Two is here. Three is here. Four is here."
    assert [c.text for c in sentence_chunks(text, 6, overlap=1)] == [
        "One is here. Two is here.",
        "Two is here. Three is here.",
        "Three is here. Four is here.",
    ]


def test_many_texts_and_bad_input():
    assert [(c.document, c.text) for c in chunk_all(["a b", "", "c"], fixed_chunks, 1)] == [(0, "a"), (0, "b"), (2, "c")]
    for call in (lambda: fixed_chunks("a", 0), lambda: fixed_chunks("a b", 2, 2), lambda: sentence_chunks("a", 3, -1)):
        with pytest.raises(ValueError, match="expected"):
            call()
    for call in (lambda: fixed_chunks(["a"], 2), lambda: chunk_all("a", fixed_chunks, 2)):
        with pytest.raises(TypeError):
            call()


def test_a_repeated_sentence_leaves_room_for_a_new_one():
    text = "One two three four five. Six. Seven a b c d e f g h i."
    assert [c.text for c in sentence_chunks(text, 6, overlap=1)] == ["One two three four five. Six.", "Seven a b c d e f g h i."]
    # where it fits, it is repeated
    assert [c.text for c in sentence_chunks("A b. C d. E f.", 4, overlap=1)] == ["A b. C d.", "C d. E f."]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(1, 12), st.integers(0, 3))
def test_no_chunk_of_sentences_lies_inside_another(lengths, max_words, overlap):
    text = " ".join("A" + " b" * (n - 1) + "." for n in lengths)
    chunks = sentence_chunks(text, max_words, overlap)
    assert all(a.start < b.start and a.end < b.end for a, b in zip(chunks, chunks[1:]))
    assert not text[: chunks[0].start] and not text[chunks[-1].end :]
    assert all(b.start <= a.end + 1 for a, b in zip(chunks, chunks[1:]))  # no sentence is lost
