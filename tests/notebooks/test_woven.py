"""The weaving: what is put after which cell, and that a wrong reference, a broken stub and a dead control turn it red."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from helpers.lab import checks, widgets
from tests.tools import in_kernel, woven

ROOT = Path(__file__).resolve().parents[2]
FIRST = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom helpers.lab import check, checks, widgets"
STUB = 'def bytes_per_character(text):\n    """A docstring."""\n    ...'
WRONG = "checks.solution_source = lambda e: 'def bytes_per_character(text):\\n    return len(text) / len(text.encode())'"
PANEL = "widgets.explore(lambda n: f'<p>{n%s}</p>', caption='c', n=widgets.slider('n', 0, 9, 3, 1))"
STUB_IS_BACK = "assert globals()['bytes_per_' + 'character']('x') is None"


def cell(source: str, *tags: str):
    return new_code_cell(source, metadata={"tags": list(tags)})


def test_what_follows_which_cell():
    weaver = woven.Weaver({"1.1": "f"})
    follows = [
        [title for title, _ in weaver.after(c)]
        for c in (
            cell("f(0)"),
            cell("def f(x): ...", "exercise:1.1"),
            cell("check('1.1', f)", "check:1.1"),
            cell("print(f(2))"),
            cell("x = widgets.explore(a)\nwidgets.explore(b)"),
            cell("f = 1"),
            cell("f + 1"),
        )
    ]
    assert follows == [[], [], ["exercise 1.1 solved"], ["with exercise 1.1 solved"], ["controls moved"], [], []]
    with pytest.raises(ValueError, match="before its cell"):
        list(woven.Weaver({"1.1": "f"}).after(cell("check('1.1', f)", "check:1.1")))


def test_every_kind_of_control_has_another_place():
    assert in_kernel.elsewhere(widgets.slider("n", 0, 9, 3, 1)) == [4, 6, 0, 9]
    assert in_kernel.elsewhere(widgets.slider("n", 0, 9, 9, 1)) == [8, 6, 0]
    assert in_kernel.elsewhere(widgets.log_slider("n", -3, 0, 0.1, 0.5)) == pytest.approx([10**-0.5, 0.001, 1])
    assert in_kernel.elsewhere(widgets.choice("n", [("one", 1), ("two", 2)])) == [2]
    assert in_kernel.elsewhere(widgets.choice("n", ["only"])) == []
    assert in_kernel.elsewhere(widgets.toggle("n")) == [True]
    assert in_kernel.elsewhere(widgets.seed_button()) == [1]
    assert [in_kernel.elsewhere(widgets.text("n", t)) for t in ("one", "two words")] == [["the"], ["two words extra"]]


def panel(draw, **more):
    """A panel, and a clean slate for `move`."""
    in_kernel._seen[:] = [o for o in in_kernel.gc.get_objects() if type(o) is in_kernel.Panel]
    return widgets.explore(draw, caption="c", **more, n=widgets.slider("n", 0, 9, 3, 1), m=widgets.choice("m", ["a", "b"]))


@pytest.mark.parametrize("button", [None, "Run"])
def test_controls_are_moved_and_put_back(button, capsys):
    made = panel(lambda n, m: f"<p>{n // 2} {m}</p>", run=button)
    before = made.view.value
    in_kernel.move(1)
    assert made.values() == {"n": 3, "m": "a"} and made.view.value == before
    assert capsys.readouterr().out.split()[2:] == ["0:slider:1", "1:choice:1"]
    made.controls["n"].value = 8
    assert button or "4 a" in made.view.value  # it still redraws


@pytest.mark.parametrize(
    "draw, words",
    [
        (lambda n, m: f"<p>{n}</p>", "no value of 'm'"),
        (lambda n, m: f"<p>{m} {1 / (n - 4)}</p>", "cannot be drawn"),
    ],
)
def test_a_control_that_does_nothing_or_breaks_is_told(draw, words):
    made = panel(draw)
    with pytest.raises(AssertionError, match=words):
        in_kernel.move(1)
    assert made.controls
    with pytest.raises(AssertionError, match="made 0 panels, expected 2"):
        in_kernel.move(2)


def write(folder: Path, name: str, *cells) -> None:
    nb = new_notebook(cells=[new_code_cell(FIRST), *cells])
    nb.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nb, folder / f"00_{name}.ipynb")


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> dict[tuple[str, str], str]:
    """(notebook, test) -> "" or how it failed, of four small notebooks of chapter 00 in one run of nbval."""
    folder = tmp_path_factory.mktemp("woven")
    stub, check = cell(STUB, "exercise:0.1"), cell('check("0.1", bytes_per_character)', "check:0.1")
    write(folder, "good", stub, check, cell(PANEL % ""), cell("bytes_per_character('x')"), cell(STUB_IS_BACK))
    write(folder, "wrong", cell(WRONG), stub, check, cell(PANEL % " - n"))
    write(folder, "broken", cell(STUB.replace("...", "return 1 / 0"), "exercise:0.1"), check)
    write(folder, "missing", cell("1"))
    report = folder / "report.xml"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "tests.tools.woven",
        "-p",
        "no:cacheprovider",
        "--nbval-lax",
        "--nbval-current-env",
        f"--junitxml={report}",
        str(folder),
    ]
    subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "COURSE_QUIET": "1", "COURSE_PROGRESS": os.devnull},
        capture_output=True,
        check=False,
    )
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):
        fault = case.find("failure")
        notebook = case.get("classname").removesuffix(".ipynb").rpartition("00_")[2]
        found[notebook, case.get("name")] = "" if fault is None else (fault.text or "")
    return found


def test_a_good_notebook_is_green_and_its_stub_is_back_afterwards(told):
    good = {name: fault for (notebook, name), fault in told.items() if notebook == "good"}
    assert set(good.values()) == {""}
    assert {"Cell 2, exercise 0.1 solved", "Cell 3, controls moved", "Cell 4, with exercise 0.1 solved"} <= set(good)


def test_a_wrong_answer_in_the_place_of_the_reference_is_red_with_its_diagnosis(told):
    assert checks.find("0.1").wrong[0].diagnosis in told["wrong", "Cell 3, exercise 0.1 solved"]
    assert "changes the view" in told["wrong", "Cell 4, controls moved"]


def test_a_stub_that_is_not_untouched_is_red(told):
    assert "the untouched stub of 0.1 is wrong" in told["broken", "Cell 2, exercise 0.1 solved"]


def test_an_exercise_that_the_notebook_does_not_set_is_red(told):
    assert "0.1" in told["missing", "every exercise is there"]
