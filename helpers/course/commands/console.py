"""What the commands say: one line per step with a ticking clock, and problems as clear sentences."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from helpers.paths import SettingError

TICK = 0.25  # seconds between two redraws of a live line on a terminal
HEARTBEAT = 30.0  # seconds between two signs of life where the output is not a terminal


_RIGHTS = "Get the right to write there, or take the course into a folder of your own; then start the same command again."
_SPACE = "Free some disk space; then start the same command again."
_AGAIN = "See that the disk is there and that no other program uses the file; then start the same command again."
_CURES = {  # of failures that any step may meet
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.EROFS: _RIGHTS,
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
    errno.EFBIG: _SPACE,
    errno.EEXIST: "A file stands where a folder is needed: move it away; then start the same command again.",
    errno.ENOTDIR: "A file stands where a folder is needed: move it away; then start the same command again.",
}


class Problem(Exception):
    """Something the reader can mend: one clear sentence, the way out, and a few lines of evidence."""

    def __init__(self, sentence: str, fix: str = "", evidence: Sequence[str] = ()) -> None:
        super().__init__(sentence)
        self.sentence, self.fix, self.evidence = sentence, fix, list(evidence)


class Stopped(KeyboardInterrupt):
    """Raised by SIGTERM and SIGHUP, so that they clean up as Ctrl-C does."""


def _stop(number: int, frame: Any) -> None:
    raise Stopped(number)


def say(text: str = "") -> None:
    """Print a line at once, whatever the console's character set."""
    print(text, flush=True)


def guarded(command: Callable[[Any], int], options: Any, farewell: bool = True) -> int:
    """Run `command(options)`; problems become sentences, an interrupt a short farewell. Returns the status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name) and threading.current_thread() is threading.main_thread():
            signal.signal(getattr(signal, name), _stop)
    try:
        try:
            return int(command(options) or 0)
        except Problem as problem:
            report(problem)
        except SettingError as error:
            report(Problem(f"{error}.", "Set or unset the variable, then start the same command again."))
        except BaseException as error:
            if _interrupted(error):
                if farewell:
                    say("\nStopped. Nothing is lost: the next start goes on from here.")
                return 130
            if not isinstance(error, OSError) or error.errno == errno.EPIPE:
                raise
            report(unusable(error))
    except OSError as error:  # what is said finds no way out: its reader has gone (course.py doctor | head), or its disk is full
        if sys.stdout is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python tries once more as it ends
        if error.errno != errno.EPIPE:
            sys.stderr.write(f"What this command says could not be written: {error.strerror or error}.\n")
    return 1


def unusable(error: OSError) -> Problem:
    """A file, folder or disk that fails, in words. The error of a full disk names no file."""
    name = os.path.basename(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else "A file"
    return Problem(f"{name or 'A folder'} cannot be used: {error.strerror or error}.", _CURES.get(error.errno or 0, _AGAIN))


def _interrupted(error: BaseException | None) -> bool:
    """Whether an interrupt is behind an error, at first or second hand (a library's own clean-up may fail)."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def report(problem: Problem) -> None:
    """Print a problem: evidence first, then the sentence and the way out, which is what is read last."""
    if problem.evidence:
        say()
        for line in problem.evidence:
            say("    | " + line)
    say()
    say("PROBLEM: " + problem.sentence)
    if problem.fix:
        say("TO MEND IT: " + problem.fix)


def seconds(value: float) -> str:
    """A duration for people: 0.3 s, 12 s, 2 min 5 s."""
    if value < 9.95:
        return f"{value:.1f} s"
    if value < 119.5:
        return f"{value:.0f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s"


def size(count: float) -> str:
    """A number of bytes for people, in decimal units."""
    for unit, divisor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= divisor:
            return f"{count / divisor:.1f} {unit}"
    return f"{count:.0f} bytes"


class Live:
    """A line that shows a running clock and a note until the work is done.

    On a terminal the line is redrawn in place. Elsewhere one line is printed at the end, and a sign of life
    every half minute. `text(elapsed, note)` makes the line; use it as a context manager and call `done`.
    """

    def __init__(self, label: str, text: Callable[[float, str], str] | None = None) -> None:
        self.label, self.note = label, ""
        self.text = text or (lambda elapsed, note: f"  {label:<12} {note or 'working'} ... {seconds(elapsed)}")
        self.terminal = sys.stdout.isatty()
        self.start = time.monotonic()
        self._end = threading.Event()
        self._hidden = False
        self._thread = threading.Thread(target=self._tick, daemon=True)

    @property
    def elapsed(self) -> float:
        """Seconds since the line began."""
        return time.monotonic() - self.start

    def _tick(self) -> None:
        while not self._end.wait(TICK if self.terminal else HEARTBEAT):
            if self._hidden:
                continue
            line = self.text(self.elapsed, self.note)
            if self.terminal:
                width = max(20, shutil.get_terminal_size().columns - 1)
                sys.stdout.write("\r" + line[:width].ljust(width))
                sys.stdout.flush()
            else:
                say(line)

    def __enter__(self) -> Live:
        self._thread.start()
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self.close()

    def hide(self) -> None:
        """Leave the terminal to somebody else, such as a progress bar of a child process."""
        self._clear()
        self._hidden = True

    def interrupt(self, text: str) -> None:
        """Print a text above the live line, which goes on."""
        self._clear()
        say(text)

    def _clear(self) -> None:
        if self.terminal and not self._hidden:
            width = max(20, shutil.get_terminal_size().columns - 1)
            sys.stdout.write("\r" + " " * width + "\r")
            sys.stdout.flush()

    def close(self) -> None:
        """Stop the clock and wipe the live line."""
        if not self._end.is_set():
            self._end.set()
            self._thread.join()
            self._clear()

    def done(self, result: str) -> None:
        """Replace the live line by the result and the time it took."""
        self.close()
        say(f"  {self.label:<12} {result} ({seconds(self.elapsed)})")
