"""Execute a notebook without a browser and measure it. Runs inside the environment.

`execute` is also what the tests and the authoring tool use. psutil samples the resident memory of the kernel and of
all its children ten times a second; the largest sum is the peak.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

SAMPLE = 0.1  # seconds between two looks at the memory
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


@dataclass(frozen=True)
class CellError:
    """What went wrong where: `cell` counts all cells from 1, `line` is the failing line of source or ""."""

    cell: int
    message: str
    line: str = ""

    def __str__(self) -> str:
        return f"cell {self.cell}: {self.message}" + (f"   [at: {self.line}]" if self.line else "")


@dataclass
class Result:
    """One execution: wall seconds with the kernel's start, peak resident MB (10^6 bytes), error, the notebook."""

    path: Path
    seconds: float
    peak_mb: float
    error: CellError | None
    notebook: Any


class Meter:
    """Follows the resident memory of a process and its children; `peak` and `now` are in bytes."""

    def __init__(self, process_id: Callable[[], int | None]) -> None:
        self.process_id, self.peak, self.now = process_id, 0, 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Meter:
        self._thread.start()
        return self

    def __exit__(self, *details: object) -> None:
        self._end.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._end.wait(SAMPLE):
            number = self.process_id()
            if number is not None:
                self.now = tree_memory(number)
                self.peak = max(self.peak, self.now)


def tree_memory(process_id: int) -> int:
    """Resident bytes of a process and all its descendants; what has ended meanwhile counts nothing."""
    total = 0
    try:
        parent = psutil.Process(process_id)
        family = [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return 0
    for process in family:
        with suppress(psutil.Error):
            total += process.memory_info().rss
    return total


class Progress:
    """Where an execution stands, for a live line: the cell (from 1), the number of cells, memory in bytes."""

    cell = 0
    cells = 0
    memory = 0


def execute(
    path: str | os.PathLike[str],
    *,
    notebook: Any = None,
    env: Mapping[str, str] | None = None,
    timeout: float | None = 600,
    progress: Progress | None = None,
) -> Result:
    """Run all cells of a notebook in a fresh kernel of this environment, in the notebook's own folder.

    path: the notebook file; it is not changed. notebook: run this one instead of the file's content (its place
    still counts). env: more environment variables for the kernel. timeout: seconds for one cell, None for no limit.
    A failing cell ends the run and stands in `error`; it is not raised.
    """
    path = Path(path).resolve()
    notebook = nbformat.read(path, as_version=4) if notebook is None else notebook
    progress = progress or Progress()
    progress.cells = len(notebook.cells)

    def starts(cell: Any, cell_index: int) -> None:
        progress.cell = cell_index + 1

    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        on_cell_start=starts,
        coalesce_streams=True,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.create_kernel_manager()

    def kernel_process() -> int | None:
        provisioner = client.km.provisioner if client.km is not None else None
        process = getattr(provisioner, "process", None)
        progress.memory = meter.now
        return process.pid if process is not None and process.poll() is None else None

    variables = {**os.environ, "JUPYTER_PREFER_ENV_PATH": "1", **(env or {})}
    variables.pop("MPLBACKEND", None)
    error: CellError | None = None
    meter = Meter(kernel_process)
    begin = time.monotonic()
    try:
        with meter, _kernel_of_this_environment():
            _run(client, variables, kernel_process)
    except CellExecutionError as failure:
        message = f"{failure.ename}: {failure.evalue}".strip().split("\n")[0]
        error = CellError(progress.cell, message[:300], failing_line(failure.traceback))
    except CellTimeoutError:
        error = CellError(progress.cell, f"took longer than {timeout:.0f} s and was stopped")
    except DeadKernelError:
        error = CellError(progress.cell, f"the kernel died (memory? it last held {meter.now / 1e6:.0f} MB)")
    return Result(path, time.monotonic() - begin, meter.peak / 1e6, error, notebook)


def _run(client: NotebookClient, variables: Mapping[str, str], kernel_process: Callable[[], int | None]) -> None:
    """Execute in a thread of its own: nbclient takes over the signals of the main thread, and an interrupt then
    ends in its clean-up. Here the main thread hears the interrupt, ends the kernel and passes it on.
    """
    failures: list[BaseException] = []

    def work() -> None:
        factory = asyncio.SelectorEventLoop if os.name == "nt" else None  # zmq needs that one on Windows
        try:
            with asyncio.Runner(loop_factory=factory) as runner:
                runner.run(client.async_execute(env=dict(variables)))
        except BaseException as failure:
            failures.append(failure)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    try:
        while worker.is_alive():
            worker.join(0.2)
    except BaseException:
        _end_family(kernel_process())
        worker.join(10)
        atexit.unregister(client._cleanup_kernel)  # there is no kernel any more, and it would complain about that
        raise
    if failures:
        raise failures[0]


def _end_family(process_id: int | None) -> None:
    """Kill a process and all its descendants."""
    try:
        parent = psutil.Process(process_id)
        family = [*parent.children(recursive=True), parent] if process_id else []
    except psutil.Error:
        return
    for process in family:
        with suppress(psutil.Error):
            process.kill()


@contextmanager
def _kernel_of_this_environment() -> Iterator[None]:
    """A kernel named python3 in the user's own folders must not win over the one of this environment."""
    before = os.environ.get("JUPYTER_PREFER_ENV_PATH")
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("JUPYTER_PREFER_ENV_PATH", None)
        else:
            os.environ["JUPYTER_PREFER_ENV_PATH"] = before


def failing_line(traceback: str) -> str:
    """The line of the cell's own source that an IPython traceback points at, or ""."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", traceback)
    match = re.search(r"^-+> *\d+ (.*)$", plain, re.MULTILINE)
    return match[1].strip()[:120] if match else ""


def without_widgets(notebook: Any) -> Any:
    """A copy in which each output shows its static alternative instead of a live widget."""
    copy = nbformat.from_dict(notebook)
    copy.metadata.pop("widgets", None)
    for cell in copy.cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET_VIEW, None)
        if "outputs" in cell:
            cell.outputs = [output for output in cell.outputs if output.get("data", True)]
    return copy
