"""The notebooks of a release: without solutions, with instructions and the metadata of nbgrader; and nbgrader's own sources."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

import nbformat

import helpers
from helpers.chapters import Chapter
from helpers.course.commands import address
from helpers.lab import bootstrap, checks
from helpers.lab.exercise import Exercise
from helpers.paths import repository_root


@dataclass
class Settings:
    """What a release is made of. points: exercise id -> points, where they differ from the course's."""

    chapters: list[Chapter]
    due: str = ""
    points: dict[str, float] = field(default_factory=dict)
    instructions: str = ""
    address: str = ""
    tag: str = "main"
    keep_outputs: bool = False

    def worth(self, exercise: Exercise) -> float:
        """The points of an exercise in this release."""
        return self.points.get(exercise.id, float(exercise.points))


def nbgrader(grade_id: str, **changes: object) -> dict:
    """The metadata by which nbgrader knows a cell (schema version 3)."""
    return {
        "schema_version": 3,
        "grade_id": grade_id,
        "grade": False,
        "solution": False,
        "locked": False,
        "task": False,
        **changes,
    }


def grade_id(kind: str, exercise_id: str) -> str:
    """nbgrader's name of a cell, such as "check-3-1"."""
    return f"{kind}-{exercise_id.replace('.', '-')}"


def tag_of(cell: nbformat.NotebookNode, kind: str) -> str:
    """The exercise id of a cell tagged "kind:ID", or ""."""
    return next((t.split(":")[1] for t in cell.metadata.get("tags", []) if t.startswith(kind + ":")), "")


def mark_cells(nb: nbformat.NotebookNode, chapter: Chapter, settings: Settings) -> None:
    """Put nbgrader's metadata on exercise and check cells, and the course's own on the notebook."""
    listed = {e.id: e for e in checks.exercises(chapter.number)}
    for cell in nb.cells:
        if tag_of(cell, "exercise"):
            cell.metadata["nbgrader"] = nbgrader(grade_id("exercise", tag_of(cell, "exercise")), solution=True)
        elif tag_of(cell, "check"):
            exercise = listed[tag_of(cell, "check")]
            cell.metadata["nbgrader"] = nbgrader(
                grade_id("check", exercise.id), grade=True, locked=True, points=plain_number(settings.worth(exercise))
            )
    nb.metadata["course"] = {
        "chapter": chapter.number,
        "due": settings.due,
        "points": {i: plain_number(settings.worth(e)) for i, e in listed.items()},
    }


def plain_number(value: float) -> float | int:
    """A whole number as an int, so that it is written without ".0"."""
    return int(value) if value == int(value) else value


def instructions(chapter: Chapter, settings: Settings) -> nbformat.NotebookNode:
    """The cell with due date, points and what to do; from the template."""
    listed = checks.exercises(chapter.number)
    rows = [f"| {e.id} | {e.title} | {e.kind} | {settings.worth(e):g} |" for e in listed]
    table = "\n".join(
        [
            "| Exercise | Title | Kind | Points |",
            "|---|---|---|---|",
            *rows,
            f"| | | together | {sum(map(settings.worth, listed)):g} |",
        ]
    )
    template = settings.instructions or Path(__file__).with_name("instructions.md").read_text(encoding="utf-8")
    quote = "\n> " if re.search(r"^> \$table", template, re.MULTILINE) else "\n"
    text = Template(template).safe_substitute(
        title=chapter.title,
        chapter=chapter.number,
        due=f"Due: {settings.due}." if settings.due else "No due date.",
        table=table.replace("\n", quote),
        points=f"{sum(map(settings.worth, listed)):g}",
        file=Path(chapter.file).name,
        first=listed[0].id if listed else "",
    )
    cell = nbformat.v4.new_markdown_cell(text.rstrip(), id=f"instructions-{chapter.number}")
    cell.metadata["nbgrader"] = nbgrader(f"instructions-{chapter.number}", locked=True)
    return cell


def first_cell(settings: Settings) -> str:
    """The bootstrap cell of a release: without an address of its own it fetches nothing, for the course has the solutions."""
    source = bootstrap.CELL.format(repository=settings.address, release=settings.tag if settings.address else "").rstrip("\n")
    return (
        source
        if settings.address
        else source.replace(
            'if root is None and "google.colab" in sys.modules:',
            'if root is None and REPOSITORY and "google.colab" in sys.modules:',
        )
    )


def runs_without_solution(exercise_id: str) -> bool:
    """Whether a page that uses this answer runs before it is written, in a copy without solutions."""
    return checks.find(exercise_id).course is not None


def student_notebook(chapter: Chapter, settings: Settings) -> nbformat.NotebookNode:
    """The notebook of a chapter as a student gets it."""
    nb = nbformat.read(repository_root() / chapter.file, 4)
    cells = []
    for cell in nb.cells:
        tags = cell.metadata.get("tags", [])
        if any(not runs_without_solution(t.removeprefix("work:")) for t in tags if t.startswith("work:")):
            continue  # it runs on an answer for which this copy has nothing to fall back on
        if cell.cell_type == "markdown":
            if re.match(r"## [\d. ]*For teachers", cell.source):
                continue
            if "colab.research.google.com" in cell.source and not re.search("^#", cell.source, re.MULTILINE):
                if not settings.address:
                    continue  # the links lead to the course with its solutions
                cell.source = address.rewritten(
                    cell.source,
                    address.Address(helpers.REPOSITORY, helpers.RELEASE),
                    address.Address(settings.address, settings.tag),
                )
        elif cell.cell_type == "code":
            if not settings.keep_outputs or "bootstrap" in tags or "wrong-on-purpose" in tags or tag_of(cell, "check"):
                cell.outputs, cell.execution_count = [], None
            if "bootstrap" in tags:
                cell.source = first_cell(settings)
            if "wrong-on-purpose" in tags:
                cell.source = _another_mistake(cell.source)
        cells.append(cell)
    nb.cells = cells
    mark_cells(nb, chapter, settings)
    place = next((i for i, c in enumerate(nb.cells) if c.cell_type == "code"), len(nb.cells)) - 1
    nb.cells.insert(max(1, place), instructions(chapter, settings))
    return nb


def _another_mistake(source: str) -> str:
    """A demonstration of a wrong answer, with one that is not in the bank: it returns a text."""
    match = re.search(r'check\("([\d.]+)"', source)
    if not match:
        return "# Left out of this copy."
    return f'def not_even_a_number(*inputs):\n    return "no idea"\n\ncheck("{match[1]}", not_even_a_number)'


def nbgrader_notebook(chapter: Chapter, settings: Settings) -> nbformat.NotebookNode:
    """The source notebook for nbgrader, with solutions and hidden tests between its marks. For the teacher only."""
    nb = student_notebook(chapter, settings)
    for cell in nb.cells:
        exercise_id, checked = tag_of(cell, "exercise"), tag_of(cell, "check")
        if exercise_id:
            cell.source += f"\n### BEGIN SOLUTION\n{checks.solution_source(exercise_id).rstrip()}\n### END SOLUTION"
        elif checked:
            name = checks.find(checked).name
            cell.source += (
                f'\n### BEGIN HIDDEN TESTS\nfrom helpers.lab.checks import evaluate\n_report = evaluate("{checked}", '
                f'{name})\nassert _report.status == "passed", _report.message\n### END HIDDEN TESTS'
            )
    return nb
