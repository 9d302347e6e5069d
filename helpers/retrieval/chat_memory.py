"""What an assistant remembers of a chat, and what that costs: everything, the last turns, or a summary.

A model has no memory: each call sends the whole prompt again. Each memory turns the turns so far into messages for the next
prompt; `tokens` says what that prompt part costs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from helpers.tokenizers.chat_template import Message, assistant, user

__all__ = ["Buffer", "Memory", "Summary", "Window", "first_sentences", "tokens"]


class Memory(Protocol):
    """Turns go in, messages for the next prompt come out."""

    def add(self, question: str, answer: str) -> None: ...
    def messages(self) -> list[Message]: ...


class Buffer:
    """Remembers every word. Nothing is lost, and the prompt grows with each turn until the context is full.

    >>> memory = Buffer()
    >>> memory.add("Who are you?", "A model.")
    >>> memory.messages()
    [{'role': 'user', 'content': 'Who are you?'}, {'role': 'assistant', 'content': 'A model.'}]
    """

    def __init__(self) -> None:
        self.turns: list[tuple[str, str]] = []

    def add(self, question: str, answer: str) -> None:
        self.turns.append((question, answer))

    def messages(self) -> list[Message]:
        return [m for q, a in self.turns for m in (user(q), assistant(a))]


class Window(Buffer):
    """Remembers the last `size` turns. The cost is bounded; what was said before is gone. Raises ValueError for size < 1.

    >>> memory = Window(size=1)
    >>> memory.add("My name is Ada.", "Hello!"), memory.add("And yours?", "I have none.")
    (None, None)
    >>> [message["content"] for message in memory.messages()]
    ['And yours?', 'I have none.']
    """

    def __init__(self, size: int = 2) -> None:
        if size < 1:
            raise ValueError(f"expected a window of at least 1 turn, got {size}")
        super().__init__()
        self.size = size

    def messages(self) -> list[Message]:
        return [m for q, a in self.turns[-self.size :] for m in (user(q), assistant(a))]


class Summary(Buffer):
    """Remembers the last turn, and a summary of all before it, written again after each turn: a second call for each answer.

    summarize: (old summary, question, answer) -> new summary; a language model, or any function. calls: how often it ran.

    >>> memory = Summary(lambda old, question, answer: f"{old} {question}".strip())
    >>> memory.add("My name is Ada.", "Hello!"), memory.add("And yours?", "I have none.")
    (None, None)
    >>> [message["content"] for message in memory.messages()]
    ['So far: My name is Ada.', 'I see.', 'And yours?', 'I have none.']
    """

    def __init__(self, summarize: Callable[[str, str, str], str]) -> None:
        super().__init__()
        self.summarize, self.summary, self.calls = summarize, "", 0

    def add(self, question: str, answer: str) -> None:
        if self.turns:
            self.summary = self.summarize(self.summary, *self.turns[-1])
            self.calls += 1
        super().add(question, answer)

    def messages(self) -> list[Message]:
        last = [m for q, a in self.turns[-1:] for m in (user(q), assistant(a))]
        return [user(f"So far: {self.summary}"), assistant("I see."), *last] if self.summary else last


def first_sentences(summary: str, question: str, answer: str, max_words: int = 60) -> str:
    """A summary without a model: the question's and the answer's first sentences are appended, and the oldest words drop out.

    Cheap and predictable, and lossy in a way one can see: when it is full, the beginning is gone.

    >>> first_sentences("", "My name is Ada. I am 9.", "Hello Ada! How are you?", max_words=5)
    'name is Ada. Hello Ada!'
    """
    from helpers.retrieval.chunking import sentences

    new = " ".join(text[slice(*sentences(text)[0])] for text in (question, answer) if sentences(text))
    return " ".join(f"{summary} {new}".split()[-max_words:])


def tokens(tokenizer: Any, messages: Sequence[Message]) -> int:
    """How many tokens these messages cost in a prompt, their marks included (four for each message).

    >>> from helpers.tokenizers import ByteTokenizer
    >>> tokens(ByteTokenizer(), [user("Why?"), assistant("So.")])  # 4 + 4 and 3 + 4
    15
    """
    return sum(len(tokenizer.encode(m["content"])) + 4 for m in messages)
