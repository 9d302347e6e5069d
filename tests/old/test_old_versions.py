"""The oldest versions that the course supports, ipywidgets 7.7.1 of Colab among them: the modules load, every widget is
built and moved, short chapters run from top to bottom in a kernel that has them.

The old packages go into a folder of their own that comes first on the path; all else is this environment's. This is a leg
of its own (course.py test --steps old), so what cannot be installed fails; only the oldest torch, whose CPU build stands on
an index of its own, is skipped where it is not to be had, and the test says why.
"""

import ast
import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from helpers import chapters
from helpers.course.commands import torch_build
from tests.tools import author

ROOT = Path(__file__).resolve().parents[2]
NEW_PYTHON = sys.version_info >= (3, 13)  # its first wheels are those of later versions than our floors
OLD = {
    "numpy": "2.1.0" if NEW_PYTHON else "2.0.0",
    "scipy": "1.14.1" if NEW_PYTHON else "1.13.0",
    "scikit-learn": "1.6.0",
    "matplotlib": "3.10.0",
    "ipywidgets": "7.7.1",
    "ipykernel": "6.17.1",
    "ipython": "7.34.0",  # Colab's; these two belong to it and to ipywidgets 7:
    "backcall": "0.2.0",
    "decorator": "5.1.1",
    "ipython-genutils": "0.2.0",
    "pickleshare": "0.7.5",
}
SHORT = ["01", "02", "05"]  # half a minute together on a quiet machine
FLOORS = ("numpy", "scipy", "scikit-learn", "matplotlib", "ipywidgets", "ipykernel")


def pip(folder: Path, *packages: str) -> str:
    """Install packages into a folder; returns "" or the last line of pip's complaint."""
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--only-binary", ":all:", "--target", str(folder)]
    done = subprocess.run([*command, *packages], capture_output=True, text=True, check=False)
    lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
    return "" if done.returncode == 0 else (lines or ["pip failed"])[0]


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """The folder of the old packages."""
    folder = tmp_path_factory.mktemp("old")
    problem = pip(folder, *(f"{name}=={version}" for name, version in OLD.items()))
    if problem:
        pytest.fail(f"the oldest supported versions cannot be installed here: {problem}")
    return folder


def environment(*folders: Path) -> dict[str, str]:
    path = os.pathsep.join(map(str, [*folders, ROOT]))
    more = {"COURSE_QUIET": "1", "HF_HUB_OFFLINE": "1", "PYTHONPATH": path, "COURSE_PROGRESS": os.devnull}
    return {**{k: v for k, v in os.environ.items() if k != "MPLBACKEND"}, **more}


def python(code: str, *folders: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment(*folders),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def run_in(folder: Path, chapter: str, *folders: Path):
    """Execute a notebook in a kernel that sees ``folders`` first; returns it."""
    spec = folder / "kernels" / "old"
    spec.mkdir(parents=True, exist_ok=True)
    launch = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--IPKernelApp.log_level=ERROR"]
    (spec / "kernel.json").write_text(json.dumps({"argv": launch, "display_name": "old", "language": "python"}))
    path = author.notebook_path(chapter)
    nb = nbformat.read(path, 4)
    manager = AsyncKernelManager(kernel_name="old", kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(folder / "kernels")]))
    client = NotebookClient(nb, km=manager, timeout=240, resources={"metadata": {"path": str(path.parent)}})
    factory = asyncio.SelectorEventLoop if os.name == "nt" else None
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(client.async_execute(env=environment(*folders)))
    return nb


def test_the_versions_here_are_the_floors_of_the_requirements():
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    for name in FLOORS:
        floor = re.search(rf"^{name}>=([\d.]+)", text, re.MULTILINE)[1]
        got, least = ([int(p) for p in v.split(".")] for v in (OLD[name], floor))
        assert got[: len(least)] == least or (NEW_PYTHON and got > least), (name, OLD[name], floor)


def test_every_module_loads(old):
    code = """
import importlib, pathlib, pkgutil
import helpers, ipywidgets, matplotlib, numpy
names = [m.name for m in pkgutil.walk_packages(helpers.__path__, "helpers.")]
for name in names:
    importlib.import_module(name)
print(len(names), numpy.__version__, matplotlib.__version__, ipywidgets.__version__)
"""
    count, *versions = python(code, old).split()[-4:]
    assert int(count) > 60 and versions == [OLD["numpy"], OLD["matplotlib"], OLD["ipywidgets"]]


def panels() -> list[tuple[str, dict[str, tuple[str, list, dict]], bool]]:
    """Every panel of the notebooks: chapter, its controls as (kind, arguments), whether it has a button.

    An argument that is no literal (a list of names made earlier, say) becomes None.
    """
    found = []
    for c in (c for c in chapters.CHAPTERS if c.ready):
        cells = [cell.source for cell in nbformat.read(ROOT / c.file, 4).cells if cell.cell_type == "code"]
        for source in (s for s in cells if "widgets.explore(" in s):
            for call in (node for node in ast.walk(ast.parse(source)) if _is(node, "explore")):
                controls = {
                    k.arg: (
                        k.value.func.attr,
                        [_literal(a) for a in k.value.args],
                        {n.arg: _literal(n.value) for n in k.value.keywords},
                    )
                    for k in call.keywords
                    if isinstance(k.value, ast.Call) and _is(k.value, None)
                }
                found.append((c.number, controls, any(k.arg == "run" for k in call.keywords)))
    return found


def _is(node: ast.AST, name: str | None) -> bool:
    """Whether a node is a call of widgets.NAME (of any name for None)."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "widgets"
        and (name is None or node.func.attr == name)
    )


def _literal(node: ast.AST):
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


BUILD = """
import json, sys
import ipywidgets
from helpers.lab import widgets
STAND_IN = {"slider": ["n", 0, 9, 3, 1], "log_slider": ["n", -3, 0, 0.1], "choice": ["c", ["one", "two"]], "toggle": ["t"],
            "text": ["t", "a text"], "seed_button": ["another"]}
moved, kinds = 0, set()
for chapter, controls, button in json.loads(sys.stdin.read()):
    made = {}
    for name, (kind, given, named) in controls.items():
        if None in given or None in named.values():
            given, named = STAND_IN[kind], {}
        given = [[tuple(o) if isinstance(o, list) else o for o in g] if isinstance(g, list) else g for g in given]
        made[name] = getattr(widgets, kind)(*given, **named)
        kinds.add(kind)
    panel = widgets.explore(lambda **v: f"<p>{sorted(v.items())}</p>", caption="c", run="Run" if button else None, **made)
    for name, control in panel.controls.items():
        before, value = panel.view.value, control.value
        if hasattr(control, "options"):
            other = [o[1] if isinstance(o, tuple) else o for o in control.options]
            new = next((o for o in other if o != value), value)
        elif isinstance(value, bool):
            new = not value
        elif isinstance(value, str):
            new = value + " more"
        elif isinstance(control, ipywidgets.FloatLogSlider):
            new = control.base ** (control.min if value > control.base ** control.min else control.max)
        else:
            new = control.min if value != control.min else control.max
        control.value = new
        if panel.button:
            panel.button.click()
        assert new == value or panel.view.value != before, (chapter, name)
        moved += new != value
    bundle = panel._repr_mimebundle_()
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == panel.box.model_id and "<p>" in bundle["text/html"]
print(moved, sorted(kinds))
"""


def test_every_widget_of_the_course_is_built_and_moves(old):
    listed = panels()
    assert len(listed) >= 20
    done = subprocess.run(
        [sys.executable, "-c", BUILD],
        cwd=ROOT,
        env=environment(old),
        input=json.dumps(listed),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout.split()[0]) >= sum(len(controls) for _, controls, _ in listed) - 3, done.stdout


@pytest.mark.parametrize("chapter", SHORT)
def test_a_short_chapter_runs(old, tmp_path, chapter):
    nb = run_in(tmp_path, chapter, old)
    text = "\n".join("".join(o.get("text", "")) for c in nb.cells if c.cell_type == "code" for o in c.outputs)
    assert f"NumPy {OLD['numpy']}" in text
    views = [
        o
        for c in nb.cells
        if c.cell_type == "code"
        for o in c.outputs
        if "application/vnd.jupyter.widget-view+json" in o.get("data", {})
    ]
    assert len(views) == sum(number == chapter for number, _, _ in panels())


def test_chapter_01_with_the_oldest_torch(old, tmp_path):
    version = ".".join(map(str, torch_build.FLOOR)) + ".0" + ("+cpu" if torch_build.brings_cuda() else "")
    folder = tmp_path / "torch"
    problem = pip(folder, f"torch=={version}")
    if problem:
        pytest.skip(f"torch {version} (the CPU build of the oldest supported version) is not to be had here; pip says: {problem}")
    assert python("import torch; print(torch.__version__)", folder, old).startswith(version.split("+")[0])
    run_in(tmp_path, "01", folder, old)
