"""Which torch to install: the pin, the floor and the order of attempts stand here and nowhere else.

A torch that is already there and new enough is kept, whatever its build. Otherwise the CPU build is tried first,
because on 64-bit Linux the plain package brings several GB of CUDA libraries that the course does not need.
"""

from __future__ import annotations

import platform
import re
import shutil
import sys
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
    if not match:
        return False
    return FLOOR <= (int(match[1]), int(match[2])) < CEILING


def brings_cuda(system: str = sys.platform, machine: str | None = None) -> bool:
    """Whether the plain package of the registry is a CUDA build on this system."""
    return system.startswith("linux") and (machine or platform.machine()).lower() in ("x86_64", "amd64")


def install(pip: Installer, line: Live, *, gpu: bool = False, index: str = "", swap: bool = False) -> None:
    """Install torch into the environment of `pip`; raises Problem when no way works.

    gpu: the GPU build instead of the CPU one. index: a package index given by the reader, asked besides the
    configured one. swap: a build of the same version is there and is to be replaced.
    """
    replace = ["--force-reinstall", "--no-deps"] if swap else []
    if index:
        _must(pip, [f"torch=={PIN}", "--extra-index-url", index, *replace], line)
    elif gpu:
        _install_gpu(pip, line, replace)
    else:
        _install_cpu(pip, line)
    if swap:  # the new build's own companions
        _must(pip, [f"torch=={PIN}"], line)


def _attempt(pip: Installer, arguments: list[str], line: Live) -> bool:
    """Try pip; False only when the registry does not have it. Other failures are Problems at once."""
    kind, lines = pip.try_pip(arguments, line)
    if kind and kind != "absent":
        raise problem(kind, "torch", lines, pip.log)
    return not kind


def _must(pip: Installer, arguments: list[str], line: Live) -> None:
    if not _attempt(pip, arguments, line):
        raise Problem(f"There is no torch {PIN} for this Python and system ({platform.system()} "
                      f"{platform.machine()}, Python {platform.python_version()}).",
                      "Use a 64-bit Python 3.12 on Linux, Windows or a Mac with Apple silicon; or install torch "
                      f"{FLOOR[0]}.{FLOOR[1]} or newer into an environment yourself and start with --here.")


def _install_cpu(pip: Installer, line: Live) -> None:
    if sys.platform != "darwin" and _attempt(pip, [f"torch=={PIN}+cpu"], line):
        return
    if brings_cuda() and not _with_uv(pip, line, "cpu"):
        line.interrupt(
            "  torch        The CPU build cannot be reached from here. Taking the registry's own build: it brings\n"
            f"               CUDA libraries, several GB to download and up to {size(PLAIN_SPACE)} on disk.\n"
            "               To avoid that, press Ctrl-C and start again with --torch-index URL, where URL is a\n"
            "               package index that has the CPU build.")
        _room_for_plain(pip.root)
        _must(pip, [f"torch=={PIN}"], line)
    elif not brings_cuda():  # on macOS, Windows and other processors the plain package is the CPU build
        _must(pip, [f"torch=={PIN}"], line)


def _install_gpu(pip: Installer, line: Live, replace: list[str]) -> None:
    if sys.platform == "win32" and _with_uv(pip, line, "auto"):
        return
    if brings_cuda():
        _room_for_plain(pip.root)
    _must(pip, [f"torch=={PIN}", *replace], line)


def _room_for_plain(root: Path) -> None:
    free = shutil.disk_usage(root).free
    if free < PLAIN_SPACE:
        raise Problem(f"This build of torch needs about {size(PLAIN_SPACE)}; {size(free)} are free on this disk.",
                      "Free some space, or start with --torch-index URL (a package index that has the CPU build).")


def _with_uv(pip: Installer, line: Live, backend: str) -> bool:
    """Let uv install torch: it knows by itself where the builds live. False when that does not work here."""
    line.note = "asking uv for the right build"
    tools = pip.root / "build" / "uv"
    program = _uv_program(tools)
    if program is None:
        kind, lines = pip.try_pip(["--target", str(tools), "--upgrade", "uv"], line)
        if kind == "disk":
            raise problem(kind, "torch", lines, pip.log)
        program = _uv_program(tools)
        if kind or program is None:
            return False
    command = [str(program), "pip", "install", "--python", str(pip.python), "--reinstall-package", "torch",
               "--torch-backend", backend, f"torch=={PIN}"]
    kind, lines = pip.try_command(command, line, UV_HTTP_TIMEOUT="60")
    if kind == "disk":
        raise problem(kind, "torch", lines, pip.log)
    return not kind


def _uv_program(tools: Path) -> Path | None:
    """The uv that pip put under the folder `tools`, if it is there."""
    places = (tools / "bin" / "uv", tools / "bin" / "uv.exe", tools / "Scripts" / "uv.exe")
    return next((place for place in places if place.exists()), None)
