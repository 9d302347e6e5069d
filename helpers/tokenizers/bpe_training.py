"""What byte-pair encoding is trained on and how: bytes as letters, pre-tokenization, and the merges (chapter 05).

The tie rule, and why ids never depend on the order of the texts, stands in helpers.tokenizers.bpe, which offers all of this too.

How training is fast: a token is held as one character, so a word is a string, a pair is a string of length 2, and a merge is
one str.replace that cannot cut through a token. A merge changes counts only beside its own places, so only the words
that hold the pair are visited.

Sources: Sennrich, Haddow and Birch (2016), arXiv:1508.07909, section 3.2 and algorithm 1; Radford et al. (2019), Language
Models are Unsupervised Multitask Learners, section 2.2 (bytes in place of characters).
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from operator import add

import regex  # the standard library's re cannot say \p{L}, "a letter of any script"

__all__ = ["BYTE_ORDER", "PATTERNS", "compiled", "count_words", "from_visible", "learn_merges", "utf8", "visible"]

PATTERNS = {
    # GPT-2: 's 't 're ..., or a word, a number, other signs - each with one blank before it - or a run of white space,
    # whose last blank is left to the word that follows.
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
    """The token in letters that can be printed and stored in a text file: b" the" is "Ġthe"."""
    return "".join(map(LETTER.__getitem__, token))


def from_visible(text: str) -> bytes:
    """The token that `visible` wrote. Raises ValueError for a letter that stands for no byte."""
    try:
        return bytes(map(_BYTE.__getitem__, text))
    except KeyError as error:
        raise ValueError(f"{error.args[0]!r} in {text!r} stands for no byte; expected letters as visible() writes.") from None


# -------------------------------------------------------------------------------------------------- training


def count_words(texts: Iterable[str], pattern: str = "gpt2") -> Counter[str]:
    """How often each piece of the pre-tokenization occurs.

    Args:
        texts: strings. pattern: a name in PATTERNS, or a regular expression.

    Raises:
        TypeError: one string instead of several, or an entry that is not a string.
        ValueError: no text at all, or an unusable pattern.
    """
    if isinstance(texts, str | bytes):
        raise TypeError(f"texts must be a list of strings; got one {type(texts).__name__}. Write [text].")
    find, words = compiled(pattern).findall, Counter()
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"texts[{row}] must be a string; got {type(text).__name__}. Decode bytes first.")
        words.update(find(text))
    if not words:
        raise ValueError("there is nothing to learn from: no text, or only empty ones. Check how the texts were filtered.")
    return words


def learn_merges(words: Mapping[str, int], n_merges: int, min_count: int = 2) -> list[tuple[bytes, bytes]]:
    """The first ``n_merges`` merges over words with their counts: always the most frequent pair of neighbors.

    Incremental: a merge changes counts only beside its own places, so only the words that hold the pair are visited. The
    heap gives the most frequent pair; an entry whose count has fallen since is put back with the true count.

    Args:
        words: word -> how often it occurs; meant to be short, since a merge goes through each word that holds the pair.
        n_merges: how many to learn. min_count: stop when no pair is as frequent.

    Returns:
        Pairs (left, right) of tokens, in the order of learning; fewer than n_merges when the words are used up. The tie
        rule is that of helpers.tokenizers.bpe; a pair that overlaps itself ("aaa") counts at each place.

    Raises:
        ValueError: n_merges below 0 or min_count below 1.
    """
    if n_merges < 0 or min_count < 1:
        raise ValueError(f"n_merges must be at least 0 and min_count at least 1; got {n_merges} and {min_count}.")
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
    while heap and len(merges) < n_merges:
        negative, pair = heapq.heappop(heap)
        count = pair_counts[pair]
        if count != -negative:  # an old entry
            if count >= min_count:
                heapq.heappush(heap, (-count, pair))
            continue
        left, right = pair
        merges.append((tokens[ord(left)], tokens[ord(right)]))
        merged = merges[-1][0] + merges[-1][1]
        if merged not in known:  # it can be there already, spelled by another pair
            known[merged] = chr(len(tokens))
            tokens.append(merged)
        new = known[merged]

        grown = set()
        for i in found_in.pop(pair):
            word, n = texts[i], counts[i]
            at = word.find(pair)
            if at < 0:  # gone since it was noted
                continue
            texts[i] = after = word.replace(pair, new)
            if len(after) == len(word) - 1:  # one place: at most two pairs go and two come
                going, coming = [], []
                if at:
                    going.append(word[at - 1] + left)
                    coming.append(word[at - 1] + new)
                if at + 1 < len(after):
                    going.append(right + word[at + 2])
                    coming.append(new + word[at + 2])
            else:
                going, coming = map(add, word, word[1:]), map(add, after, after[1:])
            for p in going:
                pair_counts[p] -= n
            for p in coming:
                pair_counts[p] += n
                if new in p:
                    found_in[p].append(i)
                    grown.add(p)
        pair_counts.pop(pair, None)
        for p in grown:
            if pair_counts[p] >= min_count:
                heapq.heappush(heap, (-pair_counts[p], p))
    return merges


# ----------------------------------------------------------------------------------------------------- checks


@cache
def compiled(pattern: str) -> regex.Pattern:
    """The regular expression. Raises ValueError when it is invalid, has groups, or would lose characters."""
    try:
        made = regex.compile(PATTERNS.get(pattern, pattern))
    except (regex.error, TypeError) as error:
        raise ValueError(f"pattern must be an expression or one of {', '.join(PATTERNS)}; got {pattern!r} ({error}).") from None
    probe = "It's a test:  1,234 words\n\tété 中文 🙂 \u00b2 _x_ \r\n 7"
    if made.groups or "".join(made.findall(probe)) != probe:
        raise ValueError(
            f"pattern {pattern!r} loses characters or has capturing groups. Every character must fall into a "
            r"match: end it with |[\s\S], and write (?:...) for groups."
        )
    return made


def utf8(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{text[error.start : error.end]!r} is half of a surrogate pair and no Unicode character; "
            "clean the text first: text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')."
        ) from None
