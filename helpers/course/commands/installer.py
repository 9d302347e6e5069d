"""Packages, by uv where it serves and else by pip: a live line, a log of all that is said, failures as clear sentences.

uv is tried first for .venv: it fetches and unpacks many packages at a time. Whatever it cannot do, pip does: another
attempt, more patient, in pip's own way. So a failure that the reader sees is one of pip's, and a mirror, a proxy or a
key ring that only pip knows keeps working. For --here only pip is asked: that environment is the reader's.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from helpers.course.commands import uv
from helpers.course.commands.console import Live, Problem
from helpers.course.commands.process import child_environment, run_logged

PAUSE = 3.0  # seconds before the network is tried again
_NETWORK = (
    "NewConnectionError",
    "Temporary failure in name resolution",
    "Name or service not known",
    "getaddrinfo failed",
    "nodename nor servname",
    "Network is unreachable",
    "No route to host",
    "ConnectTimeoutError",
    "Connection timed out",
    "ReadTimeoutError",
    "Read timed out",
    "ProxyError",
    "Connection refused",
    "Connection aborted",
    "RemoteDisconnected",
    "ConnectionResetError",
    "NameResolutionError",
    "SSLError",
    "CERTIFICATE_VERIFY_FAILED",
    "Max retries exceeded",
    "dns error",
)
# What pip prints -> the kind of failure. The first match counts: a full disk also looks like a broken file.
_KINDS = (
    (
        "disk",
        (
            "No space left on device",
            "[Errno 28]",
            "not enough space on the disk",
            "[WinError 112]",
            "Disk quota exceeded",
            "[Errno 122]",
        ),
    ),
    ("memory", ("MemoryError", "Cannot allocate memory")),
    ("long", ("Windows Long Path support", "[WinError 206]")),
    ("managed", ("externally-managed-environment",)),
    ("hash", ("DO NOT MATCH THE HASHES", "THESE PACKAGES DO NOT MATCH", "Hash mismatch")),
    (
        "wheel",
        (
            "BadZipFile",
            "is not a zip file",
            "is invalid: ",
            "is not a valid wheel",
            "Bad CRC-32",
            "has an invalid wheel",
            "Error -3 while decompressing",
            "IncompleteRead",
            "incomplete-download",
        ),
    ),
    ("network", _NETWORK),
    ("permission", ("Permission denied", "[Errno 13]", "[WinError 5]", "Access is denied", "Read-only file")),
    ("build", ("Failed building wheel", "Failed to build", "metadata-generation-failed", "subprocess-exited-with-error")),
    (
        "absent",
        ("No matching distribution found", "Could not find a version that satisfies", "no version of", "No solution found"),
    ),
    ("conflict", ("ResolutionImpossible", "conflicting dependencies")),
    ("nopip", ("No module named pip", "No module named 'pip'")),
)


def kind_of_failure(lines: Sequence[str]) -> str:
    """One word for why an installation failed, from its output: disk, network, hash, absent, ... or "other"."""
    text = "\n".join(lines)
    if re.search(r"from versions: (?!none)\S", text):  # the registry answered, whatever else went wrong before
        return "absent"
    for kind, marks in _KINDS:
        if any(mark in text for mark in marks):
            return kind
    return "other"


def problem(kind: str, what: str, lines: Sequence[str], log: Path) -> Problem:
    """The clear sentence for a failed installation of `what`, its way out, and the lines that show it."""
    again = "Then start the same command again: it goes on where it stopped."
    sentence, fix = {
        "disk": (
            f"The disk is full; {what} could not be installed.",
            f"Free about 4 GB on this disk, and room in the folder for temporary files. {again}",
        ),
        "memory": (f"The memory ran out while {what} was installed.", f"Close other programs. {again}"),
        "managed": (
            "This Python belongs to the operating system, which does not let pip change it.",
            "Leave --here away: the course then makes its own environment in .venv.",
        ),
        "hash": (
            f"A file that came for {what} is not the file the course was made with (its sha256 differs), "
            "and neither was a second copy. Nothing of it was installed.",
            "Try again later or on another network: a proxy or mirror may change or cut files. "
            "The pinned digests stand in the folder data, in the files requirements*.txt.",
        ),
        "wheel": (
            f"A package file for {what} arrived broken, and so did a second copy.",
            "Try again later or on another network. " + again,
        ),
        "network": (
            f"The package registry cannot be reached, so {what} could not be installed.",
            f"Check the network connection, and the proxy if there is one. {again} Once set up, the course needs no network.",
        ),
        "permission": (
            f"Files may not be written where {what} should go.",
            "Use a folder of your own for the course (not one of an administrator), close programs "
            f"that use .venv, or leave --here away. {again}",
        ),
        "build": (
            f"There is no ready-made package for this system among {what}, and building it failed.",
            "Use Python 3.11, 3.12 or 3.13 (64 bit) on Linux, macOS or Windows; Python 3.12 is a safe choice.",
        ),
        "absent": (
            f"The package registry has no suitable version for this Python and system among {what}.",
            "Use Python 3.11, 3.12 or 3.13 (64 bit). If you use a mirror, check that it is up to date.",
        ),
        "conflict": (
            f"The packages already in this environment do not go together with {what}.",
            "Leave --here away: the course then makes its own environment in .venv.",
        ),
        "long": (
            f"A file name of {what} is too long for this folder on Windows.",
            "Move the course to a short path such as C:\\course, or switch on Windows long paths. " + again,
        ),
        "nopip": ("This Python environment has no pip.", "Leave --here away, or run: python -m ensurepip"),
    }.get(
        kind,
        (
            f"{what[:1].upper()}{what[1:]} could not be installed.",
            f"The whole story stands in {log.name} in the folder build. {again}",
        ),
    )
    return Problem(sentence, fix, evidence(lines))


def evidence(lines: Sequence[str], limit: int = 6) -> list[str]:
    """The few lines of an output that matter most: errors first, else the last ones."""
    errors = [line for line in lines if re.match(r"\s*(ERROR|error|\w*Error\b|OSError|fatal)", line)]
    chosen = (errors or [line for line in lines if line.strip()])[-limit:]
    return [line.strip()[:200] for line in chosen]


def activity(line: str) -> str:
    """A short note for the live line out of a line of pip's or uv's output; "" when it says nothing new."""
    match = re.match(r"\s*(Collecting|Downloading|Processing|Using cached|Building wheel for|Building) (\S+)(.*)", line)
    if match:
        verb, name, rest = match.groups()
        amount = re.search(r"\(([\d.]+ ?[kKMG]?i?B)\)", rest)
        return f"{verb.lower()} {name.rsplit('/', 1)[-1][:40]}" + (f" ({amount[1]})" if amount else "")
    if line.startswith("Installing collected packages"):
        return f"unpacking {line.count(',') + 1} packages"
    if match := re.match(r"(Resolved|Prepared) (\d+ packages?)", line):
        return f"{'fetching' if match[1] == 'Resolved' else 'unpacking'} {match[2]}"
    if "Retrying (Retry" in line:
        return "no answer from the package registry, trying again"
    return ""


@dataclass
class Installer:
    """What installs into one environment: uv, pip behind it, where they log, and which lock their processes hold."""

    python: Path
    root: Path
    log: Path
    here: bool = False
    keep_open: Sequence[int] = field(default_factory=tuple)

    def install(self, arguments: Sequence[str], what: str, line: Live) -> None:
        """`pip install ...` or a Problem about `what`."""
        kind, lines = self.attempt(arguments, line)
        if kind:
            raise problem(kind, what, lines, self.log)

    def attempt(self, arguments: Sequence[str], line: Live, *, backend: str = "") -> tuple[str, list[str]]:
        """`pip install ...` by uv, else by pip; returns the kind of failure ("" when it worked) and the output.

        backend: a kind of torch build that uv finds by itself; pip has no word for it and is not asked.
        """
        kind, lines = ("absent" if backend else ""), []
        found = self._uv(line) if backend or not self.here else None
        if found:
            program, variables = found
            more = ["--torch-backend", backend] if backend else []
            words = [word for word in arguments if word != "--require-hashes" or "UV_CONSTRAINT" not in variables]
            # (uv wants digests in a constraint file too; without that word it still compares the digests that there are)
            command = [program, "pip", "install", "--python", str(self.python), *words, *more]
            kind, lines = self.run(command, line, **variables)
            if kind in ("", "disk"):
                return kind, lines
        if backend:
            return kind, lines
        if not found:
            kind, lines = self._pip(["--retries", "2", *arguments], line)
            if kind not in ("network", "hash", "wheel"):
                return kind, lines
        if kind == "network":
            line.note = "no answer from the package registry, trying once more"
            time.sleep(PAUSE)
        elif kind in ("hash", "wheel"):
            line.note = "a file was broken, fetching it again"
        return self._pip([*(["--no-cache-dir"] if kind in ("hash", "wheel") else ["--retries", "4"]), *arguments], line)

    def _pip(self, arguments: Sequence[str], line: Live) -> tuple[str, list[str]]:
        words = list(arguments)
        while "--reinstall-package" in words:  # pip has no such word for single packages
            at = words.index("--reinstall-package")
            words[at : at + 2] = ["--force-reinstall"]
        return self.run([str(self.python), "-m", "pip", "install", "--progress-bar", "off", "--prefer-binary", *words], line)

    def _uv(self, line: Live) -> tuple[str, dict[str, str]] | None:
        """uv and its variables, fetched by pip the first time; None where it cannot be had or cannot follow pip's settings."""
        if not hasattr(self, "_found"):
            tools = self.root / "build" / "uv"
            variables = uv.settings(self.python)
            if variables is not None and not uv.program(tools):
                line.note = "fetching uv, the installer"
                kind, lines = self._pip(["--retries", "1", "--target", str(tools), "--upgrade", uv.WANTED], line)
                if kind == "disk":
                    raise problem(kind, "uv, the installer", lines, self.log)
            program = uv.program(tools)
            self._found = (program, variables) if program and variables is not None else None
        return self._found

    def forget(self, packages: Sequence[str]) -> None:
        """Have uv forget its copies of damaged packages: they share the disk with what lies in the environment."""
        program = uv.program(self.root / "build" / "uv")
        if program and packages and not self.here:
            run_logged([program, "cache", "clean", *packages], self.log, env=child_environment(self.python), cwd=self.root)

    def run(self, command: Sequence[str], line: Live, **env: str | None) -> tuple[str, list[str]]:
        """Any installing command, logged; returns the kind of failure ("" when it worked) and the output."""

        def note(text: str) -> None:
            line.note = activity(text) or line.note

        status, lines = run_logged(
            command, self.log, env=child_environment(self.python, **env), cwd=self.root, keep_open=self.keep_open, on_line=note
        )
        return (kind_of_failure(lines) if status else ""), lines
