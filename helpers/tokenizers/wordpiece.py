"""WordPiece, the relative of BPE that BERT uses: the longest entry first (chapter 05).

Sources: Schuster and Nakajima (2012), Japanese and Korean Voice Search; Wu et al. (2016), arXiv:1609.08144, section 4.1; the
vocabulary and normalization of BERT: Devlin et al. (2019), arXiv:1810.04805.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import regex

from helpers.tokenizers.bert_unicode import NO_SIGNS, decomposed, is_control, is_mark, lower
from helpers.tokenizers.checks import checked_text, utf8

__all__ = ["WordPiece", "learn_wordpieces", "normalize_bert"]
_SPACES = frozenset(
    "\t\n\r \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
LONGEST_WORD = 100  # BERT gives up on longer words
# What BERT takes for punctuation.
_SIGNS = rf"[[\p{{P}}$+<=>\^`|~\u166d\U000111c9]--[{''.join(sorted(NO_SIGNS))}]]"
_BERT_PIECES = regex.compile(rf"{_SIGNS}|[[^\s]--{_SIGNS}]+", regex.V1)
_CJK = regex.compile(
    "([\u4e00-\u9fff\u3400-\u4dbf\U00020000-\U0002a6df\U0002a700-\U0002b73f\U0002b740-\U0002b81f"
    "\U0002b920-\U0002ceaf\uf900-\ufaff\U0002f800-\U0002fa1f])"
)


def normalize_bert(text: str) -> str:
    """What uncased BERT does first: control characters out, spaces around Chinese characters, accents off, lower case.

    >>> normalize_bert("Café 中文")
    'cafe  中  文 '
    """
    if not text.isascii():
        text = decomposed(_CJK.sub(r" \1 ", text))
    kept = (" " if c in _SPACES else c for c in text if c in _SPACES or not (is_control(c) or is_mark(c)))
    return lower("".join(kept))


class WordPiece:
    """A WordPiece tokenizer: the longest entry that the word starts with, again and again; ## marks the inside of a word.

    vocab: entry -> id, or the entries in the order of their ids. unknown: the entry for words that cannot be spelled.
    Raises ValueError when there is no entry for unknown words.

    >>> tokenizer = WordPiece(["[UNK]", "un", "##happi", "##ness", "happy"])
    >>> tokenizer.pieces("Unhappiness, happy")
    ['un', '##happi', '##ness', '[UNK]', 'happy']
    """

    def __init__(self, vocab: Mapping[str, int] | Sequence[str], unknown: str = "[UNK]"):
        self.vocab = dict(vocab) if isinstance(vocab, Mapping) else {entry: i for i, entry in enumerate(vocab)}
        if unknown not in self.vocab:
            raise ValueError(f"expected the entry {unknown!r} in vocab, for words that it cannot spell, got none")
        self.tokens = {i: entry for entry, i in self.vocab.items()}
        self.unknown = unknown

    @classmethod
    def from_minilm(cls) -> WordPiece:
        """The vocabulary of all-MiniLM-L6-v2: uncased BERT's 30,522 entries. Raises DataError when it is missing or damaged."""
        from helpers.data.weights import minilm_folder

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
        """All pieces of a text, without [CLS] and [SEP]. Raises TypeError for no string, ValueError for half a surrogate pair."""
        utf8(checked_text(text))
        return [piece for word in _BERT_PIECES.findall(normalize_bert(text)) for piece in self.split_word(word)]

    def encode(self, text: str) -> list[int]:
        """The ids of a text, without [CLS] and [SEP]."""
        return [self.vocab[piece] for piece in self.pieces(text)]

    def decode(self, ids: Sequence[int]) -> str:
        """A readable text: case, accents and spaces are lost for good. Raises ValueError for an id that is not there."""
        unknown = next((i for i in ids if i not in self.tokens), None)
        if unknown is not None:
            raise ValueError(f"id {unknown} is outside 0 .. {len(self.tokens) - 1}. Do the ids come from another tokenizer?")
        return " ".join(self.tokens[i] for i in ids).replace(" ##", "")


def learn_wordpieces(words: Mapping[str, int], n_merges: int) -> list[tuple[str, str]]:
    """WordPiece's merges, taught on small counts: the pair with the largest count(ab) / (count(a) * count(b)).

    Ties: the pair that is smaller in alphabetical order. All pairs are counted again for each merge.

    >>> learn_wordpieces({"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}, 1)  # 5 / (20 * 5): not u and g, 20 / (36 * 20)
    [('##g', '##s')]
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
                    pieces[i : i + 2] = [pieces[i] + pieces[i + 1].removeprefix("##")]
                i += 1
    return merges
