"""Byte-pair encoding: items 1a, 1b, 1c of the performance targets."""

from __future__ import annotations

import json
from collections import Counter

import regex
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from helpers.data import datasets
from helpers.tokenizers.bpe import BPE
from helpers.tokenizers.bpe_training import PATTERNS, visible
from tests.benchmarks.harness import Case, Timed, Work, needs

VOCABULARY = 4096
MERGES = 192


def texts() -> list[str]:
    """All English leads, 4.9 MB."""
    return [lead.text for lead in datasets.leads()]


def library(trained_on: list[str]) -> Tokenizer:
    """The library's byte-level BPE with our settings."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.train_from_iterator(
        trained_on,
        trainers.BpeTrainer(
            vocab_size=VOCABULARY,
            min_frequency=2,
            special_tokens=["<|endoftext|>"],
            show_progress=False,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        ),
    )
    return made


def recounting(some: list[str], n_merges: int) -> list[tuple[bytes, bytes]]:
    """The teaching trainer: every piece of the text is kept, and all pairs are counted again for each merge.

    It stands in for the well-known small trainers of this kind, whose package cannot be installed here. Ties as ours.
    """
    tokens = [bytes([b]) for b in BPE([]).alphabet]
    place = {token[0]: i for i, token in enumerate(tokens)}
    pieces = [[place[b] for b in piece.encode()] for text in some for piece in regex.findall(PATTERNS["gpt2"], text)]
    merges = []
    for _ in range(n_merges):
        counts: Counter[tuple[int, int]] = Counter()
        for ids in pieces:
            for pair in zip(ids, ids[1:]):
                counts[pair] += 1
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        merges.append((tokens[best[0]], tokens[best[1]]))
        tokens.append(tokens[best[0]] + tokens[best[1]])
        pieces = [merged(ids, best, len(tokens) - 1) for ids in pieces]
    return merges


def merged(ids: list[int], pair: tuple[int, int], new: int) -> list[int]:
    """ids with each occurrence of pair replaced by new, from the left."""
    out, i = [], 0
    while i < len(ids):
        if i + 1 < len(ids) and ids[i] == pair[0] and ids[i + 1] == pair[1]:
            out.append(new)
            i += 2
        else:
            out.append(ids[i])
            i += 1
    return out


def same_merges(ours: BPE, theirs: Tokenizer) -> None:
    """The same merges in the same order."""
    merges = [tuple(pair) for pair in json.loads(theirs.to_str())["model"]["merges"]]
    assert [(visible(a), visible(b)) for a, b in ours.merges] == merges, "the merges differ"


def equal(ours: object, theirs: object) -> None:
    """The same ids, or the same merges."""
    assert ours == theirs, "the results differ"


def tiktoken_loop(tokenizer: BPE, all_texts: list[str]) -> Work:
    """tiktoken with our vocabulary; its ids are ranks without special tokens, so 1 is added."""
    import tiktoken

    ranks = {token: i - 1 for i, token in enumerate(tokenizer.tokens) if i}
    encoding = tiktoken.Encoding("course", pat_str=PATTERNS["gpt2"], mergeable_ranks=ranks, special_tokens={})
    return lambda: [encoding.encode_ordinary(text) for text in all_texts]


def cases() -> list[Case]:
    """Training against the library and the recounting trainer; encoding cold and warm against the library and tiktoken."""
    all_texts = texts()
    part = all_texts[::20]
    tokenizer, theirs = BPE.train(all_texts, VOCABULARY), library(all_texts)
    kilobytes = sum(len(text.encode()) for text in all_texts) / 1000

    def encode_all(encoder: BPE) -> list[list[int]]:
        return [encoder.encode(text) for text in all_texts]

    def same_ids(ours: list[list[int]], other: list) -> None:
        shift = 0 if other[0] == ours[0] else 1
        assert all([i + shift for i in b] == a for a, b in zip(ours, other)), "the ids differ"

    loop = {"tokenizers, one by one": lambda: [theirs.encode(text).ids for text in all_texts]}
    batch = {"tokenizers, batch": lambda: [e.ids for e in theirs.encode_batch(all_texts)]}
    tik = {"tiktoken, one by one": needs("tiktoken", lambda: tiktoken_loop(tokenizer, all_texts))}
    amounts = {"ours": kilobytes}
    return [
        Case(
            name=f"train byte-level BPE on {kilobytes / 1000:.1f} MB of leads, {VOCABULARY:,} entries",
            item="1a",
            ours=lambda: BPE.train(all_texts, VOCABULARY),
            peers={"tokenizers BpeTrainer": lambda: library(all_texts)},
            same=same_merges,
            targets={"tokenizers BpeTrainer": 2.0},
            stretch={"tokenizers BpeTrainer": 1.0},
        ),
        Case(
            name=f"train on 1/20 of the leads, {MERGES} merges",
            item="1b",
            ours=lambda: BPE.train(part, 257 + MERGES).merges,
            peers={
                "recounting trainer": lambda: recounting(part, MERGES),
                "minbpe RegexTokenizer": "it is not on the package index; the recounting trainer works like it",
            },
            same=equal,
            targets={"recounting trainer": 0.01},
            slow=("recounting trainer",),
        ),
        Case(
            name="encode all leads, cold (no word seen before)",
            item="1c",
            ours=Timed(encode_all, lambda: BPE(tokenizer.merges)),
            peers={**loop, **tik},
            same=same_ids,
            targets={"tokenizers, one by one": 1.0},
            amounts={**amounts, **{name: kilobytes for name in (*loop, *tik)}},
            unit="kB",
        ),
        Case(
            name="encode all leads, warm (each word seen before)",
            item="1c",
            ours=lambda: encode_all(tokenizer),
            peers={**batch, **tik},
            same=same_ids,
            targets={"tokenizers, batch": 1 / 1.5},
            stretch={"tiktoken, one by one": 1.0},
            amounts={**amounts, **{name: kilobytes for name in (*batch, *tik)}},
            unit="kB",
        ),
    ]
