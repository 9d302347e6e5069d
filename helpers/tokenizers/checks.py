"""What the tokenizers ask of their input."""

from __future__ import annotations

__all__ = ["checked_text"]


def checked_text(text: str) -> str:
    """The text itself; TypeError for anything but a string.

    >>> checked_text("as it is")
    'as it is'
    """
    if not isinstance(text, str):
        raise TypeError(f"expected a text (str), got {type(text).__name__}; decode bytes first: data.decode('utf-8', 'replace')")
    return text
