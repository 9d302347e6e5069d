"""A JupyterLab server for the tests, over a copy of the course, and requests to it."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def lab_server() -> Iterator[tuple[str, Path]]:
    """A JupyterLab server over a copy of the course (a run leaves the repository as it is): its address and folder.

    Kernels whose connection files stand in the folder's kernels/ can be attached to.
    """
    folder = Path(tempfile.mkdtemp(prefix="course-lab-"))
    try:
        for name in ("helpers", "notebooks", "data"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "course.py", folder)
        settings = folder / ".jupyter" / "labconfig"  # no question about news on top of the screenshots
        settings.mkdir(parents=True)
        (settings / "page_config.json").write_text(
            '{"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true}}'
        )
        # All cells on the page: JupyterLab else takes cells out of view away, and draws panels there only when they are seen.
        notebooks = folder / ".jupyter" / "lab" / "user-settings" / "@jupyterlab" / "notebook-extension"
        notebooks.mkdir(parents=True)
        (notebooks / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')
        for name in ("kernels", ".signed"):
            (folder / name).mkdir()
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        command = [
            sys.executable,
            "-m",
            "jupyter",
            "lab",
            "--no-browser",
            f"--port={port}",
            "--ip=127.0.0.1",
            "--allow-root",
            "--expose-app-in-browser",
            "--LabApp.news_url=None",
            "--IdentityProvider.token=",
            "--ServerApp.disable_check_xsrf=True",
            f"--ServerApp.root_dir={folder}",
            "--ServerApp.allow_external_kernels=True",
            f"--ServerApp.external_connection_dir={folder / 'kernels'}",
        ]
        env = {
            **os.environ,
            "COURSE_PROFILE": "cpu",
            "COURSE_QUIET": "1",
            "HF_HUB_OFFLINE": "1",
            "JUPYTER_CONFIG_DIR": str(folder / ".jupyter"),
            "JUPYTER_DATA_DIR": str(folder / ".signed"),
        }
        with open(folder / "lab.log", "w") as log:
            server = subprocess.Popen(command, env=env, stdout=log, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + 180
            while not answers(port):
                assert server.poll() is None and time.monotonic() < deadline, (folder / "lab.log").read_text()[-2000:]
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}", folder
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:  # it asks its kernels to end, and they may be busy
                server.kill()
                server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def answers(port: int) -> bool:
    """Whether something listens on this port of this machine."""
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def ask(address: str, method: str = "GET", content: object = None):
    """One request to the server's interface; returns the answer, or None where there is none."""
    body = None if content is None else json.dumps(content).encode()
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        text = answer.read()
    return json.loads(text) if text else None
