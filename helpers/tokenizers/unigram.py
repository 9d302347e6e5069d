"""Unigram tokenization: pieces with probabilities, the likeliest cut, and learning by EM (chapter 05).

Source: Kudo (2018), arXiv:1804.10959, section 3.2.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

__all__ = ["Unigram"]


class Unigram:
    """A Unigram tokenizer: each piece has a probability, and a word is cut where the product of its pieces' is largest.

    log_probs: piece -> natural logarithm of its probability. Raises ValueError for no pieces, an empty one, or NaN and infinity.

    >>> pieces = {"h": 0.1, "u": 0.1, "g": 0.1, "hu": 0.3, "ug": 0.4}
    >>> cut, log_prob = Unigram({piece: math.log(p) for piece, p in pieces.items()}).split_word("hug")
    >>> cut, math.exp(log_prob)  # 0.1 * 0.4; hu + g would be 0.3 * 0.1
    (['h', 'ug'], 0.04000000000000001)
    """

    def __init__(self, log_probs: Mapping[str, float]):
        if not log_probs:
            raise ValueError("expected log_probs with at least one piece, got none")
        self.log_probs = dict(log_probs)
        if "" in self.log_probs or not all(map(math.isfinite, self.log_probs.values())):
            raise ValueError("expected pieces of at least one character with finite log_probs, got others; leave them out")
        self.lengths = sorted(set(map(len, self.log_probs)), reverse=True)  # a long piece costs no more than a short one
        self.unknown = min(self.log_probs.values()) - 10.0  # a character that is no piece: possible, but at a high price

    def _steps(self, word: str, end: int, without: str | None) -> list[tuple[int, float]]:
        """(start, log-probability) of each piece that ends at `end`."""
        found = [
            (end - length, self.log_probs[piece])
            for length in self.lengths
            if length <= end and (piece := word[end - length : end]) in self.log_probs and piece != without
        ]
        return found if any(start == end - 1 for start, _ in found) else [*found, (end - 1, self.unknown)]

    def split_word(self, word: str, without: str | None = None) -> tuple[list[str], float]:
        """The most probable pieces of a word and their log-probability (Viterbi); `without` forbids one piece.

        Of equally good ones the one whose last piece is longest wins.
        """
        best, back = [0.0], [0]  # for each place: log-probability of the best way there, and where its last piece starts
        for end in range(1, len(word) + 1):
            start, score = max(((start, best[start] + p) for start, p in self._steps(word, end, without)), key=lambda s: s[1])
            best.append(score)
            back.append(start)
        pieces, end = [], len(word)
        while end:
            pieces.append(word[back[end] : end])
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

        words: word -> count. size: number of pieces in the end (never less than the characters, which all stay). longest:
        longest substring. keep: share kept in each cut. rounds: EM steps between cuts.
        Raises ValueError for no words, a size below the number of different characters, keep outside (0, 1), rounds below 1.
        """
        if not 0 < keep < 1 or rounds < 1:  # with all pieces kept it would never end
            raise ValueError(f"expected keep between 0 and 1 and at least one round, got {keep} and {rounds}")
        # 1. All substrings that occur twice, and all characters.
        found = Counter()
        for word, n in words.items():
            for start in range(len(word)):
                for end in range(start + 1, min(len(word), start + longest) + 1):
                    found[word[start:end]] += n
        letters = {c for word in words for c in word}
        if not letters or size < len(letters):
            raise ValueError(f"expected size >= {max(1, len(letters))}, the number of different characters, got {size}")
        counts = {piece: n for piece, n in found.items() if n > 1 or len(piece) == 1}
        while True:
            # 2. Estimate the probabilities: counts, then EM.
            model = cls(_log_shares(counts))
            for _ in range(rounds):
                used = model.expected_counts(words)[0]
                model = cls(_log_shares({p: max(n, 1e-9) for p, n in used.items() if n > 1e-6 or len(p) == 1}))
            if len(model.log_probs) <= size:
                return model
            # 3. What the texts would lose in likelihood without each piece; the largest losses stay.
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
