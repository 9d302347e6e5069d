"""A chat over one's own documents inside the notebook: sources beside each answer, and a stop button that works.

The answer is written in a thread of its own, so the page stays alive: the button is heard while the model writes. Only what
ipywidgets 7.7 (Colab) and 8.1 share is used. A page without a kernel shows a chat that was prepared.
"""

import html as _html
import inspect
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import ipywidgets

from helpers.features.spelling import without_controls
from helpers.lab.widgets import _WIDE, _WIDGET_VIEW
from helpers.retrieval.chat_memory import Buffer, Memory, Window

Respond = Callable[[str, Memory, Callable[[], bool]], Iterator[Any]]  # question, memory, stop -> answers as they grow
MEMORIES = ("none", "last 2 turns", "everything")


Stop = Callable[[], bool]
_SHOWN = 200  # of the files that were left out


def until(stop: Stop, items: Iterable[Any]) -> Iterator[Any]:
    """The items one by one. Raises InterruptedError as soon as stop() is true: for the long loops of `open_folder`."""
    for item in items:
        if stop():
            raise InterruptedError("stopped by you")
        yield item


class Turn(NamedTuple):
    """One question and its answer (a `rag.Answer`). state: "writing", "done", "stopped", or an error in words."""

    question: str
    answer: Any
    state: str = "done"


def render(turns: Sequence[Turn]) -> str:
    """The chat as HTML. What comes from a person, a model or a document is escaped; quotes are marked in their source."""
    if not turns:
        return "<p style='opacity: 0.7'>Nothing asked yet.</p>"
    return "".join(_turn(turn) for turn in turns)


def _turn(turn: Turn) -> str:
    e, a = _html.escape, turn.answer
    text = e(a.text) if a is not None and a.text else ("…" if turn.state == "writing" else "")
    note = {"writing": "writing …", "stopped": "stopped by you", "done": ""}.get(turn.state, f"error: {turn.state}")
    if a is not None and turn.state == "done" and not a.declined:
        note = f"prompt of {a.prompt_tokens} tokens; {a.support:.0%} of its numbers and names stand in the sources"
    small = "font-size: 0.85em; opacity: 0.75"
    said = (
        f"<div style='margin: 0.7em 0 0.2em'><b>You:</b> {e(turn.question)}</div>"
        f"<div class='chat-answer'><b>Assistant:</b> {text}</div><div class='chat-state' style='{small}'>{e(note)}</div>"
    )
    if a is None or a.declined or not a.sources:
        return said
    rows = "".join(f"<li><b>{e(d.title)}</b>: {_quoted(d.text, a.citation, n)}</li>" for n, d in enumerate(a.sources, start=1))
    return (
        f"{said}<details class='chat-sources' open><summary>sources</summary><ol style='font-size: 0.85em'>{rows}</ol></details>"
    )


def _quoted(text: str, citation: Any, number: int, around: int = 140) -> str:
    """A source as HTML: the cited span marked, with some text around it; otherwise its beginning."""
    e = _html.escape
    if citation is None or citation.source != number:
        return e(text[:around]) + (" …" if len(text) > around else "")
    left, right = max(0, citation.start - around), min(len(text), citation.end + around)
    return (
        ("… " if left else "")
        + e(text[left : citation.start])
        + f"<mark>{e(text[citation.start : citation.end])}</mark>"
        + e(text[citation.end : right])
        + (" …" if right < len(text) else "")
    )


def _left_out(skipped: Sequence[tuple[str, str]]) -> str:
    """The files that were not read, folded, as HTML."""
    if not skipped:
        return ""
    rows = "".join(f"<li>{_html.escape(name)}: {_html.escape(reason)}</li>" for name, reason in skipped[:_SHOWN])
    more = f"<li>and {len(skipped) - _SHOWN} more</li>" if len(skipped) > _SHOWN else ""
    return f"<details class='chat-left-out'><summary>left out: {len(skipped)}</summary><ul>{rows}{more}</ul></details>"


class ChatPanel:
    """The widget. Make it the last expression of a cell.

    respond(question, memory, stop): yields the answer as it grows; stop() is true once the button was pressed.
    open_folder(path, stop): reads another folder, returns (respond, what was read in words, [(file, why it was left out)]); the
    second argument and the third result may be missing. None hides that line. It runs in a thread, as the answers do.
    prepared: turns shown first, and on pages without a kernel.
    """

    def __init__(
        self,
        respond: Respond,
        *,
        caption: str,
        open_folder: Callable[..., tuple] | None = None,
        prepared: Sequence[Turn] = (),
    ):
        self.respond, self.open_folder, self.caption = respond, open_folder, caption
        self.turns, self.memory = list(prepared), Buffer()
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._thread: threading.Thread | None = None
        wide, button = ipywidgets.Layout(width="min(100%, 560px)"), ipywidgets.Layout(width="90px")
        self.folder = ipywidgets.Text(
            value="",
            description="folder",
            placeholder="a folder of text files",
            continuous_update=False,
            style=_WIDE,
            layout=wide,
        )
        self.open_button = ipywidgets.Button(description="Read", layout=button)
        self.question = ipywidgets.Text(
            value="", description="question", placeholder="ask, then press Ask", style=_WIDE, layout=wide
        )
        self.ask_button = ipywidgets.Button(description="Ask", button_style="primary", layout=button)
        self.stop_button = ipywidgets.Button(description="Stop", disabled=True, layout=button)
        self.memories = ipywidgets.Dropdown(
            options=list(MEMORIES), value=MEMORIES[0], description="memory", style=_WIDE, layout=wide
        )
        self.message, self.view = ipywidgets.HTML(), ipywidgets.HTML(render(self.turns))
        lines = [ipywidgets.HBox([self.folder, self.open_button])] if open_folder else []
        lines += [ipywidgets.HBox([self.question, self.ask_button, self.stop_button]), self.memories, self.message, self.view]
        self.box = ipywidgets.VBox(lines)
        self.box.add_class("course-chat")
        self.ask_button.on_click(lambda _: self.ask(self.question.value))
        self.stop_button.on_click(lambda _: self.stop())
        self.open_button.on_click(lambda _: self._start(lambda stop: self._read(self.folder.value, stop)))
        self.memories.observe(self._new_memory, names="value")

    def _new_memory(self, _change: Any = None) -> None:
        old = self.memory.turns
        self.memory = Window(2) if self.memories.value == MEMORIES[1] else Buffer()
        self.memory.turns = old

    def read(self, path: str) -> None:
        """Take another folder, and wait until it is read; what went wrong is said in the panel."""
        self._start(lambda stop: self._read(path, stop))
        self.wait(None)

    def ask(self, question: str) -> None:
        """Start writing an answer; returns at once. While one is being written, or without a question, nothing happens."""
        question = without_controls(question).strip()
        if question and not (self._thread is not None and self._thread.is_alive()):
            turns = self.turns
            turns.append(Turn(question, None, "writing"))
            self._show()
            self._start(lambda stop: self._write(turns, question, stop))

    def _start(self, work: Callable[[Stop], None]) -> None:
        """Do this in a thread of its own; what runs now is asked to stop. It keeps its own list of turns, so nothing mixes."""
        with self._lock:
            self._stop.set()
            self._stop = threading.Event()
            self.ask_button.disabled, self.stop_button.disabled = True, False
            self._thread = threading.Thread(target=self._run, args=(work, self._stop), daemon=True)
            self._thread.start()

    def _run(self, work: Callable[[Stop], None], stop: threading.Event) -> None:
        try:
            work(stop.is_set)
        finally:
            with self._lock:
                if stop is self._stop:  # nothing newer runs
                    self.ask_button.disabled, self.stop_button.disabled = False, True

    def _read(self, path: str, stop: Stop) -> None:
        assert self.open_folder is not None
        self.message.value = "<p>Reading ...</p>"
        skipped: Sequence[tuple[str, str]] = ()
        try:
            takes_stop = len(inspect.signature(self.open_folder).parameters) > 1
            self.respond, said, *more = self.open_folder(path, stop) if takes_stop else self.open_folder(path)
            skipped = more[0] if more else ()
            self.turns, self.memory.turns = [], []
            self._show()
        except Exception as error:  # a thread's exception would vanish: show it where the reader looks
            said = f"Not read: {error or type(error).__name__}"
        self.message.value = f"<p>{_html.escape(said)}</p>{_left_out(skipped)}"

    def stop(self) -> None:
        """Ask the thread that writes or reads to end after the token, or the file, that it is at."""
        self._stop.set()

    def wait(self, seconds: float | None = 60) -> None:
        """Until the answer is finished, or the folder is read; for tests and scripts."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _write(self, turns: list[Turn], question: str, stop: Stop) -> None:
        answer, state = None, "done"
        memory = Buffer() if self.memories.value == MEMORIES[0] else self.memory
        try:
            for answer in self.respond(question, memory, stop):
                turns[-1] = Turn(question, answer, "writing")
                self._show()
            state = "stopped" if stop() else "done"
        except Exception as error:  # as in _read
            state = f"{type(error).__name__}: {error}"
        turns[-1] = Turn(question, answer, state)
        if state == "done" and answer is not None and memory is self.memory:
            self.memory.add(question, answer.text)
        self._show()

    def _show(self) -> None:
        self.view.value = render(self.turns)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        note = "Static view of a prepared chat. Run the notebook to ask questions of your own."
        below = f"<p style='font-size: 0.9em; opacity: 0.85'>{_html.escape(self.caption)}</p>"
        return {
            _WIDGET_VIEW: {"version_major": 2, "version_minor": 0, "model_id": self.box.model_id},
            "text/html": f"{render(self.turns)}{below}<p style='font-size: 0.85em; opacity: 0.75'>{note}</p>",
            "text/plain": f"[chat panel] {self.caption}",
        }
