"""`check` hands back what the page goes on with, keeps what passed, and shows a card."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import IPython
import pytest
from IPython.core.interactiveshell import InteractiveShell

from helpers.lab import card, checks, kept, own_cells, record
from helpers.lab.exercise import exercises

RIGHT = "import numpy as np\n\ndef mse(y, y_hat):\n    return float(np.mean((y - y_hat) ** 2))\n"


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A reader's machine with an empty record."""
    for name in ("CI", "COURSE_STRICT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.setattr(own_cells, "_sources", {})
    monkeypatch.setattr(own_cells, "_broken", {})
    return tmp_path


@pytest.fixture
def notebook(desk, monkeypatch):
    """Runs cells as a notebook does; gives the names."""
    shell = InteractiveShell()
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    own_cells.watch()

    def run(source: str) -> dict:
        result = shell.run_cell(source)
        if result.error_in_exec:
            raise result.error_in_exec
        return shell.user_ns

    module = sys.modules.get("__main__")
    sys.modules["__main__"] = shell.user_module
    yield run
    sys.modules["__main__"] = module


def test_what_passes_is_handed_back_and_the_course_stands_in_before(notebook, capsys):
    course = checks.find("1.1").of_the_course
    names = notebook("from helpers.lab import check\ndef mse(y, y_hat):\n    ...\n\nmse = check('1.1', mse)")
    assert names["mse"] is course and "goes on with the course's mse" not in capsys.readouterr().err
    names = notebook("mse = check('1.1', mse)")  # pressed twice: the course's own is not taken for the reader's
    assert names["mse"] is course and "This is the course's mse" in capsys.readouterr().out
    names = notebook("def mse(y, y_hat):\n    return 7.0\n\nmse = check('1.1', mse)")
    assert names["mse"] is course and record.solved() == {}
    names = notebook(RIGHT + "\nown = mse\nmse = check('1.1', mse)")
    assert names["mse"] is names["own"] and names["mse"] is not course and set(record.solved()) == {"1.1"}


def test_no_grader_takes_what_was_lent_for_an_answer(notebook):
    """nbgrader, Otter and others look at the name after the notebook has run."""
    names = notebook("from helpers.lab import check\ndef mse(y, y_hat):\n    ...\n\nmse = check('1.1', mse)")
    assert checks.evaluate("1.1", names["mse"]).status == "not done yet"
    names = notebook(RIGHT + "mse = check('1.1', mse)")
    assert checks.evaluate("1.1", names["mse"]).status == "passed"
    assert checks.evaluate("1.1", checks.find("1.1").solution).status == "passed"


def test_a_cell_with_a_syntax_error_gets_no_verdict_on_the_old_function(notebook, capsys):
    notebook("from helpers.lab import check\n" + RIGHT)
    notebook("def mse(y, y_hat):\n    return float(np.mean((y - y_hat) ** 2)")
    capsys.readouterr()
    notebook("mse = check('1.1', mse)")
    out = capsys.readouterr().out
    assert "could not be run (SyntaxError in its line 2)" in out and "right" not in out and record.solved() == {}
    notebook(RIGHT + "mse = check('1.1', mse)")
    assert set(record.solved()) == {"1.1"}


def test_an_answer_is_kept_with_what_it_needs_and_works_in_another_process(notebook, desk):
    notebook(
        "import math\nimport numpy as np\nfrom helpers.lab import check\nfrom numpy import mean as average\nPOWER = 2\n"
        "def squared(x):\n    return x ** POWER\n\n"
        "def mse(y, y_hat):\n    return float(average(squared(y - y_hat)))\n\nmse = check('1.1', mse)"
    )
    entry = record.answers()["1.1"]
    assert entry["name"] == "mse" and "from numpy import mean as average" in entry["source"] and "math" not in entry["source"]
    program = "from helpers.lab import mine; import numpy as np; print(mine('1.1')(np.array([1., 3.]), np.array([0., 0.])))"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "Your own mse (1.1" in said and said.rstrip().endswith("5.0")


def test_an_answer_that_leans_on_the_notebook_is_told_so_and_not_kept(notebook, capsys):
    notebook(
        "import numpy as np\nfrom helpers.lab import check\nn = np.array([2])\n"
        "def mse(y, y_hat):\n    return float(np.mean((y - y_hat) ** n[0]))\n\nmse = check('1.1', mse)"
    )
    out = capsys.readouterr().out
    assert "✓ 1.1" in out and "uses `n` of the notebook, a ndarray" in out and record.answers() == {}


def test_without_an_answer_the_course_s_is_used(desk, capsys):
    assert kept.mine("1.1") is checks.find("1.1").of_the_course
    assert "The course's mse is used here" in capsys.readouterr().out
    (desk / "answers.json").write_text(json.dumps({"1.1": {"name": "mse", "source": "1/0", "date": "2026-12-01"}}))
    assert kept.mine("1.1") is checks.find("1.1").of_the_course
    assert "could not be made again: division by zero" in capsys.readouterr().out


def test_a_damaged_file_of_answers_is_set_aside(desk, capsys):
    (desk / "answers.json").write_text('{"1.1": "no entry"}')
    assert record.answers() == {} and "set aside" in capsys.readouterr().out
    assert record.keep("1.2", "gradient", "x = 1") and set(record.answers()) == {"1.2"}
    assert len(list(desk.glob("answers.json.damaged-*"))) == 1


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.words = [], []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.mark.parametrize("answer", ["def mse(y, y_hat): ...", "def mse(y, y_hat): return '<b>&'", RIGHT])
def test_the_card_is_whole_says_what_the_text_says_and_escapes(answer, monkeypatch):
    space = {}
    exec(answer, space)
    report = checks.evaluate("1.1", space["mse"])
    page = Page()
    page.feed(card.body(report, 3, 8))
    text = " ".join(page.words)
    assert not page.open and "(3 of 8 here)" in text and "<b>&" not in card.body(report, 3, 8)
    assert card.SIGNS[report.status][0] in text and card.SIGNS[report.status][1] in text
    assert all(part in text for _, part in report.case)


def test_the_buttons_give_one_hint_after_the_other_and_the_solution():
    checks._given.clear()
    monkey = []
    exercise = checks.find("1.1")
    report = checks.evaluate("1.1", lambda y, y_hat: 7.0)
    shown = card.Card.show
    card.Card.show = lambda self: monkey.append(self)
    try:
        checks._show(exercise, report)
    finally:
        card.Card.show = shown
    bundle = monkey[0]._repr_mimebundle_()
    assert bundle["text/plain"] == report.message and "not right yet" in bundle["text/html"] and len(bundle) == 3
    box = monkey[0]._box()
    hint, solution = box.children[1].children
    for number in (1, 2):
        hint.click()
        assert re.search(rf"Hint {number} of {len(exercise.hints)}", box.children[2].value)
    solution.click()
    assert "def mse(y, y_hat):" in box.children[2].value


def test_every_exercise_has_something_to_go_on_with():
    for chapter in checks.chapters():
        for exercise in exercises(chapter):
            assert callable(exercise.of_the_course), exercise.id
