"""The chat panel without a browser: it writes in a thread, stops, shows sources, and escapes whatever it shows."""

import threading

from helpers.lab.chat_panel import MEMORIES, ChatPanel, Turn, render
from helpers.retrieval.documents import Document
from helpers.retrieval.grounding import Citation
from helpers.retrieval.rag import Answer

SOURCES = [Document("a <b>", "It is 120 m long & old.")]


def slow(question, memory, stop, gate=None):
    """Words one by one; after each it waits for the gate, so that a test decides when it goes on."""
    text = ""
    for word in ("one", "two", "three"):
        if stop():
            return
        text = f"{text} {word}".strip()
        yield Answer(text, SOURCES)
        if gate:
            gate.wait(5)
            gate.clear()
    yield Answer(text, SOURCES, Citation(1, 0, 8, "It is 12"), support=0.5, prompt_tokens=77)


def test_an_answer_is_written_and_its_source_marked():
    panel = ChatPanel(slow, caption="c")
    panel.memories.value = MEMORIES[2]
    panel.ask("Why?")
    panel.wait()
    assert "one two three" in panel.view.value and "<mark>It is 12</mark>0 m long &amp; old." in panel.view.value
    assert "77 tokens" in panel.view.value and "a &lt;b&gt;" in panel.view.value
    assert panel.turns[0].state == "done" and panel.memory.turns == [("Why?", "one two three")]
    assert not panel.ask_button.disabled and panel.stop_button.disabled


def test_stop_works_while_it_writes():
    gate = threading.Event()
    panel = ChatPanel(lambda q, m, stop: slow(q, m, stop, gate), caption="c")
    panel.ask("Why?")
    while "one" not in panel.view.value:
        pass
    assert panel.ask_button.disabled and not panel.stop_button.disabled
    panel.ask("Another?")  # while it writes, nothing happens
    panel.stop_button.click()
    gate.set()
    panel.wait()
    assert len(panel.turns) == 1 and panel.turns[0].state == "stopped" and "three" not in panel.view.value
    assert panel.memory.turns == []  # what was stopped is not remembered


def test_errors_are_shown_and_the_panel_lives_on():
    def broken(question, memory, stop):
        raise ValueError("the <model> is gone")
        yield

    panel = ChatPanel(broken, caption="c")
    panel.ask("Why?")
    panel.wait()
    assert "ValueError: the &lt;model&gt; is gone" in panel.view.value and not panel.ask_button.disabled
    panel.ask("   ")
    assert len(panel.turns) == 1


def test_memory_modes_and_folders(tmp_path):
    seen = []

    def note(question, memory, stop):
        seen.append(len(memory.messages()))
        yield Answer("yes", [])

    def open_folder(path):
        if path == "bad":
            raise ValueError("it is <empty>")
        return note, f"Read {path}."

    panel = ChatPanel(note, caption="c", open_folder=open_folder)
    for mode in (MEMORIES[0], MEMORIES[1], MEMORIES[2], MEMORIES[1]):
        panel.memories.value = mode
        panel.ask("Why?")
        panel.wait()
    assert seen == [0, 0, 2, 4]  # nothing is kept while it is off
    panel.read("bad")
    assert "Not read: it is &lt;empty&gt;" in panel.message.value and len(panel.turns) == 4
    panel.read("good")
    assert "Read good." in panel.message.value and panel.turns == [] == panel.memory.turns


def test_a_page_without_a_kernel_shows_the_prepared_chat():
    declined = Answer("Nothing.", SOURCES, declined=True)
    panel = ChatPanel(slow, caption="c", prepared=[Turn("Q <1>?", declined)])
    bundle = panel._repr_mimebundle_()
    assert "Q &lt;1&gt;?" in bundle["text/html"] and "Static view" in bundle["text/html"]
    assert "sources" not in render([Turn("q", declined)])  # a declined question shows none
    assert "application/vnd.jupyter.widget-view+json" in bundle and "Nothing asked yet" in render([])
