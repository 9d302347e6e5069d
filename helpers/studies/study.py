"""What all studies share: a file in data/ that is read, checked and written as a whole, and a command line that names parts.

STUDY = StudyFile("scaling", "scaling study", holds=lambda study: study["runs"][0]["bits"])
STUDY.load()        # as committed, or what is wrong with it
STUDY.keep(study)   # atomic, after each run: an interruption costs one run
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers.files import write_atomic
from helpers.hardware import hardware
from helpers.paths import repository_root

__all__ = ["StudyFile", "digest"]

DIGEST = "sha256"  # its key in the file


def digest(content: dict[str, Any]) -> str:
    """sha256 of what a file holds, whatever its order and spaces.

    >>> digest({"a": 1, "b": [0.5]}) == digest({"b": [0.5], "a": 1})
    True
    """
    plain = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(plain.encode("ascii")).hexdigest()


@dataclass
class StudyFile:
    """One study: `python -m helpers.studies.NAME` writes data/NAME.json.

    what: the study in words. holds(content): reads something that stands in every whole file, and so raises where it does not.
    style: arguments of `json.dumps`.
    """

    name: str
    what: str
    holds: Callable[[dict[str, Any]], Any]
    style: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        self.file = repository_root() / "data" / f"{self.name}.json"
        self.command = f"python -m helpers.studies.{self.name}"

    def load(self, path: str | Path | None = None) -> dict[str, Any]:
        """The committed study, or that of another file. Raises FileNotFoundError, or ValueError when it is damaged.

        Damaged is also a file of which one number is another than was written: its digest tells.
        """
        path = Path(path or self.file)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            written = content.pop(DIGEST, None)
            self.holds(content)
            if written != digest(content):
                raise ValueError("its numbers are not those that were written")
        except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
            raise ValueError(f"{path.name} holds no {self.what} ({error}); restore it: git checkout data/{path.name}") from error
        return content

    def so_far(self, path: Path | None = None) -> dict[str, Any]:
        """What the file holds already, unchecked; nothing when there is no file."""
        path = path or self.file
        content = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        content.pop(DIGEST, None)
        return content

    def keep(self, content: dict[str, Any], path: Path | None = None) -> None:
        """Write the file with its digest, whole or not at all."""
        plain = json.loads(json.dumps(content))  # as it will be read: names of numbers are texts then
        write_atomic(path or self.file, json.dumps({**content, DIGEST: digest(plain)}, **self.style) + "\n")

    def origin(self) -> dict[str, str]:
        """The command and the machine that make the numbers: one thread of a processor."""
        return {"command": self.command, "hardware": hardware(1, "cpu")}

    def wanted(self, arguments: Sequence[str], parts: Iterable[str], seeds: bool = False) -> list[str]:
        """The parts that a command line names: all of them for none; nothing, and a message, where one is unknown.

        seeds: a part may be followed by a colon and one seed. From here on torch keeps to one thread.
        """
        unknown = [name for name in arguments if (name.partition(":")[0] if seeds else name) not in parts]
        if unknown:
            print(f"unknown part {', '.join(unknown)}: expected some of {', '.join(parts)}", file=sys.stderr)
            return []
        self.one_thread()
        return list(arguments or parts)

    def one_thread(self) -> None:
        """As `origin` says: times can be compared, and two studies side by side do not slow each other down."""
        import torch

        torch.set_num_threads(1)
