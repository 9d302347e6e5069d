"""What the tokenizers ask of their input."""

from __future__ import annotations

__all__ = ["checked_text", "utf8"]


def checked_text(text: str) -> str:
    """The text itself; TypeError for anything but a string.

    >>> checked_text("as it is")
    'as it is'
    """
    if not isinstance(text, str):
        raise TypeError(f"expected a text (str), got {type(text).__name__}; decode bytes first: data.decode('utf-8', 'replace')")
    return text


def utf8(text: str) -> bytes:
    """The bytes of a text. Raises ValueError for half of a surrogate pair.

    >>> utf8("é")
    b'\\xc3\\xa9'
    """
    try:
        return checked_text(text).encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"expected Unicode characters, got {text[error.start : error.end]!r}, half of a surrogate pair; "
            "clean the text first: text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')"
        ) from None
