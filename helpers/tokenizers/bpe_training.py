"""How byte-pair encoding is trained: first as the definition reads, then fast; bytes as letters, pre-tokenization (chapter 05).

Tie rule: of pairs with equal counts the one with the smallest left id wins, then the one with the smallest right id: the pair
of the oldest tokens. Ids follow from counts alone, so the order of the texts never matters.

Sources: Sennrich, Haddow and Birch (2016), arXiv:1508.07909, section 3.2 and algorithm 1; Radford et al. (2019), Language
Models are Unsupervised Multitask Learners, section 2.2 (bytes in place of characters).
"""

from __future__ import annotations

import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from operator import add

import regex  # the standard library's re cannot say \p{L}, "a letter of any script"

from helpers.tokenizers.checks import utf8

__all__ = [
    "BYTE_ORDER",
    "PATTERNS",
    "count_pairs",
    "count_words",
    "cutter",
    "from_visible",
    "learn_merges",
    "learn_merges_plainly",
    "merge_pair",
    "visible",
]

SECONDS = 5  # for an expression on a short text
PATTERNS = {
    # GPT-2: 's 't 're ..., or a word, a number, other signs - each with one space before it - or a run of white space,
    # whose last space is left to the word that follows.
    "gpt2": r"'(?:[stmd]|re|ve|ll)| ?(?:\p{L}+|\p{N}+|[^\s\p{L}\p{N}]+)|\s+(?!\S)|\s+",
    # SmolLM2: the same, but every digit stands alone, and white space before a digit stays in one piece.
    "smollm2": r"'(?:[stmd]|re|ve|ll)|\p{N}| ?(?:\p{L}+|[^\s\p{L}\p{N}]+)|\s+(?![^\s\p{N}])|\s+",
    "none": r"(?s:.+)",  # no pre-tokenization: the whole text is one word
}


# ------------------------------------------------------------------------------------- bytes as visible letters


def _visible_letters() -> dict[int, str]:
    """GPT-2's letter for each byte: bytes with a clear shape keep it, the 68 others get chr(256), chr(257), ..."""
    shaped = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAC + 1), *range(0xAE, 0xFF + 1)]
    others = [byte for byte in range(256) if byte not in shaped]
    return {byte: chr(byte) for byte in shaped} | {byte: chr(256 + k) for k, byte in enumerate(others)}


LETTER = _visible_letters()
_BYTE = {letter: byte for byte, letter in LETTER.items()}
BYTE_ORDER = bytes(LETTER)  # all 256 bytes, in the order of their letters


def visible(token: bytes) -> str:
    """The token in letters that can be printed and stored in a text file (GPT-2's bytes_to_unicode).

    >>> visible(b" the"), visible("é".encode())
    ('Ġthe', 'Ã©')
    """
    return "".join(map(LETTER.__getitem__, token))


def from_visible(text: str) -> bytes:
    """The token that `visible` wrote (bytes_to_unicode, backwards). Raises ValueError for a letter that stands for no byte.

    >>> from_visible("Ġthe")
    b' the'
    """
    try:
        return bytes(map(_BYTE.__getitem__, text))
    except KeyError as error:
        raise ValueError(
            f"expected letters as visible() writes, got {error.args[0]!r} in {text!r}: it stands for no byte"
        ) from None


# ------------------------------------------------------------------------------- training, as the definition reads


def count_pairs(words: Mapping[tuple[int, ...], int]) -> Counter[tuple[int, int]]:
    """How often each two tokens stand side by side, over words (tuples of ids) with their counts.

    >>> dict(count_pairs({(1, 2, 3, 1, 2): 1}))
    {(1, 2): 2, (2, 3): 1, (3, 1): 1}
    """
    pairs = Counter()
    for word, count in words.items():
        for pair in zip(word, word[1:]):
            pairs[pair] += count
    return pairs


def merge_pair(word: tuple[int, ...], pair: tuple[int, int], new: int) -> tuple[int, ...]:
    """The word with `new` in each place of the pair, from left to right.

    >>> merge_pair((1, 2, 3, 1, 2), (1, 2), 4), merge_pair((1, 1, 1), (1, 1), 4)
    ((4, 3, 4), (4, 1))
    """
    merged: list[int] = []
    for token in word:
        if merged and (merged[-1], token) == pair:
            merged[-1] = new
        else:
            merged.append(token)
    return tuple(merged)


def learn_merges_plainly(words: Mapping[str, int], n_merges: int, min_count: int = 2) -> list[tuple[bytes, bytes]]:
    """What byte-pair encoding learns, as the definition reads: count all pairs, merge the most frequent one, again and again.

    >>> learn_merges_plainly({"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}, 3)
    [(b'u', b'g'), (b'u', b'n'), (b'h', b'ug')]
    """
    tokens, merges = [bytes([byte]) for byte in BYTE_ORDER], []
    spelled = {tuple(map(BYTE_ORDER.index, utf8(word))): count for word, count in words.items()}
    while len(merges) < n_merges:
        counts = count_pairs(spelled)
        best = min(counts, key=lambda pair: (-counts[pair], pair), default=None)
        if best is None or counts[best] < min_count:
            break
        merges.append((tokens[best[0]], tokens[best[1]]))
        if b"".join(merges[-1]) not in tokens:  # it can be there already, spelled by another pair
            tokens.append(b"".join(merges[-1]))
        new = tokens.index(b"".join(merges[-1]))
        spelled = {merge_pair(word, best, new): count for word, count in spelled.items()}
    return merges


# --------------------------------------------------------------------------------------------- training, fast


def count_words(texts: Iterable[str], pattern: str = "gpt2") -> Counter[str]:
    """How often each piece of the pre-tokenization occurs. pattern: a name in PATTERNS, or a regular expression.

    Raises TypeError for one string instead of several, or an entry that is not a string; ValueError for no text at all, or an
    unusable pattern.

    >>> count_words(["to be, not to be"])
    Counter({' be': 2, 'to': 1, ',': 1, ' not': 1, ' to': 1})
    """
    if isinstance(texts, str | bytes):
        raise TypeError(f"expected texts as a list of strings, got one {type(texts).__name__}; write [text]")
    find, words = cutter(pattern), Counter()
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"expected texts[{row}] to be a string, got {type(text).__name__}; decode bytes first")
        words.update(find(text))
    if not words:
        raise ValueError("expected a text, got none or only empty ones: nothing to learn from; check how they were filtered")
    return words


def learn_merges(words: Mapping[str, int], n_merges: int, min_count: int = 2) -> list[tuple[bytes, bytes]]:
    """The same merges as `learn_merges_plainly`, fast: pairs (left, right) of tokens, the most frequent first.

    A token is held as one character, so a word is a string, a pair is a string of length 2, and a merge is one str.replace that
    cannot cut through a token. A merge changes counts only beside its own places, so only the words that hold the pair are
    visited. The heap gives the most frequent pair; an entry whose count has fallen since is put back with the true count.

    words: word -> how often it occurs; short ones, since a merge goes through each word that holds the pair. min_count: stop
    when no pair is as frequent. A pair that overlaps itself ("aaa") counts at each place.
    Raises ValueError for n_merges below 0 or min_count below 1.

    >>> learn_merges({"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}, 3)
    [(b'u', b'g'), (b'u', b'n'), (b'h', b'ug')]
    """
    if n_merges < 0 or min_count < 1:
        raise ValueError(f"expected n_merges of at least 0 and min_count of at least 1, got {n_merges} and {min_count}")
    # 1. Spell the words in one-character tokens, and count the pairs once.
    place = bytes.maketrans(BYTE_ORDER, bytes(range(256)))  # byte -> its place in BYTE_ORDER, as long as nothing is merged
    spelled = [(utf8(word).translate(place).decode("latin-1"), count) for word, count in words.items()]
    texts, counts = [word for word, _ in spelled], [count for _, count in spelled]
    pair_counts, found_in = defaultdict(int), defaultdict(list)  # pair -> count; pair -> indices of words that hold it
    for i, word in enumerate(texts):
        for pair in map(add, word, word[1:]):
            pair_counts[pair] += counts[i]
            found_in[pair].append(i)

    heap = [(-count, pair) for pair, count in pair_counts.items() if count >= min_count]
    heapq.heapify(heap)
    tokens = [bytes([byte]) for byte in BYTE_ORDER]
    known = {token: chr(i) for i, token in enumerate(tokens)}
    merges: list[tuple[bytes, bytes]] = []
    # 2. Take the most frequent pair, as long as there is one that is frequent enough.
    while heap and len(merges) < n_merges:
        negative, pair = heapq.heappop(heap)
        count = pair_counts[pair]
        if count != -negative:  # an old entry
            if count >= min_count:
                heapq.heappush(heap, (-count, pair))
            continue
        # 3. Note the merge, and give the joined token its character.
        left, right = pair
        merges.append((tokens[ord(left)], tokens[ord(right)]))
        merged = merges[-1][0] + merges[-1][1]
        if merged not in known:  # it can be there already, spelled by another pair
            known[merged] = chr(len(tokens))
            tokens.append(merged)
        new = known[merged]
        # 4. Join the pair in the words that hold it, and set the counts right beside each place.
        grown = set()
        for i in dict.fromkeys(found_in.pop(pair)):  # a long word is noted at each of its places
            word, n = texts[i], counts[i]
            at = word.find(pair)
            if at < 0:  # gone since it was noted
                continue
            texts[i] = after = word.replace(pair, new)
            going, coming = [], []
            if len(after) == len(word) - 1:  # one place: at most two pairs go and two come
                if at:
                    going.append(word[at - 1] + left)
                    coming.append(word[at - 1] + new)
                if at + 1 < len(after):
                    going.append(right + word[at + 2])
                    coming.append(new + word[at + 2])
            else:  # the same at each, so that a long word costs no more than its places
                between = word.split(pair)
                for place, (before, behind) in enumerate(zip(between, between[1:])):
                    if before or place:
                        going.append((before or right)[-1] + left)
                        coming.append((before or new)[-1] + new)
                    if behind:
                        going.append(right + behind[0])
                        coming.append(new + behind[0])
            for p in going:
                pair_counts[p] -= n
            for p in coming:
                pair_counts[p] += n
                if new in p:
                    found_in[p].append(i)
                    grown.add(p)
        # 5. The pairs that are new or more frequent now compete with the others.
        pair_counts.pop(pair, None)
        for p in grown:
            if pair_counts[p] >= min_count:
                heapq.heappush(heap, (-pair_counts[p], p))
    return merges


# ----------------------------------------------------------------------------------------------------- checks


@cache
def cutter(pattern: str) -> Callable[[str], list[str]]:
    """Text -> the pieces of the pre-tokenization; nothing is lost: what no match takes is a piece of its own.

    Raises ValueError for an expression that is invalid, too large, has groups, or loses common characters; the function that
    comes back does for one that takes more than five seconds, and a second for each 50,000 characters, on a text.

    >>> cutter("gpt2")("It's 2 words"), cutter("[^Q]+")("aQb")
    (['It', "'s", ' 2', ' words'], ['a', 'Q', 'b'])
    """
    probe = "It's a test:  1,234 words\n\tété 中文 🙂 \u00b2 _x_ \r\n 7"
    try:
        # the library writes a count out: (?:a{1000}){1000} has a million parts
        counts = [max(int(n or 0) for n in found) for found in regex.findall(r"\{(\d*),?(\d*)\}", pattern)]
        if math.prod(n for n in counts if n > 3) > 100_000:
            raise regex.error("its counts are too large")
        made = regex.compile(PATTERNS.get(pattern, pattern))
        complete = not made.groups and "".join(made.findall(probe, timeout=SECONDS)) == probe
    except (regex.error, TypeError, ValueError, RecursionError, TimeoutError, MemoryError) as error:
        raise ValueError(
            f"expected pattern as an expression or one of {', '.join(PATTERNS)}, got {pattern!r} ({error})"
        ) from None
    if not complete:
        raise ValueError(
            f"expected a pattern that matches every character, got {pattern!r}: it loses characters or has capturing groups; "
            r"end it with |[\s\S], and write (?:...) for groups"
        )

    def cut(text: str) -> list[str]:
        try:
            places = (place for match in made.finditer(text, timeout=SECONDS + len(text) / 50_000) for place in match.span())
            borders = sorted({0, len(text), *places})
        except (TimeoutError, MemoryError):
            raise ValueError(f"expected a pattern that is fast on this text, got {pattern!r}, which was stopped") from None
        return [text[i:j] for i, j in zip(borders, borders[1:])]

    return made.findall if pattern in PATTERNS else cut  # the named ones match every character
