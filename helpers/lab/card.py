"""The verdict as a card: color, sign and word, the case as a small table, and two buttons that give a hint or the solution.

On a page without a kernel the card stands still; where there are no pages at all, the text is printed.
"""

import html
from collections.abc import Callable, Sequence
from typing import Any

from helpers.lab.verdicts import Report

SIGNS = {  # status -> sign, word, color of the border
    "passed": ("✓", "right", "#009e73"),
    "wrong": ("✗", "not right yet", "#d98200"),
    "not done yet": ("…", "not done yet", "#888"),
}
_VIEW = "application/vnd.jupyter.widget-view+json"
_CODE = "font-family: monospace; white-space: pre-wrap; overflow-wrap: anywhere"


def body(report: Report, solved: int, number: int) -> str:
    """The card as HTML. solved, number: how many exercises of the chapter have passed on this machine, and how many there are."""
    sign, word, color = SIGNS[report.status]
    rows = "".join(
        f"<tr><td style='text-align: left; vertical-align: top; opacity: 0.75; padding: 0 1em 0 0'>{name}</td>"
        f"<td style='text-align: left; {_CODE}'>{html.escape(text)}</td></tr>"
        for name, text in report.case
    )
    lines = [*report.said, *([] if report.status == "passed" else [f'Help: hint("{report.id}")'])]
    said = [f"<p style='margin: 0.3em 0'>{html.escape(_ended(line))}</p>" for line in lines]
    table = f"<table style='border-collapse: collapse; margin: 0.3em 0; font-size: 1em'>{rows}</table>" if rows else ""
    return (
        f"<div role='status' style='border-left: 5px solid {color}; padding: 0.2em 0 0.2em 0.8em; margin: 0.4em 0; "
        f"max-width: 46em'><p style='margin: 0.2em 0'><b><span aria-hidden='true'>{sign}</span> "
        f"{html.escape(f'{report.id} {report.title}')}: {word}</b> "
        f"<span style='opacity: 0.75'>({solved} of {number} here)</span></p>"
        + "".join([*said[:1], table, *said[1:]])  # what it is, the case, and what to do now
        + "</div>"
    )


def _ended(sentence: str) -> str:
    """The sentence with a full stop, where it does not end in a sign of its own."""
    return sentence if sentence[-1:] in ".?!)" else f"{sentence}."


class Card:
    """A verdict to look at. actions: (label, function that gives the HTML to show below) of each button."""

    def __init__(self, text: str, page: str, actions: Sequence[tuple[str, Callable[[], str]]]) -> None:
        self.text, self.page, self.actions = text, page, actions

    def _box(self) -> Any:
        import ipywidgets

        below = ipywidgets.HTML()
        buttons = []
        for label, action in self.actions:
            button = ipywidgets.Button(description=label, layout=ipywidgets.Layout(width="auto"))
            button.on_click(lambda _, action=action: setattr(below, "value", action()))
            buttons.append(button)
        box = ipywidgets.VBox([ipywidgets.HTML(self.page), ipywidgets.HBox(buttons), below])
        box.add_class("course-card")
        return box

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        bundle: dict[str, Any] = {"text/html": self.page, "text/plain": self.text}
        if self.actions:
            try:
                view = {"version_major": 2, "version_minor": 0, "model_id": self._box().model_id}
            except Exception:  # no widgets here: the card stands still, and hint() says the same
                return bundle
            bundle[_VIEW] = view
        return bundle

    def show(self) -> None:
        """Show the card in a notebook; print its text anywhere else."""
        try:
            from IPython import get_ipython
            from IPython.display import display
        except ImportError:
            print(self.text)
            return
        if getattr(get_ipython(), "kernel", None) is None:
            print(self.text)
        else:
            display(self)


def code(text: str) -> str:
    """Code as HTML."""
    return f"<pre style='margin: 0.3em 0'><code>{html.escape(text)}</code></pre>"


def paragraph(text: str) -> str:
    """A sentence as HTML."""
    return f"<p style='margin: 0.3em 0; max-width: 46em'>{html.escape(text)}</p>"
