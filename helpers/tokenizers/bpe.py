"""Byte-level byte-pair encoding: training, encoding, decoding, and the real vocabulary of SmolLM2 (chapter 05).

Ids: special tokens first (`<|endoftext|>` is 0), then the 256 bytes in the order of `BYTE_ORDER`, then one id for each
merge in the order of learning. The library `tokenizers` numbers them in the same way. How merges are learned, and which wins
a tie, stands in `helpers.tokenizers.bpe_training`.

How it is fast: a token is held as the character chr(id), so a word is a string, a pair is a string of length 2, and a
merge is one str.replace that cannot cut through a token. Words that were met before are looked up.

Sources: Gage (1994), A New Algorithm for Data Compression; Sennrich, Haddow and Birch (2016), arXiv:1508.07909, section 3.2;
Radford et al. (2019), Language Models are Unsupervised Multitask Learners, section 2.2 (bytes).
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, repeat
from operator import add
from pathlib import Path
from typing import Any

import regex

from helpers.tokenizers.bpe_runs import merge_run
from helpers.tokenizers.bpe_training import (
    BYTE_ORDER,
    LETTER,
    count_words,
    cutter,
    from_visible,
    learn_merges,
    visible,
)
from helpers.tokenizers.checks import checked_text, utf8

__all__ = ["BPE", "END_OF_TEXT"]

END_OF_TEXT = "<|endoftext|>"
FORMAT = "from-counts-to-chat byte-pair encoding 1"
CACHED_WORDS = 1 << 18  # words that an encoder remembers before it forgets them all: at most some 60 MB

_LONG = 32  # characters from which on a heap is faster
_NEVER = 1 << 62  # the rank of a pair that is no merge


class _Words(dict):
    """Word -> ids, computed on first use and remembered."""

    def __init__(self, encode):
        self._encode = encode

    def __missing__(self, word: str) -> list[int]:
        if len(self) >= CACHED_WORDS:
            self.clear()
        ids = self[word] = self._encode(utf8(word))
        return ids


class BPE:
    """A byte-level BPE tokenizer: text -> ids -> text, nothing lost.

    merges: pairs (left, right) of tokens as bytes, best first. special_tokens: strings with an id of their own. pattern: the
    pre-tokenization, a name in PATTERNS or a regular expression. alphabet: the bytes that have an id, in the order of their
    ids (all 256, unless a published vocabulary left some out).
    Raises ValueError for a merge of tokens that are not there yet, special tokens that repeat or are empty, an unusable pattern.

    >>> tokenizer = BPE([(b"a", b"a"), (b"aa", b"a"), (b"aaa", b"b")])
    >>> [tokenizer.tokens[i] for i in tokenizer.encode("aaabdaaabac")]
    [b'aaab', b'd', b'aaab', b'a', b'c']
    >>> tokenizer.decode(tokenizer.encode("aaabdaaabac"))
    'aaabdaaabac'
    """

    def __init__(
        self,
        merges: Sequence[tuple[bytes, bytes]],
        special_tokens: Sequence[str] = (END_OF_TEXT,),
        pattern: str = "gpt2",
        alphabet: bytes = BYTE_ORDER,
    ):
        self.special_tokens = _specials(special_tokens)  # string -> id
        self.merges, self.pattern, self.alphabet = [tuple(pair) for pair in merges], pattern, alphabet
        self._find = cutter(pattern)
        self.tokens = [utf8(s) for s in self.special_tokens] + [bytes([b]) for b in alphabet]  # id -> bytes
        ids = {bytes([b]): i for i, b in enumerate(alphabet, len(self.special_tokens))}
        self._char = {b: chr(ids[bytes([b])]) for b in alphabet}
        self._ranks: dict[str, int] = {}
        self._steps: list[tuple[str, str, int]] = []  # by rank: pair, merged, how many places at a time (-1: all)
        for left, right in self.merges:  # each gives a pair its rank, and a new token its id
            if left not in ids or right not in ids:
                raise ValueError(
                    f"expected merges in the order in which they were learned, got merge {len(self._steps)} of {left!r} and "
                    f"{right!r}, which are not both tokens by then"
                )
            all_places = -1
            if left + right in ids:
                all_places = 1  # an older token: its pairs may have lower ranks, so look again after each place
            else:
                ids[left + right] = len(self.tokens)
                self.tokens.append(left + right)
            pair = chr(ids[left]) + chr(ids[right])
            self._ranks.setdefault(pair, len(self._steps))
            self._steps.append((pair, chr(ids[left + right]), all_places))
        self._ids, self._words = ids, _Words(self._encode_word)
        self._split_special = None
        if self.special_tokens:
            longest_first = sorted(self.special_tokens, key=len, reverse=True)
            self._split_special = regex.compile("(" + "|".join(map(regex.escape, longest_first)) + ")")

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        vocab_size: int,
        special_tokens: Sequence[str] = (END_OF_TEXT,),
        pattern: str = "gpt2",
        min_count: int = 2,
    ) -> BPE:
        """Learn a tokenizer from texts; special tokens count towards vocab_size.

        The vocabulary stays smaller than vocab_size when no pair occurs min_count times any more. Raises ValueError for a
        vocab_size that does not hold the special tokens and 256 bytes, or no text; TypeError as count_words.
        """
        least = 256 + len(_specials(special_tokens))
        if vocab_size < least:
            raise ValueError(f"expected vocab_size >= {least} (256 bytes, {least - 256} special tokens), got {vocab_size}")
        merges = learn_merges(count_words(texts, pattern), vocab_size - least, min_count)
        return cls(merges, special_tokens, pattern)

    @classmethod
    def from_smollm2(cls, folder: Path | None = None) -> BPE:
        """The tokenizer of SmolLM2: 17 special tokens, 235 bytes (21 have no id), 48,900 merges, digits one by one.

        folder: holds tokenizer.json; the converted model of helpers.data.weights when left out. Raises DataError (of
        helpers.data.weights) when the model is missing or damaged, ValueError for a tokenizer of another kind.
        """
        from helpers.data.weights import smollm2_folder

        data = json.loads(((folder or smollm2_folder()) / "tokenizer.json").read_text(encoding="utf-8"))
        kinds = [step["type"] for step in (data["pre_tokenizer"] or {}).get("pretokenizers", [])]
        if data["model"]["type"] != "BPE" or kinds != ["Digits", "ByteLevel"]:
            raise ValueError(
                "expected tokenizer.json to hold a byte-level BPE with individual digits, as SmolLM2's, "
                f"got {data['model']['type']} with the pre-tokenizers {kinds}"
            )
        vocab = data["model"]["vocab"]
        special = [entry["content"] for entry in sorted(data["added_tokens"], key=lambda entry: entry["id"])]
        alphabet = bytes(byte for byte, letter in LETTER.items() if letter in vocab)
        merges = [m if isinstance(m, list) else m.split(" ") for m in data["model"]["merges"]]
        made = cls([(from_visible(left), from_visible(right)) for left, right in merges], special, "smollm2", alphabet)
        if any(vocab.get(token) != i for token, i in made.vocabulary().items()):
            raise ValueError("expected tokenizer.json to number special tokens, bytes and merges in this order, got another one")
        return made

    @property
    def vocab_size(self) -> int:
        """Number of ids: special tokens, bytes, merges that made a new token."""
        return len(self.tokens)

    @property
    def end_of_text(self) -> int:
        """The id of `<|endoftext|>`, which stands between documents. Raises ValueError when there is none."""
        if END_OF_TEXT not in self.special_tokens:
            raise ValueError(f"expected the special token {END_OF_TEXT}, got a tokenizer with {list(self.special_tokens)} only")
        return self.special_tokens[END_OF_TEXT]

    def vocabulary(self) -> dict[str, int]:
        """Every token in visible letters -> its id."""
        n = len(self.special_tokens)
        return self.special_tokens | {visible(token): i for i, token in enumerate(self.tokens[n:], n)}

    def split(self, text: str) -> list[str]:
        """The pieces of the pre-tokenization: no token crosses their borders."""
        return self._find(checked_text(text))

    def encode(self, text: str, special: bool = False, errors: str = "strict") -> list[int]:
        """The ids of a text.

        special: whether a special token that is written in the text ("<|endoftext|>") becomes its one id. By default it is
        ordinary characters: text from users must not be able to end a document or to open a chat turn. errors: "strict" raises
        for bytes without an id (only some published vocabularies lack any), "ignore" drops them.
        Raises TypeError for no string, ValueError for half of a surrogate pair (no Unicode text), or a byte without an id.
        """
        checked_text(text)
        if special and self._split_special:
            parts = self._split_special.split(text)  # text, special token, text, ...
            return [
                i
                for k, part in enumerate(parts)
                for i in ([self.special_tokens[part]] if k % 2 else self.encode(part, errors=errors))
            ]
        if errors == "ignore":
            return [i for word in self._find(text) for i in self._encode_word(bytes(b for b in utf8(word) if b in self._char))]
        if errors != "strict":
            raise ValueError(f'expected errors as "strict" or "ignore", got {errors!r}')
        return list(chain.from_iterable(map(self._words.__getitem__, self._find(text))))

    def _encode_word(self, data: bytes) -> list[int]:
        """Merge the pair with the lowest rank, leftmost place first, until no pair of neighbors is a merge."""
        try:
            word = "".join(map(self._char.__getitem__, data))
        except KeyError as error:
            raise ValueError(
                f'the byte 0x{error.args[0]:02x} in {data!r} has no id in this vocabulary. Pass errors="ignore" to drop it.'
            ) from None
        if len(word) > _LONG:
            return list(map(ord, merge_run(word, self._ranks, self._steps)))
        rank_of, steps = self._ranks.get, self._steps
        while len(word) > 1:
            rank = min(map(rank_of, map(add, word, word[1:]), repeat(_NEVER)))
            if rank == _NEVER:
                break
            word = word.replace(*steps[rank])
        return list(map(ord, word))

    def encoding_words_with(self, encode: Callable[[bytes], list[int]]) -> BPE:
        """A copy that cuts texts as this one does, and lets ``encode`` make the ids of each word from its bytes."""
        made = copy.copy(self)
        made._words, made._encode_word = _Words(encode), encode  # type: ignore[assignment]
        return made

    def decode(self, ids: Iterable[int], errors: str = "replace", skip_special: bool = False) -> str:
        """The text of ids (a list, or an array or tensor of one dimension).

        errors: what to do where the bytes are no valid UTF-8, as they are after a cut through a character: "replace" writes
        U+FFFD, "strict" raises, "ignore" drops them. skip_special: leave special tokens out.
        Raises TypeError for no whole numbers, ValueError for an id outside 0 .. vocab_size - 1, or invalid UTF-8 with "strict".
        """
        data = self.decode_bytes(ids, skip_special)
        try:
            return data.decode("utf-8", errors)
        except UnicodeDecodeError as error:
            raise ValueError(
                f"expected ids that give valid UTF-8, got byte {error.start} of {len(data)}: {error.reason}; a character may be "
                'cut: pass errors="replace"'
            ) from None

    def decode_bytes(self, ids: Iterable[int], skip_special: bool = False) -> bytes:
        """The bytes of ids; see decode."""
        ids = ids.tolist() if hasattr(ids, "tolist") else list(ids)
        wrong = [i for i in ids if not hasattr(i, "__index__")][:1]
        if wrong:
            raise TypeError(f"ids must be whole numbers in one dimension; got {wrong[0]!r} of type {type(wrong[0]).__name__}.")
        if ids and not 0 <= min(ids) <= max(ids) < len(self.tokens):
            wrong = next(i for i in ids if not 0 <= i < len(self.tokens))
            raise ValueError(f"id {wrong} is outside 0 .. {len(self.tokens) - 1}. Do the ids come from another tokenizer?")
        first = len(self.special_tokens) if skip_special else 0
        return b"".join([self.tokens[i] for i in ids if i >= first])

    def save(self, path: str | Path) -> None:
        """Write the tokenizer as a JSON text file; the write is atomic."""
        merges = [f"{visible(left)} {visible(right)}" for left, right in self.merges]
        data = {
            "format": FORMAT,
            "pattern": self.pattern,
            "special_tokens": list(self.special_tokens),
            "alphabet": visible(self.alphabet),
            "merges": merges,
        }
        path = Path(path)
        aside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        aside.write_text(json.dumps(data, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
        aside.replace(path)

    @classmethod
    def load(cls, path: str | Path) -> BPE:
        """Read what `save` wrote. Raises ValueError for anything else, FileNotFoundError when there is no such file."""
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
            if data["format"] != FORMAT:
                raise ValueError(f"its format is {data['format']!r}")
            merges: list[Any] = [tuple(map(from_visible, line.split(" "))) for line in data["merges"]]
            return cls(merges, data["special_tokens"], data["pattern"], from_visible(data["alphabet"]))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{Path(path).name} was not written by BPE.save ({error}); train and save it again") from error

    def __repr__(self) -> str:
        parts = f"{len(self.special_tokens)} special, {len(self.alphabet)} bytes, {len(self.merges):,} merges"
        return f"BPE({self.vocab_size:,} tokens: {parts})"


def _specials(special_tokens: Sequence[str]) -> dict[str, int]:
    if isinstance(special_tokens, str):
        raise TypeError(f"expected special_tokens as a list of strings, got one string; write [{special_tokens!r}]")
    listed = list(special_tokens)
    if not all(isinstance(s, str) and s for s in listed) or len(set(listed)) != len(listed):
        raise ValueError(f"expected special_tokens as different, non-empty strings, got {listed!r}")
    return {s: i for i, s in enumerate(listed)}
