"""The site in real headless Chromium, from the disk: phone and desktop, light and dark, by keyboard, in print, without scripts.

axe-core looks at every page. The colors of highlighted code are left out there (thousands of words; tests/unit/test_site.py
computes their contrast from the style sheet).
"""

from pathlib import Path

import pytest

from helpers.course.site import build
from tests.tools.in_browser import CHROMIUM, FLAGS, NO_CHROMIUM

playwright = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed (pip install -r tests/requirements.txt)"
)
axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe-core is not installed (pip install -r tests/requirements.txt)"
)
ROOT = Path(__file__).resolve().parents[2]
SHOTS = ROOT / "build" / "screenshots"
PAGES = [entry.file for entry in build.entries(ROOT) if entry.file]
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)
CHAPTER = "02_logistic_regression.html"


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("out") / "site"
    build.write(ROOT, folder)
    return folder


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as p:
        running = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def visit(browser, site):
    """visit(file, **context options) opens a page in a context of its own; errors and requests to elsewhere fail the test."""
    opened, problems = [], []

    def go(name: str, **options):
        context = browser.new_context(**{"viewport": DESKTOP, "color_scheme": "light", **options})
        opened.append(context)
        page = context.new_page()
        page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: problems.append(str(e)))
        page.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else problems.append(f"asks for {r.url}"))
        page.goto((site / name).as_uri())
        return page

    yield go
    for context in opened:
        context.close()
    assert not problems, problems[:3]


def serious(page, **options) -> list[str]:
    """What axe-core finds serious or critical, one line each."""
    found = axe.Axe().run(
        page, context={"exclude": [[".source pre"]]}, options={"preload": False, "resultTypes": ["violations"], **options}
    )
    return [
        f"{v['impact']}: {v['id']} {node['html'][:150]} | {node['any'][0]['message'][:150] if node['any'] else ''}"
        for v in found.response["violations"]
        if v["impact"] in ("serious", "critical")
        for node in v["nodes"]
    ]


def sideways(page) -> list[str]:
    """Elements that make the page itself scroll sideways; empty when it does not."""
    return page.evaluate("""() => document.documentElement.scrollWidth <= innerWidth ? [] :
      ['the page'].concat([...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1
        && !e.closest('.scroll, pre, .rich, .formula, .long')).map(e => e.outerHTML.slice(0, 150)))""")


@pytest.mark.parametrize("name", PAGES)
def test_each_page_fits_and_can_be_read_by_everybody(visit, name):
    page = visit(name, viewport=PHONE, color_scheme="dark")
    assert not sideways(page)
    assert not serious(page)
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"site_{Path(name).stem}_phone_dark.png")
    assert page.evaluate("[...document.images].filter(i => !i.complete || !i.naturalWidth).length") == 0
    small = page.evaluate(
        "[...document.querySelectorAll('main math')].filter(m => m.checkVisibility() && "
        "(m.getBoundingClientRect().width < 3 || m.getBoundingClientRect().height < 6)).map(m => m.outerHTML)"
    )
    assert not small, small[:2]
    page.set_viewport_size(DESKTOP)
    page.emulate_media(color_scheme="light")
    page.wait_for_timeout(100)
    assert not sideways(page)
    assert not serious(page, runOnly=["color-contrast"])
    page.screenshot(path=SHOTS / f"site_{Path(name).stem}_desktop_light.png")


def test_one_page_with_all_its_code_in_both_schemes(visit):
    for scheme in ("light", "dark"):
        page = visit("00_start_here.html", color_scheme=scheme)
        found = axe.Axe().run(page, options={"preload": False, "resultTypes": ["violations"]})
        assert not [v["id"] for v in found.response["violations"] if v["impact"] in ("serious", "critical")]


def test_search_by_keyboard(visit, site):
    page = visit("index.html")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.type("softmax rows")
    page.wait_for_selector("#found li")
    assert "place" in page.locator("#count").inner_text()
    titles = page.locator("#found strong").all_inner_texts()
    assert any("Softmax over rows" in title for title in titles[:3]), titles[:5]
    assert page.locator("#found mark").count() > 2
    assert not serious(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement === document.querySelector('#found a')")
    target = page.evaluate("document.activeElement.getAttribute('href')")
    page.keyboard.press("Escape")
    assert page.locator("#found").is_hidden() and page.evaluate("document.activeElement.id") == "search"
    page.keyboard.type(" ")
    page.wait_for_selector("#found:not([hidden])")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{target}")
    heading = page.locator(f"[id='{target.split('#')[1]}']")
    page.wait_for_load_state()
    assert 0 < heading.evaluate("h => h.getBoundingClientRect().top") < DESKTOP["height"]
    page.locator("#search").fill("xyzzyplugh")
    page.wait_for_function("document.getElementById('count').textContent.startsWith('Nothing found')")
    page.locator("#search").fill("")
    assert page.locator("#found").is_hidden()


def test_search_treats_what_is_typed_as_text(visit):
    page = visit("index.html")
    page.locator("#search").fill("<img src=x onerror=alert(1)>")
    page.wait_for_selector("#found:not([hidden])")
    assert page.locator("#found img").count() == 0


def ground(page) -> str:
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_colors_follow_the_system_until_chosen_and_are_remembered(visit):
    page = visit("index.html", color_scheme="dark")
    button, dark = page.get_by_role("button", name="Colors"), ground(page)
    page.emulate_media(color_scheme="light")
    light = ground(page)
    assert light == "rgb(255, 255, 255)" and dark != light
    button.focus()
    page.keyboard.press("Enter")  # light
    page.keyboard.press("Enter")  # dark, against the system
    assert ground(page) == dark and "dark" in button.inner_text()
    page.get_by_role("link", name="01 Linear regression").first.click()
    page.wait_for_url("**/01_linear_regression.html")
    assert ground(page) == dark and "dark" in page.get_by_role("button", name="Colors").inner_text()
    page.get_by_role("button", name="Colors").click()
    assert ground(page) == light and "system" in page.get_by_role("button", name="Colors").inner_text()
    page.reload()
    assert ground(page) == light


def test_the_keyboard_reaches_text_contents_and_wide_boxes(visit):
    page = visit(CHAPTER, viewport=PHONE)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["y"] >= 0
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
    contents = page.locator(".contents summary")
    assert not page.locator(".contents a").first.is_visible(), "the contents are folded on a phone"
    contents.focus()
    page.keyboard.press("Enter")
    assert page.locator(".contents a").first.is_visible()
    wide = page.evaluate("""() => [...document.querySelectorAll('pre, .scroll, .rich, .formula, .long')]
      .filter(e => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1).map(e => [e.tabIndex, e.getAttribute('role')])""")
    assert len(wide) > 5 and all(one == [0, "group"] for one in wide)
    page.set_viewport_size({"width": 2000, "height": 900})
    page.wait_for_timeout(300)
    assert page.evaluate("document.querySelectorAll('pre[tabindex]').length") < len(wide)


def test_without_scripts_everything_but_search_is_there(visit):
    page = visit("05_byte_pair_encoding.html", java_script_enabled=False)
    assert page.locator("#search").is_hidden() and page.locator("#theme").is_hidden()
    assert page.locator(".contents .headings a").first.is_visible()
    answer = page.locator("main details:not(.bootstrap)").first
    body = answer.bounding_box()["height"]
    answer.locator("summary").focus()
    page.keyboard.press("Enter")
    assert answer.bounding_box()["height"] > body + 10
    page.get_by_role("link", name="Next").click()
    page.wait_for_url("**/06_ngram_language_models.html")


def test_a_link_of_the_contents_leads_to_its_heading_below_the_header(visit):
    page = visit(CHAPTER)
    link = page.locator(".headings a").nth(6)
    link.click()
    page.wait_for_function("scrollY > 0 && document.querySelector('.headings a.here')")
    top = page.evaluate("document.getElementById(decodeURIComponent(location.hash.slice(1))).getBoundingClientRect().top")
    assert page.locator(".top").bounding_box()["height"] <= top < 300
    assert page.locator(".headings a.here").count() == 1


def test_print_shows_the_text_alone_with_answers_open(visit, tmp_path):
    page = visit("05_byte_pair_encoding.html", color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    for part in (".top", ".contents", ".neighbors", ".bootstrap"):
        assert page.locator(part).first.is_hidden(), part
    assert ground(page) == "rgb(255, 255, 255)"
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.querySelectorAll('main details:not([open])').length") == 0
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.querySelectorAll('main details:not([open])').length") > 3
    assert len(page.pdf()) > 100_000
