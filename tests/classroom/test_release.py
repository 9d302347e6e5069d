"""What students get: nothing secret in it, checks that work without solutions, notebooks that run and say "not done yet"."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from helpers.course.classroom import fold, leaks, notebooks, release
from helpers.course.commands.console import Problem
from helpers.course.commands.notebooks import execute
from helpers.lab import checks
from helpers.paths import repository_root
from tests.tools import style

DUE = "2027-03-01T18:00"
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A release of all chapters, made once."""
    out = tmp_path_factory.mktemp("release") / "students"
    words = ["--out", str(out), "--due", DUE, "--points", "0.1=4"]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "helpers.course.classroom.release", *words],
        cwd=repository_root(),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0 and "no secret found" in done.stdout, done.stdout + done.stderr
    return out


def options(**changes):
    """The options of the command as it parses them."""
    plain = {"chapters": ["0"], "due": "", "points": "", "instructions": "", "address": "", "tag": "main", "nbgrader": ""}
    return release.argparse.Namespace(**{**plain, "keep_outputs": False, **changes})


def released(folder: Path) -> list[Path]:
    return sorted((folder / "notebooks").glob("*.ipynb"))


def test_no_secret_stands_anywhere(folder):
    assert leaks.leaks(folder) == []
    names = {
        a.__name__
        for s in map(checks.exercises, checks.chapters())
        for e in s
        for a in (e.solution, *(w.answer for w in e.wrong))
        if a is not e.start
    }
    starts = {e.start.__name__ for s in map(checks.exercises, checks.chapters()) for e in s if e.start is not None}
    for path in (p for p in (folder / "helpers" / "exercises").rglob("*") if p.is_file()):
        defined = set(re.findall(r"def (\w+)", path.read_text(encoding="utf-8")))
        assert not defined & (names - starts), path.name
    assert not list(folder.rglob("*.pyc")) and not list(folder.rglob(".git*"))
    for name in ("helpers/course/classroom", "tests", "helpers/exercises/__pycache__", "build", ".venv"):
        assert not (folder / name).exists()


def _planted(answer, kind: str, folder: Path) -> None:
    import inspect

    source = inspect.getsource(answer)
    if kind == "compiled":
        (folder / "x.pyc").write_bytes(b"")
    elif kind == "notebook":
        nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
        nbformat.write(nb, folder / "x.ipynb")
    elif kind == "JSON":
        (folder / "x.json").write_text(json.dumps({"a": [{"b": source}]}))
    elif kind == "other white space":
        (folder / "x.txt").write_text(source.replace("    ", "\t").replace("\n", "\n\n"))
    elif kind == "other quotes":
        (folder / "x.md").write_text("```\n" + source.replace('"', "'") + "```\n")
    else:
        (folder / "x.py").write_text(source)


@pytest.mark.parametrize("kind", ["Python", "notebook", "JSON", "other white space", "other quotes", "compiled"])
@pytest.mark.parametrize("exercise, number", [("1.2", None), ("3.2", 0), ("8.7", None), ("0.1", None), ("6.4", 2)])
def test_a_planted_secret_is_found(tmp_path, kind, exercise, number):
    found = checks.find(exercise)
    _planted(found.solution if number is None else found.wrong[number].answer, kind, tmp_path)
    assert leaks.leaks(tmp_path), f"{kind} of {exercise} was not found"


def test_a_release_that_would_leak_is_not_written(tmp_path, monkeypatch):
    write = release.write_exercises

    def careless(folder, chapters):
        write(folder, chapters)
        (folder / "notes.txt").write_text(checks.solution_source("0.1"))

    monkeypatch.setattr(release, "write_exercises", careless)
    with pytest.raises(Problem, match="would hold solutions"):
        release.inside(options(out=str(tmp_path / "out")))
    assert not list(tmp_path.iterdir())


def test_the_checks_of_students_judge_like_the_teachers(folder):
    """In the student's copy alone: references pass, and each wrong answer is told its diagnosis, which nobody can read before."""
    script = HERE / "judge_in_copy.py"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(script), str(repository_root())],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["problems"] == [] and told["answers"] > 300
    text = "".join(p.read_text(encoding="utf-8") for p in (folder / "helpers" / "exercises").rglob("*.*"))
    diagnoses = {w.diagnosis for c in checks.chapters() for e in checks.exercises(c) for w in e.wrong}
    in_checks = {d for d in diagnoses if d in text}
    assert len(in_checks) < 0.2 * len(diagnoses)  # some checks say a diagnosis themselves; the bank's are locked


def test_cells_carry_the_metadata_of_nbgrader(folder):
    for path in released(folder):
        nb = nbformat.read(path, 4)
        nbformat.validate(nb)
        chapter = nb.metadata["course"]["chapter"]
        marked = {c.metadata["nbgrader"]["grade_id"]: c for c in nb.cells if "nbgrader" in c.metadata}
        ids = [e.id for e in checks.exercises(chapter)]
        wanted = {notebooks.grade_id(kind, i) for i in ids for kind in ("exercise", "check")}
        assert set(marked) == wanted | {f"instructions-{chapter}"}
        for exercise in checks.exercises(chapter):
            stub = marked[notebooks.grade_id("exercise", exercise.id)].metadata["nbgrader"]
            check = marked[notebooks.grade_id("check", exercise.id)].metadata["nbgrader"]
            assert stub["solution"] and not stub["locked"] and not stub["grade"] and stub["schema_version"] == 3
            assert check["grade"] and check["locked"] and check["points"] == (4 if exercise.id == "0.1" else exercise.points)
        text = marked[f"instructions-{chapter}"].source
        assert DUE in text and path.name in text and "$" not in text and all(f"| {i} |" in text for i in ids)
        assert not any(c.get("outputs") for c in nb.cells)
        assert "colab.research.google.com/github" not in path.read_text(encoding="utf-8")
    facts = json.loads((folder / "release.json").read_text(encoding="utf-8"))
    assert facts["points"]["0.1"] == 4 and facts["due"] == DUE


def test_nbgrader_accepts_the_metadata(folder):
    validator = pytest.importorskip("nbgrader.nbgraderformat").MetadataValidator()
    for path in released(folder):
        validator.validate_nb(nbformat.read(path, 4))


def only_exercises(nb) -> None:
    """Leave out what the course's own notebook runs as well: keep first cell, imports, exercises and checks."""
    kept = []
    for cell in nb.cells:
        tags = style.tags(cell)
        if cell.cell_type != "code":
            continue
        if not ("bootstrap" in tags or any(t.startswith(("exercise:", "check:")) for t in tags)):
            imports = [n for n in ast.parse(cell.source).body if isinstance(n, ast.Import | ast.ImportFrom)]
            cell.source = "\n".join(map(ast.unparse, imports))
        if cell.source:
            kept.append(cell)
    nb.cells = kept


ENV = {"COURSE_QUIET": "1", "COURSE_PROFILE": "cpu", "COURSE_PROGRESS": os.devnull, "PYTHONDONTWRITEBYTECODE": "1"}
# Runs cells of several notebooks, each among names of its own, and says what they print, or the error that ended them.
RUN_CELLS = """
import contextlib, io, json, sys, traceback
told = {}
for chapter, cells in json.load(sys.stdin).items():
    names = {"__name__": "__main__"}
    told[chapter] = {"": ""}
    for tag, source in cells:
        said = io.StringIO()
        try:
            with contextlib.redirect_stdout(said):
                exec(compile(source, tag, "exec"), names)
        except BaseException:
            told[chapter][""] = traceback.format_exc()
            break
        if tag:
            told[chapter][tag] = said.getvalue()
print("TOLD", json.dumps(told))
"""


def _is_not_done(said: dict[str, str], chapter: str) -> None:
    assert set(said) == {f"check:{e.id}" for e in checks.exercises(chapter)}
    assert all("not done yet" in text for text in said.values()), said


def test_a_whole_notebook_runs_and_says_not_done_yet(folder):
    path = folder / "notebooks" / "01_linear_regression.ipynb"
    result = execute(path, env=ENV)
    assert not result.error, result.error
    _is_not_done({t: style.output_text(c) for c in result.notebook.cells for t in style.tags(c) if t.startswith("check:")}, "01")


@pytest.fixture(scope="module")
def told(folder) -> dict[str, dict[str, str]]:
    """What the checks of all released notebooks say: their exercises run in one process, each notebook on its own."""
    asked = {}
    for path in released(folder):
        nb = nbformat.read(path, 4)
        only_exercises(nb)
        tag = [next((t for t in style.tags(c) if t.startswith("check:")), "") for c in nb.cells]
        asked[path.name[:2]] = [(t, c.source) for t, c in zip(tag, nb.cells)]
    done = subprocess.run(
        [sys.executable, "-c", RUN_CELLS],
        cwd=folder / "notebooks",
        env={**os.environ, **ENV},
        input=json.dumps(asked),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return json.loads(done.stdout.split("TOLD ")[-1])


@pytest.mark.parametrize("chapter", [c.number for c in release.chosen([])])
def test_the_exercises_of_each_notebook_run_and_say_not_done_yet(told, chapter):
    """The other cells are the course's own, which the step "nbval" runs."""
    error = told[chapter].pop("")
    assert not error, error
    _is_not_done(told[chapter], chapter)


def test_solution_says_that_it_is_not_there(folder):
    code = (
        "from helpers.lab import checks\nchecks.solution('1.1')\n"
        "for e in checks.exercises('1'): [checks.hint(e.id) for _ in e.hints]\n"
        "try: checks.solution_source('1.1')\nexcept ValueError as e: print('refused', e)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, encoding="utf-8", check=True)
    assert "has no solutions" in done.stdout and "refused" in done.stdout and "The reference:" not in done.stdout
    grade = subprocess.run(
        [sys.executable, "course.py", "grade", "notebooks"], cwd=folder, capture_output=True, encoding="utf-8", check=False
    )
    assert grade.returncode == 1 and "student's copy" in grade.stdout


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"out": str(repository_root() / "notebooks")}, "course itself"),
        ({"chapters": ["77"]}, "no chapter"),
        ({"points": "0.1=lots"}, "not understood"),
        ({"points": "9.99=1"}, "does not fit"),
        ({"points": "0.1=-1"}, "does not fit"),
        ({"due": "tomorrow"}, "not understood"),
        ({"instructions": "/nowhere/x.md"}, "cannot be read"),
    ],
)
def test_what_cannot_be_is_told(tmp_path, changes, words):
    with pytest.raises(Problem, match=words):
        release.inside(options(**{"out": str(tmp_path / "o"), **changes}))


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(Problem, match="something else"):
        release.inside(options(out=str(tmp_path)))
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_address_of_ones_own_goes_into_links_and_first_cell(tmp_path):
    chapter = release.chosen(["1"])[0]
    nb = notebooks.student_notebook(chapter, notebooks.Settings([chapter], address="ada/class", tag="v2", keep_outputs=True))
    text = nbformat.writes(nb)
    assert "github/ada/class/blob/v2/notebooks/01" in text and 'REPOSITORY, RELEASE = \\"ada/class\\", \\"v2\\"' in text
    assert any(c.get("outputs") for c in nb.cells)


@pytest.mark.parametrize(
    "code, judged",
    [
        ("def check(t):\n    if t.call(1):\n        t.call(2)\n    t.close(t.call(3), f(3))", False),
        (
            "def check(t):\n    for x in (1, 2):\n        got = t.call(x)\n        if got is None:\n"
            "            t.fail('none', f(x))\n        t.close(got, f(x))",
            True,
        ),
    ],
)
def test_a_check_whose_calls_depend_on_the_answer_is_left_to_the_teacher(code, judged):
    import ast

    function = ast.parse(code).body[0]
    assert fold.uneven(function, fold.tainted_names(function)) is not judged
