"""uv, a fast installer: where it is, and pip's settings in its words, so that a school's mirror serves it too."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
from pathlib import Path

from helpers.course.commands.process import child_environment

WANTED = "uv>=0.9,<1"  # the first version whose options we use
_VARIABLES = {  # pip's setting -> the variable of uv that means the same
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "constraint": "UV_CONSTRAINT",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "proxy": "ALL_PROXY",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "no-cache-dir": "UV_NO_CACHE",
}
_LISTS = ("extra-index-url", "find-links", "constraint", "trusted-host")
# Settings that change nothing about where packages come from and which are taken.
_NO_MATTER = {
    "disable-pip-version-check",
    "no-input",
    "progress-bar",
    "root-user-action",
    "quiet",
    "verbose",
    "log",
    "no-color",
    "no-warn-script-location",
    "no-python-version-warning",
    "cache-dir",
    "retries",
    "prefer-binary",
    "user",
    "break-system-packages",
    "require-virtualenv",
    "compile",
    "no-compile",
    "exists-action",
}


def program(tools: Path) -> str | None:
    """The uv of this machine: on PATH, or where set-up has put it, in the folder ``tools``."""
    places = (tools / "bin" / "uv", tools / "bin" / "uv.exe", tools / "Scripts" / "uv.exe")
    return shutil.which("uv") or next((str(place) for place in places if place.exists()), None)


def settings(python: Path) -> dict[str, str] | None:
    """What pip.conf and PIP_... say, as variables for uv; None when something in them has no equal there.

    What the reader has told uv itself counts more, so such variables are left out.
    """
    done = subprocess.run(
        [str(python), "-m", "pip", "config", "list"],
        env=child_environment(python),
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    return None if done.returncode else translated(done.stdout)


def translated(listing: str) -> dict[str, str] | None:
    """The same from what `pip config list` prints: lines such as global.index-url='...'."""
    found: dict[str, str] = {}
    for section in ("global.", "install.", ":env:."):  # a later one counts more, as it does for pip
        for line in listing.splitlines():
            name, _, value = line.removeprefix(section).partition("=")
            if not line.startswith(section) or name in _NO_MATTER:
                continue
            try:
                text = str(ast.literal_eval(value)).strip()
            except (ValueError, SyntaxError):
                return None
            if name not in _VARIABLES:
                return None
            if name == "proxy" and "://" not in text:
                text = "http://" + text
            if name == "no-cache-dir":
                text = "0" if text.lower() in ("0", "false", "no", "off") else "1"
            if name in _LISTS:
                text = ("," if name == "find-links" else " ").join(text.split())
            if text:
                found[_VARIABLES[name]] = text
    if "UV_INDEX" in found:  # pip takes the best version of all indexes, uv by itself that of the first which has any
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return {name: value for name, value in found.items() if name not in os.environ}
