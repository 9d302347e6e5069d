"""Progress: bars for long work, and the record of the exercises that a reader has solved."""

import os
import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from helpers.lab.exercise import chapters, exercises
from helpers.lab.record import solved

T = TypeVar("T")


def quiet() -> bool:
    """Whether bars stay silent: in CI, and wherever COURSE_QUIET is set."""
    return bool(os.environ.get("CI") or os.environ.get("COURSE_QUIET"))


def bar(items: Iterable[T], label: str, total: int | None = None) -> Iterator[T]:
    """Go through ``items`` with a progress bar named ``label``; silent in CI. One bar per training loop.

    The bar goes away when the work is done, so a committed notebook holds no half-drawn bar.
    """
    from tqdm.auto import tqdm

    return iter(tqdm(items, desc=label, total=total, leave=False, disable=quiet(), file=sys.stdout))


def report() -> None:
    """Print, chapter by chapter, which exercises are solved on this machine."""
    record = solved()
    for chapter in chapters():
        marks = [f"{e.id} {'done' if e.id in record else '-'}" for e in exercises(chapter)]
        done = sum(e.id in record for e in exercises(chapter))
        print(f"chapter {chapter}: {done} of {len(marks)} solved   ({', '.join(marks)})")
