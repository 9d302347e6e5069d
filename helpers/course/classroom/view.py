"""What a jail shows of this machine: Python, its packages, the helpers without exercises and answers, and nothing else."""

import functools
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from helpers.paths import repository_root

_NOT_INSIDE = ("exercises", "course", "__pycache__")


@functools.cache
def library() -> Path:
    """A copy of the helpers without exercises: all of the course that is seen inside. It goes away with this process."""
    import atexit

    folder = Path(tempfile.mkdtemp(prefix="course-library-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    source = repository_root() / "helpers"

    def ignored(directory: str, names: list[str]) -> list[str]:
        return [n for n in names if n == "__pycache__" or (Path(directory) == source and n in _NOT_INSIDE)]

    shutil.copytree(source, folder / "helpers", ignore=ignored)
    inside = folder / "helpers" / "course" / "classroom"
    inside.mkdir(parents=True)
    for name in ("__init__.py", *(f"classroom/{n}.py" for n in ("__init__", "inmate", "cells", "call_filter", "watch"))):
        shutil.copy(source / "course" / name, inside.parent / name)
    (folder / "data").mkdir()  # the course's data folder is shown here
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


def _below(path: Path, folders: list[Path]) -> bool:
    return any(path == folder or folder in path.parents for folder in folders)


@functools.cache
def _layers() -> list[Path]:
    """Folders of packages that this environment takes from elsewhere, such as those that a .pth file names.

    Never the repository (it holds the solutions), nor a folder around it or one that holds a copy of the exercises.
    """
    code = "import json, sys; print(json.dumps(sys.path))"
    said = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, encoding="utf-8", check=True).stdout
    paths = [Path(p).resolve() for p in json.loads(said.splitlines()[-1])]
    root = repository_root().resolve()
    return [
        p
        for p in paths
        if p.is_dir()
        and p != root
        and p not in root.parents
        and (root not in p.parents or p.name in ("site-packages", "dist-packages"))
        and not (p / "helpers" / "exercises").exists()
    ]


def shown() -> tuple[list[list[str]], list[list[str]], list[list[str]], list[str]]:
    """What the jail's file system is made of: links, folders shown early and late, folders hidden in between."""
    links = [[f"/{n}", os.readlink(f"/{n}")] for n in ("lib", "lib32", "lib64", "bin", "sbin") if os.path.islink(f"/{n}")]
    early = [Path("/usr")] + [Path(f"/{n}") for n in ("lib", "lib64", "nix", "etc/ld.so.cache") if not os.path.islink(f"/{n}")]
    early = [path for path in early if path.exists()]
    for prefix in (sys.base_prefix, os.path.dirname(os.path.dirname(os.path.realpath(sys.executable)))):
        if not _below(Path(prefix), early):
            early.append(Path(prefix))
    late = [Path(p) for p in {sys.prefix, *(sysconfig.get_paths()[n] for n in ("purelib", "platlib"))}]
    late += [p for p in _layers() if not _below(p, [*early, *late])]
    late = [p for p in sorted(late) if p != Path(sys.base_prefix) and p.exists()]
    late = [p for p in late if not any(q in p.parents for q in late)]
    hidden = [repository_root(), *(Path(sysconfig.get_paths()[n]) / "helpers" for n in ("purelib", "platlib"))]
    binds_late = [[str(p), str(p)] for p in late] + [[str(library()), "/course"]]
    data = repository_root() / "data"
    if data.is_dir():
        binds_late.append([str(data), "/course/data"])
    return links, [[str(p), str(p)] for p in early], binds_late, [str(p) for p in hidden]
