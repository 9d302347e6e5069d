"""course.py site: every notebook that is there becomes a page that is well formed, complete, and needs nothing from outside."""

import base64
import json
import re
import shutil
from pathlib import Path

import html5lib
import nbformat
import pytest

from helpers import chapters
from helpers.course.commands import site as command
from helpers.course.commands.console import Problem
from helpers.course.site import build, checking, formulas, notebook, prose
from helpers.course.site.frame import Entry, contents, neighbors, page

ROOT = Path(__file__).resolve().parents[2]
READY = [c for c in chapters.CHAPTERS if c.ready]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("out") / "site"
    build.write(ROOT, folder)
    return folder


def text_of(site: Path, name: str) -> str:
    return (site / name).read_text(encoding="utf-8")


def page_of(chapter) -> str:
    return f"{Path(chapter.file).stem}.html"


def test_each_notebook_has_a_page_and_each_other_chapter_says_in_work(site):
    home = text_of(site, "index.html")
    for c in chapters.CHAPTERS:
        assert (site / page_of(c)).exists() == c.ready
        row = re.search(rf"<tr><td>{c.number}</td>.*?</tr>", home)[0]
        assert ("in work" in row) != c.ready and (page_of(c) in row) == c.ready
    assert all(f">{title}</h2>" in home for title in ("Chapters", "Run it yourself", *build.SUMMARY))


def test_no_fault_is_found(site):
    assert list(checking.findings(site)) == []


def test_a_strict_reader_of_html_finds_no_error(site):
    for path in sorted(site.glob("*.html")):
        parser = html5lib.HTMLParser(strict=False)
        parser.parse(path.read_text(encoding="utf-8"))
        assert not parser.errors, (path.name, parser.errors[:3])


def test_nothing_is_loaded_from_outside_and_no_script_or_style_names_an_address(site):
    for path in sorted(site.glob("*.html")):
        found = checking.Page(path.read_text(encoding="utf-8"))
        assert all(target.startswith(("site/", "data:")) for _, target in found.loads), path.name
    for name in ("site.css", "site.js", "theme.js"):
        text = text_of(site, f"site/{name}")
        assert not re.search(r"https?:|url\(|@import|@font-face|fetch\(|XMLHttp", text), name


@pytest.mark.parametrize("chapter", READY, ids=lambda c: c.number)
def test_the_page_holds_all_code_outputs_figures_and_headings(site, chapter):
    text, nb = text_of(site, page_of(chapter)), nbformat.read(ROOT / chapter.file, 4)
    alts, shown = [], bare(text)
    for cell in nb.cells:
        if cell.cell_type == "code":
            assert bare(prose.code(cell.source)) in shown, cell.source[:80]
        for out in cell.get("outputs", []):
            alts += re.findall(r'<img alt="([^"]*)"', out.get("data", {}).get("text/html", ""))
            if out.output_type == "stream":
                assert "".join(out.text.split())[:200] in shown
    assert len(alts) > 2 and all(f'alt="{alt}"' in text for alt in alts)
    headings = [line for cell in nb.cells if cell.cell_type == "markdown" for line in notebook_headings(cell.source)]
    assert len(re.findall(r"<h[1-4] id=", text)) == len(headings)
    assert text.count("<h1") == 1


def bare(text: str) -> str:
    """The words of a piece of HTML without any blank."""
    return "".join(prose.plain(text).split())


def notebook_headings(source: str) -> list[str]:
    return re.findall(r"^#{1,4} .+$", re.sub(r"```.*?```", "", source, flags=re.DOTALL), re.MULTILINE)


@pytest.mark.parametrize("chapter", READY, ids=lambda c: c.number)
def test_every_formula_is_drawn_and_no_tex_is_left(site, chapter):
    cells = [c.source for c in nbformat.read(ROOT / chapter.file, 4).cells if c.cell_type == "markdown"]
    outside = [re.sub(r"```.*?```|`[^`\n]*`", "", source, flags=re.DOTALL) for source in cells]
    wanted = sum(len(re.findall(r"\$\$.+?\$\$|(?<!\\)\$[^$]+?\$", source, re.DOTALL)) for source in outside)
    code_and_outputs = r"<pre.*?</pre>|<code.*?</code>|<div class='output rich'>.*?</div>"
    text = re.sub(code_and_outputs, "", text_of(site, page_of(chapter)), flags=re.DOTALL)
    assert text.count("<math") >= wanted
    left = re.sub(r"<[^>]+>", "", text.split("<main")[1])
    assert not re.search(r"\$\$|\\(frac|sum|text|ln|cdot|sqrt)\b", left)


def test_contents_and_neighbors_lead_through_all_chapters(site):
    for before, after in zip(READY, READY[1:]):
        assert re.search(rf"class='next' rel='next' href='{page_of(after)}'", text_of(site, page_of(before)))
        assert re.search(rf"class='previous' rel='prev' href='{page_of(before)}'", text_of(site, page_of(after)))
    for c in READY:
        text = text_of(site, page_of(c))
        assert all(f"href='{page_of(other)}'" in text for other in READY)
        assert text.count("aria-current='page'") == 1


def test_a_neighbor_in_work_is_named_without_a_link():
    listed = [Entry("01", "One", "01.html"), Entry("02", "Two", "")]
    assert "<a" not in neighbors(listed, "01.html") and "02 Two" in neighbors(listed, "01.html")
    assert neighbors(listed, "other.html") == ""
    assert "in work" in contents(listed, "01.html", [])


def test_answers_are_folded_by_the_browser_itself(site):
    text = text_of(site, "05_byte_pair_encoding.html")
    assert text.count("<details><summary>") >= 5 and "onclick" not in text


def test_the_index_knows_headings_words_and_code(site):
    source = text_of(site, "site/search-index.js")
    data = json.loads(source.removeprefix("window.courseIndex = ").rstrip().removesuffix(";"))
    assert [name for name, _ in data["pages"]][0] == "The course"
    anchors = {file: checking.Page(text_of(site, file)).anchors for _, file in data["pages"]}
    for at, anchor, title, words, code in data["sections"]:
        assert anchor in anchors[data["pages"][at][1]] and title and isinstance(words, str) and isinstance(code, str)
    for chapter in READY:
        assert sum(data["pages"][at][1] == page_of(chapter) for at, *_ in data["sections"]) > 5
    assert any("def " in code for *_, code in data["sections"])


# --- what may stand in a notebook ---------------------------------------------------------------------------------------


def made(*cells):
    return nbformat.v4.new_notebook(cells=list(cells))


def markdown(source):
    return nbformat.v4.new_markdown_cell(source)


def code(source="1", outputs=(), tags=()):
    return nbformat.v4.new_code_cell(source, outputs=list(outputs), metadata={"tags": list(tags)})


def test_formulas():
    assert formulas.mathml("x^2").startswith("<math") and 'display="block"' in formulas.mathml("x", display=True)
    assert "negativethinmathspace" not in formulas.mathml(r"a\!b")
    assert [formulas.mathml(t).count("<mspace") for t in (r"y \ln p", r"\ln(p)", r"-\ln p", r"\max_i x")] == [2, 0, 1, 1]
    assert "arg" in formulas.mathml(r"\arg\max_i x_i")
    for broken in (r"\nosuch{x}", r"\frac{a", r"\begin{cases} a"):
        with pytest.raises(formulas.FormulaError, match=re.escape(repr(broken)[1:6])):
            formulas.mathml(broken)
    assert formulas.within("a $x$ <code>$y$</code> <b title='$z$'>5 &lt; $a &lt; b$</b>").count("<math") == 2
    assert "<math" not in formulas.within(r"costs \$5 and \$6")


def test_a_formula_that_cannot_be_drawn_names_the_chapter(monkeypatch):
    monkeypatch.setattr(notebook, "read", lambda path: made(markdown(r"# T" + "\n\n$\\nosuch x$")))
    with pytest.raises(Problem, match="Chapter 00 .*nosuch"):
        build.contents_of(ROOT, build.entries(ROOT))


def test_prose_keeps_code_money_tables_and_answers():
    text = prose.Prose().render(
        "Price \\$5 and `$HOME` and $a<b$.\n\n> | | |\n> |---|---|\n> | **Time** | 1 s |\n\n"
        "<details><summary>Q</summary>\n\n1. A\n2. $x$\n</details>\n\nAfter"
    )
    assert "<code>$HOME</code>" in text and text.count("<math") == 2 and "<thead>" not in text and "<td>1 s</td>" in text
    assert checking.Page(text).findings == []
    twice = prose.Prose()
    twice.render("## Same\n\n## Same\n\n## $x$ and <b>more</b>")
    assert [h.anchor for h in twice.headings] == ["same", "same-2", "x-and-more"]


def test_each_kind_of_output():
    png = base64.b64encode(b"no picture").decode()
    new = nbformat.v4.new_output
    outputs = [
        new("stream", text="\x1b[31mred\x1b[0m <b>\n"),
        new("display_data", data={"text/html": "<table><tr><td>1</td></tr></table>", "text/plain": "one"}),
        new("display_data", data={"image/png": png, "text/plain": '[figure] a "dot"'}),
        new("execute_result", data={"text/plain": "42"}, execution_count=1),
        new("error", ename="E", evalue="e", traceback=["\x1b[0;31mE\x1b[0m: e"]),
        new("display_data", data={"application/x": "?"}),
    ]
    body = notebook.content(made(markdown("# T"), code("a < b", outputs, ["exercise:1.1"]))).body
    parts = ["red &lt;b&gt;", "<div class='scroll'><table>", "alt='[figure] a &quot;dot&quot;'", ">42</pre>", "E: e"]
    for part in [*parts, "cell exercise"]:
        assert part in body, part
    assert "\x1b" not in body and checking.Page(body).findings == []


def test_the_first_cell_is_folded_and_not_searched():
    found = notebook.content(made(markdown("# T\n\nwords"), code("secret = 1", tags=["bootstrap"]), code("shown = 1")))
    assert "<details class='bootstrap'>" in found.body and found.sections[0].code == ["shown = 1"]
    assert found.title == "T" and "words" in found.sections[0].words and len(found.sections) == 1


def test_links_lead_to_pages_to_the_public_address_or_fail():
    link = build.linker(ROOT, "notebooks")
    assert link("01_linear_regression.ipynb") == "01_linear_regression.html"
    assert link("01_linear_regression.ipynb#x") == "01_linear_regression.html#x"
    assert link("../helpers/tokenizers/bpe.py").startswith("https://github.com/") and link("#here") == "#here"
    assert link("https://a.b/c") == "https://a.b/c" and "/tree/" in link("../data")
    with pytest.raises(Problem, match="nowhere.md"):
        link("nowhere.md")
    with pytest.raises(Problem, match="passwd"):
        link("../../../../../../etc/passwd")


# --- the check, the folder, the command ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spoil, word",
    [
        (lambda t: t.replace("</main>", ""), "</div> comes while <main>"),
        (lambda t: t.replace('id="main"', 'id="search"'), "stands twice"),
        (lambda t: t.replace('<main id="main"', '<main id="main" id="x"'), "attribute twice"),
        (lambda t: t.replace("</main>", "<a href='99.html'>x</a></main>"), "leads to no page"),
        (lambda t: t.replace("</main>", "<a href='#gone'>x</a></main>"), "leads to no anchor"),
        (lambda t: t.replace("</main>", "<img src='https://a.b/c.png' alt='a picture'></main>"), "from outside"),
        (lambda t: t.replace("</main>", "<img src='site/none.png' alt='a picture'></main>"), "is not there"),
        (lambda t: t.replace("</main>", "<img src='data:,' alt=''></main>"), "no alt text"),
        (lambda t: t.replace("</main>", "</b></main>"), "closes nothing"),
    ],
)
def test_the_check_sees_what_is_wrong(tmp_path, spoil, word):
    (tmp_path / "site").mkdir()
    for path in build.STATIC.iterdir():
        shutil.copy(path, tmp_path / "site")
    listed = [Entry("", "T", "index.html")]
    text = page(title="T", description="d", body="<h1>T</h1>", entries=listed, current="index.html", headings=[])
    (tmp_path / "index.html").write_text(text, encoding="utf-8")
    assert list(checking.findings(tmp_path)) == []
    (tmp_path / "index.html").write_text(spoil(text), encoding="utf-8")
    assert any(word in found for found in checking.findings(tmp_path)), list(checking.findings(tmp_path))


def test_a_folder_with_other_files_is_left_alone_and_an_old_site_is_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr(build, "files_of", lambda root: {"index.html": b"new", "site/x.js": b""})
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("x")
    with pytest.raises(Problem, match="not empty"):
        build.write(ROOT, mine)
    assert [p.name for p in mine.iterdir()] == ["thesis.txt"]
    with pytest.raises(Problem, match="is a file"):
        build.write(ROOT, mine / "thesis.txt")
    out = tmp_path / "out"
    assert build.write(ROOT, out) == ["index.html"]
    (out / "own.html").write_text("stays")
    monkeypatch.setattr(build, "files_of", lambda root: {"other.html": b"new"})
    build.write(ROOT, out)
    assert not (out / "index.html").exists() and (out / "other.html").exists() and (out / "own.html").exists()


def test_the_command_reports_pages_or_faults(tmp_path, monkeypatch, capsys):
    class Options:
        folder = str(tmp_path / "s")

    monkeypatch.setattr(build, "files_of", lambda root: {"index.html": b"<p>ok</p>", "site/x.js": b""})
    assert command.inside(Options) == 0 and "1 pages" in capsys.readouterr().out
    monkeypatch.setattr(build, "files_of", lambda root: {"index.html": b"<p>" * 20})
    with pytest.raises(Problem, match="20 faults") as caught:
        command.inside(Options)
    assert caught.value.evidence[-1] == "and 8 more"


# --- colors ----------------------------------------------------------------------------------------------------------------


def luminance(color: str) -> float:
    parts = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def palettes() -> list[dict[str, str]]:
    css = (build.STATIC / "site.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root[^{]*\{\s*color-scheme:[^}]*\}", css)
    on_screen = [block for block in blocks if "--page: #fff;" not in block]
    return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in on_screen]


def test_every_color_of_text_and_code_stands_out_in_light_and_dark():
    light, by_system, by_choice = palettes()
    assert by_system == by_choice and light != by_choice, "the two ways into the dark differ"
    for palette in (light, by_choice):
        for name in ("text", "soft", "link", "exercise", "k", "s", "c", "n", "f", "b", "e"):
            for ground in ("page", "box"):
                assert contrast(palette[name], palette[ground]) >= 4.5, (name, ground)
        assert contrast(palette["text"], palette["mark"]) >= 4.5 and contrast(palette["on-accent"], palette["accent"]) >= 4.5
        assert contrast(palette["soft"], palette["page"]) >= 4.5
