"""What the woven cells call inside a notebook's own kernel (see `woven`): exercises solved, and controls of panels moved.

Everything is put back afterwards: the names of the notebook, the seeds, the places of the controls.
"""

import contextlib
import gc
import io
import os
import random
import sys

import ipywidgets
import numpy as np
from IPython import get_ipython

from helpers.lab import checks, own_cells
from helpers.lab.widgets import Panel

UNDRAWN = "cannot be drawn"
_seen: list[Panel] = []


@contextlib.contextmanager
def as_it_was(names: dict):
    """Put back the names of the notebook and the states of the random generators."""
    before, own, numpys = dict(names), random.getstate(), np.random.get_state()
    torch = sys.modules.get("torch")
    torchs = torch.get_rng_state() if torch else None
    try:
        yield
    finally:
        names.clear()
        names.update(before)
        random.setstate(own)
        np.random.set_state(numpys)
        if torch:
            torch.set_rng_state(torchs)


def run(source: str, names: dict) -> str:
    """Run the source of a cell among the notebook's names; returns what it prints and the text of what it displays."""
    shell, said, shown = get_ipython(), io.StringIO(), []
    code = shell.transform_cell(source)
    place = shell.compile.cache(code, raw_code=source)  # so that tracebacks and inspect find the lines
    publish = shell.display_pub.publish
    shell.display_pub.publish = lambda data, *args, **more: shown.append(data.get("text/plain", ""))
    try:
        with contextlib.redirect_stdout(said):
            exec(compile(code, place, "exec"), names)
    finally:
        shell.display_pub.publish = publish
    own_cells.note(code)
    return "\n".join([*shown, said.getvalue()])


def run_strictly(source: str, names: dict) -> str:
    """The same with COURSE_STRICT set, where a check that is not green raises."""
    os.environ["COURSE_STRICT"] = "1"
    try:
        return run(source, names)
    finally:
        del os.environ["COURSE_STRICT"]


def solve(exercise_id: str, stub: str, check: str) -> None:
    """The stub is "not done yet"; with the reference solution in its place the notebook's own check is green.

    stub, check: the sources of the two cells. Raises AssertionError with the verdict where that is not so.
    """
    exercise, names = checks.find(exercise_id), get_ipython().user_ns
    with as_it_was(names):
        run(stub, names)
        report = checks.evaluate(exercise_id, names[exercise.name])
        if report.status != "not done yet":
            raise AssertionError(f"the untouched stub of {exercise_id} is {report.status}: {report.message}")
        run(checks.solution_source(exercise_id), names)
        said = run_strictly(check, names)
        if not said.startswith(f"✓ {exercise_id} "):
            raise AssertionError(f"with the reference solution the check of {exercise_id} says: {said or 'nothing'}")
        if getattr(names[exercise.name], "__module__", "") != "__main__":
            raise AssertionError(f"after the check of {exercise_id} passed, {exercise.name} is not the learner's own")
    print(said, end="")


def again(exercise_id: str, cell: str) -> None:
    """A later cell that uses the learner's function runs with the reference solution, too, and calls it.

    Raises AssertionError when it does not.
    """
    names, calls = get_ipython().user_ns, []
    with as_it_was(names):
        run(checks.solution_source(exercise_id), names)
        name = checks.find(exercise_id).name
        own = names[name]

        def counting(*args, **kwargs):
            calls.append(len(args))
            return own(*args, **kwargs)

        names[name] = own if isinstance(own, type) else counting
        said = run(cell, names)
        if not calls and not isinstance(own, type):
            raise AssertionError(f"the cell mentions {name}, and never calls it")
    print(f"{len(calls)} calls of {name}\n{said}", end="")


# ------------------------------------------------------------------------------------------------------ panels


def kind_of(control: ipywidgets.Widget) -> str:
    """What a person sees: slider, choice, toggle, or a line to type into."""
    if hasattr(control, "options"):
        return "choice"
    if isinstance(control.value, bool):
        return "toggle"
    return "slider" if "Slider" in type(control).__name__ else "number"


def elsewhere(control: ipywidgets.Widget) -> list:
    """Other values of a control, the nearest first: what one step, then three steps, then a jump to an end would give."""
    value = control.value
    if hasattr(control, "options"):
        listed = [o[1] if isinstance(o, tuple) else o for o in control.options]
        return [o for o in listed if o != value][:1]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, str):  # a panel that wants one word gets another one that every vocabulary knows
        return [value + " extra" if " " in value else "the"]
    if isinstance(control, ipywidgets.FloatLogSlider):
        up = value * control.base**control.step <= control.base**control.max * (1 + 1e-9)
        steps = [value * control.base ** ((n if up else -n) * control.step) for n in (1, 3)]
        ends = [control.base**control.min, control.base**control.max]
    else:
        up = value + control.step <= control.max + 1e-9
        steps = [value + (n if up else -n) * control.step for n in (1, 3)]
        ends = [control.min, control.max]
    inside = [v for v in steps if ends[0] - 1e-9 <= v <= ends[1] + 1e-9]
    return [*inside, *(end for end in ends if end != value)] if kind_of(control) == "slider" else inside[:1]


def set_to(panel: Panel, control: ipywidgets.Widget, value) -> str:
    """Set a control (and press the panel's button); returns the view. Raises AssertionError when it cannot be drawn."""
    control.value = value
    if panel.button:
        panel.button.click()
    if UNDRAWN in panel.view.value:
        raise AssertionError(f"{control.description!r} = {value!r}: {panel.view.value}")
    return panel.view.value


def put_back(panel: Panel, control: ipywidgets.Widget, value, view: str) -> None:
    """Put control and view back as they were; drawing is a pure function of the controls, so it is not drawn again."""
    control.unobserve(panel.redraw, names="value") if not panel.button else None
    control.value = value
    control.observe(panel.redraw, names="value") if not panel.button else None
    panel.view.value = view


def move(expected: int) -> None:
    """Move every control of the panels that the cell before has made, and put it back; each must change the view.

    Prints, for the test in the browser, one line a panel: MOVED, its model, and [place, kind, tries] of each control.
    Raises AssertionError for another number of panels than expected, for a control that changes nothing, and for a
    setting that cannot be drawn.
    """
    gc.collect()
    new = [o for o in gc.get_objects() if type(o) is Panel and not any(o is seen for seen in _seen)]
    if len(new) != expected:
        raise AssertionError(f"the cell made {len(new)} panels, expected {expected}")
    _seen.extend(new)
    for panel in new:
        moved = []
        for place, (name, control) in enumerate(panel.controls.items()):
            start, value, values = panel.view.value, control.value, elsewhere(control)
            for tries, other in enumerate(values, 1):
                if set_to(panel, control, other) != start:
                    moved.append(f"{place}:{kind_of(control)}:{tries}")
                    break
            else:
                if values:
                    raise AssertionError(f"panel {panel.caption!r}: no value of {name!r} ({values}) changes the view")
            put_back(panel, control, value, start)
        if not moved:
            raise AssertionError(f"panel {panel.caption!r}: no control can be moved")
        print("MOVED", panel.box.model_id, *moved)
