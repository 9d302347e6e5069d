"""What comes out of grading: two tables (CSV), a page for each student and an overview (HTML).

Everything is escaped; the pages hold no script, load nothing, and forbid both by their content security policy.
"""

import csv
import html
import io
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from helpers.chapters import chapter as chapter_info
from helpers.course.classroom.grading import Graded, Mark
from helpers.files import write_atomic

MARKER = ".course-grades"  # a folder with this file was made by us and may be written again
HELPERS = ("named", "allowed")  # what the teacher says to answers that call the course's own functions
LIMITS_WARNING = (
    "Graded without isolation: the answers could read files of the grading machine, the solutions among them. "
    "Trust these marks only as far as you trust the students."
)
STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.3em .8em .3em 0;border-bottom:1px solid #8886;vertical-align:top}
td.n,th.n{text-align:right}pre{overflow:auto;padding:.8em;border:1px solid #8886;border-radius:4px;white-space:pre-wrap;
overflow-wrap:anywhere}section{margin:2em 0}.warning{border:2px solid #b00;padding:.6em 1em}
.passed{border-left:6px solid #009e73;padding-left:1em}.wrong,.refused{border-left:6px solid #d55e00;padding-left:1em}
.not{border-left:6px solid #999;padding-left:1em}
"""
WORDS = {"passed": "right", "wrong": "not right yet", "not done yet": "not done yet", "refused": "not graded"}


def clean(text: str) -> str:
    """The text without control characters, and without those that turn the direction of writing."""
    return "".join(c if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn") else "\ufffd" for c in text)


def safe(text: object) -> str:
    """Text for a page."""
    return html.escape(clean(str(text)), quote=True)


def cell(value: object) -> object:
    """A value for a table: a text that a spreadsheet would take for a formula gets an apostrophe in front."""
    if not isinstance(value, str):
        return value
    value = clean(value).replace("\n", " ")
    return "'" + value if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def number(value: float) -> str:
    """A number without needless zeros."""
    return f"{value:g}"


def page(title: str, body: str) -> str:
    """A whole HTML page; ``body`` is HTML already."""
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        "<meta name='viewport' content='width=device-width,initial-scale=1'>"
        f"<title>{safe(title)}</title><style>{STYLE}</style></head><body><main>\n{body}\n</main></body></html>\n"
    )


def page_name(student: str) -> str:
    """A file name for a student's page: readable, and never the same for two students."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", student).strip("._")[:60] or "student"
    return plain + ".html" if plain == student else f"{plain}-{sha256(student.encode()).hexdigest()[:8]}.html"


def _title(chapter: str) -> str:
    try:
        return f"Chapter {chapter}: {chapter_info(chapter).title}"
    except ValueError:
        return "No chapter"


def _mark(mark: Mark) -> str:
    kind = "not" if mark.status == "not done yet" else mark.status
    parts = [
        f"<section class='{kind}'><h3>{safe(mark.id)} {safe(mark.title)}</h3>",
        f"<p><strong>{WORDS.get(mark.status, 'not graded')}</strong>, {number(mark.points)} of {number(mark.of)} points</p>",
        f"<pre>{safe(mark.message)}</pre>" if mark.message else "",
    ]
    if mark.note:
        parts.append(f"<p>Note: {safe(mark.note)}.</p>")
    if mark.code:
        parts.append(f"<details><summary>Your cell</summary><pre><code>{safe(mark.code)}</code></pre></details>")
    return "".join(parts) + "</section>\n"


def _rows(marks: Iterable[Mark]) -> str:
    return "".join(
        f"<tr><td>{safe(m.id)}</td><td>{safe(m.title)}</td><td>{WORDS.get(m.status, 'not graded')}</td>"
        f"<td class='n'>{number(m.points)} / {number(m.of)}</td></tr>"
        for m in marks
    )


def student_page(student: str, graded: list[Graded]) -> str:
    """The page of one student, with all the chapters that came in."""
    parts = [f"<h1>Feedback for {safe(student)}</h1>"]
    if any(g.isolation != "isolated" for g in graded):
        parts.append(f"<p class='warning'>{LIMITS_WARNING}</p>")
    for g in graded:
        parts.append(f"<h2>{safe(_title(g.chapter))}</h2><p>File: {safe(g.file)}</p>")
        if g.refused:
            parts.append(f"<p class='warning'>Not graded: {safe(g.refused)}.</p>")
            continue
        parts.append(
            f"<p>{number(g.points)} of {number(g.of)} points.</p><table><thead><tr><th>Exercise</th><th>Title</th>"
            f"<th>Result</th><th class='n'>Points</th></tr></thead><tbody>{_rows(g.marks)}</tbody></table>\n"
        )
        parts += [_mark(m) for m in g.marks]
    return page(f"Feedback for {student}", "".join(parts))


def overview(graded: list[Graded], warning: str, seed: int = 0, helpers: str = "named") -> str:
    """The teacher's page: a line for each file, how each exercise went, and who called the course's own functions.

    seed: of the fresh tries. helpers: "named" lists answers that hand on what `helpers` returned, "allowed" does not.
    """
    rows = "".join(
        f"<tr><td><a href='students/{safe(page_name(g.student))}'>{safe(g.student)}</a></td><td>{safe(g.chapter)}</td>"
        f"<td>{safe(g.file)}</td><td class='n'>{number(g.points)} / {number(g.of)}</td><td>{safe(g.refused)}</td></tr>\n"
        for g in graded
    )
    by_exercise: dict[str, Counter[str]] = defaultdict(Counter)
    for g in graded:
        for m in g.marks:
            by_exercise[m.id][m.status] += 1
    order = sorted(by_exercise, key=lambda i: [int(n) for n in i.split(".")])
    counts = "".join(
        f"<tr><td>{safe(i)}</td>" + "".join(f"<td class='n'>{by_exercise[i][s]}</td>" for s in WORDS) + "</tr>" for i in order
    )
    heads = "".join(f"<th class='n'>{words}</th>" for words in WORDS.values())
    return page(
        "Grades",
        "<h1>Grades</h1>"
        + (f"<p class='warning'>{safe(warning)}</p>" if warning else "")
        + "<table><thead><tr><th>Student</th><th>Chapter</th><th>File</th><th class='n'>Points</th><th>Not graded"
        f"</th></tr></thead><tbody>{rows}</tbody></table><h2>Exercises</h2><table><thead><tr><th>Exercise</th>{heads}"
        f"</tr></thead><tbody>{counts}</tbody></table>"
        + (_helped(graded) if helpers == "named" else "")
        + f"<p>Every answer was also tried on inputs drawn for this batch. To grade again on the same ones: "
        f"<code>--seed {seed}</code>.</p>",
    )


def _helped(graded: list[Graded]) -> str:
    """The answers that give back what one of the course's own functions returned, as far as that can be seen."""
    rows = "".join(
        f"<tr><td>{safe(g.student)}</td><td>{safe(m.id)}</td><td>{WORDS.get(m.status, 'not graded')}</td>"
        f"<td>{safe(m.helped)}</td></tr>"
        for g in graded
        for m in g.marks
        if m.helped
    )
    return (
        "<h2>Answers that call the course's own function</h2><p>They keep their points: whether this was allowed is yours to say "
        "(<code>--helpers allowed</code> leaves this table out). An answer that hides it well is not found.</p><table><thead><tr>"
        f"<th>Student</th><th>Exercise</th><th>Result</th><th>Hands on</th></tr></thead><tbody>{rows}</tbody></table>"
        if rows
        else ""
    )


def tables(graded: list[Graded], late: dict[tuple[str, str], str]) -> dict[str, str]:
    """grades.csv, a line for each file, and exercises.csv, a line for each answer."""
    files, answers = io.StringIO(), io.StringIO()
    by_file, by_answer = csv.writer(files), csv.writer(answers)
    by_file.writerow(["student", "chapter", "file", "points", "of", "late", "not graded because", "isolation", "seconds"])
    by_answer.writerow(["student", "chapter", "exercise", "status", "points", "of", "note"])
    for g in graded:
        by_file.writerow(
            [
                cell(v)
                for v in (
                    g.student,
                    g.chapter,
                    g.file,
                    number(g.points),
                    number(g.of),
                    late.get((g.student, g.file), ""),
                    g.refused,
                    g.isolation,
                    number(g.seconds),
                )
            ]
        )
        for m in g.marks:
            by_answer.writerow([cell(v) for v in (g.student, g.chapter, m.id, m.status, number(m.points), number(m.of), m.note)])
    return {"grades.csv": files.getvalue(), "exercises.csv": answers.getvalue()}


def write(
    folder: Path,
    graded: list[Graded],
    warning: str,
    late: dict[tuple[str, str], str],
    seed: int = 0,
    helpers: str = "named",
) -> None:
    """All tables and pages into a folder, each file as a whole. seed and helpers: see `overview`."""
    (folder / "students").mkdir(parents=True, exist_ok=True)
    (folder / MARKER).touch()
    by_student: dict[str, list[Graded]] = defaultdict(list)
    for g in graded:
        by_student[g.student].append(g)
    made = tables(graded, late) | {"index.html": overview(graded, warning, seed, helpers)}
    made |= {f"students/{page_name(s)}": student_page(s, own) for s, own in by_student.items()}
    for name, text in made.items():
        write_atomic(folder / name, text.encode("utf-8-sig" if name.endswith(".csv") else "utf-8"))
    for old in (folder / "students").glob("*.html"):
        if f"students/{old.name}" not in made:
            old.unlink()
