"""Ctrl-C, or the stop button of a notebook, as a request that training hears between two steps."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["stop_between_steps"]


@contextmanager
def stop_between_steps() -> Iterator[list[int]]:
    """A list that is no longer empty once Ctrl-C was pressed. A step is never cut in half; a second Ctrl-C is obeyed at once."""
    pressed: list[int] = []

    def note(number, frame):
        if pressed:
            raise KeyboardInterrupt
        pressed.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield pressed  # only the main thread hears signals
        return
    before = signal.signal(signal.SIGINT, note)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)
