"""Widgets as thin shells around pure drawing functions, with a static first state for pages without a kernel.

Only what ipywidgets 7.7 (Colab) and 8.1 share is used: a redraw sets the value of one HTML widget.
"""

import html as _html
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets

from helpers.features.spelling import without_controls
from helpers.lab import figures

_WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
_WIDE = {"description_width": "initial"}


def _layout() -> ipywidgets.Layout:
    return ipywidgets.Layout(width="min(100%, 460px)")


def slider(label: str, low: float, high: float, value: float, step: float) -> ipywidgets.Widget:
    """A slider from ``low`` to ``high``; whole numbers when all four values are whole."""
    whole = all(isinstance(v, int) for v in (low, high, value, step))
    kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
    more = {} if whole else {"readout_format": f".{_decimals(step)}f"}
    return kind(
        value=value,
        min=low,
        max=high,
        step=step,
        description=label,
        continuous_update=False,
        style=_WIDE,
        layout=_layout(),
        **more,
    )


def _decimals(step: float) -> int:
    """How many decimals a read-out needs so that each step shows."""
    for digits in range(7):
        if abs(round(step, digits) - step) < 1e-9 * max(1.0, abs(step)):
            return digits
    return 7


def log_slider(label: str, low_exponent: float, high_exponent: float, value: float, step: float = 0.1) -> ipywidgets.Widget:
    """A slider over powers of ten, from 10**low_exponent to 10**high_exponent."""
    return ipywidgets.FloatLogSlider(
        value=value,
        base=10,
        min=low_exponent,
        max=high_exponent,
        step=step,
        description=label,
        readout_format=".2g",
        continuous_update=False,
        style=_WIDE,
        layout=_layout(),
    )


def choice(label: str, options: Sequence, value: Any = None) -> ipywidgets.Widget:
    """A drop-down list; ``options`` are values, or (text, value) pairs."""
    first = options[0][1] if isinstance(options[0], tuple) else options[0]
    return ipywidgets.Dropdown(
        options=list(options), value=first if value is None else value, description=label, style=_WIDE, layout=_layout()
    )


def toggle(label: str, value: bool = False) -> ipywidgets.Widget:
    """A box to tick."""
    return ipywidgets.Checkbox(value=value, description=label, indent=False, layout=_layout())


def text(label: str, value: str) -> ipywidgets.Widget:
    """A line to type into; it redraws on Enter or when the line is left."""
    return ipywidgets.Text(value=value, description=label, continuous_update=False, style=_WIDE, layout=_layout())


def seed_button(label: str = "Another seed") -> ipywidgets.Widget:
    """A number that grows by one with each press of its button: for a new random draw."""
    return ipywidgets.BoundedIntText(value=0, min=0, max=999, step=1, description=label, style=_WIDE, layout=_layout())


class Panel:
    """Controls above a view. ``panel.controls[name].value = x`` redraws; ``panel.view.value`` is the HTML shown."""

    def __init__(self, draw: Callable, caption: str, run: str | None, controls: dict[str, ipywidgets.Widget]):
        if not controls:
            raise ValueError("a panel needs at least one control, for example w=widgets.slider(...)")
        self._draw, self.caption, self.controls = draw, caption, controls
        self.view = ipywidgets.HTML()
        self.button = ipywidgets.Button(description=run, button_style="primary") if run else None
        rows = [*controls.values(), *([self.button] if run else [])]
        self.box = ipywidgets.VBox([ipywidgets.VBox(rows), self.view])
        self.box.add_class("course-panel")
        self.redraw()
        settings = ", ".join(f"{c.description} = {_readable(c.value)}" for c in controls.values())
        note = f"Static view with {settings}. Run the notebook to move the controls."
        self.static = f"{self.view.value}<p style='font-size: 0.85em; opacity: 0.75'>{_html.escape(note)}</p>"
        if self.button:
            self.button.on_click(self.redraw)
        else:
            for control in controls.values():
                control.observe(self.redraw, names="value")

    def values(self) -> dict[str, Any]:
        """The value of each control by name."""
        read = lambda value: without_controls(value) if isinstance(value, str) else value  # noqa: E731
        return {name: read(control.value) for name, control in self.controls.items()}

    def redraw(self, _change: Any = None) -> None:
        """Draw again for the controls' values. An error is shown in the view, in words, and not raised."""
        try:
            self.view.value = self._render(self.values())
        except Exception as error:  # a live page swallows exceptions of callbacks: show them where the reader looks
            if not self.view.value:
                raise
            self.view.value = f"<p><b>This setting cannot be drawn:</b> {_html.escape(str(error))}</p>"

    def _render(self, values: dict[str, Any]) -> str:
        drawn = self._draw(**values)
        if isinstance(drawn, str):
            below = f"<p style='font-size: 0.9em; opacity: 0.85'>{_html.escape(self.caption)}</p>" if self.caption else ""
            return drawn + below
        fig, alt = drawn
        return figures.html(fig, alt, self.caption)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """One bundle: a live page shows the widget, any other page the static first state."""
        return {
            _WIDGET_VIEW: {"version_major": 2, "version_minor": 0, "model_id": self.box.model_id},
            "text/html": self.static,
            "text/plain": f"[widget] {self.caption}",
        }


def _readable(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def explore(draw: Callable, *, caption: str, run: str | None = None, **controls: ipywidgets.Widget) -> Panel:
    """A panel that redraws when a control moves; make it the last expression of a cell.

    draw: a pure function of the controls' values that returns (Figure, alt text) or an HTML string.
    run: the label of a button that must be pressed to redraw (for work of over half a second).
    controls: keyword of ``draw`` -> control made with `slider`, `choice`, ...
    Raises ValueError when there is no control; an error of ``draw`` in the first state is raised, later ones are shown.
    """
    return Panel(draw, caption, run, controls)
