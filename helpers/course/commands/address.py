"""course.py address: the public address stands in helpers/__init__.py; this sets it there and in every link.

Links are changed as text, so a notebook stays byte for byte the same but for its address. A link to another
repository is left alone: ours is told by the address it had, by the placeholder OWNER/..., or by the name of the
repository.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.course.commands.console import Problem, say
from helpers.files import write_atomic
from helpers.paths import NAME, repository_root

HOME = "helpers/__init__.py"
_PART = r"[A-Za-z0-9_.-]+"
_REPO = rf"(?P<repo>{_PART}/{_PART}?)"
_TAG = rf"(?P<tag>{_PART})"
_WORD = r"(?:(?<![A-Za-z0-9_])|(?<=\\n))"  # the start of a word; in a notebook the two characters \n may stand before it
# Each form names the repository, and where the link has one, the tag. "always": such a link can only be ours.
FORMS: tuple[tuple[str, bool], ...] = (
    (rf"colab\.research\.google\.com/github/{_REPO}/(?:blob|tree)/{_TAG}(?=/)", True),
    (rf"nbviewer\.org/github/{_REPO}/(?:blob|tree)/{_TAG}(?=/)", True),
    (rf"mybinder\.org/v2/gh/{_REPO}/{_TAG}(?=[?\s)\"'\\]|$)", True),
    (rf"codespaces\.new/{_REPO}(?:/(?:blob|tree)/{_TAG})?(?=[?#\s)\"'\\]|$)", True),
    (rf"raw\.githubusercontent\.com/{_REPO}/(?:refs/(?:tags|heads)/)?{_TAG}(?=/)", False),
    (rf"github\.com[/:]{_REPO}/(?:blob|tree|raw|releases/tag)/{_TAG}(?=[/?#\s)\"'\\>]|$)", False),
    (rf"repo=https://github\.com/{_REPO}&branch={_TAG}(?=[&\s)\"'\\]|$)", False),
    (rf"github\.com[/:]{_REPO}/archive/refs/(?:tags|heads)/{_TAG}(?=\.zip|\.tar)", False),
    (rf"github\.com[/:]{_REPO}(?=\.git\b|[/?#\s)\"'\\>,;:]|\.\s|\.?$)(?!/(?:blob|tree|raw|releases/tag|archive)/)", False),
    (rf"{_WORD}REPOSITORY, RELEASE = \\?[\"']{_REPO}\\?[\"'], \\?[\"']{_TAG}\\?[\"']", True),
    (rf"{_WORD}REPOSITORY = \\?[\"']{_REPO}\\?[\"']", True),
    (rf"{_WORD}RELEASE = \\?[\"']{_TAG}\\?[\"']", True),
)
_COMPILED = tuple((re.compile(pattern, re.MULTILINE), always) for pattern, always in FORMS)


@dataclass(frozen=True)
class Address:
    """OWNER/REPO and the release tag or branch that links point to."""

    repository: str
    tag: str


@dataclass(frozen=True)
class Place:
    """One address found in a text: the spans of repository and tag (None where it has none) and what they say."""

    line: int
    repository: tuple[int, int, str] | None
    tag: tuple[int, int, str] | None

    def agrees(self, address: Address) -> bool:
        """Whether it says the same as `address`."""
        return (self.repository is None or self.repository[2] == address.repository) and (
            self.tag is None or self.tag[2] == address.tag
        )


def current(root: Path) -> Address:
    """The address that stands in helpers/__init__.py."""
    text = (root / HOME).read_text(encoding="utf-8")
    repository = re.search(r'^REPOSITORY = "([^"]+)"', text, re.MULTILINE)
    tag = re.search(r'^RELEASE = "([^"]+)"', text, re.MULTILINE)
    if not repository or not tag:
        raise Problem(
            f'{HOME} lacks the lines REPOSITORY = "OWNER/REPO" and RELEASE = "TAG".', "Restore it: git checkout " + HOME
        )
    return Address(repository[1], tag[1])


def files(root: Path) -> list[Path]:
    """The files in which the address may stand."""
    patterns = (
        HOME,
        "*.md",
        "CITATION.cff",
        "notebooks/*.ipynb",
        "binder/*",
        "data/README.md",
        "docs/**/*.md",
        ".github/**/*",
        ".devcontainer/*",
    )
    found = {path for pattern in patterns for path in root.glob(pattern) if path.is_file()}
    return sorted(path for path in found if not (path.suffix == ".ipynb" and path.name.startswith(".")))


def places(text: str, known: Address) -> Iterator[Place]:
    """All addresses of ours in a text; `known` is the address that the course has."""
    taken: list[tuple[int, int]] = []
    for pattern, always in _COMPILED:
        for match in pattern.finditer(text):
            if any(start < match.end() and match.start() < end for start, end in taken):
                continue  # a longer form has it already
            groups = match.groupdict()
            spans = {name: (*match.span(name), groups[name]) for name in ("repo", "tag") if groups.get(name)}
            if not always and not _ours(spans["repo"][2], known):
                continue
            taken.append(match.span())
            yield Place(text.count("\n", 0, match.start()) + 1, spans.get("repo"), spans.get("tag"))


def _ours(repository: str, known: Address) -> bool:
    owner, _, name = repository.partition("/")
    return repository == known.repository or owner == "OWNER" or name in (NAME, known.repository.split("/")[-1])


def rewritten(text: str, known: Address, new: Address) -> str:
    """The text with each address of ours replaced; everything else as it was."""
    spans = []
    for place in places(text, known):
        if place.repository:
            spans.append((*place.repository[:2], new.repository))
        if place.tag:
            spans.append((*place.tag[:2], new.tag))
    for start, end, value in sorted(spans, reverse=True):
        text = text[:start] + value + text[end:]
    return text


def wanted(options: Any, known: Address) -> Address:
    """The address the reader asks for. Raises Problem for one that cannot be."""
    repository, tag = options.repository or known.repository, options.tag or known.tag
    repository = re.sub(r"^(?:https?://)?github\.com/", "", repository).removesuffix(".git").rstrip("/")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9_.-]+", repository):
        raise Problem(
            f"The address must look like OWNER/REPO, got {options.repository!r}.",
            "For example: course.py address ada/from-counts-to-chat --tag v1.0",
        )
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", tag):
        raise Problem(f"The tag may hold letters, digits, dots, hyphens and underscores, got {tag!r}.", "For example: --tag v1.0")
    return Address(repository, tag)


def read(path: Path) -> str:
    """The text of a file with its line ends as they are; "" for one that is not text."""
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return ""


def disagreeing(root: Path, known: Address) -> list[str]:
    """ "file:line: what stands there" for each address that is not the course's."""
    found = []
    for path in files(root):
        for place in places(read(path), known):
            if not place.agrees(known):
                says = " at ".join(part[2] for part in (place.repository, place.tag) if part)
                found.append(f"{path.relative_to(root).as_posix()}:{place.line}: {says}")
    return found


def change(root: Path, known: Address, new: Address) -> list[tuple[str, int]]:
    """Set the address everywhere; returns (file, number of places) for each changed file."""
    changed, before, after = [], {}, {}
    for path in files(root):
        text = read(path)
        result = rewritten(text, known, new)
        if result != text:
            before[path], after[path] = text, result
            changed.append((path.relative_to(root).as_posix(), sum(not place.agrees(new) for place in places(text, known))))
    written: list[Path] = []
    try:
        for path, result in after.items():
            written.append(path)
            write_atomic(path, result)
    except OSError as error:  # all or nothing
        for path in written[:-1]:
            write_atomic(path, before[path])
        raise Problem(
            f"{written[-1].name} cannot be written ({error.strerror or error}), so the address stays as it was everywhere.",
            "Free some disk space, or get the right to write in the course's folder; then start the same command again.",
        ) from error
    return changed


def command(options: Any, root: Path | None = None) -> int:
    """course.py address"""
    root = root or repository_root()
    known = current(root)
    if options.check or not (options.repository or options.tag):
        target = wanted(options, known)
        say(f"{target.repository} at {target.tag}")
        wrong = disagreeing(root, target)
        for line in wrong:
            say("  disagrees: " + line)
        if wrong:
            say(f"To mend it: course.py address {target.repository} --tag {target.tag}")
        return 1 if wrong else 0
    new = wanted(options, known)
    for name, count in change(root, known, new):
        say(f"  {name}: {count} place{'s' if count != 1 else ''}")
    say(f"The address is {new.repository} at {new.tag}.")
    return 0
