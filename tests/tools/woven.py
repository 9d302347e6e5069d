"""A pytest plugin: nbval runs each notebook once, with more cells woven in; one kernel a notebook.

- after each check cell: the stub is "not done yet", the reference solution is green, the notebook's names are put back;
- after each later cell that uses the learner's function: the same cell with the reference solution;
- after each cell that shows panels: every control is moved, and the view changes;
- last: JupyterLab in Chromium attaches to the kernel (with --woven-browser; see `in_browser`).

nbval alone, without this plugin, runs the same notebooks as they are: pytest --nbval-lax --nbval-current-env notebooks
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator

import nbformat
import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

from helpers.lab import checks

PANEL = re.compile(r"^(?:\w+ = )?widgets\.explore\(", re.MULTILINE)
CALL = "from tests.tools import in_kernel as _woven\n_woven."
PATIENCE = 60  # seconds until a cell's next output comes: nbval's five are too few on a busy machine
IN_THE_BROWSER = "in the browser"


def tagged(cell, kind: str) -> str:
    """The id in a cell's tag "kind:id", or ""."""
    found = [t.removeprefix(kind + ":") for t in cell.metadata.get("tags", []) if t.startswith(kind + ":")]
    return found[0] if found else ""


def names_read(source: str) -> set[str]:
    """The names that a cell reads without having bound them before in the same cell (roughly: any name that it loads)."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set()
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def names_bound(source: str) -> set[str]:
    """The names that a cell gives a value to at its top level."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set()
    bound = set()
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            bound.add(statement.name)
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            bound |= {(a.asname or a.name).split(".")[0] for a in statement.names}
        else:
            bound |= {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return bound


def panels(source: str) -> int:
    """How many panels a cell shows."""
    return len(PANEL.findall(source))


class Weaver:
    """Goes through a notebook's code cells in order and says what is woven in after each."""

    def __init__(self, exercise_names: dict[str, str]):
        """exercise_names: exercise id -> the name of the learner's function."""
        self.names = exercise_names
        self.stubs: dict[str, str] = {}
        self.learners: dict[str, str] = {}  # name -> exercise whose function has that name now

    def after(self, cell) -> Iterator[tuple[str, str]]:
        """(title, source) of each cell that follows this one."""
        stub, check = tagged(cell, "exercise"), tagged(cell, "check")
        if stub:
            self.stubs[stub] = cell.source
            self.learners[self.names[stub]] = stub
        elif check:
            if check not in self.stubs:
                raise ValueError(f"the check of exercise {check} stands before its cell")
            yield f"exercise {check} solved", f"{CALL}solve({check!r}, {self.stubs[check]!r}, {cell.source!r})"
        else:
            for name, exercise in list(self.learners.items()):
                if name in names_bound(cell.source):
                    del self.learners[name]
                elif name in names_read(cell.source):
                    yield f"with exercise {exercise} solved", f"{CALL}again({exercise!r}, {cell.source!r})"
        if panels(cell.source):
            yield "controls moved", f"{CALL}move({panels(cell.source)})"


class WovenFile(IPyNbFile):
    """A notebook whose cells, and the woven ones, are run in order in one kernel."""

    def collect(self):
        chapter = self.path.name[:2]
        known = chapter in checks.chapters()
        weaver = Weaver({e.id: e.name for e in checks.exercises(chapter)} if known else {})
        self.items = []
        for item in super().collect():
            item.woven, item.output_timeout = "", PATIENCE
            self.items.append(item)
            for title, source in weaver.after(item.cell):
                cell = nbformat.v4.new_code_cell(source)
                woven = IPyNbCell.from_parent(
                    self, name=f"{item.name}, {title}", cell_num=item.cell_num, cell=cell, options=defaultdict(bool)
                )
                woven.woven, woven.output_timeout = title, PATIENCE
                self.items.append(woven)
        yield from self.items
        if set(weaver.stubs) != set(weaver.names):
            yield Missing.from_parent(self, name="every exercise is there", missing=set(weaver.names) - set(weaver.stubs))
        if self.config.getoption("woven_browser"):
            yield BrowserItem.from_parent(self, name=IN_THE_BROWSER)


class Missing(pytest.Item):
    """Fails: helpers.exercises has exercises that the notebook does not set."""

    def __init__(self, *, missing, **more):
        super().__init__(**more)
        self.missing = missing

    def runtest(self):
        raise AssertionError(f"the notebook has no cell for the exercises {', '.join(sorted(self.missing))}")


class BrowserItem(pytest.Item):
    """JupyterLab attaches to the kernel that the cells before have filled; each panel is there and redraws."""

    def runtest(self):
        from tests.tools import in_browser

        if in_browser.CHROMIUM is None:
            pytest.skip(in_browser.NO_CHROMIUM)
        failed = [item.name for item in self.parent.items if item.test_outputs is None]
        assert not failed, f"the cells {failed[:3]} have not run in this session: choose the whole notebook"
        in_browser.attach_and_move(self.parent.path, self.parent.nb, self.parent.kernel, executed(self.parent.items))

    def reportinfo(self):
        return self.path, None, f"{self.path.name} in the browser"


def executed(items) -> list[tuple[object, list[str]]]:
    """For each cell of the notebook: the cell with the outputs of this run, and the lines that moved panels have printed."""
    found = []
    for item in items:
        if not item.woven:
            cell = nbformat.from_dict(item.cell)
            cell.outputs, cell.execution_count = list(item.test_outputs), len(found) + 1
            found.append((cell, []))
        elif item.woven == "controls moved":
            text = "".join(o.get("text", "") for o in item.test_outputs)
            found[-1][1].extend(line for line in text.splitlines() if line.startswith("MOVED "))
    return found


def pytest_addoption(parser):
    parser.getgroup("nbval").addoption(
        "--woven-browser",
        action="store_true",
        dest="woven_browser",
        help="after the last cell of a notebook, look at its panels in JupyterLab",
    )


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(parent):
    found = yield
    return [WovenFile.from_parent(parent, path=one.path) if type(one) is IPyNbFile else one for one in found]


def pytest_unconfigure():
    import sys

    browser = sys.modules.get("tests.tools.in_browser")
    if browser:
        browser.close_station()
