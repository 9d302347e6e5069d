"""The class of this machine in one line, as measurements name it, never its name; and whether its cores are free.

Standard library until torch is named.
"""

from __future__ import annotations

import hashlib
import os
import platform
import threading
import time

from helpers.paths import SettingError

FREE = 0.85  # measured: 0.94 or more where nobody else computes, 0.7 or less beside one busy process
WINDOWS, SECONDS = 3, 0.02
MOST = 1024  # threads; a larger number is a slip, and torch fails on it later without words


def hardware(threads: int | None = None, device: str = "cpu") -> str:
    """On what something was measured, in words.

    Without arguments: "2 cores, x86_64, Linux". For a training, with the number of its threads and its device:
    "2 threads, x86_64 CPU, Linux, torch 2.13.0+cpu", or the graphics card's kind and torch (imports torch).
    """
    if threads is None:
        return f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}"
    import torch

    if device.startswith("cuda"):
        return f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
    return f"{threads} thread{'s' * (threads > 1)}, {platform.machine()} CPU, {platform.system()}, torch {torch.__version__}"


def threads() -> int:
    """How many threads the numerical libraries may use: COURSE_THREADS, or 2 (1 on a one-core machine).

    Raises SettingError (a ValueError) when COURSE_THREADS is not a whole number from 1 to 1024.
    """
    wanted = os.environ.get("COURSE_THREADS")
    if wanted is None:
        return min(2, os.cpu_count() or 1)
    wanted = wanted.strip()
    if not (wanted.isdecimal() and len(wanted) < 5 and 1 <= int(wanted) <= MOST):
        raise SettingError(f"COURSE_THREADS is {wanted!r}; set it to a positive whole number (at most {MOST}), or unset it")
    return int(wanted)


def free_share(threads: int = 2, seconds: float = SECONDS) -> float:
    """The share of `seconds` for which `threads` cores really compute for us: near 1, or near 0.5 beside one busy process."""
    block, until = bytes(1 << 17), time.perf_counter() + seconds
    used = [0.0] * threads

    def work(number: int) -> None:
        begin = time.thread_time()
        while time.perf_counter() < until:
            hashlib.sha256(block)  # lets go of Python's lock
        used[number] = time.thread_time() - begin

    begin = time.perf_counter()
    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(used) / threads / (time.perf_counter() - begin)


def spare_the_neighbor() -> None:
    """Before torch loads: let its waiting threads sleep where another process is busy.

    Two threads wait for each other many times in a small step. The OpenMP library that torch brings keeps the waiting core
    busy. That is fastest on a quiet machine, and costs up to ten times the step where the other thread has no core. The same
    numbers come out. A choice of the reader (OMP_WAIT_POLICY) stays.
    """
    threads = os.environ.get("COURSE_THREADS") or "2"
    if "OMP_WAIT_POLICY" in os.environ or threads == "1" or (os.cpu_count() or 1) < 2:
        return
    if all(free_share() < FREE for _ in range(WINDOWS)):  # one window alone may meet a short task
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
