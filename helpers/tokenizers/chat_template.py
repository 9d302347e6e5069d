"""Chats as tokens: the template of SmolLM2, and which of the tokens a finetuned model learns.

One function builds what is trained on and what is asked with, so that the two cannot differ. The text of a message never
becomes a mark of the template, whatever it contains: nobody can open a turn of the assistant from inside a question.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from helpers.tokenizers.labels import IGNORE

__all__ = ["DEFAULT_SYSTEM", "Example", "assistant", "encode_example", "encode_prompt", "render", "system", "user"]

START, END = "<|im_start|>", "<|im_end|>"
ROLES = ("system", "user", "assistant")
DEFAULT_SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"  # the template's own
Message = dict[str, str]


def system(text: str) -> Message:
    """A message that sets the rules.

    >>> system("Answer in one word.")
    {'role': 'system', 'content': 'Answer in one word.'}
    """
    return {"role": "system", "content": text}


def user(text: str) -> Message:
    """A message of the person.

    >>> user("Why?")
    {'role': 'user', 'content': 'Why?'}
    """
    return {"role": "user", "content": text}


def assistant(text: str) -> Message:
    """A message of the model.

    >>> assistant("Because.")
    {'role': 'assistant', 'content': 'Because.'}
    """
    return {"role": "assistant", "content": text}


def checked(messages: Sequence[Message], default_system: str | None) -> list[Message]:
    """The messages with a system message in front, if one is wanted. Raises ValueError or TypeError for anything odd."""
    if isinstance(messages, dict | str):
        raise TypeError(f"expected a list of messages, got one {type(messages).__name__}; write [user(text)]")
    for message in messages:
        if not isinstance(message, dict) or set(message) != {"role", "content"} or not isinstance(message["content"], str):
            raise ValueError(f"expected messages as {{'role': ..., 'content': text}}, got {message!r}")
        if message["role"] not in ROLES:
            raise ValueError(f"expected a role among {', '.join(ROLES)}, got {message['role']!r}")
    if not messages:
        raise ValueError("expected at least one message, got none")
    if any(message["role"] == "system" for message in messages[1:]):
        raise ValueError("expected a system message only as the first one")
    if messages[0]["role"] != "system" and default_system is not None:
        return [system(default_system), *messages]
    return list(messages)


def render(messages: Sequence[Message], *, reply: bool = False, default_system: str | None = DEFAULT_SYSTEM) -> str:
    """The chat as one text with its marks, for reading. reply: open a turn of the assistant at the end.

    Raises ValueError for unknown roles, other keys, no messages, or a system message that is not the first.

    >>> print(render([user("Hi"), assistant("Hello!"), user("Why?")], reply=True, default_system=None))
    <|im_start|>user
    Hi<|im_end|>
    <|im_start|>assistant
    Hello!<|im_end|>
    <|im_start|>user
    Why?<|im_end|>
    <|im_start|>assistant
    <BLANKLINE>
    """
    parts = [f"{START}{m['role']}\n{m['content']}{END}\n" for m in checked(messages, default_system)]
    return "".join(parts) + (f"{START}assistant\n" if reply else "")


class Example(NamedTuple):
    """A chat to learn from. ids: (T,). labels: (T,) the ids that count, IGNORE elsewhere. cut: whether max_length cut it.

    >>> Example(ids=[1, 7, 2], labels=[-100, 7, 2], cut=False).labels
    [-100, 7, 2]
    """

    ids: list[int]
    labels: list[int]
    cut: bool


def encode_example(
    tokenizer: Any,
    messages: Sequence[Message],
    *,
    max_length: int | None = None,
    prompt_loss: bool = False,
    default_system: str | None = DEFAULT_SYSTEM,
) -> Example:
    """The ids of a chat and its labels: what the assistant says, and the end mark after it, so that the model learns to stop.

    tokenizer: the course's BPE with SmolLM2's vocabulary. prompt_loss: make every token count (to see what that does).
    A chat longer than max_length loses its end, with the end mark; a reply that is cut off so must not teach stopping.
    Raises ValueError as `render` does, and for a chat in which nothing is left to learn.

    >>> from helpers.tokenizers import BPE
    >>> tokenizer = BPE([], [START, END])
    >>> learned = encode_example(tokenizer, [user("Why?"), assistant("So.")], default_system=None).labels
    >>> [IGNORE] * 23 + tokenizer.encode("So.") + [tokenizer.special_tokens[END], IGNORE] == learned
    True
    """
    ids: list[int] = []
    labels: list[int] = []

    def add(new: list[int], counts: bool) -> None:
        ids.extend(new)
        labels.extend(new if counts or prompt_loss else [IGNORE] * len(new))

    start, end = tokenizer.special_tokens[START], tokenizer.special_tokens[END]
    for message in checked(messages, default_system):
        learned = message["role"] == "assistant"
        add([start, *tokenizer.encode(message["role"] + "\n")], False)
        add([*tokenizer.encode(message["content"]), end], learned)  # its text is text: marks in it are plain characters
        add(tokenizer.encode("\n"), False)
    cut = max_length is not None and len(ids) > max_length
    if cut:
        ids, labels = ids[:max_length], labels[:max_length]
    if all(label == IGNORE for label in labels):
        raise ValueError("expected a reply of the assistant within max_length, got a chat with nothing to learn; allow more")
    return Example(ids, labels, cut)


def encode_prompt(tokenizer: Any, messages: Sequence[Message], *, default_system: str | None = DEFAULT_SYSTEM) -> list[int]:
    """The ids up to the place where the assistant begins to speak: exactly what stands before a reply in `encode_example`.

    >>> from helpers.tokenizers import BPE
    >>> tokenizer = BPE([], [START, END])
    >>> tokenizer.decode(encode_prompt(tokenizer, [user("Why?")], default_system=None))
    '<|im_start|>user\\nWhy?<|im_end|>\\n<|im_start|>assistant\\n'
    """
    marker = [*checked(messages, None), assistant("")]
    ids = encode_example(tokenizer, marker, default_system=default_system).ids
    return ids[: len(ids) - 1 - len(tokenizer.encode("\n"))]  # without the end mark and the line break of the empty reply
