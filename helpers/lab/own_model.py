"""SmolLM2 on the reader's own parts: tokenizer, attention, rotation, norm, sampler, search; the course's where one is missing.

A part is an answer to an exercise: what it must give and take is what the exercise says. Here it gets its place in the whole.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers.features.bag_of_words import tokenize
from helpers.features.tfidf import idf
from helpers.models.language_model import LanguageModel, scores_of
from helpers.tokenizers.bpe import BPE

# Exercise -> what it is in the whole, in the order of a text's way through it.
PLACES = {
    "5.5": "tokenizer: a word's bytes to ids",
    "8.5": "Transformer: the norm",
    "8.4": "Transformer: the rotation of queries and keys",
    "8.3": "Transformer: attention over the prompt",
    "8.7": "Transformer: attention of each new token",
    "10.1": "sampler: probabilities at a temperature",
    "10.2": "sampler: the nucleus",
    "11.1": "search: the weight of a word (BM25)",
    "11.7": "answer: where it stands in its source",
}
Parts = dict[str, Callable[..., Any]]


def tokenizer_on(parts: Parts, base: BPE) -> BPE:
    """The tokenizer with the reader's `encode` (5.5) in it: same ids, word by word."""
    encode = parts.get("5.5")
    if encode is None:
        return base
    number: dict[bytes, int] = {bytes([b]): b for b in range(256)}  # the exercise's ids: bytes, then 256 + merge
    back = {b: base.tokens.index(bytes([b])) for b in base.alphabet}
    merges = []
    last = {token: i for i, token in enumerate(base.tokens)}
    for k, (left, right) in enumerate(base.merges):
        merges.append((number[left], number[right]))
        number.setdefault(left + right, 256 + k)
        back[256 + k] = last[left + right]
    return base.encoding_words_with(lambda data: [back[i] for i in encode(data.decode("utf-8", "surrogateescape"), merges)])


def model_on(parts: Parts, model: Any) -> Any:
    """The Transformer with the reader's norm (8.5), rotation (8.4) and attention (8.3, 8.7) in it; changed in place."""
    import torch

    from helpers.models.attention import fused_attend
    from helpers.models.transformer import Attention, RMSNorm

    norm, turn, attend, step = (parts.get(name) for name in ("8.5", "8.4", "8.3", "8.7"))

    class OwnNorm(RMSNorm):
        def forward(self, x):
            return norm(x, self.weight, self.eps)

    class OwnAttention(Attention):
        def heads(self, x, rotary):
            q, k, v = super().heads(x, None if turn else rotary)
            if turn is not None and rotary is not None:
                angles = torch.atan2(rotary[1], rotary[0])  # (T, D/2)
                q, k = (torch.stack([torch.stack([turn(head, angles) for head in row]) for row in part]) for part in (q, k))
            return q, k, v

        def forward(self, x, rotary=None, cache=None):
            B, T, _ = x.shape
            q, k, v = self.heads(x, rotary)
            if cache is not None:
                k, v = cache.append(self.layer, k, v)  # (B, K, S, D)
            if attend is not None and k.shape[2] == T:
                out = torch.stack([attend(*row) for row in zip(q, k, v)])
            elif step is not None and T == 1:
                times = self.H // self.K
                out = torch.stack(
                    [
                        torch.stack([_one(step, q[b, h], k[b, h // times], v[b, h // times]) for h in range(self.H)])
                        for b in range(B)
                    ]
                )
            else:
                out = fused_attend(q, k, v)
            return self.drop(self.o(out.transpose(1, 2).reshape(B, T, self.H * self.D)))

    for module in model.modules():
        if norm is not None and type(module) is RMSNorm:
            module.__class__ = OwnNorm
        elif (turn or attend or step) and type(module) is Attention:
            module.__class__ = OwnAttention
    return model


def _one(step: Callable, q: Any, keys: Any, values: Any) -> Any:
    """One head's output (1, D) by the reader's cached step: the last key and value are the new token's own."""
    return step(q, keys[-1:], values[-1:], keys[:-1], values[:-1])[0]


def weights_on(parts: Parts) -> Callable[..., float]:
    """What a word of the query adds to a document's score: the reader's (11.1), else the course's formula."""

    def weight(tf, df, n, length, mean_length, k1, b):
        rare = float(idf([df], n, "okapi positive")[0])
        return rare * (k1 + 1) / (1 + k1 * ((1 - b) + b * length / mean_length) / tf)

    return parts.get("11.1", weight)


class Search:
    """The documents, each a (title, text), that share words with a query, by the weight of each word."""

    def __init__(self, documents: Sequence[tuple[str, str]], weight: Callable[..., float]) -> None:
        self.documents, self.weight = list(documents), weight
        self.counts = [Counter(tokenize(f"{title}. {text}")) for title, text in self.documents]
        self.lengths = [sum(c.values()) for c in self.counts]
        self.holds: dict[str, list[int]] = {}
        for i, count in enumerate(self.counts):
            for word in count:
                self.holds.setdefault(word, []).append(i)

    def best(self, query: str) -> tuple[str, str] | None:
        """The document with the largest score; of equals the first. None when no word of the query is known."""
        n, mean = len(self.documents), sum(self.lengths) / max(len(self.lengths), 1)
        scores: dict[int, float] = {}
        for word in set(tokenize(query)):
            for i in self.holds.get(word, ()):
                df = len(self.holds[word])
                scores[i] = scores.get(i, 0.0) + self.weight(self.counts[i][word], df, n, self.lengths[i], mean, 1.2, 0.75)
        return self.documents[min(scores, key=lambda i: (-scores[i], i))] if scores else None


@dataclass
class Reply:
    """What came of a question. place: (start, end) of the reply in its source, or None where it does not stand there."""

    text: str
    source: str = ""
    place: tuple[int, int] | None = None


class OwnChat:
    """A chat with the model on the reader's parts. temperature 0: the likeliest token each time."""

    def __init__(self, parts: Parts, model: LanguageModel, tokenizer: BPE, search: Search | None = None, seed: int = 0) -> None:
        self.parts, self.model, self.tokenizer, self.search = parts, model, tokenizer, search
        self.random = np.random.default_rng(seed)

    def choose(self, logits: np.ndarray, temperature: float, top_p: float) -> int:
        """The next token, drawn by the reader's own sampler as far as there is one."""
        own = self.parts.get("10.1")
        if own is not None:
            probs = np.asarray(own(logits, temperature), dtype=float)
        else:
            z = np.exp((logits - logits.max()) / max(temperature, 1e-9))
            probs = z / z.sum()
        nucleus = self.parts.get("10.2")
        if nucleus is not None and temperature > 0:
            probs = np.asarray(nucleus(probs, top_p), dtype=float)
        return int(probs.argmax()) if temperature == 0 else int(self.random.choice(len(probs), p=probs / probs.sum()))

    def write(self, ids: Sequence[int], max_tokens: int, temperature: float = 0.0, top_p: float = 0.9) -> str:
        """A reply to a prompt's ids, up to its end mark."""
        from helpers.tokenizers.chat_template import END

        end, written = self.tokenizer.special_tokens[END], []
        state = self.model.begin(ids, start=False)
        for _ in range(max_tokens):
            token = self.choose(scores_of(state), temperature, top_p)
            if token == end:
                break
            written.append(token)
            state.advance(token)
        return self.tokenizer.decode(written).strip()

    def ask(self, question: str, max_tokens: int = 40, temperature: float = 0.0) -> Reply:
        """A reply, with the document it leans on where there is a search."""
        from helpers.tokenizers.chat_template import encode_prompt, user

        found = self.search.best(question) if self.search is not None else None
        asked = f"{found[1]}\n\nAnswer in a few words of the text above. {question}" if found else question
        text = self.write(encode_prompt(self.tokenizer, [user(asked)], default_system=None), max_tokens, temperature)
        if found is None:
            return Reply(text)
        cite = self.parts.get("11.7", lambda answer, source: _span(answer, source))
        answer = text.rstrip(".")
        place = cite(answer, found[1]) if answer else None
        return Reply(text, found[0], tuple(place) if place else None)


def _span(answer: str, source: str) -> tuple[int, int] | None:
    for match in re.finditer(re.escape(answer), source):
        around = source[max(match.start() - 1, 0) : match.start()] + source[match.end() : match.end() + 1]
        if not re.search(r"\w", around):
            return match.span()
    return None
