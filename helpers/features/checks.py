"""What the features ask of their input: tables of finite numbers, lists of texts, a range of n-grams."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Real

import numpy as np

__all__ = ["MOST_CLASSES", "finite_array", "gram_range", "numbers", "text_list", "two_dimensional", "word_set"]

MOST_CLASSES = 20_000  # a table of counts for all pairs of classes takes 3 GB


def numbers(values: object, name: str) -> np.ndarray:
    """values as a float64 array; ValueError that names `name` for texts, dates, complex numbers, uneven rows, or nothing at all.

    >>> numbers([True, 2], "x").tolist()
    [1.0, 2.0]
    """
    wanted = f"expected {name} to hold plain numbers in equal rows"
    try:
        array = np.asarray(values)  # without a type first: with one, numpy reads "3" and dates as numbers
    except (TypeError, ValueError, OverflowError, RuntimeError):
        raise ValueError(f"{wanted}, got {_short(values)}; check the lengths of its rows, and detach a tensor first") from None
    if array.dtype == object and all(isinstance(v, Real) for v in array.flat):
        try:
            return array.astype(np.float64)
        except (OverflowError, TypeError, ValueError):
            raise ValueError(f"{wanted}, got one that is too large for 64 bits; divide by something first") from None
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{wanted}, got {_short(values)}; convert texts with float(), drop what is missing")
    return array.astype(np.float64, copy=False)


def _short(value: object) -> str:
    text = " ".join(repr(value).split())
    return f"{type(value).__name__} {text if len(text) <= 60 else text[:57] + '...'}"


def finite_array(values: object, name: str) -> np.ndarray:
    """values as a float64 array; ValueError that names `name` when they are no numbers, NaN or infinite.

    >>> finite_array([1, 2], "x").dtype
    dtype('float64')
    """
    array = numbers(values, name)
    bad = array.size - int(np.isfinite(array).sum())
    if bad:
        raise ValueError(f"expected finite {name}, got {bad} of {array.size} values NaN or infinite; drop or fix them")
    return array


def two_dimensional(X: object) -> np.ndarray:
    """X as a float64 array of shape (n, d) with n, d >= 1; ValueError otherwise.

    >>> two_dimensional([[1, 2, 3]]).shape
    (1, 3)
    """
    X = finite_array(X, "X")
    if X.ndim != 2:
        raise ValueError(f"expected X as 2-D, (rows, features), got shape {X.shape}; for one feature write x.reshape(-1, 1)")
    if 0 in X.shape:
        raise ValueError(f"expected X with at least one row and one column, got shape {X.shape}; check how it was filtered")
    return X


def text_list(texts: Sequence[str]) -> list[str]:
    """The texts as a list; TypeError for one string or an entry that is none, ValueError for no texts.

    >>> text_list(("one", "two"))
    ['one', 'two']
    """
    if isinstance(texts, str):
        raise TypeError("expected a list of texts, got one string; for a single text write [text]")
    if isinstance(texts, (set, frozenset, dict)) or not hasattr(texts, "__iter__"):
        raise TypeError(f"expected a list of texts in an order, got {_short(texts)}; write list(...) or sorted(...)")
    texts = list(texts)
    if not texts:
        raise ValueError("expected at least one text, got an empty list; check how it was filtered")
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"expected texts[{row}] to be a string, got {type(text).__name__}; convert or drop it")
    return texts


def word_set(words: Iterable[str], name: str) -> frozenset[str]:
    """The words as a set; TypeError for one string, whose letters would be meant, and for entries that are no strings.

    >>> word_set(["the", "of"], "stop_words") == {"the", "of"}
    True
    """
    if isinstance(words, str):
        cure = "; scikit-learn's list is sklearn.feature_extraction.text.ENGLISH_STOP_WORDS" if words == "english" else ""
        raise TypeError(f"expected {name} as a list of words, got one string, {words!r}; write [{words!r}]{cure}")
    if not hasattr(words, "__iter__"):
        raise TypeError(f"expected {name} as a list of words, got {_short(words)}; write () for none")
    words = list(words)
    odd = [word for word in words if not isinstance(word, str)]
    if odd:
        raise TypeError(f"expected {name} as a list of words, got {odd[0]!r} in it")
    return frozenset(words)


def gram_range(grams: tuple[int, int]) -> tuple[int, int]:
    """(low, high) as plain whole numbers; TypeError for anything else, ValueError unless 1 <= low <= high.

    >>> gram_range([1, 2])
    (1, 2)
    """
    whole = lambda n: isinstance(n, (int, np.integer)) and not isinstance(n, bool)  # noqa: E731
    if not (isinstance(grams, (tuple, list)) and len(grams) == 2 and all(map(whole, grams))):
        raise TypeError(f"expected the n-gram range as two whole numbers (low, high), got {grams!r}; (1, 1) means single words")
    if not 1 <= grams[0] <= grams[1]:
        raise ValueError(f"expected an n-gram range with 1 <= low <= high, got {tuple(grams)}")
    return int(grams[0]), int(grams[1])
