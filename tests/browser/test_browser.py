"""JupyterLab in real headless Chromium: run each notebook, move every control of every widget, see the view change.

The browser is the system's Chromium; where there is none the tests are skipped and say so.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from helpers.course.commands.doctor import chromium
from tests.tools import author

playwright = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed (pip install -r tests/requirements.txt)"
)
ROOT = Path(__file__).resolve().parents[2]
SHOTS = ROOT / "build" / "screenshots"
CHROMIUM = chromium()
needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on this machine (Debian: apt-get install chromium; or set COURSE_CHROMIUM)"
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
READY = """() => {
  const c = window.jupyterapp?.shell?.currentWidget?.sessionContext;
  const k = c?.session?.kernel;
  return c?.isReady && k?.connectionStatus === 'connected' && k?.status === 'idle'; }"""
CHAPTERS = [c for c in sorted(author.NAMES) if author.notebook_path(c).exists()]


def panels_in(chapter: str) -> int:
    """How many panels the notebook shows, counted from its code."""
    nb = nbformat.read(author.notebook_path(chapter), 4)
    return sum(
        len(re.findall(r"^(?:\w+ = )?widgets\.explore\(", c.source, re.MULTILINE))
        for c in nb.cells
        if c.cell_type == "code"
    )


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab server over a copy of the course (so that a run leaves the repository as it is); gives its address."""
    folder = tmp_path_factory.mktemp("course")
    for name in ("helpers", "notebooks", "data"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "course.py", folder)
    settings = folder / ".jupyter" / "labconfig"  # no question about news on top of the screenshots
    settings.mkdir(parents=True)
    (settings / "page_config.json").write_text('{"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true}}')
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "jupyter",
        "lab",
        "--no-browser",
        f"--port={port}",
        "--ip=127.0.0.1",
        "--expose-app-in-browser",
        "--LabApp.news_url=None",
        "--IdentityProvider.token=",
        f"--ServerApp.root_dir={folder}",
        "--allow-root",
    ]
    env = {
        **os.environ,
        "COURSE_PROFILE": "cpu",
        "COURSE_QUIET": "1",
        "HF_HUB_OFFLINE": "1",
        "JUPYTER_CONFIG_DIR": str(folder / ".jupyter"),
    }
    with open(folder / "lab.log", "w") as log:
        server = subprocess.Popen(command, env=env, stdout=log, stderr=subprocess.STDOUT)
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                break
        assert server.poll() is None, (folder / "lab.log").read_text()[-2000:]
        time.sleep(0.2)
    yield address
    server.terminate()
    server.wait(20)


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as p:
        running = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


def open_and_run(page, address: str, chapter: str) -> None:
    page.goto(f"{address}/lab/tree/notebooks/{author.notebook_path(chapter).name}?reset")
    page.wait_for_function(READY, timeout=60_000)
    run_all(page)


def run_all(page) -> None:
    """Run every cell with all of them on the page: JupyterLab else takes cells out of view away, their panels with them."""
    page.evaluate("""async () => {
      const nb = window.jupyterapp.shell.currentWidget.content;
      nb.notebookConfig = {...nb.notebookConfig, windowingMode: 'none'};
      await window.jupyterapp.commands.execute('notebook:run-all-cells'); }""")


def view(panel) -> str:
    """What the panel now shows: the HTML of its last part."""
    return panel.locator(".widget-html-content").last.inner_html()


def wait_for_change(page, panel, before: str, what: str) -> None:
    deadline = time.monotonic() + 30
    while view(panel) == before:
        assert time.monotonic() < deadline, what
        page.wait_for_timeout(50)


def settled(page, panel) -> str:
    """The view, once the kernel is idle and nothing has changed for half a second (each key press redraws)."""
    shown, since = view(panel), time.monotonic()
    deadline = since + 30
    while time.monotonic() - since < 0.5 and time.monotonic() < deadline:
        page.wait_for_timeout(50)
        now = view(panel)
        if now != shown or not page.evaluate(READY):
            shown, since = now, time.monotonic()
    return shown


def controls(panel) -> list[tuple[str, object]]:
    """The panel's controls as (kind, locator), from top to bottom."""
    found = []
    for row in panel.locator(".widget-inline-hbox, .widget-checkbox, .jupyter-button").all():
        classes = row.get_attribute("class") or ""
        for kind, mark in (
            ("slider", "slider"),
            ("choice", "dropdown"),
            ("toggle", "checkbox"),
            ("number", "widget-text"),
            ("run", "jupyter-button"),
        ):
            if mark in classes:
                found.append((kind, row))
                break
    return found


def move(kind: str, row, steps: int = 1):
    """Move one control as a person would with the keyboard. Returns how to move it back, or None where it cannot be moved.

    steps: by how many steps a slider moves; each of them is drawn.
    """
    if kind == "slider":
        handle = row.locator("[role=slider]").first
        high, now = (float(handle.get_attribute(f"aria-value{k}") or 0) for k in ("max", "now"))
        there, back = ("ArrowRight", "ArrowLeft") if now < high else ("ArrowLeft", "ArrowRight")
        handle.focus()
        for _ in range(steps):
            handle.press(there)
        return lambda: [handle.press(back) for _ in range(steps)]
    if kind == "choice":
        select = row.locator("select")
        values, now = select.evaluate("s => [...s.options].map(o => o.value)"), select.evaluate("s => s.value")
        other = [v for v in values if v != now]
        if not other:
            return None
        select.select_option(other[0])
        return lambda: select.select_option(now)
    box = row.locator("input").first
    if kind == "toggle":
        box.click()
        return box.click
    before = box.input_value()
    if box.get_attribute("type") == "number":
        type_in(box, str(int(float(before)) + 1))
    else:  # a panel that wants one word gets another one that every vocabulary knows
        type_in(box, before + " extra" if " " in before else "the")
    return lambda: type_in(box, before)


def type_in(box, text: str) -> None:
    box.fill(text)
    box.press("Enter")


@needs_browser
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_notebook_runs_and_each_widget_moves(lab, browser, chapter):
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    errors = []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: errors.append(str(e)))
    try:
        open_and_run(page, lab, chapter)
        failed = page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']").all_inner_texts()
        assert not failed, failed[0]
        page.wait_for_timeout(500)
        panels = page.locator(".course-panel")
        assert panels.count() == panels_in(chapter), "a panel is missing on the page"
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SHOTS / f"{chapter}_end.png")
        if panels.count():
            panels.first.evaluate("p => p.closest('.jp-Cell').scrollIntoView({block: 'center'})")
            page.screenshot(path=SHOTS / f"{chapter}_page.png")
        for number in range(panels.count()):
            panel = panels.nth(number)
            panel.scroll_into_view_if_needed()
            listed = controls(panel)
            assert listed, f"panel {number} shows no control"
            button = next((row for kind, row in listed if kind == "run"), None)
            start = settled(page, panel)
            panel.screenshot(path=SHOTS / f"{chapter}_panel{number}_before.png")
            for at, (kind, row) in enumerate(listed):
                what, undo = f"chapter {chapter}, panel {number}, control {at} ({kind})", []
                for steps in (1, 2):  # one step of a slider may be too small to be seen: then two more
                    back = None if kind == "run" else move(kind, row, steps)
                    if back is None:
                        break
                    undo.append(back)
                    if button:
                        button.click()
                    if settled(page, panel) != start or kind != "slider":
                        break
                if not undo:
                    continue
                wait_for_change(page, panel, start, f"{what}: the view did not change")
                assert "cannot be drawn" not in settled(page, panel), what
                panel.screenshot(path=SHOTS / f"{chapter}_panel{number}_after{at}.png")
                for back in reversed(undo):  # so that each control is judged from (nearly) the same place
                    back()
                start = settled(page, panel)
        errors = [e for e in errors if "favicon" not in e]
        assert not errors, errors[:3]
        page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    finally:
        page.close()


ALL_KINDS = '''
import sys
sys.path.insert(0, "..")
from helpers.lab import widgets

def draw(**values):
    return f"<p>{sorted(values.items())}</p>"

widgets.explore(draw, caption="every control", whole=widgets.slider("whole", 0, 9, 3, 1),
                part=widgets.slider("part", 0.0, 1.0, 0.5, 0.1), power=widgets.log_slider("power", -3, 0, 0.1),
                kind=widgets.choice("kind", ["one", "two"]), on=widgets.toggle("on"), word=widgets.text("word", "text"),
                seed=widgets.seed_button("seed"))
'''
WITH_BUTTON = 'widgets.explore(draw, caption="a button", run="Train", n=widgets.slider("n", 0, 9, 3, 1))'
# A list is chosen from by its first letter: JupyterLab takes the arrow keys of a list for itself (they move from cell to
# cell), unless the list was opened with Alt and the arrow. "number" is a line to type into, for words or for a number.
KEYS = {"slider": ["ArrowRight"], "choice": ["t"], "toggle": ["Space"], "run": ["Space"], "number": ["End", "7", "Enter"]}
SAVE = """async ([path, sources]) => {
  const cells = sources.map(source => ({cell_type: 'code', metadata: {}, outputs: [], execution_count: null, source}));
  const spec = {display_name: 'Python 3', language: 'python', name: 'python3'};
  const content = {cells, metadata: {kernelspec: spec}, nbformat: 4, nbformat_minor: 4};
  await window.jupyterapp.serviceManager.contents.save(path, {type: 'notebook', format: 'json', content}); }"""


def tab_into(page, row, limit: int) -> int:
    """Press Tab until the focus is inside ``row``; returns how often. Fails after ``limit`` presses."""
    for presses in range(limit + 1):
        if row.evaluate("r => r.contains(document.activeElement)"):
            return presses
        page.keyboard.press("Tab")
    raise AssertionError(f"{limit} presses of Tab do not reach {row.inner_text()!r}")


@needs_browser
def test_each_kind_of_control_is_reached_and_moved_by_keyboard_alone(lab, browser):
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    try:
        page.goto(f"{lab}/lab?reset")
        page.wait_for_function("() => window.jupyterapp?.serviceManager?.isReady")
        page.evaluate(SAVE, ["notebooks/all_controls.ipynb", [ALL_KINDS, WITH_BUTTON]])
        # without reset the notebook of the test before opens, too, as a hidden tab with hidden panels
        page.goto(f"{lab}/lab/tree/notebooks/all_controls.ipynb?reset")
        page.wait_for_function(READY, timeout=60_000)
        run_all(page)
        panels = page.locator(".course-panel")
        panels.nth(1).wait_for(timeout=30_000)
        page.wait_for_timeout(500)
        # From the cell's text into its output, as a reader without a mouse goes: Escape, then Tab.
        page.locator(".jp-CodeCell .cm-content").first.focus()
        page.keyboard.press("Escape")
        kinds = []
        for panel, limit in ((panels.nth(0), 40), (panels.nth(1), 40)):
            for kind, row in controls(panel):
                tab_into(page, row, limit)
                limit = 3  # the next control comes after at most one other stop, the read-out of a slider
                assert page.evaluate("document.activeElement.getBoundingClientRect().width") > 0
                before = view(panel)
                if (kind, len(controls(panel))) == ("slider", 2):
                    page.keyboard.press("ArrowRight")
                    page.wait_for_timeout(500)
                    assert view(panel) == before, "with a button the view waits for it"
                    continue
                for key in KEYS[kind]:
                    page.keyboard.press(key)
                wait_for_change(page, panel, before, f"{kind}: the keys {KEYS[kind]} change nothing")
                kinds.append(kind)
        assert kinds == ["slider", "slider", "slider", "choice", "toggle", "number", "number", "run"]
    finally:
        page.close()
