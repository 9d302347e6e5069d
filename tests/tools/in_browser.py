"""JupyterLab in headless Chromium for the tests: a browser in a thread of its own, the controls of a panel.

`attach_and_move` looks at a notebook that has just run elsewhere: the server finds the running kernel by its connection
file (allow_external_kernels), JupyterLab opens the notebook with the outputs of that run and attaches, and its panels are
the live ones of the kernel.
"""

import contextlib
import json
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat.sign import NotebookNotary

from helpers.course.commands.doctor import chromium
from tests.tools.lab_server import ROOT, ask, lab_server

SHOTS = ROOT / "build" / "screenshots"
CHROMIUM = chromium()
NO_CHROMIUM = "no Chromium on this machine (Debian: apt-get install chromium; or set COURSE_CHROMIUM)"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 180_000  # milliseconds; a busy machine takes minutes where a quiet one takes seconds: only a failure waits so long
VIEWPORT = {"width": 1280, "height": 1000}
READY = """() => {
  const c = window.jupyterapp?.shell?.currentWidget?.sessionContext;
  const k = c?.session?.kernel;
  return c?.isReady && k?.connectionStatus === 'connected' && k?.status === 'idle'; }"""
RUN_ALL = "() => window.jupyterapp.commands.execute('notebook:run-all-cells')"  # it resolves when all have run
ASK_KERNEL = """async code => { const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  return (await kernel.requestExecute({code, silent: true}).done).content.status; }"""


# ------------------------------------------------------------------------------------------------------ the browser


@contextlib.contextmanager
def chromium_browser():
    """The system's Chromium, driven by playwright."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Station:
    """One server and one browser for all notebooks of this process, in a thread of their own.

    playwright keeps an event loop running in its thread, which other tests of the same process must not meet.
    """

    def __init__(self) -> None:
        self.jobs: queue.Queue = queue.Queue()
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def _work(self) -> None:
        with contextlib.ExitStack() as stack:
            opened = None
            while True:
                job = self.jobs.get()
                if job is None:
                    return
                work, answer = job
                try:
                    opened = opened or (stack.enter_context(lab_server()), stack.enter_context(chromium_browser()))
                    answer.put((work(opened[1], *opened[0]), None))
                except BaseException as error:
                    answer.put((None, error))

    def do(self, work: Callable):
        """work(browser, address, folder) in the thread; returns or raises what it does."""
        answer: queue.Queue = queue.Queue()
        self.jobs.put((work, answer))
        result, error = answer.get()
        if error is not None:
            raise error
        return result

    def close(self) -> None:
        """End browser and server."""
        self.jobs.put(None)
        self.thread.join(30)


_station: list[Station] = []


def station() -> Station:
    """The station of this process; it is closed by `close_station`."""
    if not _station:
        _station.append(Station())
    return _station[0]


def close_station() -> None:
    """End the browser and the server of this process, if there are any."""
    while _station:
        _station.pop().close()


def watched_page(browser) -> tuple[object, list[str]]:
    """A new page, and the list to which its errors are added."""
    page, errors = browser.new_page(viewport=VIEWPORT), []
    page.set_default_timeout(PATIENCE)
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" and "favicon" not in m.text else None)
    page.on("pageerror", lambda e: errors.append(str(e)))
    return page, errors


def open_notebook(page, address: str, folder: Path, name: str, *sources: str) -> None:
    """Write a notebook of these cells into the server's folder, open it and run it."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": spec}), folder / "notebooks" / name)
    page.goto(f"{address}/lab/tree/notebooks/{name}?reset")  # without reset the notebook of the test before opens, too
    page.wait_for_function(READY, timeout=PATIENCE)
    page.evaluate(RUN_ALL)


# ------------------------------------------------------------------------------------------------------ panels


def view(panel) -> str:
    """What the panel now shows: the HTML of its last part."""
    return panel.locator(".widget-html-content").last.inner_html()


def wait_for_change(page, panel, before: str, what: str) -> None:
    """Wait until the view is another one and the kernel is idle."""
    deadline = time.monotonic() + PATIENCE / 1000
    while view(panel) == before:
        assert time.monotonic() < deadline, what
        page.wait_for_timeout(20)
    page.wait_for_function(READY, timeout=PATIENCE)


def controls(panel) -> list[tuple[str, object]]:
    """The panel's controls as (kind, locator), from top to bottom."""
    marks = (
        ("slider", "slider"),
        ("choice", "dropdown"),
        ("toggle", "checkbox"),
        ("number", "widget-text"),
        ("run", "jupyter-button"),
    )
    found = []
    for row in panel.locator(".widget-inline-hbox, .widget-checkbox, .jupyter-button").all():
        classes = row.get_attribute("class") or ""
        found += [(kind, row) for kind, mark in marks if mark in classes][:1]
    return found


def move(kind: str, row, steps: int = 1) -> None:
    """Move one control as a person would with the keyboard; a slider by so many steps."""
    if kind == "slider":
        handle = row.locator("[role=slider]").first
        high, now = (float(handle.get_attribute(f"aria-value{k}") or 0) for k in ("max", "now"))
        handle.focus()
        for _ in range(steps):
            handle.press("ArrowRight" if now < high else "ArrowLeft")
    elif kind == "choice":
        select = row.locator("select")
        values, now = select.evaluate("s => [...s.options].map(o => o.value)"), select.evaluate("s => s.value")
        select.select_option(next(v for v in values if v != now))
    elif kind == "toggle":
        row.locator("input").first.click()
    else:
        box = row.locator("input").first
        before = box.input_value()
        number = box.get_attribute("type") == "number"  # else words: one that every vocabulary knows where one is wanted
        box.fill(str(int(float(before)) + 1) if number else before + " extra" if " " in before else "the")
        box.press("Enter")


# ------------------------------------------------------------------------------------------------------ attach


def attach_and_move(path: Path, notebook, kernel, cells: list) -> None:
    """Open the notebook with the outputs of this run, attached to its kernel; move one control of each panel.

    path: the notebook's file. kernel: nbval's RunningKernel. cells: (code cell with outputs, lines MOVED ...) in order.
    Raises AssertionError for a panel that is missing or does not redraw, and for errors of the page.
    """
    station().do(lambda browser, address, folder: _attach(browser, address, folder, path, notebook, kernel, cells))


def _attach(browser, address: str, folder: Path, path: Path, notebook, kernel, cells: list) -> None:
    shown = nbformat.from_dict(notebook)
    fresh = iter(cells)
    shown.cells = [next(fresh)[0] if cell.cell_type == "code" else cell for cell in shown.cells]
    nbformat.write(shown, folder / "notebooks" / path.name)
    NotebookNotary(data_dir=str(folder / ".signed")).sign(shown)  # as after a run of its reader: outputs are trusted
    info = json.loads(Path(kernel.km.connection_file).read_text())
    connection = folder / "kernels" / f"{path.stem}.json"
    connection.write_text(json.dumps({**info, "kernel_name": "python3"}))
    try:
        number = ask(f"{address}/api/kernels")[-1]["id"]
        session = ask(
            f"{address}/api/sessions",
            "POST",
            {"path": f"notebooks/{path.name}", "name": path.name, "type": "notebook", "kernel": {"id": number}},
        )
        assert session["kernel"]["id"] == number
        page, errors = watched_page(browser)
        try:
            page.goto(f"{address}/lab/tree/notebooks/{path.name}?reset")
            page.wait_for_function(READY, timeout=PATIENCE)
            _look(page, path.name[:2], [line.split()[2:] for _, lines in cells for line in lines])
            assert not errors, errors[:3]
        finally:
            page.close()
    finally:
        connection.unlink()


def _look(page, chapter: str, moved: list[list[str]]) -> None:
    """moved: for each panel what its controls needed in the kernel to change the view, as "place:kind:tries"."""
    panels = page.locator(".course-panel")
    if moved:
        panels.nth(len(moved) - 1).wait_for(timeout=PATIENCE)
    assert panels.count() == len(moved), f"{panels.count()} panels on the page, expected {len(moved)}"
    SHOTS.mkdir(parents=True, exist_ok=True)
    for number, needed in enumerate(moved):
        panel = panels.nth(number)
        panel.scroll_into_view_if_needed()
        panel.locator(".widget-html-content").last.wait_for(timeout=PATIENCE)
        if number == 0:
            page.screenshot(path=SHOTS / f"{chapter}_page.png")
        place, kind, tries = min((one.split(":") for one in needed), key=lambda one: int(one[2]))
        listed, before = controls(panel), view(panel)
        assert listed[int(place)][0] == kind, f"chapter {chapter}, panel {number}: {[k for k, _ in listed]} for {needed}"
        move(kind, listed[int(place)][1], {"1": 1, "2": 3}.get(tries, 20))
        for button in [row for k, row in listed if k == "run"]:
            button.click()
        wait_for_change(page, panel, before, f"chapter {chapter}, panel {number}, {kind}: the view did not change")
        assert "cannot be drawn" not in view(panel), f"chapter {chapter}, panel {number}, {kind}"
        panel.screenshot(path=SHOTS / f"{chapter}_panel{number}_after.png")
