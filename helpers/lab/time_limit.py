"""A time limit around code that may never end, for the checks."""

import _thread
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class TookTooLong(Exception):
    """The code inside a `time_limit` did not end in time."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Interrupt the block after ``seconds`` and raise `TookTooLong`. Raises ValueError unless ``seconds`` > 0.

    Works on every system by interrupting the main thread, as Ctrl-C does, also where the process was started with Ctrl-C
    ignored (in the background of a shell). In another thread there is no limit. A call into compiled code is interrupted
    only when it returns.
    """
    if seconds <= 0:
        raise ValueError(f"expected a time limit above 0 seconds, got {seconds}")
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    lock, state = threading.Lock(), {"done": False, "fired": False}

    def interrupt() -> None:
        with lock:
            if not state["done"]:
                state["fired"] = True
                _thread.interrupt_main()

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # where it is ignored, interrupt_main does nothing
    timer = threading.Timer(seconds, interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
        with lock:  # after this line the timer cannot fire any more
            state["done"] = True
    except KeyboardInterrupt:
        if not state["fired"]:
            raise  # the reader pressed stop
        raise TookTooLong(f"took longer than {seconds:g} s") from None
    finally:
        state["done"] = True
        timer.cancel()
        if before is not None:  # None: a handler that was not set from Python cannot be put back
            signal.signal(signal.SIGINT, before)
