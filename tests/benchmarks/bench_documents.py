"""Reading a reader's own files: 1 MB of each kind of text, read, freed of orders and cut into chunks; milliseconds of each step.

Peer: none does the same; `str.split` of the same text is printed beside it as a measure of the machine. Nothing is asserted.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from helpers.retrieval.chunking import sentence_chunks
from helpers.retrieval.documents import read_folder
from helpers.retrieval.prompt_injection import drop_orders
from tests.unit.test_own_files import KINDS


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """The result, and milliseconds: the best of three."""
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        result = work()
        times.append(1e3 * (time.perf_counter() - begin))
    return result, min(times)


def report() -> Iterator[str]:
    """One line for each kind of file, the slowest first."""
    rows = []
    for kind, text in KINDS.items():
        with tempfile.TemporaryDirectory() as folder:
            text = (text + "\n") * (1_000_000 // len(text.encode()) + 1)
            Path(folder, "a.txt").write_text(text, encoding="utf-8")
            found, read = timed(lambda: read_folder(folder))
        document = found.documents[0].text
        (clean, _), filtered = timed(lambda document=document: drop_orders(document))
        chunks, cut = timed(lambda clean=clean: sentence_chunks(clean, 60))
        _, split = timed(text.split)
        rows.append((read + filtered + cut, kind, read, filtered, cut, len(chunks), split))
    for total, kind, read, filtered, cut, n, split in sorted(rows, reverse=True):
        yield (
            f"{kind:28} read {read:6.0f} ms, orders {filtered:5.0f}, cut {cut:5.0f} into {n:6,} chunks: {total:6.0f} ms "
            f"({total / split:.0f} x str.split)"
        )
