"""course.py site: the executed notebooks, as committed, as a site that works without server and network.

`command` runs under whatever Python started course.py; it sets up and starts this module again inside the
environment, where `inside` does the work.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

from helpers.course.commands.console import Problem, guarded, say, seconds, size
from helpers.course.commands.process import run_foreground
from helpers.paths import build_folder, repository_root

SHOWN = 12  # findings that are named


def command(options: Any) -> int:
    """course.py site"""
    from helpers.course.commands.environment import prepare

    root = repository_root()
    folder = Path(options.out or build_folder(root) / "site").absolute()
    environment = prepare(options)
    command: list[str] = [str(environment.python), "-m", "helpers.course.commands.site", str(folder)]
    return run_foreground(command, env=environment.variables(), cwd=root)


def inside(options: Any) -> int:
    """The work of `course.py site`, inside the environment."""
    from helpers.course.site import build, checking

    begun, root, folder = time.monotonic(), repository_root(), Path(options.folder)
    pages = build.write(root, folder)
    wrong = list(checking.findings(folder))
    if wrong:
        rest = [f"and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
        raise Problem(
            f"The site was written, but has {len(wrong)} faults.", "Correct the cells that they come from.", wrong[:SHOWN] + rest
        )
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    say(f"{len(pages)} pages, {size(total)}, in {seconds(time.monotonic() - begun)}; all links within them lead somewhere.")
    say(f"Open {os.path.relpath(folder / 'index.html')}")
    return 0


def main() -> int:
    """The command line inside the environment."""
    parser = argparse.ArgumentParser(prog="course.py site")
    parser.add_argument("folder")
    return guarded(inside, parser.parse_args(), farewell=False)  # course.py, which waits, says it


if __name__ == "__main__":
    sys.exit(main())
