"""Checks without their solutions, as students get them from `course.py release`.

A released check holds the expected results for its inputs, worked out by the teacher's copy, in place of the reference
solution. Each wrong answer of the bank is a fingerprint: the diagnosis is locked with the results that the mistake gives,
so only a reader who made that very mistake can read it.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from helpers.lab import plain_data
from helpers.lab.exercise import find
from helpers.lab.formatting import as_array
from helpers.lab.trial import Mistake, Trial
from helpers.lab.verdicts import outcomes


def _facts(exercise_id: str) -> dict:
    number = exercise_id.split(".")[0].zfill(2)
    path = Path(__file__).parents[1] / "exercises" / f"ch{number}" / "known.json"
    return json.loads(path.read_text(encoding="utf-8"))[exercise_id]


def known(exercise_id: str, t: Trial) -> Callable[[int], Any]:
    """A function that gives, for a numbered place in the check, the result worked out by the teacher.

    The results are kept by how many calls of the answer came before, and in order within that.
    """
    return player(_facts(exercise_id)["results"], t)


def player(results: dict[str, list[str]], t: Trial) -> Callable[[int], Any]:
    """As `known`, from results that are at hand: "place:calls before" -> texts."""
    rows: dict[str, Iterator[str]] = {key: iter(texts) for key, texts in results.items()}

    def value(place: int) -> Any:
        text = next(rows.get(f"{place}:{len(t.steps)}", iter(())), None)
        if text is None:  # the check went a way that the right answer does not go
            unjudged(t)
        return plain_data.loads(text)

    return value


def withheld(name: str, kind: type | None = None) -> Any:
    """What stands in the place of a reference solution: it has its name, and nothing else. kind: `type` for a class."""

    def nothing(*args: Any, **kwargs: Any) -> None:
        raise NotImplementedError("the reference solution is not part of this copy")

    made: Any = type(name, (), {"__init__": nothing}) if kind is type else nothing
    made.__name__, made.withheld = name, True
    return made


def fingerprint(outs: list[Any]) -> bytes:
    """What results look like: the same for arrays, tensors and lists of the same numbers, to five digits."""
    return hashlib.sha256(repr([_rough(out) for out in outs]).encode("utf-8", "replace")).digest()


def _rough(v: Any) -> Any:
    v = as_array(v)
    if isinstance(v, np.ndarray) and v.dtype.kind in "biufc":
        return [v.shape, [_rough(x) for x in v.ravel().tolist()]]
    if isinstance(v, (bool, np.bool_, int, float, np.number)) and not isinstance(v, complex):
        return f"{float(v) + 0.0:.5g}" if abs(float(v)) < 1e300 else str(float(v))
    if isinstance(v, dict):
        return sorted((repr(_rough(k)), _rough(x)) for k, x in v.items())
    if isinstance(v, (list, tuple)):
        return [_rough(x) for x in v]
    return repr(v)


def _stream(key: bytes, size: int) -> bytes:
    return b"".join(hashlib.sha256(key + bytes([i])).digest() for i in range(size // 32 + 1))[:size]


def lock(key: bytes, text: str) -> tuple[str, str]:
    """(label, locked text): only who knows the key can find and read it."""
    data = text.encode("utf-8")
    locked = bytes(a ^ b for a, b in zip(data, _stream(key, len(data))))
    return hashlib.sha256(b"label" + key).hexdigest()[:20], base64.b64encode(locked).decode("ascii")


def unlock(key: bytes, labelled: dict[str, str]) -> str:
    """The text that `lock` locked with this key, or ""."""
    locked = labelled.get(hashlib.sha256(b"label" + key).hexdigest()[:20])
    if locked is None:
        return ""
    data = base64.b64decode(locked)
    return bytes(a ^ b for a, b in zip(data, _stream(key, len(data)))).decode("utf-8", "replace")


def diagnosing(exercise_id: str, check: Callable[[Trial], None]) -> Callable[[Trial], None]:
    """The check, with the diagnosis of a known mistake where the results are those of one."""

    def checked(t: Trial) -> None:
        try:
            check(t)
        except Mistake as mistake:
            if mistake.ask_bank:
                tried = outcomes(check, t.again(), find(exercise_id).seconds)
                found = unlock(fingerprint(tried or []), _facts(exercise_id)["mistakes"])
                mistake.diagnosis = found or mistake.diagnosis
            raise

    return checked


def unjudged(t: Trial) -> NoReturn:
    """The check of an exercise that only the teacher's copy can judge."""
    raise Mistake("cannot be judged by this copy of the course; your teacher's copy will do it")
