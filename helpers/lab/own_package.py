"""course.py mine, inside the environment: what of the course is yours, and a package made of it."""

import argparse
import os
import sys
from pathlib import Path
from string import Template

from helpers.chapters import chapter
from helpers.files import write_atomic
from helpers.lab import record
from helpers.lab.exercise import chapters, exercises, find
from helpers.lab.own_model import PLACES
from helpers.paths import repository_root

MARKER = ".from-counts-to-chat"  # a folder with this file was written by us and may be written again

INIT = '''"""My own language model, part by part: what I wrote in "From Counts to Chat"."""

import importlib
import sys
from pathlib import Path

_course = (Path(__file__).parent / "COURSE").read_text(encoding="utf-8").strip()
if _course not in sys.path:
    sys.path.append(_course)
PARTS = $parts


def parts() -> dict:
    """Exercise id -> my function."""
    return {id: getattr(importlib.import_module(f"{__name__}.{file}"), name) for id, (file, name) in PARTS.items()}
'''
CHAT = '''"""python -m $folder.chat: talk to SmolLM2 on my parts; the course's stand in where one is missing."""

from $folder import parts

if __name__ == "__main__":
    from helpers.lab.own_package import talk

    talk(parts())
'''
TEST = '''"""My parts still pass the course's checks: python -m pytest $folder."""

import pytest

from $folder import parts
from helpers.lab.checks import evaluate


@pytest.mark.parametrize("id, mine", parts().items(), ids=lambda v: v if isinstance(v, str) else "")
def test_it_passes(id, mine):
    report = evaluate(id, mine)
    assert report.status == "passed", report.message
'''


def listed() -> list[str]:
    """What is yours and what is the course's, a line for each exercise."""
    own = record.answers()
    lines, mine, total = [], 0, 0
    for number in chapters():
        lines.append(f"{number} {chapter(number).title}")
        for e in exercises(number):
            entry, total = own.get(e.id), total + 1
            mine += entry is not None
            whose, when = ("yours ", f"   {entry['date']}") if entry else ("course", "")
            lines.append(f"  {whose}  {e.id:<5} {e.name}{when}")
    return [*lines, f"{mine} of {total} are yours."]


def file_name(exercise_id: str) -> str:
    """The module of an answer, "e08_3_grouped_attention".

    >>> file_name("8.3")
    'e08_3_grouped_attention'
    """
    exercise = find(exercise_id)
    number, place = exercise.id.split(".")
    return f"e{number.zfill(2)}_{place}_{exercise.name}"


def write(folder: Path) -> int:
    """Write the package; returns how many answers are in it. Raises ValueError for a name or a folder that cannot be one."""
    if not folder.name.isidentifier():
        raise ValueError(f"expected a folder whose name can be a package's, such as my_model, got {folder.name!r}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())) and not (folder / MARKER).exists():
        raise ValueError(f"{folder.name} holds something else; name a new or empty folder")
    own = {id: entry for id, entry in record.answers().items() if _usable(id, entry)}
    places = {id: (file_name(id), entry["name"]) for id, entry in sorted(own.items(), key=lambda item: _order(item[0]))}
    files = {f"{name}.py": _with_head(id, own[id]["source"]) for id, (name, _) in places.items()}
    fill = {"folder": folder.name, "parts": repr(places).replace("), '", "),\n         '")}
    files |= {"__init__.py": Template(INIT).substitute(fill), "chat.py": Template(CHAT).substitute(fill)}
    files |= {f"test_{folder.name}.py": Template(TEST).substitute(fill), "COURSE": f"{repository_root()}\n", MARKER: ""}
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("e[0-9][0-9]_*.py"):
        if old.name not in files:
            old.unlink()
    for name, text in files.items():
        write_atomic(folder / name, text)
    return len(places)


def _order(exercise_id: str) -> list[int]:
    return [int(n) for n in exercise_id.split(".")]


def _usable(exercise_id: str, entry: dict[str, str]) -> bool:
    try:
        return find(exercise_id).name == entry["name"]
    except ValueError:  # an exercise of another version of the course
        return False


def _with_head(exercise_id: str, source: str) -> str:
    exercise = find(exercise_id)
    return f'"""{exercise.id} {exercise.title}: my answer."""\n\n{source.rstrip()}\n'


def talk(parts: dict) -> None:
    """Chat in a terminal with SmolLM2 on these parts. An empty line ends it."""
    from helpers.data import datasets
    from helpers.lab.own_model import OwnChat, Search, model_on, tokenizer_on, weights_on
    from helpers.models.pretrained import load_own_smollm2
    from helpers.tokenizers.bpe import BPE

    for id, place in PLACES.items():
        print(f"  {'yours' if id in parts else 'course':<7}{id:<5} {place}")
    print("One moment ...", flush=True)
    documents = [(lead.title, lead.text) for lead in datasets.leads()]
    search = Search(documents, weights_on(parts))
    chat = OwnChat(parts, model_on(parts, load_own_smollm2()), tokenizer_on(parts, BPE.from_smollm2()), search)
    while True:
        try:
            question = input("\nYou: ").strip()
        except EOFError:
            return
        if not question:
            return
        reply = chat.ask(question)
        where = f"characters {reply.place[0]} to {reply.place[1]}" if reply.place else "these words do not stand there"
        print(f"Model: {reply.text}\n       [{reply.source}: {where}]" if reply.source else f"Model: {reply.text}", flush=True)


def main() -> int:
    """The command line inside the environment."""
    parser = argparse.ArgumentParser(prog="course.py mine")
    parser.add_argument("--write", default="", metavar="FOLDER")
    options = parser.parse_args()
    print("\n".join(listed()))
    if options.write:
        folder = Path(options.write)
        try:
            count = write(folder)
        except ValueError as error:
            print(f"Nothing was written: {error}.", file=sys.stderr)
            return 1
        shown = os.path.relpath(folder)
        print(f"\n{count} answers are in {shown}. Test them: python -m pytest {shown}. Chat: python -m {folder.name}.chat")
    return 0


if __name__ == "__main__":
    sys.exit(main())
