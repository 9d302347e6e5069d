"""JupyterLab in real headless Chromium: each kind of control by keyboard, and the chat panel.

The panels of the notebooks are looked at where the notebooks run: `tests.tools.woven`, as the last item of each. The
browser is the system's Chromium; where there is none the tests are skipped and say so.
"""

import time
from pathlib import Path

import pytest

from helpers.lab import bootstrap
from tests.tools import in_browser
from tests.tools.in_browser import PATIENCE, READY, SHOTS, controls, view, wait_for_change

pytestmark = pytest.mark.skipif(in_browser.CHROMIUM is None, reason=in_browser.NO_CHROMIUM)

ALL_KINDS = """
import sys
sys.path.insert(0, "..")
from helpers.lab import widgets

def draw(**values):
    return f"<p>{sorted(values.items())}</p>"

widgets.explore(draw, caption="every control", whole=widgets.slider("whole", 0, 9, 3, 1),
                part=widgets.slider("part", 0.0, 1.0, 0.5, 0.1), power=widgets.log_slider("power", -3, 0, 0.1),
                kind=widgets.choice("kind", ["one", "two"]), on=widgets.toggle("on"), word=widgets.text("word", "text"),
                seed=widgets.seed_button("seed"))
"""
WITH_BUTTON = """
late = widgets.explore(draw, caption="a button", run="Train", n=widgets.slider("n", 0, 9, 3, 1))
late"""
# A list is chosen from by its first letter: JupyterLab takes the arrow keys of a list for itself (they move from cell to
# cell), unless the list was opened with Alt and the arrow. "number" is a line to type into, for words or for a number.
KEYS = {"slider": ["ArrowRight"], "choice": ["t"], "toggle": ["Space"], "run": ["Space"], "number": ["End", "7", "Enter"]}


def on_a_page(work) -> None:
    """work(page, address, folder) on a new page of the shared browser; errors of the page fail the test."""

    def job(browser, address: str, folder: Path) -> None:
        page, errors = in_browser.watched_page(browser)
        try:
            work(page, address, folder)
            assert not errors, errors[:3]
        finally:
            page.close()

    in_browser.station().do(job)


def tab_into(page, row, limit: int) -> int:
    """Press Tab until the focus is inside ``row``; returns how often. Fails after ``limit`` presses."""
    for presses in range(limit + 1):
        if row.evaluate("r => r.contains(document.activeElement)"):
            return presses
        page.keyboard.press("Tab")
    raise AssertionError(f"{limit} presses of Tab do not reach {row.inner_text()!r}")


def wait_for_kernel(page, claim: str) -> None:
    """Wait until what is claimed is true in the kernel."""
    deadline = time.monotonic() + PATIENCE / 1000
    while page.evaluate(in_browser.ASK_KERNEL, f"assert {claim}") != "ok":
        assert time.monotonic() < deadline, f"the kernel never saw that {claim}"


def by_keyboard(page, address: str, folder: Path) -> None:
    in_browser.open_notebook(page, address, folder, "all_controls.ipynb", ALL_KINDS, WITH_BUTTON)
    panels = page.locator(".course-panel")
    for number in (0, 1):
        panels.nth(number).locator(".widget-html-content").last.wait_for(timeout=PATIENCE)
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
                wait_for_kernel(page, "late.controls['n'].value == 4")
                page.wait_for_function(READY, timeout=PATIENCE)
                assert view(panel) == before, "with a button the view waits for it"
                continue
            for key in KEYS[kind]:
                page.keyboard.press(key)
            wait_for_change(page, panel, before, f"{kind}: the keys {KEYS[kind]} change nothing")
            kinds.append(kind)
    assert kinds == ["slider", "slider", "slider", "choice", "toggle", "number", "number", "run"]


def test_each_kind_of_control_is_reached_and_moved_by_keyboard_alone():
    on_a_page(by_keyboard)


# ------------------------------------------------------------------------------------------------------ the chat panel

# A stand-in for the model: a word every tenth of a second, so that there is time to press Stop.
CHAT = """
import time
from helpers.retrieval.documents import Document
from helpers.retrieval.grounding import Citation
from helpers.lab.chat_panel import ChatPanel
from helpers.retrieval.rag import Answer

SOURCES = [Document("bridge.txt", "It is 120 m long <b>and</b> old.")]

def respond(question, memory, stop):
    if "fail" in question:
        raise ValueError("no such page")
    text = ""
    for n in range(1, 41):
        if stop():
            return
        text += f"word{n} "
        time.sleep(0.1)
        yield Answer(text, SOURCES)
        if n == 3 and "short" in question:
            break
    yield Answer(text, SOURCES, Citation(1, 6, 11, "120 m"), prompt_tokens=len(memory.messages()))

def open_folder(path):
    raise FileNotFoundError(f"there is no folder {path!r}")

panel = ChatPanel(respond, open_folder=open_folder, caption="chat")
panel
"""


def press(panel, name: str) -> None:
    panel.get_by_role("button", name=name, exact=True).click()


def chat(page, address: str, folder: Path) -> None:
    in_browser.open_notebook(page, address, folder, "chat_panel.ipynb", bootstrap.cell(), CHAT)
    page.locator(".course-chat").wait_for(timeout=PATIENCE)
    panel = page.locator(".course-chat")
    question = panel.get_by_placeholder("ask, then press Ask")

    question.fill("a long one")
    press(panel, "Ask")
    panel.get_by_text("word3 ").wait_for(timeout=PATIENCE)
    assert panel.get_by_role("button", name="Ask", exact=True).is_disabled()
    press(panel, "Stop")
    panel.get_by_text("stopped by you").wait_for(timeout=PATIENCE)
    assert "word40" not in panel.inner_text()

    question.fill("a short one")
    press(panel, "Ask")
    panel.get_by_text("its numbers and names stand in the sources").wait_for(timeout=PATIENCE)
    assert panel.locator("mark").last.inner_text() == "120 m"
    assert "<b>and</b>" in panel.inner_text()  # what a document holds is shown, never obeyed as HTML
    SHOTS.mkdir(parents=True, exist_ok=True)
    panel.screenshot(path=SHOTS / "11_chat_panel.png")

    question.fill("fail")
    press(panel, "Ask")
    panel.get_by_text("ValueError: no such page").wait_for(timeout=PATIENCE)
    assert not panel.get_by_role("button", name="Ask", exact=True).is_disabled()

    panel.get_by_placeholder("a folder of text files").fill("nowhere")
    press(panel, "Read")
    panel.get_by_text("there is no folder 'nowhere'").wait_for(timeout=PATIENCE)


def test_the_chat_answers_stops_and_tells_errors():
    """An answer grows, Stop ends it while it is written, sources are shown, errors are told."""
    on_a_page(chat)
