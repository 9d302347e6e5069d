"""Set-up: an environment with torch, the packages, the data and the converted weights, and nothing done twice.

`prepare` is what every command calls. It is quick when nothing changed. Otherwise it takes a lock, so that only one
set-up works at a time, and runs the steps that are not done yet; each leaves a mark in the stamp file, so that an
interrupted set-up goes on where it stopped.
"""

from __future__ import annotations

import errno
import time
from pathlib import Path
from typing import Any

from helpers.course.commands.console import Problem, say, seconds
from helpers.course.commands.installer import problem
from helpers.course.commands.lock import setup_lock
from helpers.course.commands.setup_steps import Setup
from helpers.course.commands.venv_folder import Environment
from helpers.paths import build_folder, repository_root


def prepare(options: Any, *, tests: bool = False, thorough: bool = False, root: Path | None = None) -> Environment:
    """Make sure that everything is set up; returns the environment. Raises Problem with the way out.

    thorough: look at every installed file and every byte of data and weights (seconds), not only at the marks that the
    last set-up left.
    """
    root = root or repository_root()
    environment = Environment.chosen(root, options.here)
    arguments = {"tests": tests, "gpu": options.gpu, "index": options.torch_index}
    setup = Setup(environment, **arguments)
    if thorough and not setup.stale():
        setup.verify()
    if not setup.stale() and not (thorough and setup.damaged()):
        return environment
    try:
        with setup_lock(build_folder(root) / "setup.lock") as (descriptor, waited):
            setup = Setup(environment, **arguments)  # read the stamp again: the other set-up may have done it all
            setup.pip.keep_open = (descriptor,)
            if waited and not setup.stale() and not setup.damaged():
                say("The other set-up has done everything.")
                return environment
            where = "the active environment" if environment.here else ".venv"
            say(f"Setting up the course in {where} (the whole story goes to build/setup.log)")
            setup.run()
    except TimeoutError as error:
        raise Problem(
            f"Another set-up ({error}) has been running for an hour.",
            "If it hangs, end that process; then start the same command again.",
        ) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
            raise problem("disk", "the course", [str(error)], build_folder(root) / "setup.log") from error
        raise Problem(
            f"A file could not be written or read: {error}.",
            "Put the course into a folder of your own, then start the same command again.",
        ) from error
    return environment


def command(options: Any) -> int:
    """course.py setup"""
    begun = time.monotonic()
    environment = prepare(options, thorough=True)
    say(f"Ready in {seconds(time.monotonic() - begun)}: {environment.python}")
    say("Next: python3 course.py lab" + (" --here" if options.here else ""))
    return 0
