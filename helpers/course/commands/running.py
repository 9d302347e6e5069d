"""course.py run: notebooks without a browser, one live line each, and a page for each in build/pages.

`command` runs under whatever Python started course.py; it sets up and starts this module again inside the
environment, where `inside` does the work.
"""

from __future__ import annotations

import argparse
import datetime
import html
import json
import os
import platform
import re
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.course.commands.console import Live, Problem, guarded, say, seconds
from helpers.course.commands.process import run_foreground
from helpers.paths import build_folder, repository_root

if TYPE_CHECKING:
    from helpers.course.commands.notebooks import Result

MEASURED = ("numpy", "scipy", "scikit-learn", "matplotlib", "torch", "transformers", "ipywidgets")


def command(options: Any) -> int:
    """course.py run"""
    from helpers.course.commands.environment import prepare

    root = repository_root()
    chosen(root, options.chapters)  # a wrong chapter is told before anything is installed
    environment = prepare(options)
    names = [str(Path(name).absolute()) if _is_file(name) else name for name in options.chapters]  # the child runs elsewhere
    arguments = [*names, "--timeout", str(options.timeout)]
    if options.record:
        arguments.append("--record")
    offline = None if os.environ.get("COURSE_HUB") == "1" else "1"
    env = environment.variables(MPLBACKEND=None, HF_HUB_OFFLINE=offline)
    return run_foreground([environment.python, "-m", "helpers.course.commands.running", *arguments], env=env, cwd=root)


def _is_file(name: str) -> bool:
    return Path(name).suffix == ".ipynb" and Path(name).is_file()


def chosen(root: Path, names: Sequence[str]) -> list[Path]:
    """The notebooks meant by these names: "1", "01", "01_linear", "01-03", a path; all of them for no name."""
    everything = sorted(path for path in (root / "notebooks").glob("*.ipynb") if not path.name.startswith("."))
    if not names:
        if not everything:
            raise Problem("There are no notebooks in the folder notebooks.", "Get the whole course, then start again.")
        return everything
    found: list[Path] = []
    for name in names:
        stem = Path(name).name.removesuffix(".ipynb")
        span = re.fullmatch(r"(\d+)-(\d+)", stem)
        if _is_file(name):
            match = [Path(name).resolve()]
        elif span:
            match = [path for path in everything
                     if re.match(r"\d+", path.name) and int(span[1]) <= int(path.name[:2]) <= int(span[2])]
        elif stem.isdigit():
            match = [path for path in everything if path.name.startswith(stem.zfill(2) + "_")]
        else:
            match = [path for path in everything if path.name.startswith(stem)]
        if not match:
            raise Problem(f"There is no notebook {name!r}.",
                          "Name a chapter by its number: " + ", ".join(path.name.split("_")[0] for path in everything))
        found += [path for path in match if path not in found]
    return found


def hardware() -> str:
    """The class of this machine, without its name: cores, processor kind, system."""
    return f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}"


def entry(result: Result) -> dict[str, Any]:
    """What data/results.json keeps of one execution."""
    versions = {"python": platform.python_version()}
    for name in MEASURED:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            pass
    return {"seconds": round(result.seconds, 1), "peak_mb": round(result.peak_mb),
            "profile": os.environ.get("COURSE_PROFILE", "cpu"), "hardware": hardware(), "versions": versions,
            "date": datetime.date.today().isoformat()}


def record(root: Path, results: Sequence[Result]) -> Path:
    """Write the successful executions under "notebooks" of data/results.json; all other keys stay."""
    path = Path(os.environ.get("COURSE_RESULTS") or root / "data" / "results.json")
    data: dict[str, Any] = {}
    if path.exists():
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise Problem(f"{path.name} is not valid JSON ({error}).",
                          "Restore it: git checkout data/results.json") from error
    kept = data.setdefault("notebooks", {})
    for result in results:
        if result.error is None:
            kept[key(result.path)] = entry(result)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".tmp")
    aside.write_text(json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(aside, path)
    return path


def key(path: Path) -> str:
    """The key of a notebook in data/results.json: its chapter number, or its name when it has none."""
    match = re.match(r"(\d\d)_", path.name)
    return match[1] if match else path.stem


def write_index(folder: Path, results: Sequence[Result]) -> Path:
    """build/pages/index.html: a row for each notebook of this run, then the pages of earlier runs."""
    rows = "".join(
        f"<tr><td><a href='{html.escape(r.path.stem)}.html'>{html.escape(r.path.stem)}</a></td>"
        f"<td>{r.seconds:.1f}</td><td>{r.peak_mb:.0f}</td>"
        f"<td>{'ok' if r.error is None else 'failed, ' + html.escape(str(r.error))}</td></tr>\n" for r in results)
    earlier = {page.stem for page in folder.glob("*.html")} - {"index"} - {r.path.stem for r in results}
    rows += "".join(f"<tr><td><a href='{html.escape(stem)}.html'>{html.escape(stem)}</a></td><td></td><td></td>"
                    "<td>page of an earlier run</td></tr>\n" for stem in sorted(earlier))
    path = folder / "index.html"
    path.write_text(
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>From Counts to Chat: executed notebooks</title>"
        "<style>body{font:16px/1.5 sans-serif;max-width:50em;margin:2em auto;padding:0 1em}"
        "td,th{text-align:left;padding:.2em 1em .2em 0}</style>"
        f"<h1>Executed notebooks</h1><p>{datetime.datetime.now():%Y-%m-%d %H:%M}, {html.escape(hardware())}, "
        f"profile {html.escape(os.environ.get('COURSE_PROFILE', 'cpu'))}.</p>\n<table><thead><tr><th>Notebook</th>"
        f"<th>Seconds</th><th>Peak memory, MB</th><th>Result</th></tr></thead>\n<tbody>{rows}</tbody></table></html>\n",
        encoding="utf-8")
    return path


def run_one(path: Path, pages: Path, env: dict[str, str], timeout: float, width: int) -> Result:
    """Execute one notebook under a live line, write its page, and print how it went."""
    from helpers.course.commands import notebooks

    progress = notebooks.Progress()

    def text(elapsed: float, note: str) -> str:
        return (f"  {path.stem:<{width}} {elapsed:6.1f} s  {progress.memory / 1e6:6.0f} MB  "
                f"cell {progress.cell} of {progress.cells}")

    with Live(path.stem, text) as line:
        result = notebooks.execute(path, env=env, timeout=timeout or None, progress=progress)
        (pages / f"{path.stem}.html").write_text(notebooks.page(result.notebook, path.stem), encoding="utf-8")
        line.close()
    how = "ok" if result.error is None else "FAILED"
    say(f"  {path.stem:<{width}} {result.seconds:6.1f} s  {result.peak_mb:6.0f} MB  {how}")
    if result.error is not None:
        say(f"      {result.error}\n      page: {os.path.relpath(pages / path.stem)}.html")
    return result


def inside(options: Any) -> int:
    """The work of `course.py run`, inside the environment."""
    root = repository_root()
    pages = build_folder(root) / "pages"
    pages.mkdir(parents=True, exist_ok=True)
    paths = chosen(root, options.chapters)
    env = {"COURSE_QUIET": "1"}
    if options.record:
        env["COURSE_RECORD"] = "1"
    width = max(len(path.stem) for path in paths)
    say(f"  {'notebook':<{width}}     time      peak  result")
    results: list[Result] = []
    for path in paths:
        results.append(run_one(path, pages, env, options.timeout, width))
        index = write_index(pages, results)
    failed = [result for result in results if result.error is not None]
    total, peak = sum(r.seconds for r in results), max(r.peak_mb for r in results)
    say(f"{len(results) - len(failed)} of {len(results)} notebooks ran through in {seconds(total)}, at most "
        f"{peak:.0f} MB. Pages: {os.path.relpath(index)}")
    if options.record:
        say(f"Recorded in {os.path.relpath(record(root, results))}")
        renew_readme(root)
    return 1 if failed else 0


def renew_readme(root: Path) -> None:
    """Bring the chapter table of README.md up to date with what was recorded."""
    if (root / "README.md").exists():
        from helpers.course.commands import readme

        readme.update(root)
        say("Renewed the chapter table of README.md")


def main() -> int:
    """The command line inside the environment."""
    parser = argparse.ArgumentParser(prog="course.py run")
    parser.add_argument("chapters", nargs="*")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--timeout", type=float, default=600)
    return guarded(inside, parser.parse_args(), farewell=False)  # course.py, which waits, says it


if __name__ == "__main__":
    sys.exit(main())
