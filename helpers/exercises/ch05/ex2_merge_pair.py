"""Exercise 5.2, Merge a pair: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def merge_pair(symbols, pair):
    """The list of symbols with each occurrence of pair, from the left, joined into one symbol."""
    merged, i = [], 0
    while i < len(symbols):
        if i + 1 < len(symbols) and (symbols[i], symbols[i + 1]) == pair:
            merged.append(symbols[i] + symbols[i + 1])
            i += 2
        else:
            merged.append(symbols[i])
            i += 1
    return merged


def merge_pair_first_only(symbols, pair):
    for i in range(len(symbols) - 1):
        if (symbols[i], symbols[i + 1]) == pair:
            return symbols[:i] + [pair[0] + pair[1]] + symbols[i + 2 :]
    return list(symbols)


def merge_pair_from_the_right(symbols, pair):
    turned = merge_pair([s[::-1] for s in symbols[::-1]], (pair[1][::-1], pair[0][::-1]))
    return [s[::-1] for s in turned[::-1]]


def merge_pair_as_text(symbols, pair):
    return " ".join(symbols).replace(" ".join(pair), "".join(pair)).split(" ")


def merge_pair_reusing_a_symbol(symbols, pair):
    merged = []
    for i, symbol in enumerate(symbols):
        if i + 1 < len(symbols) and (symbol, symbols[i + 1]) == pair:
            merged.append(symbol + symbols[i + 1])
        elif not (i and (symbols[i - 1], symbol) == pair):
            merged.append(symbol)
    return merged


def merge_pair_keeping_the_right(symbols, pair):
    merged = []
    for i, symbol in enumerate(symbols):
        match = i + 1 < len(symbols) and (symbol, symbols[i + 1]) == pair
        merged.append(symbol + symbols[i + 1] if match else symbol)
    return merged


def merge_pair_by_its_text(symbols, pair):
    merged, i = [], 0
    while i < len(symbols):
        match = i + 1 < len(symbols) and symbols[i] + symbols[i + 1] == "".join(pair)
        merged.append("".join(pair) if match else symbols[i])
        i += 2 if match else 1
    return merged


def merge_pair_either_way(symbols, pair):
    merged, i = [], 0
    while i < len(symbols):
        match = i + 1 < len(symbols) and set(symbols[i : i + 2]) == set(pair)
        merged.append(symbols[i] + symbols[i + 1] if match else symbols[i])
        i += 2 if match else 1
    return merged


def draw_merge_pair(rng: np.random.Generator) -> tuple:
    return " ".join(rng.choice(["a", "b", "ab"], size=int(rng.integers(5, 10)))), "a b" if rng.random() < 0.5 else "a a"


def check_merge_pair(t: Trial) -> None:
    cases = [
        ("h e y", "a b"),
        ("h e l l o", "l l"),
        ("xa b", "a b"),
        ("a b c a b", "a b"),
        ("a a a", "a a"),
        ("a a a a a", "a a"),
        ("_ h e l l o", "e l"),
        ("a", "a b"),
        ("un h ug un h", "un h"),
        ("a bc", "ab c"),
        ("b a b", "a b"),
    ]
    for symbols, pair in [*cases, *t.fresh(draw_merge_pair)]:
        symbols, pair = symbols.split(), tuple(pair.split())
        got = t.call(symbols, pair)
        t.equal(list(got) if isinstance(got, tuple) else got, merge_pair(symbols, pair), what="the symbols")


HINTS = (
    "Walk through the list with an index i. When symbols[i] and symbols[i + 1] are the pair, append the joined symbol "
    "and go on at i + 2; else append symbols[i] and go on at i + 1.",
    "Compare whole symbols, never pieces of text: in [xa, b] there is no symbol a.",
)
WRONG = (
    Wrong(merge_pair_first_only, "joins the first occurrence only; all of them must be joined"),
    Wrong(merge_pair_from_the_right, "starts from the right: in a a a the left pair is joined, which gives aa a"),
    Wrong(merge_pair_as_text, "replaces in the text, and so cuts through symbols: in [xa, b] there is no symbol a to join"),
    Wrong(merge_pair_by_its_text, "compares the joined text only: [a, bc] spells abc, but it is not the pair (ab, c)"),
    Wrong(merge_pair_either_way, "joins the two symbols in any order: (b, a) is not the pair (a, b)"),
    Wrong(merge_pair_reusing_a_symbol, "uses one symbol in two pairs: after a match, go on behind both symbols"),
    Wrong(merge_pair_keeping_the_right, "keeps the right half beside the joined symbol; skip it after a match"),
)
EXERCISE = Exercise("5.2", "Merge a pair", "core", merge_pair, check_merge_pair, HINTS, WRONG, points=2)
