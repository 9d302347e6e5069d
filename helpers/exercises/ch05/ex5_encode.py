"""Exercise 5.5, Encode by rank: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.exercises.ch05.ex4_train_bpe import train_bpe
from helpers.exercises.ch05.shared import TOY
from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def encode(text, merges):
    """The ids of a text: its UTF-8 bytes, joined by the learned merges (a list of pairs; merge k makes the id 256 + k)."""
    rank = {pair: k for k, pair in enumerate(merges)}
    ids = list(text.encode("utf-8"))
    while True:
        known = [(rank[pair], i) for i, pair in enumerate(zip(ids, ids[1:])) if pair in rank]
        if not known:
            return ids
        k, i = min(known)
        ids[i : i + 2] = [256 + k]


def encode_leftmost(text, merges):
    rank = {pair: k for k, pair in enumerate(merges)}
    ids, i = list(text.encode("utf-8")), 0
    while i + 1 < len(ids):
        if (ids[i], ids[i + 1]) in rank:
            ids[i : i + 2] = [256 + rank[ids[i], ids[i + 1]]]
            i = 0
        else:
            i += 1
    return ids


def encode_longest(text, merges):
    tokens = [bytes([b]) for b in range(256)]
    for left, right in merges:
        tokens.append(tokens[left] + tokens[right])
    data, ids = text.encode("utf-8"), []
    while data:
        best = max((i for i, token in enumerate(tokens) if data.startswith(token)), key=lambda i: len(tokens[i]))
        ids.append(best)
        data = data[len(tokens[best]) :]
    return ids


def encode_latest_first(text, merges):
    rank = {pair: k for k, pair in enumerate(merges)}
    ids = list(text.encode("utf-8"))
    while True:
        known = [(-rank[pair], i) for i, pair in enumerate(zip(ids, ids[1:])) if pair in rank]
        if not known:
            return ids
        k, i = min(known)
        ids[i : i + 2] = [256 - k]


def encode_each_once(text, merges):
    ids = list(text.encode("utf-8"))
    for k, pair in enumerate(merges):
        for i in range(len(ids) - 1):
            if (ids[i], ids[i + 1]) == tuple(pair):
                ids[i : i + 2] = [256 + k]
                break
    return ids


def encode_characters(text, merges):
    return encode("".join(text), merges) if text.isascii() else [ord(c) for c in text]


def encode_rank_as_id(text, merges):
    return [i - 256 if i >= 256 else i for i in encode(text, merges)]


def draw_encode(rng: np.random.Generator) -> tuple:
    merges = [(97, 98), (98, 97), (256, 99), (257, 257), (258, 256)]  # ab, ba, abc, baba, abcab
    return "".join(rng.choice(list("abc"), size=int(rng.integers(8, 16)))), merges


def check_encode(t: Trial) -> None:
    ab, toy = [(97, 98)], train_bpe(TOY, 3)
    aaab = [(97, 97), (256, 97), (257, 98)]
    race = [(98, 99), (97, 98), (100, 101), (99, 100), (99, 258), (120, 121), (121, 122)]  # bc, ab, de, cd, cde, xy, yz
    cases = [
        ("xyz", ab),
        ("ab", ab),
        ("abxab", ab),
        ("é", ab),
        ("abcde xyz", race),
        ("aaabdaaabac", aaab),
        ("hugs", toy),
        ("", toy),
        ("puns and hugs, été", toy),
    ]
    for text, merges in [*cases, *t.fresh(draw_encode)]:
        got = t.call(text, merges)
        t.equal(list(got) if isinstance(got, tuple) else got, encode(text, merges), what="the ids")


HINTS = (
    "The rank of a pair is its place in the list of merges. Of all pairs of neighbors that have a rank, the lowest rank "
    "is joined first, wherever it stands.",
    "Repeat: list (rank, place) of all neighbors with a rank; take min(); put 256 + rank in place of the two; "
    "stop when none is left.",
)
WRONG = (
    Wrong(
        encode_leftmost,
        "joins the leftmost pair that is a merge; the pair that was learned first must go first, wherever it stands",
    ),
    Wrong(
        encode_longest,
        "takes the longest token that fits from the left (that is WordPiece); BPE replays the merges in order",
    ),
    Wrong(
        encode_latest_first,
        "applies the latest merges first; training made the earliest first, and encoding must do the same",
    ),
    Wrong(encode_each_once, "applies each merge at one place only; it holds wherever the pair stands"),
    Wrong(encode_characters, "gives code points for text beyond English; start from the bytes of UTF-8"),
    Wrong(
        encode_rank_as_id,
        "returns the rank of a merge as its id; the first 256 ids are the bytes, so merge k has the id 256 + k",
    ),
)
AFTER = "It encodes a lead below, and SmolLM2's prompts in the package that course.py mine writes."
EXERCISE = Exercise("5.5", "Encode by rank", "core", encode, check_encode, HINTS, WRONG, points=3, after=AFTER)
