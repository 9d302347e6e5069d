"""Ctrl-C, the stop button of a notebook, or an end asked of the process, as a request that training hears between two steps."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["stop_between_steps"]


@contextmanager
def stop_between_steps() -> Iterator[list[int]]:
    """A list that is no longer empty once Ctrl-C was pressed or SIGTERM came (kill, a scheduler's limit of time).

    A step is never cut in half; the second of them is obeyed at once.
    """
    pressed: list[int] = []

    def note(number, frame):
        if pressed:
            raise KeyboardInterrupt
        pressed.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield pressed  # only the main thread hears signals
        return
    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield pressed
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
