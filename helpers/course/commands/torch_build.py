"""Which torch to install: the pin, the floor and the order of attempts stand here and nowhere else.

A torch that is already there and new enough is kept, whatever its build. Otherwise the CPU build is tried first,
because on 64-bit Linux the plain package brings several GB of CUDA libraries that the course does not need.
"""

from __future__ import annotations

import platform
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from helpers.course.commands.console import Live, Problem, size
from helpers.course.commands.installer import Installer, problem

PIN = "2.13.0"  # what a new environment gets
FLOOR = (2, 9)  # the oldest that will do: that of the oldest hosted runtime which the course supports
CEILING = (3,)  # the first that will not do
PLAIN_SPACE = 12e9  # bytes that the plain package and its CUDA companions need on 64-bit Linux


def suitable(version: str) -> bool:
    """Whether an installed torch of this version ("2.13.0+cpu") is new enough and not too new."""
    match = re.match(r"(\d+)\.(\d+)", version)
    return match is not None and FLOOR <= (int(match[1]), int(match[2])) < CEILING


def brings_cuda(system: str = sys.platform, machine: str | None = None) -> bool:
    """Whether the plain package of the registry is a CUDA build on this system."""
    return system.startswith("linux") and (machine or platform.machine()).lower() in ("x86_64", "amd64")


def attempts(gpu: bool, index: str) -> Iterator[tuple[list[str], str]]:
    """What to ask for, one after the other: words for pip or uv, and the build that uv is to find by itself."""
    plain = f"torch=={PIN}"
    if index:
        yield [plain, "--extra-index-url", index], ""
        return
    if gpu and sys.platform == "win32":
        yield [plain], "auto"
    if not gpu and sys.platform != "darwin":
        yield [plain + "+cpu"], ""  # a mirror, a folder of packages
        if brings_cuda():
            yield [plain], "cpu"
    yield [plain], ""  # on macOS, Windows and other processors this is the CPU build


def install(pip: Installer, line: Live, *, gpu: bool = False, index: str = "", swap: bool = False) -> None:
    """Install torch into the environment of `pip`; raises Problem when no way works.

    gpu: the GPU build instead of the CPU one. index: a package index given by the reader, asked besides the
    configured one. swap: a build of the same version is there and is to be replaced.
    """
    for words, backend in attempts(gpu, index):
        if words == [f"torch=={PIN}"] and not backend and brings_cuda():
            _announce_plain(pip.root, line, gpu)
        kind, lines = pip.attempt([*words, *(["--reinstall-package", "torch"] if swap else [])], line, backend=backend)
        if not kind:
            return
        if kind == "disk" or (kind != "absent" and not backend):
            raise problem(kind, "torch", lines, pip.log)
    raise Problem(
        f"There is no torch {PIN} for this Python and system ({platform.system()} "
        f"{platform.machine()}, Python {platform.python_version()}).",
        "Use a 64-bit Python 3.12 on Linux, Windows or a Mac with Apple silicon; or install torch "
        f"{FLOOR[0]}.{FLOOR[1]} or newer into an environment yourself and start with --here.",
    )


def _announce_plain(root: Path, line: Live, gpu: bool) -> None:
    """Say what the build with CUDA takes, and refuse it where the disk is too small."""
    if not gpu:
        line.interrupt(
            "  torch        The CPU build cannot be reached from here. Taking the registry's own build: it brings\n"
            f"               CUDA libraries, several GB to download and up to {size(PLAIN_SPACE)} on disk.\n"
            "               To avoid that, press Ctrl-C and start again with --torch-index URL, where URL is a\n"
            "               package index that has the CPU build."
        )
    free = shutil.disk_usage(root).free
    if free < PLAIN_SPACE:
        raise Problem(
            f"This build of torch needs about {size(PLAIN_SPACE)}; {size(free)} are free on this disk.",
            "Free some space, or start with --torch-index URL (a package index that has the CPU build).",
        )
