"""Reading the Markdown scripts of the plays: who says what, without headings and stage directions."""

from __future__ import annotations

import re

from helpers.data.records import Speech

# A stage direction stands between underscores (_Exit_, __\[Aside]_), between single asterisks (*Exeunt.*) or in
# square brackets ([Within]_). It may run over several lines, but never over a blank one.
DIRECTION = re.compile(r"(?<!\*)\*(?!\*)(?:[^*\n]|\n(?!\n))+\*(?!\*)|_+(?:[^_\n]|\n(?!\n))+_+|\\?\[[^\[\]\n]*[\]_]_*")
MARK = "\0"  # stands where a stage direction stood
SPEAKER = re.compile(r"\*\*(.+?)\*\*\s*(.*)")


def title_of(markdown: str, file_name: str) -> str:
    """The first heading, or, where a script starts with its first act, the name of the file in title case."""
    first = markdown.lstrip().split("\n", 1)[0]
    if first.startswith("# "):
        return first[2:].strip()
    small = ("and", "for", "of", "the")
    words = file_name.replace("-", " ").split()
    return " ".join(word if i and word in small else word.capitalize() for i, word in enumerate(words))


def speeches(markdown: str) -> tuple[Speech, ...]:
    """The speeches of a script in order, without empty ones.

    A paragraph right after the heading of a scene continues that heading and is dropped. Lines that follow a
    heading or a direction there, with no name before them, become a speech of nobody (speaker "").
    """
    found: list[tuple[str, list[str]]] = []
    heading, scene = True, True  # no speaker yet since the last heading; only that heading's paragraph so far
    for line in DIRECTION.sub(MARK, markdown).split("\n"):
        line = line.strip()
        speaker = SPEAKER.fullmatch(line)
        if speaker:
            found.append((_plain(speaker[1]), [_plain(speaker[2])]))
            heading = False
        elif line.startswith("#"):
            heading, scene = True, "SCENE" in line
        elif heading and line.replace(MARK, "") and not scene:
            found.append(("", [_plain(line)]))
            heading = False
        elif heading and MARK in line:
            scene = False
        elif line and not heading:
            found[-1][1].append(_plain(line))
    spoken = ((speaker, "\n".join(line for line in lines if line)) for speaker, lines in found)
    return tuple(Speech(speaker, text) for speaker, text in spoken if text)


def _plain(line: str) -> str:
    return re.sub(r"\\([^\w\s])", r"\1", line.replace(MARK, "")).strip()
