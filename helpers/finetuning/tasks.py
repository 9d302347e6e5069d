"""Finetuning a chat model: examples as batches, replies for many prompts at once, and the three tasks of chapter 09.

`Examples` feeds a `trainer.Trainer`; `reply_nats` and `write_replies` measure what a model would have said and what it says. The
tasks are made from the leads: write the short description, name the topic, and tell a nationality or that it is not stated.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from helpers.data.records import Lead
from helpers.evaluation import intervals
from helpers.evaluation.generated_text import rouge_n
from helpers.features.spelling import pieces
from helpers.generation.batched import generate_batch
from helpers.generation.sampling import GREEDY
from helpers.models.neural import NeuralLM, evaluating, label_log_probs
from helpers.tokenizers.chat_template import Example, Message, assistant, encode_example, encode_prompt, user
from helpers.tokenizers.labels import IGNORE
from helpers.training.batches import Batch, collate

__all__ = [
    "Examples",
    "Person",
    "abstains",
    "chat_examples",
    "chat_prompts",
    "describe",
    "describe_prompts",
    "exact_match",
    "first_tokens",
    "in_style",
    "nationality",
    "paired_change",
    "people",
    "reply_nats",
    "shakespeare",
    "shuffled",
    "token_f1",
    "topic",
    "write_replies",
]

DESCRIBE = "Describe the subject in a few words.\n\n"
TOPIC = "Name the topic of this text.\n\n"
NATIONALITY = '\n\nWhat is the nationality? Answer with one word, or with "not stated".'
NOT_STATED = "not stated"


# ---------------------------------------------------------------------------------------------- batches and measurements


class Examples:
    """Batches of chat examples for `trainer.Trainer`: each epoch in a new order, every example once (but for a rest).

    Rows of one batch have similar lengths, so that little is computed for padding. Raises ValueError for fewer examples than
    one batch holds.
    """

    def __init__(self, examples: Sequence[Example], batch_size: int, seed: int = 0, pad_id: int = 0):
        if len(examples) < batch_size:
            raise ValueError(f"expected at least {batch_size} examples, one batch, got {len(examples)}")
        self.examples, self.batch_size, self.seed, self.pad_id = list(examples), batch_size, seed, pad_id
        self.length = round(sum(len(e.ids) - 1 for e in examples) / len(examples))  # on average
        self.steps_per_epoch = len(examples) // batch_size

    def batch(self, step: int) -> Batch:
        """The batch of an update; a pure function of (seed, step)."""
        epoch, place = divmod(step, self.steps_per_epoch)
        rng = np.random.default_rng([self.seed, epoch])
        order = rng.permutation(len(self.examples))[: self.steps_per_epoch * self.batch_size]
        order = order[np.argsort([len(self.examples[i].ids) for i in order], kind="stable")]
        rows = order.reshape(self.steps_per_epoch, self.batch_size)[rng.permutation(self.steps_per_epoch)[place]]
        x, y = collate([self.examples[i] for i in rows], self.pad_id)
        return Batch(x, y, True)


@torch.inference_mode()
def reply_nats(model: NeuralLM, examples: Sequence[Example], batch_size: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """For each example: the nats that its labels cost, and how many labels there are. (N,) each."""
    nats, counts = np.zeros(len(examples)), np.zeros(len(examples))
    with evaluating(model):
        for at in range(0, len(examples), batch_size):
            x, y = (part.to(model.device) for part in collate(examples[at : at + batch_size]))
            rows = slice(at, at + len(x))
            nats[rows], counts[rows] = -label_log_probs(model, x, y).cpu(), (y != IGNORE).sum(1).cpu()
    return nats, counts


def write_replies(
    model: NeuralLM, prompts: Sequence[Sequence[int]], max_tokens: int, end_id: int, batch_size: int = 64
) -> list[list[int]]:
    """The greedy reply to each prompt, without the end mark; prompts of similar length are answered together.

    A reply that does not end within max_tokens has max_tokens ids.
    """
    replies: list[list[int]] = [[] for _ in prompts]
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    for at in range(0, len(order), batch_size):
        some = order[at : at + batch_size]
        made = generate_batch(
            model, [list(prompts[i]) for i in some], GREEDY, max_tokens=max_tokens, stop_ids=[end_id], start=False
        )
        for i, reply in zip(some, made):
            replies[i] = reply.ids
    return replies


class PairedChange(NamedTuple):
    """A mean before and after, their difference, and its 95 % interval. It reads as "0.10 -> 0.30, +0.20 [+0.11, +0.29]"."""

    before: float
    after: float
    difference: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.before:.2f} -> {self.after:.2f}, {self.difference:+.2f} [{self.low:+.2f}, {self.high:+.2f}]"


def paired_change(
    before: Sequence[float], after: Sequence[float], weights: Sequence[float] | None = None, seed: int = 0
) -> PairedChange:
    """Two measurements of the same items: means, difference and the paired bootstrap interval of the difference.

    weights: items count by them (the number of tokens, where values are sums over tokens: then the means are per token).
    """
    a, b = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    w = np.ones(len(a)) if weights is None else np.asarray(weights, dtype=float)
    low, high = intervals.bootstrap_interval(lambda a, b, w: (b - a).sum() / w.sum(), a, b, w, seed=seed)
    return PairedChange(float(a.sum() / w.sum()), float(b.sum() / w.sum()), float((b - a).sum() / w.sum()), low, high)


# ------------------------------------------------------------------------------------------------------ short descriptions


def first_tokens(tokenizer: Any, text: str, n_tokens: int) -> str | None:
    """The first n_tokens tokens of a text, as text; None where it is shorter or the cut does not come back as n_tokens tokens."""
    ids = tokenizer.encode(text)[:n_tokens]
    piece = tokenizer.decode(ids)
    return piece if len(ids) == n_tokens and tokenizer.encode(piece) == ids else None


def shuffled(items: Sequence, seed: int = 0) -> list:
    """The items in a random order that is always the same."""
    return [items[i] for i in np.random.default_rng(seed).permutation(len(items))]


def describe(piece: str) -> list[Message]:
    """The question for the short description of the subject of a text."""
    return [user(DESCRIBE + piece)]


def describe_prompts(tokenizer: Any, leads: Sequence[Lead], n: int, n_tokens: int = 22) -> list[tuple[Lead, list[Message]]]:
    """n leads that have a description and are long enough, drawn in an order of its own, each with its question.

    All questions have one length. (The file is sorted by topic, so the first n would be all of one kind.) A larger n begins
    with the same leads. Raises ValueError when there are fewer than n.
    """
    found = []
    for lead in shuffled(leads):
        piece = first_tokens(tokenizer, lead.text, n_tokens) if lead.description else None
        if piece is not None:
            found.append((lead, describe(piece)))
        if len(found) == n:
            return found
    raise ValueError(f"expected {n} leads with a description and {n_tokens} tokens, got {len(found)}")


def exact_match(reply: str, reference: str) -> bool:
    """Whether the two have the same `pieces`, but for a full stop at the end."""
    return pieces(reply.strip().rstrip(".")) == pieces(reference.strip().rstrip("."))


def token_f1(reply: str, reference: str) -> float:
    """Overlap of words, F1: words and numbers as `pieces` cuts them; other signs do not count."""
    words = lambda s: [p for p in pieces(s) if any(c.isalnum() for c in p)]  # noqa: E731
    return rouge_n(words(reply), words(reference)).f1


def in_style(reply: str, ended: bool) -> bool:
    """Whether a reply has the form of a short description, right or wrong: it ended by itself, 1 to 12 words, one line, no full
    stop, and no is, are, was or were."""
    return (
        ended
        and 1 <= len(reply.split()) <= 12
        and "\n" not in reply
        and not reply.rstrip().endswith(".")
        and not re.search(r"\b(is|are|was|were)\b", reply)
    )


# --------------------------------------------------------------------------------------------------- topics, nationalities


def topic(piece: str) -> list[Message]:
    """The question for the topic of a text."""
    return [user(TOPIC + piece)]


class Person(NamedTuple):
    """A first sentence with a nationality, and the same sentence without the one word that tells it."""

    title: str
    nationality: str
    told: str
    untold: str
    split: str


_NATIONALITY = re.compile(r"\b(is|was) an? ([A-Z][a-z]+) ([a-z][^.,;]*)")
_NO_NATIONALITY = "Christian Muslim Jewish Buddhist Catholic Hindu Marvel Hollywood Renaissance Grand Prime".split()


def people(leads: Sequence[Lead], max_words: int = 10) -> list[Person]:
    """Pairs of sentences from the leads of the topic People: "X was an American actor." and "X was an actor."

    Only sentences in which nothing after the nationality begins with a capital, so that no place or language gives it away;
    in a random order that is always the same.
    The name may still suggest one; the right answer to the second sentence is that it is not stated.
    """
    found = []
    for lead in shuffled(leads):
        match = _NATIONALITY.search(lead.text) if lead.topic == "People" else None
        if match is None or match.start() > 60 or match[2] in _NO_NATIONALITY:
            continue
        name, words = " ".join(lead.text[: match.start()].split()), match[3].split()
        name = re.split(r"[,(;]| or | also ", name)[0].strip()
        while words and words[-1] in ("and", "or", "of", "the", "a", "an", "in", "who", "for", "as", "best", "from"):
            words.pop()
        rest = " ".join(words)
        if not 1 <= len(words) <= max_words or re.search(r"[A-Z0-9]", rest) or not name or "." in name:
            continue
        article = "an" if rest[0] in "aeiou" else "a"
        told = "an" if match[2][0] in "AEIOU" and not match[2].startswith(("Eu", "Uk", "Ur", "Ug")) else "a"
        found.append(
            Person(
                lead.title,
                match[2],
                f"{name} {match[1]} {told} {match[2]} {rest}.",
                f"{name} {match[1]} {article} {rest}.",
                lead.split,
            )
        )
    return found


def nationality(sentence: str) -> list[Message]:
    """The question for the nationality of the person of a sentence, with the way out in case it is not there."""
    return [user(sentence + NATIONALITY)]


def abstains(reply: str) -> bool:
    """Whether a reply says that the fact is not there: "not stated", and what else a model may say in its own words."""
    return bool(re.search(r"\bnot (stated|specified|mentioned|given|provided|clear|known)\b|\bunknown\b", reply.casefold()))


def chat_examples(tokenizer: Any, pairs: Sequence[tuple[Sequence[Message], str]], prompt_loss: bool = False) -> list[Example]:
    """Questions and the replies to learn, as examples without a system message."""
    return [
        encode_example(tokenizer, [*messages, assistant(reply)], prompt_loss=prompt_loss, default_system=None)
        for messages, reply in pairs
    ]


def chat_prompts(tokenizer: Any, questions: Sequence[Sequence[Message]]) -> list[list[int]]:
    """Questions as ids, up to where the assistant begins; without a system message."""
    return [encode_prompt(tokenizer, messages, default_system=None) for messages in questions]


def shakespeare(n_train: int = 8, n_held: int = 12) -> tuple[list, dict[str, tuple[list, int]]]:
    """Another kind of text for the course's own Transformer: training documents from the plays, and what to judge it by.

    The second part holds for "plays" and for "leads" the documents of held-out texts and their size in bytes, as
    `recipes.bits_of` takes them.
    """
    from helpers.data import datasets
    from helpers.models import language_model
    from helpers.tokenizers import course_tokenizer

    tokenizer = course_tokenizer()
    encode = lambda texts: language_model.encode_documents(tokenizer, texts)  # noqa: E731
    speeches = [s.text for play in datasets.plays(split="test") for s in play.speeches if 300 <= len(s.text) <= 600]
    held = {"plays": speeches[:n_held], "leads": [lead.text for lead in datasets.leads(split="test")][:n_held]}
    train = ["\n\n".join(s.text for s in play.speeches) for play in datasets.plays(split="train")[:n_train]]
    return encode(train), {k: (encode(texts), sum(len(t.encode()) for t in texts)) for k, texts in held.items()}
