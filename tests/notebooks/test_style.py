"""The committed notebooks keep the style of the design (section 6); the lint itself finds what it should."""

import copy

import nbformat
import pytest

from helpers.lab import bootstrap
from tests.tools import author, style

CHAPTERS = [c for c in sorted(author.NAMES) if author.notebook_path(c).exists()]


def load(chapter: str):
    return nbformat.read(author.notebook_path(chapter), 4)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_notebook_keeps_the_style(chapter):
    path = author.notebook_path(chapter)
    found = style.findings(load(chapter), path.stat().st_size, chapter)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_badges_are_those_of_the_address(chapter):
    assert any(c.source == author.badges(chapter) for c in load(chapter).cells)


def test_all_chapters_named_by_the_readme_exist():
    assert CHAPTERS[:3] == ["00", "01", "02"]


def spoil_ids(nb):
    nb.cells[1].id = nb.cells[0].id


def spoil_bootstrap(nb):
    next(c for c in nb.cells if c.source == bootstrap.cell()).source += "\nprint()"


def spoil_widget_state(nb):
    nb.metadata["widgets"] = {}


def spoil_path(nb):
    nb.cells[-1].source += "\nSee /" + "home/me/notebook"
    nb.cells[-1].cell_type = "code"
    nb.cells[-1].outputs, nb.cells[-1].execution_count = [], 1


def spoil_warning(nb):
    code(nb).outputs.append(nbformat.v4.new_output("stream", name="stderr", text="UserWarning: x"))


def spoil_error(nb):
    code(nb).outputs.append(nbformat.v4.new_output("error", ename="E", evalue="e", traceback=["E"]))


def spoil_alt(nb):
    code(nb).outputs.append(nbformat.v4.new_output("display_data", data={"text/html": "<img src='data:,' alt=''>"}))


def spoil_heading(nb):
    nb.cells.append(nbformat.v4.new_markdown_cell("# Second title"))


def spoil_length(nb):
    code(nb).source = "\n".join(f"x = {i}" for i in range(61))


def spoil_pyplot(nb):
    code(nb).source = "import matplotlib.pyplot as plt"


def spoil_count(nb):
    code(nb).execution_count = None


def code(nb):
    return [c for c in nb.cells if c.cell_type == "code"][2]


@pytest.mark.parametrize(
    "spoil, word",
    [
        (spoil_ids, "unique"),
        (spoil_bootstrap, "bootstrap"),
        (spoil_widget_state, "widget state"),
        (spoil_path, "absolute path"),
        (spoil_warning, "warning"),
        (spoil_error, "error"),
        (spoil_alt, "alt text"),
        (spoil_heading, "headings"),
        (spoil_length, "more than 60"),
        (spoil_pyplot, "pyplot"),
        (spoil_count, "not executed"),
    ],
    ids=lambda v: getattr(v, "__name__", v),
)
def test_the_lint_sees_a_spoiled_notebook(spoil, word):
    nb = copy.deepcopy(load("01"))
    spoil(nb)
    assert any(word in f for f in style.findings(nb, 1000, "01"))


def test_the_lint_sees_a_large_file():
    assert any("500,000" in f for f in style.findings(load("01"), 600_000, "01"))
