"""What all studies share: a file in data/ that is read, checked and written as a whole, and a command line that names parts.

STUDY = StudyFile("scaling", "scaling study", holds=lambda study: study["runs"][0]["bits"])
STUDY.load()        # as committed, or what is wrong with it
STUDY.keep(study)   # atomic, after each run: an interruption costs one run
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers.files import load_json, save_json
from helpers.hardware import hardware
from helpers.paths import repository_root

__all__ = ["StudyFile"]


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
            content = load_json(path)
            self.holds(content)
        except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
            raise ValueError(f"{path.name} holds no {self.what} ({error}); {self._cure(path)}") from error
        return content

    def so_far(self, path: Path | None = None) -> dict[str, Any]:
        """What the file holds already, finished or not; nothing when there is no file.

        Raises ValueError when it is damaged: what is kept next would give it a new digest.
        """
        path = path or self.file
        if not path.exists():
            return {}
        try:
            return load_json(path)
        except ValueError as error:
            raise ValueError(f"{path.name} is damaged ({error}); {self._cure(path)}") from error

    def _cure(self, path: Path) -> str:
        if path.name == self.file.name:
            return f"restore it: git checkout -- data/{path.name}"
        return "delete it and make it again"

    def keep(self, content: dict[str, Any], path: Path | None = None) -> None:
        """Write the file with its digest, whole or not at all."""
        save_json(path or self.file, content, **self.style)

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
