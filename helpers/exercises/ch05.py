"""Exercises of chapter 05, Byte-pair encoding: checks, hints, reference solutions, wrong answers with their diagnoses."""

import math

from helpers.lab.checks import Exercise, Trial, Wrong

TOY = {"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}

# ------------------------------------------------------------------------------------------------- 5.1


def count_pairs(words):
    """How often each pair of neighbors stands in words: {tuple of symbols: count of the word} -> {pair: count}."""
    pairs = {}
    for symbols, n in words.items():
        for pair in zip(symbols, symbols[1:]):
            pairs[pair] = pairs.get(pair, 0) + n
    return pairs


def count_pairs_of_types(words):
    return count_pairs({symbols: 1 for symbols in words})


def count_pairs_once_a_word(words):
    pairs = {}
    for symbols, n in words.items():
        for pair in set(zip(symbols, symbols[1:])):
            pairs[pair] = pairs.get(pair, 0) + n
    return pairs


def count_pairs_unordered(words):
    pairs = {}
    for pair, n in count_pairs(words).items():
        pair = tuple(sorted(pair))
        pairs[pair] = pairs.get(pair, 0) + n
    return pairs


def count_pairs_across_words(words):
    stream = [symbol for symbols, n in words.items() for _ in range(n) for symbol in symbols]
    return count_pairs({tuple(stream): 1})


def count_pairs_side_by_side(words):
    pairs = {}
    for symbols, n in words.items():
        for i in range(0, len(symbols) - 1, 2):
            pairs[symbols[i : i + 2]] = pairs.get(symbols[i : i + 2], 0) + n
    return pairs


def count_pairs_without_overlap(words):
    pairs = {}
    for symbols, n in words.items():
        i = 0
        while i + 1 < len(symbols):
            pair = symbols[i], symbols[i + 1]
            pairs[pair] = pairs.get(pair, 0) + n
            i += 2 if pair == symbols[i + 1 : i + 3] else 1
    return pairs


def check_count_pairs(t: Trial) -> None:
    cases = [
        {("h", "e", "y"): 1},
        {("b", "a"): 2, ("b", "a", "r"): 3},
        {tuple("banana"): 1},
        {tuple("aaa"): 1},
        {tuple(word): n for word, n in TOY.items()},
        {("h", "ug"): 10, ("p", "ug", "s"): 2, ("a",): 9},
    ]
    for words in cases:
        t.equal(t.call(words), count_pairs(words), what="the counts")


# ------------------------------------------------------------------------------------------------- 5.2


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
    for symbols, pair in cases:
        symbols, pair = symbols.split(), tuple(pair.split())
        got = t.call(symbols, pair)
        t.equal(list(got) if isinstance(got, tuple) else got, merge_pair(symbols, pair), what="the symbols")


# ------------------------------------------------------------------------------------------------- 5.3


def next_merge(counts):
    """The pair of ids to merge next: the most frequent one; of equally frequent ones the smallest (left id, then right id)."""
    return min(counts, key=lambda pair: (-counts[pair], pair))


def next_merge_first_seen(counts):
    """The pair of ids to merge next: the most frequent one; of equally frequent ones the smallest (left id, then right id)."""
    return max(counts, key=counts.get)


def next_merge_greatest(counts):
    return max(counts, key=lambda pair: (counts[pair], pair))


def next_merge_last_seen(counts):
    return max(reversed(counts), key=counts.get)


def next_merge_right_first(counts):
    return min(counts, key=lambda pair: (-counts[pair], pair[::-1]))


def next_merge_rarest(counts):
    return min(counts, key=lambda pair: (counts[pair], pair))


def next_merge_by_sum(counts):
    return min(counts, key=lambda pair: (-counts[pair], sum(pair), pair))


def next_merge_by_text(counts):
    return min(counts, key=lambda pair: (-counts[pair], str(pair)))


def next_merge_packed(counts):
    return min(counts, key=lambda pair: (-counts[pair], pair[0] * 256 + pair[1]))


def check_next_merge(t: Trial) -> None:
    cases = [
        {(9, 9): 5},
        {(1, 2): 3, (5, 9): 4, (2, 2): 2},
        {(6, 9): 7, (9, 5): 7, (3, 8): 7, (7, 1): 7, (4, 2): 7, (8, 8): 7},
        {(3, 1): 5, (7, 7): 5, (2, 8): 5, (3, 9): 5},
        {(4, 4): 1, (4, 3): 1, (9, 0): 1},
        {(10, 2): 4, (9, 5): 4},
        {(10, 2): 4, (9, 300): 4},
    ]
    for counts in cases:
        t.equal(t.call(counts), next_merge(counts), what="the pair")
    for counts in cases:
        turned = dict(reversed(counts.items()))
        t.equal(t.call(turned), next_merge(counts), what="the pair")


# ------------------------------------------------------------------------------------------------- 5.4


def train_bpe(words, n_merges):
    """Learn byte-level merges from {word: count}: the pairs of ids in order. Bytes are 0-255, merge k makes the id 256 + k."""
    spelled = {word: list(word.encode("utf-8")) for word in words}
    merges = []
    for _ in range(n_merges):
        counts = {}
        for word, ids in spelled.items():
            for pair in zip(ids, ids[1:]):
                counts[pair] = counts.get(pair, 0) + words[word]
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        new = 256 + len(merges)
        merges.append(best)
        for word, ids in spelled.items():
            after, i = [], 0
            while i < len(ids):
                if tuple(ids[i : i + 2]) == best:
                    after.append(new)
                    i += 2
                else:
                    after.append(ids[i])
                    i += 1
            spelled[word] = after
    return merges


def _variant(
    words,
    n_merges,
    spell=lambda word: list(word.encode("utf-8")),
    weigh=True,
    tie=lambda pair: pair,
    update=True,
    first=256,
    least=1,
):
    """train_bpe with one thing changed, for the wrong answers below."""
    spelled = {word: spell(word) for word in words}
    merges = []
    for _ in range(n_merges):
        counts = {}
        for word, ids in spelled.items():
            for pair in zip(ids, ids[1:]):
                counts[pair] = counts.get(pair, 0) + (words[word] if weigh else 1)
        for pair in [] if update else merges:
            counts.pop(pair, None)
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], tie(pair)))
        if counts[best] < least:
            break
        new = first + len(merges)
        merges.append(best)
        for word, ids in spelled.items() if update else ():
            after, i = [], 0
            while i < len(ids):
                step = 2 if tuple(ids[i : i + 2]) == best else 1
                after.append(new if step == 2 else ids[i])
                i += step
            spelled[word] = after
    return merges


def train_bpe_on_characters(words, n_merges):
    return _variant(words, n_merges, spell=lambda word: [ord(c) for c in word])


def train_bpe_without_counts(words, n_merges):
    return _variant(words, n_merges, weigh=False)


def train_bpe_first_seen(words, n_merges):
    return _variant(words, n_merges, tie=lambda pair: 0)


def train_bpe_greatest(words, n_merges):
    return _variant(words, n_merges, tie=lambda pair: (-pair[0], -pair[1]))


def train_bpe_never_merging(words, n_merges):
    return _variant(words, n_merges, update=False)


def train_bpe_from_255(words, n_merges):
    return _variant(words, n_merges, first=255)


def train_bpe_only_repeated(words, n_merges):
    return _variant(words, n_merges, least=2)


def train_bpe_across_words(words, n_merges):
    stream = " ".join(word for word, n in words.items() for _ in range(n))
    return _variant({stream: 1}, n_merges)


def check_train_bpe(t: Trial) -> None:
    cases = [
        ({"aa": 1, "aab": 1}, 1),
        ({"ab": 1, "ac": 1, "ab ": 1, "xc": 5}, 1),
        (TOY, 3),
        ({"yy": 2, "zz": 2, "xx": 2, "aa": 1}, 1),
        ({"é": 3, "è": 1}, 1),
        ({"aaabdaaabac": 1}, 3),
        ({"ab": 4}, 9),
        ({"abc": 1}, 5),
        ({"low": 5, "lower": 2, "newest": 6, "widest": 3}, 8),
    ]
    for words, n_merges in cases:
        got = t.call(words, n_merges)
        t.equal([tuple(pair) for pair in got] if isinstance(got, list) else got, train_bpe(words, n_merges), what="the merges")


# ------------------------------------------------------------------------------------------------- 5.5


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
    for text, merges in cases:
        got = t.call(text, merges)
        t.equal(list(got) if isinstance(got, tuple) else got, encode(text, merges), what="the ids")


# ------------------------------------------------------------------------------------------------- 5.6


def decode(ids, tokens):
    """The text of ids, where tokens[i] holds the bytes of id i; bytes that are no valid UTF-8 become U+FFFD."""
    return b"".join(tokens[i] for i in ids).decode("utf-8", errors="replace")


def decode_token_by_token(ids, tokens):
    return "".join(tokens[i].decode("utf-8", errors="replace") for i in ids)


def decode_all_or_each(ids, tokens):
    try:
        return b"".join(tokens[i] for i in ids).decode("utf-8")
    except UnicodeDecodeError:
        return "".join(tokens[i].decode("utf-8", errors="replace") for i in ids)


def decode_stripped(ids, tokens):
    return b"".join(tokens[i] for i in ids).decode("utf-8", errors="replace").strip()


def decode_dropping(ids, tokens):
    return b"".join(tokens[i] for i in ids).decode("utf-8", errors="ignore")


def decode_as_latin(ids, tokens):
    return b"".join(tokens[i] for i in ids).decode("latin-1")


def decode_with_blanks(ids, tokens):
    return b" ".join(tokens[i] for i in ids).decode("utf-8", errors="replace")


def check_decode(t: Trial) -> None:
    tokens = [b"Hi", b" there", b"\xc3", b"\xa9", b"\xf0\x9f", b"\x99\x82", b"!"]
    for ids in ([0], [0, 1, 6], [2, 3], [0, 2], [4, 5, 6], [3, 0, 4], [], [2, 3, 2], [1]):
        t.equal(t.call(ids, tokens), decode(ids, tokens), what="the text")


# ------------------------------------------------------------------------------------------------- 5.7


def best_split(word, log_probs):
    """The pieces of word with the largest sum of log-probabilities. log_probs: {piece: number}, with every letter in it."""
    best = [(0.0, [])]
    for end in range(1, len(word) + 1):
        ways = [
            (best[start][0] + log_probs[word[start:end]], best[start][1] + [word[start:end]])
            for start in range(end)
            if word[start:end] in log_probs
        ]
        best.append(max(ways, key=lambda way: way[0]))
    return best[-1][1]


def _ways(word, log_probs):
    if not word:
        return [[]]
    return [[word[:k], *rest] for k in range(1, len(word) + 1) if word[:k] in log_probs for rest in _ways(word[k:], log_probs)]


def best_split_longest_first(word, log_probs):
    pieces = []
    while word:
        piece = next(word[:k] for k in range(len(word), 0, -1) if word[:k] in log_probs)
        pieces.append(piece)
        word = word[len(piece) :]
    return pieces


def best_split_fewest(word, log_probs):
    return min(_ways(word, log_probs), key=len)


def best_split_mean(word, log_probs):
    return max(_ways(word, log_probs), key=lambda way: sum(log_probs[p] for p in way) / len(way))


def best_split_likeliest_start(word, log_probs):
    pieces = []
    while word:
        piece = max((word[:k] for k in range(1, len(word) + 1) if word[:k] in log_probs), key=log_probs.get)
        pieces.append(piece)
        word = word[len(piece) :]
    return pieces


def best_split_sum_of_probs(word, log_probs):
    return max(_ways(word, log_probs), key=lambda way: sum(math.exp(log_probs[p]) for p in way))


def check_best_split(t: Trial) -> None:
    first = {"a": -1.0, "b": -2.0, "ab": -2.5}
    apart = {"a": -4.5, "b": -2.5, "c": -4.5, "d": -6.5, "bcd": -7.0, "cd": -5.0, "ab": -3.0, "abc": -6.5}
    happy = {**{c: -6.0 for c in "unhapy"}, "un": -2.0, "unh": -4.5, "happy": -3.0, "appy": -4.0, "happ": -3.5}
    hugs = {"h": -5.0, "u": -4.0, "g": -4.0, "s": -2.0, "hug": -1.2, "ug": -2.0, "gs": -3.0}
    cases = [("a", first), ("abcd", apart), ("unhappy", happy), ("aaaa", {"a": -1.0, "aa": -1.5, "aaa": -2.6}), ("hugs", hugs)]
    for word, log_probs in cases:
        t.equal(t.call(word, log_probs), best_split(word, log_probs), what="the pieces")
    long = "ab" * 50
    got = t.run(lambda f: f(long, first), 'best_split("ab" * 50, {"a": -1.0, "b": -2.0, "ab": -2.5})')
    t.equal(got, best_split(long, first), what="the pieces")


# ------------------------------------------------------------------------------------------------- 5.8


def spread_labels(labels, word_ids):
    """A label for each token. word_ids: for each token the index of its word, or None for a special token (label -100).

    A word's later tokens repeat its label, but an odd label (the beginning of a name) goes on as label + 1 (its inside).
    """
    spread, last = [], None
    for word in word_ids:
        if word is None:
            spread.append(-100)
        elif word == last and labels[word] % 2 == 1:
            spread.append(labels[word] + 1)
        else:
            spread.append(labels[word])
        last = word
    return spread


def spread_labels_same(labels, word_ids):
    return [-100 if word is None else labels[word] for word in word_ids]


def spread_labels_first_only(labels, word_ids):
    return [-100 if word is None or (i and word_ids[i - 1] == word) else labels[word] for i, word in enumerate(word_ids)]


def spread_labels_zero(labels, word_ids):
    return [0 if label == -100 else label for label in spread_labels(labels, word_ids)]


def spread_labels_unmoved(labels, word_ids):
    padded = list(labels) + [0] * len(word_ids)
    return [-100 if word is None else padded[i] for i, word in enumerate(word_ids)]


def spread_labels_all_plus_one(labels, word_ids):
    later = [i > 0 and word_ids[i - 1] == word for i, word in enumerate(word_ids)]
    return [-100 if word is None else labels[word] + more for word, more in zip(word_ids, later)]


def check_spread_labels(t: Trial) -> None:
    split_fifth = [None, 0, 1, 2, 3, 4, 5, 5, 6, 7, 8, 9, None]
    cases = [
        ([1, 2], [0, 1]),
        ([3, 0], [None, 0, 1, None]),
        ([1], [0, 0, 0]),
        ([0, 2], [0, 0, 1, 1]),
        ([1, 1], [0, 0, 1]),
        ([1, 2, 0, 0, 0, 0, 0, 0, 3, 0], split_fifth),
        ([0, 3, 4], [None, 0, 0, 1, 1, 2, None]),
    ]
    for labels, word_ids in cases:
        got = t.call(labels, word_ids)
        t.equal(list(got) if isinstance(got, tuple) else got, spread_labels(labels, word_ids), what="the labels")


EXERCISES = [
    Exercise(
        "5.1",
        "Count the pairs",
        "warm-up",
        count_pairs,
        check_count_pairs,
        hints=(
            "zip(symbols, symbols[1:]) walks through all pairs of neighbors of one word.",
            "A word that occurs 10 times brings each of its pairs 10 times: add the word's count, not 1.",
        ),
        wrong=(
            Wrong(count_pairs_of_types, "counts each different word once; a word that occurs 10 times must count 10 times"),
            Wrong(
                count_pairs_once_a_word, "counts a pair only once a word, but the word may hold it several times, as banana does"
            ),
            Wrong(
                count_pairs_without_overlap, "counts a a a as one pair; pairs may overlap, and a a a holds the pair (a, a) twice"
            ),
            Wrong(
                count_pairs_unordered, "takes (a, b) and (b, a) for the same pair; order matters, since a merge writes ab, not ba"
            ),
            Wrong(count_pairs_across_words, "pairs the end of one word with the start of the next; no pair may cross a border"),
            Wrong(
                count_pairs_side_by_side,
                "cuts the word into pairs side by side; pairs overlap: every symbol but the last begins one",
            ),
        ),
    ),
    Exercise(
        "5.2",
        "Merge a pair",
        "core",
        merge_pair,
        check_merge_pair,
        points=2,
        hints=(
            "Walk through the list with an index i. When symbols[i] and symbols[i + 1] are the pair, append the joined symbol "
            "and go on at i + 2; else append symbols[i] and go on at i + 1.",
            "Compare whole symbols, never pieces of text: in [xa, b] there is no symbol a.",
        ),
        wrong=(
            Wrong(merge_pair_first_only, "joins the first occurrence only; all of them must be joined"),
            Wrong(merge_pair_from_the_right, "starts from the right: in a a a the left pair is joined, which gives aa a"),
            Wrong(
                merge_pair_as_text, "replaces in the text, and so cuts through symbols: in [xa, b] there is no symbol a to join"
            ),
            Wrong(merge_pair_by_its_text, "compares the joined text only: [a, bc] spells abc, but it is not the pair (ab, c)"),
            Wrong(merge_pair_either_way, "joins the two symbols in any order: (b, a) is not the pair (a, b)"),
            Wrong(merge_pair_reusing_a_symbol, "uses one symbol in two pairs: after a match, go on behind both symbols"),
            Wrong(merge_pair_keeping_the_right, "keeps the right half beside the joined symbol; skip it after a match"),
        ),
    ),
    Exercise(
        "5.3",
        "The merge that depends on the order of the texts",
        "find the bug",
        next_merge,
        check_next_merge,
        points=2,
        start=next_merge_first_seen,
        hints=(
            "What does max() return when several pairs have the same, largest count? Try a dictionary in two orders.",
            "Python compares tuples from left to right. min() with the key (-count, pair) puts large counts first and "
            "breaks ties by the smaller pair.",
        ),
        wrong=(
            Wrong(
                next_merge_first_seen,
                "takes the pair that was seen first among equals: another order of the texts gives another tokenizer",
            ),
            Wrong(
                next_merge_greatest, "takes the greatest pair among equals; a fine rule, but the docstring asks for the smallest"
            ),
            Wrong(next_merge_last_seen, "takes the pair that was seen last among equals: the order of the texts still decides"),
            Wrong(next_merge_right_first, "compares the right ids first; the docstring says left id, then right id"),
            Wrong(next_merge_rarest, "takes the rarest pair; the most frequent one is to be merged"),
            Wrong(
                next_merge_by_sum,
                "breaks ties by the sum of the two ids; compare the left ids, and the right ones only if those are equal",
            ),
            Wrong(next_merge_by_text, 'compares the pairs as texts, where "10" comes before "9"; compare the numbers'),
            Wrong(
                next_merge_packed,
                "packs a pair into one number, as if every id were below 256; new tokens have larger ids. Compare the tuples",
            ),
        ),
    ),
    Exercise(
        "5.4",
        "The whole trainer",
        "core",
        train_bpe,
        check_train_bpe,
        points=3,
        hints=(
            "Spell each word once before the loop: list(word.encode('utf-8')) gives numbers from 0 to 255.",
            "In the loop: count all pairs (each word with its count), choose as in 5.3, note the pair, replace it in every "
            "word by the new id 256 + number of merges so far. Stop early when there is no pair left.",
        ),
        wrong=(
            Wrong(train_bpe_on_characters, "starts from characters and not from bytes: é is one code point, but two bytes"),
            Wrong(train_bpe_without_counts, "forgets how often each word occurs"),
            Wrong(train_bpe_first_seen, "breaks ties by what was seen first; the smallest pair of ids must win"),
            Wrong(train_bpe_greatest, "breaks ties by the greatest pair of ids; the smallest must win"),
            Wrong(train_bpe_never_merging, "never replaces the pair in the words, so it only lists the frequent pairs of bytes"),
            Wrong(train_bpe_from_255, "numbers the new tokens from 255, which is the id of a byte; the first new id is 256"),
            Wrong(
                train_bpe_only_repeated,
                "stops when no pair stands twice; a pair that stands once is merged as well, until none is left",
            ),
            Wrong(train_bpe_across_words, "joins the words to one text first, so that merges cross the borders of words"),
        ),
    ),
    Exercise(
        "5.5",
        "Encode by rank",
        "core",
        encode,
        check_encode,
        points=3,
        hints=(
            "The rank of a pair is its place in the list of merges. Of all pairs of neighbors that have a rank, the lowest rank "
            "is joined first, wherever it stands.",
            "Repeat: list (rank, place) of all neighbors with a rank; take min(); put 256 + rank in place of the two; "
            "stop when none is left.",
        ),
        wrong=(
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
        ),
    ),
    Exercise(
        "5.6",
        "Decode, whatever comes",
        "warm-up",
        decode,
        check_decode,
        hints=(
            "Join all bytes first and decode once: a character may be spread over several tokens.",
            "bytes.decode has an argument errors; errors='replace' writes U+FFFD for what cannot be read.",
        ),
        wrong=(
            Wrong(
                decode_token_by_token,
                "decodes token by token: characters that are spread over two tokens are lost; join the bytes first",
            ),
            Wrong(
                decode_all_or_each,
                "goes back to token by token when anything is invalid: then good characters are lost as well; decode the "
                "joined bytes with errors='replace'",
            ),
            Wrong(decode_stripped, "strips the blanks at the ends; a blank in a token belongs to the text"),
            Wrong(
                decode_dropping, "drops bytes that are no valid UTF-8; the docstring asks for U+FFFD, so that one sees the damage"
            ),
            Wrong(decode_as_latin, "reads each byte as one Latin-1 character; the bytes are UTF-8"),
            Wrong(decode_with_blanks, "puts blanks between the tokens; the tokens hold their own blanks"),
        ),
    ),
    Exercise(
        "5.7",
        "The best way to cut a word",
        "stretch",
        best_split,
        check_best_split,
        points=3,
        hints=(
            "Let best[end] be the best way to cut word[:end]. Its last piece starts at some place start; before it "
            "stands best[start].",
            "For each end from 1 to len(word): over all start < end with word[start:end] in log_probs, the score is "
            "best[start] plus the log-probability of that piece. Keep the largest score "
            "with its pieces. (This is the Viterbi algorithm.)",
        ),
        wrong=(
            Wrong(best_split_longest_first, "takes the longest piece from the left, without looking at probabilities"),
            Wrong(best_split_fewest, "takes as few pieces as possible, without looking at probabilities"),
            Wrong(
                best_split_mean,
                "compares the mean log-probability of the pieces; the probability of the word is the product, so compare the sum",
            ),
            Wrong(best_split_likeliest_start, "takes the likeliest piece at each place and never looks ahead"),
            Wrong(best_split_sum_of_probs, "adds up probabilities; they must be multiplied, so add their logarithms"),
        ),
    ),
    Exercise(
        "5.8",
        "Labels for subwords",
        "core",
        spread_labels,
        check_spread_labels,
        points=2,
        hints=(
            "word_ids tells for each token which word it came from; labels[word] is then the label to start from.",
            "A token is a later piece of its word when the token before has the same word id. Odd labels begin a name, and "
            "label + 1 goes on with it.",
        ),
        wrong=(
            Wrong(spread_labels_same, "repeats the beginning label: one name of three pieces becomes three names of one piece"),
            Wrong(
                spread_labels_first_only,
                "hides the later pieces with -100; some do that, but this docstring asks for their labels",
            ),
            Wrong(spread_labels_zero, "labels the special tokens with 0, a real class; -100 keeps them out of the loss"),
            Wrong(spread_labels_unmoved, "takes the labels by the place of the token and not of its word, so they slip"),
            Wrong(spread_labels_all_plus_one, "adds 1 to every later piece; only odd labels begin a name"),
        ),
    ),
]
