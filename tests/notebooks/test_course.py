"""The notebooks as one course: nothing is defined twice, and whatever one chapter says about another (or about itself) is true.

Each rule is a function from {chapter number: notebook} to findings in words, so that it can be shown to find something.
"""

import ast
import copy
import re
from collections import defaultdict
from urllib.parse import unquote

import nbformat
import pytest

from helpers import chapters
from helpers.lab import checks
from tests.tools import author, style

NUMBERS = {c.number for c in chapters.CHAPTERS}
READY = [c.number for c in chapters.CHAPTERS if c.ready]
FOLDER = author.ROOT / "notebooks"

CALL = re.compile(r"""\b(?:check|hint|solution)\(\s*["'](\d+\.\d+)["']""")
LINK = re.compile(r"(?<!\\)\[([^\[\]]*)\]\(\s*<?([^)\s>]+)>?[^)]*\)")  # [text](target)
HTML_LINK = re.compile(r"""\b(?:href|src)\s*=\s*["']([^"']+)["']""")


def load() -> dict[str, nbformat.NotebookNode]:
    """All notebooks that are there, by chapter number."""
    return {number: nbformat.read(author.notebook_path(number), 4) for number in READY}


@pytest.fixture(scope="module")
def course():
    return load()


def prose(nb) -> list[tuple[int, str]]:
    """(cell number, text) of the markdown, without code fences and without the further reading (chapters of other books)."""
    found = []
    for number, cell in enumerate(nb.cells):
        if cell.cell_type == "markdown":
            text = re.split(r"^## Further reading", cell.source, flags=re.MULTILINE)[0]
            found.append((number, "\n".join(style._without_fences(text))))
    return found


def references(text: str, word: str, number: str = r"\d+") -> list[tuple[re.Match, list[str]]]:
    """(match, numbers) of each "chapter 04", and in the plural of "chapters 4, 7 and 8" and "chapters 06 to 08" (both ends)."""
    more = rf"(?:\s*,\s*(?:and\s+|or\s+)?|\s+(?:and|or|to)\s+|\s*[-–]\s*){number}"
    pattern = rf"\b{word}(?:\s+{number}|s\s+{number}(?:{more})*)"
    return [(match, re.findall(number, match[0])) for match in re.finditer(pattern, text, re.IGNORECASE)]


def definitions(nb) -> list[tuple[int, ast.stmt]]:
    """(cell number, function or class) at the top level of the code cells, exercise stubs and the bootstrap left out."""
    found = []
    for number, cell in enumerate(nb.cells):
        if cell.cell_type != "code" or any(tag == "bootstrap" or tag.startswith("exercise:") for tag in style.tags(cell)):
            continue
        for statement in ast.parse(cell.source).body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found.append((number, statement))
    return found


def body(statement) -> str:
    """The code of a function or class, without its name and docstrings; "" when it is one statement (a shell of a widget)."""
    bare = copy.deepcopy(statement)
    for node in ast.walk(bare):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    bare.name = ""
    return ast.dump(bare) if sum(isinstance(node, ast.stmt) for node in ast.walk(bare)) > 2 else ""


# ------------------------------------------------------------------------------------------------- the rules


def defined_twice(course) -> list[str]:
    """Names, and bodies, of functions and classes that stand in more than one notebook."""
    names, bodies, found = defaultdict(list), defaultdict(list), []
    for chapter, nb in course.items():
        for number, statement in definitions(nb):
            names[statement.name].append((chapter, number))
            if body(statement):
                bodies[body(statement)].append((chapter, number, statement.name))
    for name, places in names.items():
        if len({chapter for chapter, _ in places}) > 1:
            where = ", ".join(f"chapter {chapter} cell {number}" for chapter, number in places)
            found.append(f"`{name}` is defined in {where}: write it once and import it from helpers, or rename one of them")
    for places in bodies.values():
        if len({chapter for chapter, *_ in places}) > 1:
            where = ", ".join(f"`{name}` in chapter {chapter} cell {number}" for chapter, number, name in places)
            found.append(f"the same code stands in {where}: import it from helpers")
    return found


def wrong_chapters(course) -> list[str]:
    """Chapters named in prose that the course does not have, and ranges that run backwards."""
    found = []
    for chapter, nb in course.items():
        for number, text in prose(nb):
            for match, named in references(text, "chapter"):
                missing = [n for n in named if n.zfill(2) not in NUMBERS]
                found += [f"chapter {chapter} cell {number} names '{match[0]}', but there is no chapter {n}" for n in missing]
                if " to " in match[0] and named != sorted(named, key=int):
                    found.append(f"chapter {chapter} cell {number}: '{match[0]}' runs backwards")
    return found


def wrong_exercises(course) -> list[str]:
    """Exercises named in prose, check, hint or solution that do not exist; headings that disagree with helpers/exercises."""
    known = {e.id: e for chapter in checks.chapters() for e in checks.exercises(chapter)}
    found = []
    for chapter, nb in course.items():
        named = [(number, e) for number, text in prose(nb) for _, ids in references(text, "exercise", r"\d+\.\d+") for e in ids]
        named += [(number, e) for number, cell in enumerate(nb.cells) for e in CALL.findall(cell.source)]
        missing = [(number, e) for number, e in named if e not in known]
        found += [f"chapter {chapter} cell {number} names exercise {e}, which does not exist" for number, e in missing]
        headings = set()
        for number, text in prose(nb):
            for e, kind, title in re.findall(r"^#+ Exercise (\d+\.\d+) \(([^)]*)\): (.*)$", text, flags=re.MULTILINE):
                headings.add(e)
                if e in known and (known[e].kind, known[e].title) != (kind, title.strip()):
                    found.append(
                        f"chapter {chapter} cell {number}: the heading says '{e} ({kind}): {title}', "
                        f"helpers/exercises says '{e} ({known[e].kind}): {known[e].title}'"
                    )
                if int(e.split(".")[0]) != int(chapter):
                    found.append(f"chapter {chapter} cell {number} sets exercise {e}, which belongs to another chapter")
        unset = [e for e in known if int(e.split(".")[0]) == int(chapter) and e not in headings]
        found += [f"chapter {chapter} sets no exercise {e} (no heading '### Exercise {e} (kind): title')" for e in unset]
    return found


def sections(nb) -> list[int]:
    """The numbers of the headings '## 3. Name', in order."""
    return [int(n) for _, text in prose(nb) for n in re.findall(r"^## (\d+)\. ", text, flags=re.MULTILINE)]


def wrong_sections(course) -> list[str]:
    """Sections that are not numbered 1, 2, 3, ..., and sections named in prose that do not exist."""
    found = []
    for chapter, nb in course.items():
        if sections(nb) != list(range(1, len(sections(nb)) + 1)):
            found.append(f"chapter {chapter}: the sections are numbered {sections(nb)}")
        for number, text in prose(nb):
            for match, named in references(text, "section"):
                before = re.search(r"\bchapter\s+(\d+)(?:'s|,)?\s+$", text[: match.start()], re.IGNORECASE)
                after = re.match(r"\s+(?:of|in)\s+chapter\s+(\d+)", text[match.end() :], re.IGNORECASE)
                target = (before or after)[1].zfill(2) if before or after else chapter
                missing = [n for n in named if target in course and int(n) not in sections(course[target])]
                found += [
                    f"chapter {chapter} cell {number}: '{match[0]}', but chapter {target} has no section {n}" for n in missing
                ]
    return found


def wrong_links(course) -> list[str]:
    """Relative links, in text and in HTML outputs, that lead to no file or to another chapter than they say."""
    found = []
    for chapter, nb in course.items():
        for number, cell in enumerate(nb.cells):
            plain = "\n".join(style._without_fences(cell.source)) if cell.cell_type == "markdown" else ""
            plain = re.sub(r"`[^`]*`|\$[^$]*\$", "", plain)  # neither code nor formulas
            links, html = LINK.findall(plain), plain or style.output_text(cell)
            for text, target in [*links, *(("", target) for target in HTML_LINK.findall(html))]:
                if re.match(r"[a-z][a-z0-9+.-]*:|#|//", target, re.IGNORECASE):  # an address, or a place on this page
                    continue
                path = FOLDER / unquote(target.split("#")[0].split("?")[0])
                if not path.exists():
                    found.append(f"chapter {chapter} cell {number} links to '{target}', which does not exist")
                said = references(text, "chapter")
                if said and not path.name.startswith(said[0][1][0].zfill(2) + "_"):
                    found.append(f"chapter {chapter} cell {number}: the link '{text}' leads to {path.name}")
    return found


def wrong_titles(course) -> list[str]:
    """Titles (the one '# ' heading, in the first cell) that do not begin with the title in helpers/chapters.py."""
    found = []
    for chapter, nb in course.items():
        title = chapters.chapter(chapter).title
        first = nb.cells[0].source.splitlines()[0] if nb.cells else ""
        if not re.match(rf"# {re.escape(title)}(?!\w)", first):
            found.append(f"chapter {chapter} begins with '{first}', expected '# {title}' (from helpers/chapters.py)")
    return found


RULES = (defined_twice, wrong_chapters, wrong_exercises, wrong_sections, wrong_links, wrong_titles)


# ------------------------------------------------------------------------------------------------- the course keeps them


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_course_keeps_the_rule(rule, course):
    found = rule(course)
    assert not found, "\n" + "\n".join(found)


def test_every_notebook_is_a_chapter():
    named = {c.file for c in chapters.CHAPTERS}
    strangers = [p.name for p in FOLDER.glob("*.ipynb") if f"notebooks/{p.name}" not in named]
    assert not strangers, f"notebooks that helpers/chapters.py does not know: {strangers}"


# ------------------------------------------------------------------------------------------------- they find what they should


def page(*cells: str, title: str = "Bag of words") -> nbformat.NotebookNode:
    """A small notebook: the title, then cells; those that begin with '>>> ' are code."""
    made = [nbformat.v4.new_markdown_cell(f"# {title}")]
    for text in cells:
        made.append(nbformat.v4.new_code_cell(text[4:]) if text.startswith(">>> ") else nbformat.v4.new_markdown_cell(text))
    return nbformat.v4.new_notebook(cells=made)


FUNCTION = ">>> def {name}(x):\n    y = x + 1\n    z = y * 2\n    return z"
ROUGH = "### Exercise 3.1 (core): Another title"


@pytest.mark.parametrize(
    "rule, cells, words",
    [
        (wrong_chapters, ["As chapter 12 shows."], "no chapter 12"),
        (wrong_chapters, ["(chapters 04, 7 and 13)"], "no chapter 13"),
        (wrong_chapters, ["Chapters 08 to 06 share it."], "runs backwards"),
        (wrong_exercises, ["as in exercises 3.1 and 3.44"], "names exercise 3.44"),
        (wrong_exercises, ['>>> hint("4.77")'], "names exercise 4.77"),
        (wrong_exercises, [ROUGH], "the heading says '3.1 (core): Another title'"),
        (wrong_exercises, ["### Exercise 4.1 (warm-up): The pairs of a text"], "belongs to another chapter"),
        (wrong_exercises, ["Nothing."], "sets no exercise 3.1"),
        (wrong_sections, ["## 1. One", "## 3. Three"], "numbered [1, 3]"),
        (wrong_sections, ["## 1. One", "See sections 1 and 2."], "no section 2"),
        (wrong_sections, ["## 1. One", "Section 4 of chapter 03 has it."], "no section 4"),
        (wrong_sections, ["## 1. One", "(chapter 03, section 7)"], "no section 7"),
        (wrong_links, ["[there](nowhere.ipynb)"], "'nowhere.ipynb', which does not exist"),
        (wrong_links, ["<img src='missing.png'>"], "'missing.png', which does not exist"),
        (wrong_links, ["[chapter 04](01_linear_regression.ipynb#2)"], "leads to 01_linear_regression.ipynb"),
    ],
)
def test_a_rule_finds_a_slip(rule, cells, words):
    assert any(words in finding for finding in rule({"03": page(*cells)})), rule({"03": page(*cells)})


@pytest.mark.parametrize(
    "rule, cells",
    [
        (
            wrong_chapters,
            [
                "Chapters 04 to 7; chapter 3's bag, in chapter 11, 99 times.",
                "## Further reading\n\n- A book: chapters 13 and 16.",
            ],
        ),
        (
            wrong_sections,
            [
                "## 1. One",
                "```\nsection 9\n```",
                "Section 1, chapter 01, section 4.",
                "## Further reading\n\n- section 7.10 of a book",
            ],
        ),
        (
            wrong_links,
            [
                "[a](https://example.org/x) [b](#summary) [c](04_word2vec.ipynb) <a href='../README.md'>d</a>",
                "`a[b](c)` and $[x](y)$",
            ],
        ),
    ],
)
def test_a_rule_lets_good_text_pass(rule, cells):
    assert not rule({"03": page(*cells)})


def test_a_second_definition_is_found():
    one = page(FUNCTION.format(name="f"))
    assert "`f` is defined in chapter 03 cell 1, chapter 05 cell 1" in defined_twice({"03": one, "05": one})[0]
    renamed = defined_twice({"03": one, "05": page(FUNCTION.format(name="g"))})
    assert len(renamed) == 1 and "the same code stands in `f` in chapter 03 cell 1, `g` in chapter 05 cell 1" in renamed[0]
    assert not defined_twice({"03": page(FUNCTION.format(name="f"), FUNCTION.format(name="f"))})  # grows within a chapter
    stub = page(FUNCTION.format(name="f"))
    stub.cells[1].metadata["tags"] = ["exercise:3.1"]
    assert not defined_twice({"03": stub, "05": one})


@pytest.mark.parametrize(
    "title, good",
    [("Bag of words", True), ("Bag of words, and more", True), ("Bags of words", False), ("Bag of wordsmiths", False)],
)
def test_a_title_must_begin_as_the_chapter_is_called(title, good):
    assert (not wrong_titles({"03": page(title=title)})) == good
