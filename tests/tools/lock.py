"""Renew data/requirements-lock.txt, the exact versions that .venv gets: python -m tests.tools.lock, then run all tests.

One file holds for Python 3.11 to 3.13 on all systems. torch is left out: which build of it is right differs by machine.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from helpers.course.commands import uv
from helpers.course.commands.setup_steps import LOCK
from helpers.files import write_atomic

ROOT = Path(__file__).resolve().parents[2]
HEAD = """# The exact versions of the last full test, each with its digests: what course.py puts into .venv, after torch.
# Made from requirements.txt by `python -m tests.tools.lock` (needs uv); any version within requirements.txt will do elsewhere.
"""


def locked(text: str) -> str:
    """What uv resolved, without what is needed on no system of ours (torch, WebAssembly)."""
    entries = re.findall(r"^\S[^\n]*(?:\n    --hash=\S+(?: \\)?)*", text, re.MULTILINE)
    needed = [e for e in entries if not re.search(r"'never'|(?<!!)= 'emscripten'", e) and not e.startswith("#")]
    return HEAD + "\n".join(needed).replace(" ; sys_platform != 'emscripten' \\", " \\") + "\n"


def main() -> int:
    """Ask uv and write the file; the versions that it holds stay as long as they will do, unless --upgrade is given."""
    program, path = uv.program(ROOT / "build" / "uv"), ROOT / LOCK
    if program is None:
        sys.exit("uv is not on this machine; python3 course.py setup fetches it")
    with tempfile.TemporaryDirectory() as folder:
        without, out = Path(folder, "without"), Path(folder, "lock.txt")
        without.write_text("torch ; sys_platform == 'never'\n")
        if path.exists():
            out.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
        command = [
            program,
            "pip",
            "compile",
            ROOT / "requirements.txt",
            "--override",
            without,
            "--universal",
            "--python-version",
            "3.11",
            "--generate-hashes",
            "--no-annotate",
            "--no-header",
            "-q",
            "-o",
            out,
            *sys.argv[1:],
        ]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        write_atomic(path, locked(out.read_text(encoding="utf-8")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
