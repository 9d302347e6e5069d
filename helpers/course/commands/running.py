"""course.py run: notebooks without a browser, one live line each, and a page for each in build/pages.

`command` runs under whatever Python started course.py; it sets up and starts this module again inside the
environment, where `inside` does the work.
"""

from __future__ import annotations

import argparse
import datetime
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
from helpers.course.commands.readme import recorded
from helpers.files import locked, save_json
from helpers.hardware import hardware
from helpers.paths import build_folder, named_path, repository_root

if TYPE_CHECKING:
    from helpers.course.commands.notebooks import Result
    from helpers.course.site.run_pages import RunPages

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
            match = [
                path for path in everything if re.match(r"\d+", path.name) and int(span[1]) <= int(path.name[:2]) <= int(span[2])
            ]
        elif stem.isdigit():
            match = [path for path in everything if path.name.startswith(stem.zfill(2) + "_")]
        else:
            match = [path for path in everything if path.name.startswith(stem)]
        if not match:
            raise Problem(
                f"There is no notebook {name!r}.",
                "Name a chapter by its number: " + ", ".join(path.name.split("_")[0] for path in everything),
            )
        found += [path for path in match if path not in found]
    return found


def entry(result: Result) -> dict[str, Any]:
    """What data/results.json keeps of one execution."""
    versions = {"python": platform.python_version()}
    for name in MEASURED:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            pass
    return {
        "seconds": round(result.seconds, 1),
        "peak_mb": round(result.peak_mb),
        "profile": os.environ.get("COURSE_PROFILE", "cpu"),
        "hardware": hardware(),
        "versions": versions,
        "date": datetime.date.today().isoformat(),
    }


def record(root: Path, results: Sequence[Result]) -> Path:
    """Write the successful executions under "notebooks" of data/results.json; all other keys stay."""
    path = named_path("COURSE_RESULTS") or root / "data" / "results.json"
    with locked(path):  # another run may record as well
        data = recorded(path)
        kept = data.setdefault("notebooks", {})
        for result in results:
            if result.error is None:
                kept[key(result.path)] = entry(result)
        return save_json(path, data, indent=1, sort_keys=True, ensure_ascii=False)


def key(path: Path) -> str:
    """The key of a notebook in data/results.json: its chapter number, or its name when it has none."""
    match = re.match(r"(\d\d)_", path.name)
    return match[1] if match else path.stem


def run_one(path: Path, pages: RunPages, env: dict[str, str], timeout: float, width: int) -> Result:
    """Execute one notebook under a live line, write its page, and print how it went."""
    from helpers.course.commands import notebooks

    progress = notebooks.Progress()

    def text(elapsed: float, note: str) -> str:
        return (
            f"  {path.stem:<{width}} {elapsed:6.1f} s  {progress.memory / 1e6:6.0f} MB  cell {progress.cell} of {progress.cells}"
        )

    with Live(path.stem, text) as line:
        result = notebooks.execute(path, env=env, timeout=timeout or None, progress=progress)
        page = pages.add(path, result.notebook)
        line.close()
    how = "ok" if result.error is None else "FAILED"
    say(f"  {path.stem:<{width}} {result.seconds:6.1f} s  {result.peak_mb:6.0f} MB  {how}")
    if result.error is not None:
        say(f"      {result.error}\n      page: {os.path.relpath(page)}")
    return result


def inside(options: Any) -> int:
    """The work of `course.py run`, inside the environment."""
    from helpers.course.site.run_pages import RunPages

    root = repository_root()
    paths = chosen(root, options.chapters)
    pages = RunPages(build_folder(root) / "pages", paths)
    note = f"{datetime.datetime.now():%Y-%m-%d %H:%M}, {hardware()}, profile {os.environ.get('COURSE_PROFILE', 'cpu')}."
    env = {"COURSE_QUIET": "1"}
    if options.record:
        env["COURSE_RECORD"] = "1"
    width = max(len(path.stem) for path in paths)
    say(f"  {'notebook':<{width}}     time      peak  result")
    results: list[Result] = []
    for path in paths:
        results.append(run_one(path, pages, env, options.timeout, width))
        index = pages.index(
            [(r.path.stem, r.seconds, r.peak_mb, "ok" if r.error is None else f"failed, {r.error}") for r in results], note
        )
    failed = [result for result in results if result.error is not None]
    total, peak = sum(r.seconds for r in results), max(r.peak_mb for r in results)
    say(
        f"{len(results) - len(failed)} of {len(results)} notebooks ran through in {seconds(total)}, at most "
        f"{peak:.0f} MB. Pages: {os.path.relpath(index)}"
    )
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
