"""Where the course's data and weights come from: files, digests, licenses, and how they are found on this machine.

The files lie inside installed packages (``data/requirements.txt``) that are never imported. ``COURSE_DATA`` names a
folder to read them from instead. Nothing here touches the network. Standard library only.

    python -m helpers.data.sources check      each file: found, complete, unchanged
    python -m helpers.data.sources broken     the packages that must be installed again, one per line
    python -m helpers.data.sources table      the table of digests in data/README.md
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from functools import cache
from pathlib import Path

from helpers.checkup import FIX, Finding
from helpers.data.catalog import File, Source
from helpers.paths import SettingError, named_path


class DataError(RuntimeError):
    """A file of the course is missing, truncated or changed. The message says which one and how to repair it."""


def sources() -> dict[str, Source]:
    """All sources of the course by name, in the order of data/README.md."""
    return {source.name: source for source in _catalog()}


def about(name: str) -> Source:
    """The provenance of one set, for example ``about("leads")``.

    Raises ValueError for an unknown name.
    """
    known = sources()
    if name not in known:
        raise ValueError(f"expected name to be one of {', '.join(known)}, got {name!r}")
    return known[name]


def data_folder() -> Path | None:
    """The folder named by ``COURSE_DATA``, or None when files are looked for in the installed packages."""
    return named_path("COURSE_DATA")


def locate(file: File, source: Source) -> Path:
    """Path of ``file`` (of a group: its package's folder's parent), after a check of presence and size.

    Raises DataError when it is missing or its size is not the pinned one.
    """
    roots = _roots(file.path.split("/", 1)[0])
    for root in roots:
        found = _members(root, file)
        if not found:
            continue
        size = sum(path.stat().st_size for path in found)
        if len(found) != file.count or size != file.bytes:
            what = f"{size:,} bytes instead of {file.bytes:,}"
            if file.count > 1:
                what = f"{len(found)} files with {size:,} bytes instead of {file.count} with {file.bytes:,}"
            raise DataError(f"{file.name} has {what}: it is truncated or was changed. {_repair(source)}")
        return found[0] if file.count == 1 else root
    where = f"in {data_folder()} (COURSE_DATA)" if data_folder() else "among the installed packages"
    raise DataError(f"{file.path} was not found {where}. {_repair(source)}")


def checked(file: File, source: Source) -> Path:
    """As ``locate``, and the file's sha256 is compared with the pinned one (once per process and file state).

    Raises DataError when the file is missing, truncated or changed.
    """
    path = locate(file, source)
    members = _members(path, file) if file.count > 1 else [path]
    state = tuple((str(item), item.stat().st_size, item.stat().st_mtime_ns) for item in members)
    if _digest(state, str(path) if file.count > 1 else "") != file.sha256:
        raise DataError(
            f"{file.name} has the right size but other contents (its sha256 is not the pinned one). {_repair(source)}"
        )
    return path


def sha256_of(path: Path) -> str:
    """The sha256 of one file as 64 hexadecimal digits; reads it in blocks."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check(full: bool = True) -> list[Finding]:
    """One finding per source: is every file there, complete and, with ``full``, unchanged by its sha256?"""
    return [finding(source, full) for source in _catalog() if source.files]


def broken() -> list[str]:
    """Names of the packages with a missing or damaged file, which set-up has to install again."""
    packages = {about(found.name).package for found in check() if not found.ok}
    return sorted(packages)


def table() -> str:
    """Markdown table of every pinned file: bytes and sha256."""
    lines = ["| file | bytes | sha256 |", "|---|---:|---|"]
    for source in _catalog():
        for file in source.files:
            count = f" ({file.count} files)" if file.count > 1 else ""
            lines.append(f"| `{file.path}`{count} | {file.bytes:,} | `{file.sha256}` |")
    return "\n".join(lines)


def _catalog() -> tuple[Source, ...]:
    from helpers.data.catalog import CATALOG  # data only; imported late so that tests can put another one in its place

    return CATALOG


def finding(source: Source, full: bool = True) -> Finding:
    """What is found of one source: every file there, complete and, with ``full``, unchanged by its sha256?"""
    try:
        for file in source.files:
            (checked if full else locate)(file, source)
    except DataError as error:
        state = "missing" if "was not found" in str(error) else "damaged"
        return Finding(source.name, state, str(error), FIX)
    size = sum(file.bytes for file in source.files) / 1e6
    return Finding(source.name, "ok", f"{source.title}: {source.records} ({size:.1f} MB, {source.package})")


def _roots(package: str) -> list[Path]:
    """Folders that may hold the package's folder, without importing the package."""
    folder = data_folder()
    if folder is not None:
        return [folder]
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        spec = None
    places = spec.submodule_search_locations if spec is not None else None
    return [Path(place).parent for place in places or ()]


def _members(root: Path, file: File) -> list[Path]:
    if file.count == 1:
        path = root / file.path
        return [path] if path.is_file() else []
    return sorted(root.glob(file.path), key=lambda path: path.relative_to(root).as_posix())


def _repair(source: Source) -> str:
    if data_folder() is not None:
        return f"Put package {source.package} {source.version} there (unpacked), or unset COURSE_DATA and run: {FIX}"
    return f"It belongs to package {source.package} {source.version}. To repair, run: {FIX}"


@cache
def _digest(state: tuple[tuple[str, int, int], ...], root: str) -> str:
    """sha256 of the files in ``state``; their size and time are part of the cache's key."""
    if not root:
        return sha256_of(Path(state[0][0]))
    total = hashlib.sha256()
    for name, _, _ in state:
        total.update(Path(name).relative_to(root).as_posix().encode() + b"\0" + Path(name).read_bytes())
    return total.hexdigest()


def main(arguments: list[str]) -> int:
    """Command line; returns the exit status (1 when something must be repaired)."""
    command = arguments[0] if arguments else "check"
    if command == "table":
        print(table())
        return 0
    if command == "broken":
        names = broken()
        print("\n".join(names), end="\n" if names else "")
        return 1 if names else 0
    if command == "check":
        findings = check()
        for found in findings:
            print(f"{found.state:8} {found.name:16} {found.detail}")
        return 0 if all(found.ok for found in findings) else 1
    print(f"unknown command {command!r}: use check, broken or table", file=sys.stderr)
    return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SettingError as error:
        sys.exit(str(error))
