"""The notebooks once more with the reference solutions put in: every check must be green."""

import inspect

import nbformat
import pytest

from helpers.course.commands.notebooks import execute
from helpers.lab import checks
from tests.tools import author, style


@pytest.mark.parametrize("chapter", checks.chapters())
def test_with_the_solutions_every_check_is_green(chapter):
    nb = nbformat.read(author.notebook_path(chapter), 4)
    wanted = {e.id for e in checks.exercises(chapter)}
    for cell in nb.cells:
        for tag in style.tags(cell):
            if tag == "wrong-on-purpose":  # a check that is meant to fail would stop a strict run
                cell.source = ""
            if tag.startswith("exercise:"):
                cell.source = inspect.getsource(checks.find(tag.removeprefix("exercise:")).solution)
    result = execute(
        author.notebook_path(chapter), notebook=nb, env={"COURSE_STRICT": "1", "COURSE_QUIET": "1", "COURSE_PROFILE": "cpu"}
    )
    assert not result.error, result.error
    green = {
        tag.removeprefix("check:")
        for c in result.notebook.cells
        for tag in style.tags(c)
        if tag.startswith("check:") and style.output_text(c).startswith("✓")
    }
    assert green == wanted
