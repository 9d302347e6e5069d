"""Jails for student code: how strong a jail this machine can build, and talking to the program inside.

What a jail relies on, strongest first:

- isolated: Linux 5.12 or newer, as root or where ordinary users may make user namespaces. A file system, network and
  process table of its own (see `jail`), a user without rights, limits, and where the processor is known a filter of
  system calls (seccomp). The solutions and all other submissions are simply not there. A hole in the kernel would break it.
- limits: any other system. Only processor time, memory and file size are limited; the program can read what you can
  read and use the network. Grading refuses this unless it is asked for by name, and says so on every page.
"""

import json
import os
import pickle
import select
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.course.classroom.view import library, shown
from helpers.lab import plain_data
from helpers.paths import repository_root

MODES = ("isolated", "limits")
STARTING = 60.0  # seconds that Python and the packages may take to load
RUN = "import sys; sys.path.insert(0, {library!r}); from helpers.course.classroom.inmate import main; main()"


@dataclass(frozen=True)
class Limits:
    """What one jail may use. cpu: seconds of processor time; wall: seconds that all of a submission may take."""

    cpu: int = 60
    wall: float = 120.0
    load: float = 20.0
    memory_mb: int = 4096
    scratch_mb: int = 64
    processes: int = 64

    def resources(self) -> dict[str, int]:
        """The limits by the names of setrlimit."""
        return {
            "CPU": self.cpu,
            "AS": self.memory_mb << 20,
            "FSIZE": self.scratch_mb << 20,
            "NPROC": self.processes,
            "NOFILE": 128,
            "CORE": 0,
            "MEMLOCK": 0,
            "MSGQUEUE": 0,
        }


class Gone(Exception):
    """The program in the jail has ended; the message says how, in words that follow on "Your function"."""


class Late(Exception):
    """No answer came in time."""


class Garbled(Exception):
    """What came was no answer: the student's code wrote into the channel."""


class NoJail(Exception):
    """The jail could not be built; the message says why."""


class Jail:
    """One program in a jail. Use it as a context manager, or call `close`."""

    def __init__(self, mode: str, limits: Limits, hidden: tuple[str, ...] = ()) -> None:
        if mode not in MODES:
            raise ValueError(f"mode is {mode!r}, expected one of {', '.join(MODES)}")
        self.mode, self.limits = mode, limits
        self.folder = tempfile.mkdtemp(prefix="course-jail-")
        self.sent, self.waiting, self.rest, self.filtered = 0, False, b"", False
        self.child = subprocess.Popen(
            self._command(hidden),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            env={"PATH": "/usr/bin:/bin"},
        )
        os.set_blocking(self.child.stdout.fileno(), False)
        os.set_blocking(self.child.stdin.fileno(), False)

    def _command(self, hidden: tuple[str, ...]) -> list[str]:
        inside = self.mode == "isolated"
        scratch = "/scratch" if inside else self.folder
        env = {
            "PATH": "/usr/bin:/bin",
            "HOME": scratch,
            "TMPDIR": scratch,
            "LANG": "C.UTF-8",
            "COURSE_QUIET": "1",
            "COURSE_PROFILE": "cpu",
            "COURSE_THREADS": "1",
            "HF_HUB_OFFLINE": "1",
            "MPLCONFIGDIR": scratch,
            "COURSE_CACHE": scratch,
            "COURSE_PROGRESS": os.devnull,
        }
        env |= {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")}
        program = RUN.format(library="/course" if inside else str(library()))
        spec: dict[str, Any] = {
            "mode": self.mode,
            "command": [sys.executable, "-I", "-B", "-X", "utf8", "-c", program],
            "env": env,
            "limits": self.limits.resources(),
            "cwd": self.folder,
            "parent": os.getpid(),
            "scratch_mb": self.limits.scratch_mb,
        }
        if not inside:
            spec["limits"].pop("NPROC")  # it would count all processes of the user
        else:
            root = os.path.join(self.folder, "root")
            os.mkdir(root)
            links, early, late, masked = shown()
            spec |= {
                "root": root,
                "links": links,
                "binds": early,
                "late": late,
                "hidden": [*masked, *hidden],
                "user": 1_900_000_000 + os.getpid() % 100_000 * 8 + id(self) % 8 if os.getuid() == 0 else None,
            }
        if os.name == "nt":
            return spec["command"]
        return [sys.executable, "-I", "-S", str(Path(__file__).with_name("jail.py")), json.dumps(spec)]

    def __enter__(self) -> "Jail":
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()

    def close(self) -> None:
        """End the program and everything that it started."""
        if self.child.poll() is None:
            self.child.kill()  # process 1 of the jail dies with its parent, and all others with process 1
        self.child.wait()
        for stream in (self.child.stdin, self.child.stdout, self.child.stderr):
            try:
                stream.close()
            except OSError:
                pass
        shutil.rmtree(self.folder, ignore_errors=True)

    def request(self, action: str, seconds: float, /, **arguments: Any) -> Any:
        """Let the program do something; returns its answer. Raises Gone, Late, Garbled."""
        self.sent += 1
        self.waiting = True
        end = time.monotonic() + seconds
        self._send(pickle.dumps((self.sent, action, arguments)), end)
        line = self._line(end)
        number, _, text = line.partition(b" ")
        if number != str(self.sent).encode():
            raise Garbled("wrote into the grader's channel")
        try:
            reply = plain_data.loads(text)
        except ValueError as error:
            raise Garbled(f"wrote into the grader's channel ({error})") from error
        if not isinstance(reply, dict):
            raise Garbled("wrote into the grader's channel")
        self.waiting = False
        return reply

    def _send(self, data: bytes, end: float) -> None:
        view = memoryview(data)
        try:
            while view:
                if not select.select([], [self.child.stdin], [], max(0.0, end - time.monotonic()))[1]:
                    raise Late
                view = view[os.write(self.child.stdin.fileno(), view[:65536]) :]
        except OSError as error:
            raise self._gone() from error

    def _line(self, end: float) -> bytes:
        parts, size = [self.rest], len(self.rest)
        while b"\n" not in parts[-1]:
            if size > plain_data.MAX_TEXT:
                raise Garbled("gives back far too much")
            if not select.select([self.child.stdout], [], [], max(0.0, end - time.monotonic()))[0]:
                raise Late
            data = os.read(self.child.stdout.fileno(), 1 << 20)
            if not data:
                raise self._gone()
            parts.append(data)
            size += len(data)
        line, _, self.rest = b"".join(parts).partition(b"\n")
        return line

    def _gone(self) -> Exception:
        try:
            status = self.child.wait(5)
        except subprocess.TimeoutExpired:
            return Gone("closed the grader's channel")
        if status == 97:
            said = self.child.stderr.read(2000).decode("utf-8", "replace")
            if "JAIL" in said or self.sent <= 1:
                return NoJail(" ".join(said.replace("JAIL", "").split())[:300] or "it ended at once")
        if self.sent <= 1:
            said = self.child.stderr.read(4000).decode("utf-8", "replace")
            return NoJail(f"it ended with status {status}: " + " ".join(said.split())[-300:])
        number = status - 128 if status > 128 else -status if status < 0 else 0
        if number in (9, 24):
            return Gone("was stopped: it used more processor time or memory than is allowed")
        return Gone("makes Python crash" if number else f"ends the whole process (status {status})")


def open_jail(mode: str, limits: Limits, modules: list[str], hidden: tuple[str, ...] = (), guard: bool = True) -> Jail:
    """A jail whose program has started and loaded ``modules``. Raises NoJail where it cannot be built or is not tight.

    guard: filter system calls, where that is known how to.
    """
    jail = Jail(mode, limits, hidden)
    try:
        secret = [str(repository_root() / "helpers" / "exercises"), str(repository_root() / "course.py"), *hidden]
        reply = jail.request("hello", STARTING, modules=modules, guard=guard and mode == "isolated", secret=secret)
        if "error" in reply:
            raise NoJail(str(reply["error"]))
        if mode == "isolated":
            holes = leaks(reply["facts"])
            if holes:
                raise NoJail("it is not tight: " + "; ".join(holes))
        jail.filtered = bool(reply["filter"])
        return jail
    except (Late, Garbled, Gone) as error:
        jail.close()
        raise NoJail(f"it did not start ({type(error).__name__} {error})") from error
    except BaseException:
        jail.close()
        raise


def leaks(facts: dict[str, Any]) -> list[str]:
    """What a jail that should be isolated still lets through, by what its program found before any student code ran."""
    found = []
    if facts["uid"] == 0:
        found.append("the program is root")
    if facts["rights"]:
        found.append("the program has rights: " + facts["rights"])
    if set(facts["interfaces"]) - {"lo"}:
        found.append("there is a network")
    if facts["processes"] > 2:
        found.append("other processes can be seen")
    if facts["writable"]:
        found.append("it can write to " + ", ".join(facts["writable"]))
    if facts["seen"]:
        found.append("it can see " + ", ".join(facts["seen"]))
    return found


def strongest(limits: Limits) -> tuple[str, str]:
    """The strongest mode of this machine, and why it is not "isolated" ("" when it is)."""
    if sys.platform != "linux":
        return "limits", "isolation needs Linux; this is " + sys.platform
    try:
        with open_jail("isolated", limits, []) as jail:
            return "isolated", "" if jail.filtered else "without a filter of system calls"
    except NoJail as error:
        return "limits", str(error)
