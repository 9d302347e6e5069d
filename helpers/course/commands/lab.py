"""course.py lab: set up, start JupyterLab, and say in one line where it is."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from helpers.course.commands.console import Live, Problem, say
from helpers.course.commands.environment import Environment, prepare
from helpers.course.commands.installer import evidence
from helpers.course.commands.process import start, stop
from helpers.files import write_atomic
from helpers.paths import build_folder, repository_root

PORT = 8888
START = "notebooks/00_start_here.ipynb"
PATIENCE = 120.0  # seconds that JupyterLab may take to answer; a cold disk is slow


def port_is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback address."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if os.name != "nt":  # there the option would allow taking over a port in use
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
    return True


def choose_port(wanted: int | None) -> int:
    """The wanted port, or 8888, or the next free one. Raises Problem when a wanted one is taken."""
    if wanted is not None:
        if not 0 < wanted < 65536:
            raise Problem(f"--port must lie between 1 and 65535, got {wanted}.", "Leave --port away.")
        if not port_is_free(wanted):
            raise Problem(
                f"Port {wanted} is used by another program (perhaps this course, started before).",
                "Choose another one with --port, or leave --port away: a free one is then found.",
            )
        return wanted
    for port in range(PORT, PORT + 50):
        if port_is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def server_command(environment: Environment, port: int, browser: bool, extra: list[str]) -> list[str]:
    """The command line of the JupyterLab server; the token goes by the environment, not by this."""
    command = [
        str(environment.python),
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={environment.root}",
        f"--LabApp.default_url=/lab/tree/{START}",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    if not browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    return command + extra


def _quiet_settings(root: Path) -> str:
    """A folder of settings that keeps Lab from asking about news on top of the first page; added to the reader's own."""
    folder = build_folder(root) / "jupyter"
    page = folder / "labconfig" / "page_config.json"
    write_atomic(page, '{"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true}}')
    return os.pathsep.join(filter(None, (os.environ.get("JUPYTER_CONFIG_PATH"), str(folder))))


def answers(url: str) -> bool:
    """Whether a server answers at this address, with any status."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback never goes by a proxy
    try:
        with opener.open(url, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def wait_until_ready(server: subprocess.Popen, port: int, log: Path) -> None:
    """Wait for the server's first answer. Raises Problem when it ends or stays silent."""
    begin = time.monotonic()
    with Live("JupyterLab") as line:
        line.note = "starting"
        while not answers(f"http://127.0.0.1:{port}/api"):
            if server.poll() is not None:
                raise Problem(
                    "JupyterLab ended as soon as it was started.",
                    "Run  python3 course.py doctor  and do what it says.",
                    _tail(log),
                )
            if time.monotonic() - begin > PATIENCE:
                raise Problem(
                    f"JupyterLab did not answer within {PATIENCE:.0f} s.",
                    "Start again; if it stays like this, run  python3 course.py doctor",
                    _tail(log),
                )
            time.sleep(0.1)


def _tail(log: Path) -> list[str]:
    return evidence(log.read_text(encoding="utf-8", errors="replace").splitlines())


def command(options: Any) -> int:
    """course.py lab"""
    root = repository_root()
    if options.port is not None:
        choose_port(options.port)  # told before anything is installed
    environment = prepare(options)
    port = choose_port(options.port)
    if options.port is None and port != PORT:
        say(f"Port {PORT} is in use; taking {port}.")
    token = secrets.token_hex(24)
    env = environment.variables(JUPYTER_TOKEN=token, MPLBACKEND=None, JUPYTER_CONFIG_PATH=_quiet_settings(root))
    log = build_folder(root) / "lab.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as record:
        server = start(
            server_command(environment, port, not options.no_browser, options.extra),
            own_group=True,
            env=env,
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=record,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until_ready(server, port, log)
            say(f"JupyterLab: http://127.0.0.1:{port}/lab/tree/{START}?token={token}")
            if not options.no_browser:
                say("It opens in your browser; if not, copy the address above.")
            say("Ctrl-C stops it. Save your notebooks first.")
            status = server.wait()
        except KeyboardInterrupt:
            stop(server, patience=15)
            say("\nJupyterLab has stopped.")
            return 0
        except BaseException:
            stop(server)
            raise
    if status:
        raise Problem("JupyterLab ended with an error.", f"What it said stands in {log.name} in the folder build.", _tail(log))
    say("JupyterLab has stopped.")
    return 0
