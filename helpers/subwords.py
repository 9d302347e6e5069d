"""The relatives of BPE: WordPiece and Unigram, and moving labels from words to subwords (chapter 05).

WordPiece: Schuster and Nakajima (2012), Japanese and Korean Voice Search; Wu et al. (2016), arXiv:1609.08144, section 4.1;
the vocabulary and normalization of BERT: Devlin et al. (2019), arXiv:1810.04805. Unigram: Kudo (2018), arXiv:1804.10959,
section 3.2.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import regex

__all__ = ["IGNORE", "Unigram", "WordPiece", "align_labels", "learn_wordpieces", "normalize_bert"]

IGNORE = -100  # the label that torch's cross-entropy leaves out
LONGEST_WORD = 100  # BERT gives up on longer words
_SIGNS = r"\p{P}$+<=>^`|~"  # BERT takes all of these for punctuation
_BERT_PIECES = regex.compile(rf"[{_SIGNS}]|[^\s{_SIGNS}]+")
_CJK = regex.compile("([\u4e00-\u9fff\u3400-\u4dbf\U00020000-\U0002a6df\U0002a700-\U0002b73f\U0002b740-\U0002b81f"
                     "\U0002b920-\U0002ceaf\uf900-\ufaff\U0002f800-\U0002fa1f])")


# --------------------------------------------------------------------------------------------------- WordPiece


def normalize_bert(text: str) -> str:
    """What uncased BERT does first: control characters out, blanks round Chinese characters, accents off, lower case."""
    kept = []
    for c in text:
        if c in "\t\n\r" or unicodedata.category(c) == "Zs":
            kept.append(" ")
        elif c != "\ufffd" and unicodedata.category(c) not in ("Cc", "Cf", "Cn", "Co"):
            kept.append(c)
    spaced = _CJK.sub(r" \1 ", "".join(kept))
    return "".join(c for c in unicodedata.normalize("NFD", spaced) if unicodedata.category(c) != "Mn").lower()


class WordPiece:
    """A WordPiece tokenizer: the longest entry that the word starts with, again and again; ## marks the inside of a word.

    Args:
        vocab: entry -> id, or the entries in the order of their ids. unknown: the entry for words that cannot be spelled.

    Raises:
        ValueError: no entry for unknown words.
    """

    def __init__(self, vocab: Mapping[str, int] | Sequence[str], unknown: str = "[UNK]"):
        self.vocab = dict(vocab) if isinstance(vocab, Mapping) else {entry: i for i, entry in enumerate(vocab)}
        if unknown not in self.vocab:
            raise ValueError(f"vocab must hold the entry {unknown!r} for words that it cannot spell.")
        self.tokens = {i: entry for entry, i in self.vocab.items()}
        self.unknown = unknown

    @classmethod
    def from_minilm(cls) -> WordPiece:
        """The vocabulary of all-MiniLM-L6-v2: uncased BERT's 30,522 entries. Raises DataError when it is missing or damaged."""
        from .pretrained import minilm_folder

        return cls((Path(minilm_folder()) / "vocab.txt").read_text(encoding="utf-8").splitlines())

    @property
    def vocab_size(self) -> int:
        """Number of entries."""
        return len(self.vocab)

    def split_word(self, word: str) -> list[str]:
        """The pieces of one word, greedily from the left; [unknown] when some part has no entry or the word is over 100 long."""
        pieces, start = [], 0
        while start < len(word) <= LONGEST_WORD:
            for end in range(len(word), start, -1):
                piece = ("##" if start else "") + word[start:end]
                if piece in self.vocab:
                    break
            else:
                return [self.unknown]
            pieces.append(piece)
            start = end
        return pieces or [self.unknown]

    def pieces(self, text: str) -> list[str]:
        """All pieces of a text, without [CLS] and [SEP]."""
        if not isinstance(text, str):
            raise TypeError(f"text must be a string; got {type(text).__name__}.")
        return [piece for word in _BERT_PIECES.findall(normalize_bert(text)) for piece in self.split_word(word)]

    def encode(self, text: str) -> list[int]:
        """The ids of a text, without [CLS] and [SEP]."""
        return [self.vocab[piece] for piece in self.pieces(text)]

    def decode(self, ids: Sequence[int]) -> str:
        """A readable text: case, accents and blanks are lost for good. Raises ValueError for an id that is not there."""
        unknown = next((i for i in ids if i not in self.tokens), None)
        if unknown is not None:
            raise ValueError(f"id {unknown} is outside 0 .. {len(self.tokens) - 1}. Do the ids come from another tokenizer?")
        return " ".join(self.tokens[i] for i in ids).replace(" ##", "")


def learn_wordpieces(words: Mapping[str, int], n_merges: int) -> list[tuple[str, str]]:
    """WordPiece's merges, taught on small counts: the pair with the largest count(ab) / (count(a) * count(b)).

    Ties: the pair that is smaller in alphabetical order. All pairs are counted afresh for each merge.
    """
    spelled = {word: [c if i == 0 else "##" + c for i, c in enumerate(word)] for word in words}
    merges = []
    for _ in range(n_merges):
        singles, pairs = Counter(), Counter()
        for word, pieces in spelled.items():
            for piece in pieces:
                singles[piece] += words[word]
            for pair in zip(pieces, pieces[1:]):
                pairs[pair] += words[word]
        if not pairs:
            break
        best = min(pairs, key=lambda p: (-pairs[p] / (singles[p[0]] * singles[p[1]]), p))
        merges.append(best)
        for pieces in spelled.values():
            i = 0
            while i + 1 < len(pieces):
                if (pieces[i], pieces[i + 1]) == best:
                    pieces[i:i + 2] = [pieces[i] + pieces[i + 1].removeprefix("##")]
                i += 1
    return merges


# ----------------------------------------------------------------------------------------------------- Unigram


class Unigram:
    """A Unigram tokenizer: each piece has a probability, and a word is cut where the product of its pieces' is largest.

    Args:
        log_probs: piece -> natural logarithm of its probability.

    Raises:
        ValueError: no pieces.
    """

    def __init__(self, log_probs: Mapping[str, float]):
        if not log_probs:
            raise ValueError("log_probs must hold at least one piece.")
        self.log_probs = dict(log_probs)
        self.longest = max(map(len, self.log_probs))
        self.unknown = min(self.log_probs.values()) - 10.0  # a character that is no piece: possible, but at a high price

    def _steps(self, word: str, end: int, without: str | None) -> list[tuple[int, float]]:
        """(start, log-probability) of each piece that ends at ``end``."""
        found = [(start, self.log_probs[word[start:end]]) for start in range(max(0, end - self.longest), end)
                 if word[start:end] in self.log_probs and word[start:end] != without]
        return found if any(start == end - 1 for start, _ in found) else [*found, (end - 1, self.unknown)]

    def split_word(self, word: str, without: str | None = None) -> tuple[list[str], float]:
        """The most probable pieces of a word and their log-probability (Viterbi); ``without`` forbids one piece.

        Of equally good ones the one whose last piece is longest wins.
        """
        best, back = [0.0], [0]  # for each place: log-probability of the best way there, and where its last piece starts
        for end in range(1, len(word) + 1):
            start, score = max(((start, best[start] + p) for start, p in self._steps(word, end, without)), key=lambda s: s[1])
            best.append(score)
            back.append(start)
        pieces, end = [], len(word)
        while end:
            pieces.append(word[back[end]:end])
            end = back[end]
        return pieces[::-1], best[-1]

    def expected_counts(self, words: Mapping[str, int]) -> tuple[dict[str, float], float]:
        """How often each piece is used on average over all ways to cut, weighted by their probability; and the log-likelihood.

        This is the E step of expectation maximization, by sums forward and backward through each word.
        """
        used, total = defaultdict(float), 0.0
        for word, n in words.items():
            size = len(word)
            steps = [[]] + [self._steps(word, end, None) for end in range(1, size + 1)]
            forward, backward = [0.0] + [-math.inf] * size, [-math.inf] * size + [0.0]
            for end in range(1, size + 1):
                forward[end] = _log_sum([forward[start] + p for start, p in steps[end]])
            for end in range(size, 0, -1):
                for start, p in steps[end]:
                    backward[start] = _log_sum([backward[start], backward[end] + p])
            for end in range(1, size + 1):
                for start, p in steps[end]:
                    used[word[start:end]] += n * math.exp(forward[start] + p + backward[end] - forward[size])
            total += n * forward[size]
        return dict(used), total

    @classmethod
    def train(cls, words: Mapping[str, int], size: int, longest: int = 8, keep: float = 0.75, rounds: int = 2) -> Unigram:
        """Start from all substrings that occur twice, then alternate: estimate (EM), drop the pieces that are missed least.

        Args:
            words: word -> count. size: number of pieces in the end (never less than the characters, which all stay).
            longest: longest substring. keep: share kept in each cut. rounds: EM steps between cuts.

        Raises:
            ValueError: no words, a size below the number of different characters, keep outside (0, 1), or rounds below 1.
        """
        if not 0 < keep < 1 or rounds < 1:  # with all pieces kept it would never end
            raise ValueError(f"expected keep between 0 and 1 and at least one round, got {keep} and {rounds}.")
        found = Counter()
        for word, n in words.items():
            for start in range(len(word)):
                for end in range(start + 1, min(len(word), start + longest) + 1):
                    found[word[start:end]] += n
        letters = {c for word in words for c in word}
        if not letters or size < len(letters):
            raise ValueError(f"size must be at least {max(1, len(letters))}, the number of different characters; got {size}.")
        counts = {piece: n for piece, n in found.items() if n > 1 or len(piece) == 1}
        while True:
            model = cls(_log_shares(counts))
            for _ in range(rounds):
                used = model.expected_counts(words)[0]
                model = cls(_log_shares({p: max(n, 1e-9) for p, n in used.items() if n > 1e-6 or len(p) == 1}))
            if len(model.log_probs) <= size:
                return model
            loss = {p: used[p] * (model.log_probs[p] - model.split_word(p, without=p)[1]) for p in model.log_probs if len(p) > 1}
            wanted = max(size, int(keep * len(model.log_probs))) - len(letters)
            kept = sorted(loss, key=lambda p: (-loss[p], p))[:wanted]
            counts = {p: used[p] for p in kept} | {c: max(used.get(c, 0), 0.1) for c in letters}


def _log_sum(values: Sequence[float]) -> float:
    top = max(values)
    return top if top == -math.inf else top + math.log(sum(math.exp(v - top) for v in values))


def _log_shares(counts: Mapping[str, float]) -> dict[str, float]:
    total = sum(counts.values())
    return {piece: math.log(n / total) for piece, n in counts.items() if n > 0}


# ------------------------------------------------------------------------------------------------------- labels


def align_labels(labels: Sequence[int], pieces_per_word: Sequence[int], start: bool = True, end: bool = True,
                 inside: Mapping[int, int] | None = None) -> list[int]:
    """One label for each token from one label for each word.

    Args:
        labels: a label a word. pieces_per_word: into how many tokens each word was split. start, end: whether a special
        token stands before and after; it gets IGNORE (-100). inside: label -> label of the later pieces of a word, for
        schemes that tell the beginning of a name from its inside (B-PER -> I-PER); others repeat their label.

    Raises:
        ValueError: lengths that differ, or a word without pieces.
    """
    if len(labels) != len(pieces_per_word):
        raise ValueError(f"each label needs a number of pieces; got {len(labels)} labels, {len(pieces_per_word)} numbers.")
    if any(n < 1 for n in pieces_per_word):
        raise ValueError("every word must have at least one piece; drop words that the tokenizer loses, with their labels.")
    later = dict(inside or {})
    spread = [label if k == 0 else later.get(label, label) for label, n in zip(labels, pieces_per_word) for k in range(n)]
    return [IGNORE] * start + spread + [IGNORE] * end
