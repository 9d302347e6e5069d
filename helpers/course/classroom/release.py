"""course.py release, inside the environment: a copy of the course for a class, without solutions and wrong answers.

The copy works like the course (python3 course.py lab), with the chosen notebooks, instructions in each, and checks that
hold expected results in place of solutions (`strip`). Before it is handed over, it is searched for secrets (`leaks`).
"""

import argparse
import ast
import datetime
import json
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from string import Template

import nbformat

from helpers.chapters import CHAPTERS, Chapter
from helpers.course.classroom import leaks, strip
from helpers.course.classroom.notebooks import Settings, nbgrader_notebook, plain_number, student_notebook
from helpers.course.commands import address
from helpers.course.commands.console import Problem, guarded, say, size
from helpers.lab import checks
from helpers.paths import repository_root

MARKER = "release.json"
COPIED = ("LICENSE", "course.py", "requirements.txt", "binder", "data", "helpers")
LEFT_OUT = ("__pycache__", "exercises", "classroom", "pictures")
NOWHERE = "YOUR-TEACHER/THIS-COPY"


# --------------------------------------------------------------------------------------- the folder of a release


def copy_course(folder: Path, settings: Settings) -> None:
    """Everything but notebooks and exercises; only files that belong to the course."""
    root = repository_root()

    def ignored(directory: str, names: list[str]) -> list[str]:
        return [n for n in names if n in LEFT_OUT or n.startswith(".") or n.endswith((".pyc", ".tmp"))]

    for name in COPIED:
        source = root / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignored)
        elif source.exists():
            shutil.copy(source, folder / name)
    home = folder / "helpers" / "__init__.py"
    known = address.current(root)
    home.write_text(
        address.rewritten(home.read_text(encoding="utf-8"), known, address.Address(settings.address or NOWHERE, settings.tag)),
        encoding="utf-8",
    )


def write_exercises(folder: Path, chapters: list[Chapter]) -> None:
    """The exercises of these chapters without their secrets."""
    room = folder / "helpers" / "exercises"
    room.mkdir()
    (room / "__init__.py").touch()
    for chapter in chapters:
        (room / f"ch{chapter.number}").mkdir()
        for name, text in strip.stripped(chapter.number).items():
            if name.endswith(".py"):
                ast.parse(text)
            (room / f"ch{chapter.number}" / name).write_text(text, encoding="utf-8")


README = """# $titles

$due

1. You need Python 3.11, 3.12 or 3.13 and about 4 GB of free disk space.
2. Open a terminal in this folder and run `python3 course.py lab`. It sets everything up the first time, then opens JupyterLab.
3. Open $files, follow the instructions in it, and hand in the notebook files that you changed: only those.

The checks here know what should come out, not how: there are no solutions in this copy. If something does not start,
`python3 course.py doctor` says why.

From Counts to Chat. Code: MIT, prose and figures: CC BY 4.0, see [LICENSE](LICENSE); data: see [data/README.md](data/README.md).
"""


def write(folder: Path, settings: Settings) -> None:
    """Make a release in an empty folder. Raises Problem when a secret is found in it."""
    copy_course(folder, settings)
    write_exercises(folder, settings.chapters)
    (folder / "notebooks").mkdir()
    for chapter in settings.chapters:
        nbformat.write(student_notebook(chapter, settings), folder / chapter.file)
    facts = {
        "chapters": [c.number for c in settings.chapters],
        "due": settings.due,
        "points": {e.id: plain_number(settings.worth(e)) for c in settings.chapters for e in checks.exercises(c.number)},
    }
    (folder / MARKER).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    names = ", ".join(f"`{c.file}`" for c in settings.chapters)
    (folder / "README.md").write_text(
        Template(README).substitute(
            titles="; ".join(f"{c.number} {c.title}" for c in settings.chapters),
            files=names,
            due=f"Due: {settings.due}." if settings.due else "No due date.",
        ),
        encoding="utf-8",
    )
    found = leaks.leaks(folder)
    if found:
        raise Problem(
            "The release would hold solutions or wrong answers; nothing was written.",
            "Tell the authors of the course.",
            found[:12],
        )


def put_in_place(made: Path, out: Path) -> None:
    """Move a finished folder to its place; an earlier release there goes away only now."""
    if out.exists():
        old = out.with_name(out.name + ".old")
        os.replace(out, old)
        os.replace(made, out)
        shutil.rmtree(old)
    else:
        os.replace(made, out)


CONFIG = '''"""Settings of nbgrader for this folder, written by course.py release."""
c = get_config()  # noqa: F821  nbgrader gives it
c.CourseDirectory.course_id = "from-counts-to-chat"
c.ClearSolutions.code_stub = {"python": "# (the cell above this line is yours)"}
c.Execute.timeout = 600
'''


def write_nbgrader(folder: Path, settings: Settings) -> None:
    """A course folder for nbgrader: its settings and one assignment for each chapter. Raises Problem outside the course."""
    if repository_root() not in folder.parents:
        raise Problem(
            "nbgrader must find the course above the notebooks that it runs.",
            "Name a folder inside the course, such as  --nbgrader build/nbgrader",
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
    for chapter in settings.chapters:
        place = folder / "source" / f"{chapter.number}_{chapter.name}"
        place.mkdir(parents=True, exist_ok=True)
        nbformat.write(nbgrader_notebook(chapter, settings), place / Path(chapter.file).name)


# -------------------------------------------------------------------------------------------- the command


def chosen(names: list[str]) -> list[Chapter]:
    """The chapters meant by "1", "01", "01-03"; all that have exercises for none. Raises Problem for one that is not there."""
    ready = [c for c in CHAPTERS if c.ready and c.number in checks.chapters() and checks.exercises(c.number)]
    found: list[Chapter] = []
    for name in names:
        span = re.fullmatch(r"(\d{1,2})(?:-(\d{1,2}))?", name)
        match = [c for c in ready if span and int(span[1]) <= int(c.number) <= int(span[2] or span[1])]
        if not match:
            raise Problem(
                f"There is no chapter {name!r} with exercises.", "The chapters are: " + ", ".join(c.number for c in ready)
            )
        found += [c for c in match if c not in found]
    return found or ready


def points_of(text: str, chapters: list[Chapter]) -> dict[str, float]:
    """Points from "3.1=2,3.2=5" or a JSON file {"3.1": 2}. Raises Problem for what is not understood."""
    known = {e.id for c in chapters for e in checks.exercises(c.number)}
    try:
        if text.endswith(".json"):
            found = {str(k): float(v) for k, v in json.loads(Path(text).read_text(encoding="utf-8")).items()}
        else:
            pairs = [part.split("=") for part in text.split(",") if part.strip()]
            found = {key.strip(): float(value) for key, value in pairs}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise Problem(f"The points {text!r} are not understood ({error}).", "Write them like  --points 3.1=2,3.2=5") from error
    for key, value in found.items():
        if key not in known or not 0 <= value < 1e6:
            raise Problem(
                f"{key}={value:g} does not fit: no such exercise in this release, or impossible points.",
                "The exercises are: " + ", ".join(sorted(known, key=lambda i: [int(n) for n in i.split(".")])),
            )
    return found


def due_date(text: str) -> str:
    """The date as given, once it is understood. Raises Problem otherwise."""
    try:
        if text:
            datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise Problem(f"The due date {text!r} is not understood.", "Write it like 2027-03-01 or 2027-03-01T18:00") from error
    return text


def inside(options: argparse.Namespace) -> int:
    """The work of `course.py release`."""
    chapters = chosen(options.chapters)
    template = ""
    if options.instructions:
        try:
            template = Path(options.instructions).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise Problem(f"The instructions cannot be read ({error}).", "Name a text file with --instructions.") from error
    settings = Settings(
        chapters,
        due_date(options.due),
        points_of(options.points, chapters),
        template,
        options.address,
        options.tag,
        options.keep_outputs,
    )
    out = Path(options.out).resolve()
    root = repository_root()
    if out == root or out in root.parents or (root in out.parents and root / "build" not in out.parents):
        raise Problem("The release cannot go into the course itself.", "Name a folder elsewhere (or below build) with --out.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())) and not (out / MARKER).exists():
        raise Problem(f"{options.out} holds something else.", "Name an empty or new folder with --out.")
    out.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    made.chmod(0o755)
    try:
        write(made, settings)
        total = sum(p.stat().st_size for p in made.rglob("*") if p.is_file())
        put_in_place(made, out)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    say(f"Chapters {', '.join(c.number for c in chapters)} for students: {options.out} ({size(total)}, no secret found in it).")
    if options.nbgrader:
        write_nbgrader(Path(options.nbgrader).resolve(), settings)
        say(f"For you, with solutions, for nbgrader: {options.nbgrader}")
    return 0


def main() -> int:
    """The command line inside the environment; course.py has checked it already."""
    parser = argparse.ArgumentParser(prog="course.py release")
    parser.add_argument("chapters", nargs="*")
    parser.add_argument("--out", required=True)
    for name in ("--due", "--points", "--instructions", "--address", "--nbgrader"):
        parser.add_argument(name, default="")
    parser.add_argument("--tag", default="main")
    parser.add_argument("--keep-outputs", action="store_true")
    return guarded(inside, parser.parse_args(), farewell=False)


if __name__ == "__main__":
    sys.exit(main())
