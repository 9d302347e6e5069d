"""The house: which room may import which, no circles, rooms that offer what they say, files that read in one sitting."""

import importlib
import pkgutil
import re
import subprocess
import sys

import pytest

from tests.tools import architecture as house

ROOMS = sorted(path.parent.name for path in (house.ROOT / "helpers").glob("*/__init__.py"))
OFFERING = [room for room in ROOMS if room not in ("exercises", "course")]
LONGEST = 300


def test_no_import_but_those_of_the_table():
    allowed, real = house.table(), house.rooms()
    assert set(allowed) == {*ROOMS, house.GROUND}, "a room is missing in docs/architecture.md, or one is too many"
    found = [f"{room} imports {other}" for room, others in real.items() for other in others - allowed[room]]
    assert not found, found
    unused = [
        f"{room} may import {other} but does not" for room, others in allowed.items() for other in others - real.get(room, set())
    ]
    assert not unused, f"the table of docs/architecture.md says more than is true: {unused}"


def test_imports_only_go_down():
    assert not house.circles(house.files()) and not house.circles(house.rooms())
    for room in house.ALGORITHMS:
        assert not house.rooms()[room] & {"studies", "lab", "exercises", "course"}, room


def test_a_circle_and_a_forbidden_import_would_be_found():
    assert house.circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    source = "def f():\n    from helpers.lab import figures\n    from helpers import lab as l\n"
    assert house.imported(source, house.modules()) == {"lab.figures", "lab"}
    with pytest.raises(ValueError, match="circles"):
        house.floors({"a": {"b"}, "b": {"a"}})


def test_the_picture_is_drawn_from_the_imports_of_today():
    said = house.PICTURE.read_text(encoding="utf-8")
    assert said == house.picture(), "run: python -m tests.tools.architecture"


@pytest.mark.parametrize("room", OFFERING)
def test_a_room_offers_what_it_says(room):
    module = importlib.import_module(f"helpers.{room}")
    assert module.__doc__ and module.__doc__.count("\n") == 0, "one line says what flows through"
    files = {info.name for info in pkgutil.iter_modules(module.__path__)}
    assert not files & set(module.__all__), "a name would hide the file of the same name"
    for name in module.__all__:
        assert getattr(module, name) is not None and name in dir(module)
    with pytest.raises(AttributeError, match="it offers"):
        getattr(module, "nonsense")  # noqa: B009


def test_opening_all_rooms_loads_nothing():
    code = (
        f"import {', '.join('helpers.' + room for room in ROOMS)}, sys; "
        "print([m for m in ('numpy', 'torch', 'matplotlib', 'transformers', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=house.ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_page_of_the_rooms_names_each_with_its_chapters():
    rows = dict(re.findall(r"^\| `(\w+)/` \|.*\| ([^|]+) \|$", house.README.read_text(encoding="utf-8"), re.MULTILINE))
    assert set(rows) == set(ROOMS)
    for room, numbers in house.chapters_of_rooms().items():
        assert rows[room].split() == numbers, f"{room}: helpers/README.md says {rows[room]}, the notebooks {' '.join(numbers)}"


def test_a_file_reads_in_one_sitting():
    lengths = {name: path.read_text(encoding="utf-8").count("\n") for name, path in house.modules().items()}
    assert not {name: n for name, n in lengths.items() if n > LONGEST}
