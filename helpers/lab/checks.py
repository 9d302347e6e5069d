"""Exercises that answer back: one checker for reader, classroom and CI; what it finds is in `verdicts`.

`look_up = check("8.1", look_up)` shows the verdict and hands back what the page goes on with: your function once it passes, the
course's before that.
"""

import inspect
import os
import textwrap
from typing import Any

from helpers.lab import card, kept, own_cells, record
from helpers.lab.exercise import Exercise, chapters, exercises, find, lent
from helpers.lab.verdicts import Report, evaluate, judge, not_done, outcomes

__all__ = [
    "Report",
    "chapters",
    "check",
    "evaluate",
    "exercises",
    "find",
    "hint",
    "judge",
    "not_done",
    "outcomes",
    "solution",
    "solution_source",
]

_given: dict[str, int] = {}  # exercise id -> how many of its hints were given


def check(exercise_id: str, answer: Any) -> Any:
    """Judge an answer, show the verdict, and return what the page goes on with; ``fit_line = check("1.2", fit_line)``.

    That is the answer if it passed, else the course's own (the answer itself where a class's copy has none). A passed answer is
    kept, see `kept.mine`. With COURSE_STRICT set, all but a pass raises AssertionError.
    """
    exercise = find(exercise_id)
    report, goes_on = _report(exercise, answer)
    _show(exercise, report)
    check.tried = report.tried  # type: ignore[attr-defined]  # what the message calls *check.tried
    if report.status == "passed":
        record.remember(report.id)
    elif os.environ.get("COURSE_STRICT"):
        raise AssertionError(report.message)
    return goes_on


def _report(exercise: Exercise, answer: Any) -> tuple[Report, Any]:
    """The verdict, and what the page goes on with."""
    course = exercise.of_the_course
    instead = answer if course is None else course
    reason = own_cells.broken(exercise.name)
    if reason:
        said = f"The cell that defines {exercise.name} could not be run ({reason}). Mend it, run it, then check again."
        return Report(exercise.id, "not done yet", f"… {exercise.id} {exercise.title}: {said}", exercise.title, (said,)), instead
    if lent(answer):
        report = not_done(exercise)
        said = f"This is the course's {exercise.name}. Write your own in the cell above, run that cell, then check again."
        return Report(exercise.id, report.status, f"… {exercise.id} {exercise.title}: {said}", exercise.title, (said,)), course
    report = evaluate(exercise.id, answer)
    if report.status != "passed":
        more = f"Until yours is right, the page goes on with the course's {exercise.name}." if course is not None else ""
        return _with(report, more), instead
    why = kept.keep(exercise, answer, lambda alone: evaluate(exercise.id, alone).status == "passed")
    return _with(report, f"It is not kept for later notebooks: it {why}." if why else "", exercise.after), answer


def _with(report: Report, *more: str) -> Report:
    """The report with more sentences."""
    added = tuple(line for line in more if line)
    text = "\n".join([report.message, *(f"  {line}" for line in added)])
    return Report(report.id, report.status, text, report.title, (*report.said, *added), report.case, report.tried)


def _show(exercise: Exercise, report: Report) -> None:
    """Show the card, with its buttons where there is help to give."""
    chapter = exercises(exercise.id.split(".")[0])
    done = set(record.solved()) | ({exercise.id} if report.status == "passed" else set())
    page = card.body(report, sum(e.id in done for e in chapter), len(chapter))
    actions = [] if report.status == "passed" else [("Hint", lambda: card.paragraph(_next_hint(exercise)))]
    if not getattr(exercise.solution, "withheld", False):
        actions.append(("Solution", lambda: card.code(solution_source(exercise.id))))
    card.Card(report.message, page, actions).show()


def _next_hint(exercise: Exercise) -> str:
    number = _given.get(exercise.id, 0) % len(exercise.hints)
    _given[exercise.id] = number + 1
    return f"Hint {number + 1} of {len(exercise.hints)} for {exercise.id}: {exercise.hints[number]}"


def hint(exercise_id: str) -> None:
    """Print the next hint for the exercise; after the last one it starts again."""
    exercise = find(exercise_id)
    print(_next_hint(exercise))
    if _given[exercise.id] == len(exercise.hints) and not getattr(exercise.solution, "withheld", False):
        print(f'That was the last hint. The reference: solution("{exercise.id}")')


def solution_source(exercise_id: str) -> str:
    """The source code of the reference solution. Raises ValueError in a copy for students, which has none."""
    if getattr(find(exercise_id).solution, "withheld", False):
        raise ValueError(f"the reference solution of {exercise_id} is not part of this copy of the course")
    return textwrap.dedent(inspect.getsource(find(exercise_id).solution))


def solution(exercise_id: str) -> None:
    """Print the reference solution. Try the hints first: an answer that you found stays longer."""
    if getattr(find(exercise_id).solution, "withheld", False):
        print(f'This is a copy for a class: it has no solutions. Help: hint("{exercise_id}"), or your teacher.')
        return
    print(solution_source(exercise_id))
