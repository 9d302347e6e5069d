"""The chat panel in a real browser: an answer grows, Stop ends it while it is written, sources are shown, errors are told."""

import json

import nbformat
import pytest

from helpers.lab import bootstrap
from tests.browser.test_browser import READY, SHOTS, browser, lab, needs_browser, playwright  # noqa: F401 (fixtures)

# A stand-in for the model: a word every tenth of a second, so that there is time to press Stop.
CELL = '''
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
'''


def show_panel(page, address: str) -> None:
    """A notebook with the panel, written through the server and run."""
    nb = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}})
    nb.cells = [nbformat.v4.new_code_cell(bootstrap.cell()), nbformat.v4.new_code_cell(CELL)]
    page.goto(f"{address}/lab")
    page.wait_for_function("() => document.cookie.includes('_xsrf')", timeout=60_000)
    body = json.dumps({"type": "notebook", "format": "json", "content": json.loads(nbformat.writes(nb))})
    page.evaluate("""async body => {
      const xsrf = document.cookie.match(/_xsrf=([^;]+)/)[1];
      const answer = await fetch('/api/contents/notebooks/chat_panel.ipynb',
        {method: 'PUT', headers: {'X-XSRFToken': xsrf, 'Content-Type': 'application/json'}, body});
      if (!answer.ok) throw new Error(await answer.text()); }""", body)
    page.goto(f"{address}/lab/tree/notebooks/chat_panel.ipynb?reset")
    page.wait_for_function(READY, timeout=60_000)
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    page.locator(".course-chat").wait_for(timeout=60_000)


def press(panel, name: str) -> None:
    panel.get_by_role("button", name=name, exact=True).click()


@needs_browser
def test_the_chat_answers_stops_and_tells_errors(lab, browser):  # noqa: F811
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    try:
        show_panel(page, lab)
        panel = page.locator(".course-chat")
        question = panel.get_by_placeholder("ask, then press Ask")

        question.fill("a long one")
        press(panel, "Ask")
        panel.get_by_text("word3 ").wait_for(timeout=20_000)
        assert panel.get_by_role("button", name="Ask", exact=True).is_disabled()
        press(panel, "Stop")
        panel.get_by_text("stopped by you").wait_for(timeout=20_000)
        assert "word40" not in panel.inner_text()

        question.fill("a short one")
        press(panel, "Ask")
        panel.get_by_text("its numbers and names stand in the sources").wait_for(timeout=20_000)
        assert panel.locator("mark").last.inner_text() == "120 m"
        assert "<b>and</b>" in panel.inner_text()  # what a document holds is shown, never obeyed as HTML
        SHOTS.mkdir(parents=True, exist_ok=True)
        panel.screenshot(path=SHOTS / "11_chat_panel.png")

        question.fill("fail")
        press(panel, "Ask")
        panel.get_by_text("ValueError: no such page").wait_for(timeout=20_000)
        assert not panel.get_by_role("button", name="Ask", exact=True).is_disabled()

        panel.get_by_placeholder("a folder of text files").fill("nowhere")
        press(panel, "Read")
        panel.get_by_text("there is no folder 'nowhere'").wait_for(timeout=20_000)
    finally:
        page.close()


@pytest.fixture(autouse=True)
def _installed():
    assert playwright
