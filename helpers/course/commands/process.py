"""Child processes: logged with a live line, in the foreground, and stopped together with all their own children."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from helpers.course.commands.console import Stopped

WINDOWS = os.name == "nt"


def child_environment(python: Path | None = None, **changes: str | None) -> dict[str, str]:
    """A copy of the environment variables for child processes: UTF-8, no pip chatter, nothing that misleads.

    With `python`, that interpreter's folder comes first on PATH. A value of None removes a variable.
    """
    env = dict(os.environ)
    for name in ("PYTHONHOME", "PYTHONSAFEPATH", "__PYVENV_LAUNCHER__", "PIP_USER", "PIP_TARGET", "PIP_PREFIX"):
        env.pop(name, None)
    env.update(PYTHONUTF8="1", PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1", JUPYTER_PREFER_ENV_PATH="1")
    if python is not None:
        env["PATH"] = str(python.parent) + os.pathsep + env.get("PATH", "")
        if (python.parent.parent / "pyvenv.cfg").exists():
            env["VIRTUAL_ENV"] = str(python.parent.parent)
    for name, value in changes.items():
        if value is None:
            env.pop(name, None)
        else:
            env[name] = value
    return env


def start(
    command: Sequence[str | os.PathLike[str]], *, own_group: bool, keep_open: Sequence[int] = (), **options: object
) -> subprocess.Popen:
    """Start a child; in a group of its own it can be stopped as a whole and does not see Ctrl-C.

    `keep_open` are file descriptors that the child holds too (POSIX): a lock then lasts as long as the child.
    """
    if own_group:
        if WINDOWS:
            options["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP  # type: ignore[attr-defined]
        else:
            options["start_new_session"] = True
    if keep_open and not WINDOWS:
        options["pass_fds"] = tuple(keep_open)
    return subprocess.Popen([os.fspath(part) for part in command], **options)  # type: ignore[call-overload]


def stop(child: subprocess.Popen, patience: float = 8.0) -> None:
    """End a child that was started in its own group, and everything it started."""
    if child.poll() is None:
        if WINDOWS:
            subprocess.run(["taskkill", "/T", "/F", "/PID", str(child.pid)], capture_output=True, check=False)
        else:
            _signal_group(child, signal.SIGTERM)
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            pass
    if not WINDOWS:
        _signal_group(child, signal.SIGKILL)
    if child.poll() is None:
        child.kill()
    child.wait()


def _signal_group(child: subprocess.Popen, number: int) -> None:
    try:
        os.killpg(child.pid, number)
    except (ProcessLookupError, PermissionError):
        pass


def run_logged(
    command: Sequence[str | os.PathLike[str]],
    log: Path,
    *,
    env: dict[str, str],
    cwd: Path,
    keep_open: Sequence[int] = (),
    on_line: Callable[[str], None] = lambda line: None,
) -> tuple[int, list[str]]:
    """Run a command with its output in a log file; returns its exit status and the lines of its output."""
    log.parent.mkdir(parents=True, exist_ok=True)
    lines: list[str] = []
    with log.open("a", encoding="utf-8", errors="replace") as record:
        shown = " ".join(os.fspath(part) for part in command)
        record.write(f"\n=== {time.strftime('%Y-%m-%d %H:%M:%S')}  {shown}\n")
        record.flush()
        child = start(
            command,
            own_group=True,
            keep_open=keep_open,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        try:
            for line in child.stdout or ():
                record.write(line)
                record.flush()
                lines.append(line.rstrip())
                on_line(line.rstrip())
            status = child.wait()
        except BaseException:
            stop(child)
            record.write("=== stopped\n")
            raise
        record.write(f"=== exit status {status}\n")
    return status, lines


def run_foreground(command: Sequence[str | os.PathLike[str]], *, env: dict[str, str], cwd: Path) -> int:
    """Run a command on this terminal. Ctrl-C reaches it too; it gets time to end by itself."""
    child = start(command, own_group=False, env=env, cwd=cwd)
    try:
        return child.wait()
    except BaseException as error:
        if isinstance(error, Stopped):  # a signal to this process alone: pass it on
            child.terminate()
        for last_resort in (child.terminate, child.kill):
            try:
                child.wait(10)
                break
            except (subprocess.TimeoutExpired, KeyboardInterrupt):
                last_resort()
        child.wait()
        raise
