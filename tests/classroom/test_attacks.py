"""Hostile, broken and odd submissions, all in one batch with honest ones: nothing stops it, nothing changes another's grade."""

import json
import os
import pickle
import socket
import subprocess
import sysconfig
import threading
import venv

import pytest

from helpers.course.classroom import batch, sandbox
from helpers.course.classroom.grading import Graded
from helpers.course.classroom.sandbox import Limits
from helpers.lab import checks
from helpers.paths import repository_root
from tests.classroom import isolation as machine
from tests.classroom.attacks import BODY, TOP
from tests.classroom.classes import RIGHT, STUB, WRONG, hand_in, small

EX_1 = "ch00/ex1_bytes_per_character.py"  # solutions of the course
LIMITS = Limits(cpu=15, wall=25.0, load=6.0, memory_mb=1200)
MODE = "isolated"
pytestmark = pytest.mark.usefixtures("isolation")


def indented(body: str) -> str:
    return "def bytes_per_character(text):\n" + "".join(f"    {line}\n" for line in body.strip("\n").splitlines())


@pytest.fixture(scope="module")
def listener():
    """A server on this machine that notes who calls."""
    server = socket.create_server(("127.0.0.1", 0))
    calls = []

    def serve():
        while True:
            try:
                calls.append(server.accept()[1])
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()
    yield server.getsockname()[1], calls
    server.close()


@pytest.fixture(scope="module")
def results(tmp_path_factory, listener) -> dict[str, Graded]:
    """The whole class, graded in one batch of two at a time; student -> what came out."""
    folder = tmp_path_factory.mktemp("class")
    port, _ = listener
    for name in ("aaa honest", "zzz honest"):
        hand_in(folder, name, small(RIGHT))
    hand_in(folder, "half done", small(STUB))
    hand_in(folder, "mistaken", small(WRONG))
    for name, source in TOP.items():
        hand_in(folder, "t " + name, small(source))
    for name, body in BODY.items():
        hand_in(folder, "b " + name, small(indented(body)))
    hand_in(
        folder,
        "b network",
        small(
            indented(
                f"import socket\nfor host in ('127.0.0.1', '::1'):\n    try:\n        "
                f"socket.create_connection((host, {port}), 2)\n"
                "        return 0.0\n    except OSError: pass\nreturn len(text.encode()) / len(text)"
            )
        ),
    )
    victim = folder / "zzz honest" / "00_handed_in.ipynb"
    hand_in(
        folder,
        "b writes to others",
        small(
            indented(
                "import os, shutil\n"
                f"for path in ({str(victim)!r}, {str(folder)!r}, {str(repository_root())!r}, '/course', '/scratch', '/etc'):\n"
                "    shutil.rmtree(path, ignore_errors=True)\n    try:\n        os.unlink(path)\n    except OSError: pass\n"
                "    try:\n        open(path, 'w').write('gone')\n    except OSError: pass\n"
                f"return {os.path.exists('/')!r} and 0.0"
            )
        ),
    )
    hand_in(folder, "b reads others", small(indented(f"return 1.2 if open({str(victim)!r}).read() else 0.0")))
    odd(folder, victim)
    todo = batch.submissions.collect(folder)
    before = victim.read_bytes()
    told = []
    graded = batch.grade_all(todo, batch.Settings("", MODE, LIMITS, 2, None, (str(folder),)), folder, told.append)
    assert victim.read_bytes() == before and len(told) == len(graded) == len(todo)
    return {g.student + ("" if g.file.startswith(g.student + "/") else " (file)"): g for g in graded}


def odd(folder, victim) -> None:
    """Files that are no notebooks, or odd ones."""
    files = {
        "invalid JSON": b"{",
        "empty": b"",
        "no UTF-8": b'{"cells": "\xff"}',
        "a list": b"[]",
        "no cells": b'{"cells": []}',
        "odd cells": json.dumps({"cells": [1, None, {"cell_type": "code", "source": 5, "metadata": 7}]}).encode(),
        "deep JSON": b"[" * 200_000,
        "NaN": b'{"cells": NaN}',
        "long number": b'{"cells": ' + b"9" * 6000 + b"}",
    }
    for name, content in files.items():
        (folder / name).mkdir()
        (folder / name / "00_x.ipynb").write_bytes(content)
    (folder / "huge").mkdir()
    with open(folder / "huge" / "00_x.ipynb", "wb") as file:
        file.truncate(200_000_000)
    (folder / "link").mkdir()
    (folder / "link" / "00_x.ipynb").symlink_to(victim)
    (folder / "linked folder").symlink_to(victim.parent, target_is_directory=True)
    (folder / "linked solutions").mkdir()
    (folder / "linked solutions" / "00_x.ipynb").symlink_to(repository_root() / "helpers" / "exercises" / EX_1)
    (folder / "pipe").mkdir()
    os.mkfifo(folder / "pipe" / "00_x.ipynb")
    (folder / "nothing").mkdir()
    hand_in(folder, "lost tag", small(RIGHT, ()))
    twice = small(WRONG)
    twice["cells"] += small(RIGHT)["cells"]
    hand_in(folder, "two cells", twice)
    hand_in(folder, "missing cell", small("x = 1\n", ()))
    other = small(RIGHT, ())
    other["metadata"] = {"course": {"chapter": "99", "points": {"0.1": 1000}}}
    hand_in(folder, "claims points", other)
    hand_in(folder, "<img src=x onerror=alert(1)>", small(RIGHT))
    hand_in(folder, "=HYPERLINK(1)", small(RIGHT))


def points(graded: Graded) -> float:
    assert not graded.refused, graded.refused
    return graded.points


def test_honest_work_gets_its_points_whatever_the_others_do(results):
    assert points(results["aaa honest"]) == points(results["zzz honest"]) == 1
    assert results["half done"].marks[0].status == "not done yet"
    assert results["mistaken"].marks[0].status == "wrong"
    assert "wrong way round" in results["mistaken"].marks[0].message


@pytest.mark.parametrize("name", TOP)
def test_hostile_cells_win_nothing(results, name):
    graded = results["t " + name]
    assert points(graded) == 0 and graded.marks[0].status in ("wrong", "refused", "not done yet")
    assert len(graded.marks[0].message) < 3000


@pytest.mark.parametrize("name", BODY)
def test_hostile_functions_win_nothing(results, name):
    graded = results["b " + name]
    assert points(graded) == 0 and graded.marks[0].status == "wrong", graded.marks[0]
    assert len(graded.marks[0].message) < 3000


@pytest.mark.parametrize(
    "name, words",
    [
        ("b endless", "does not come back"),
        ("b eats memory", "MemoryError"),
        ("b leaves inside", "SystemExit"),
        ("b fork bomb", "Error"),
        ("b starts a program", "Error"),
        ("t leaves at once", "ends the whole process"),
        ("t crashes Python", "crash"),
        ("b fills the disk", "OSError"),
        ("t no Python", "SyntaxError"),
        ("t another name", "does not define bytes_per_character"),
        ("b reads the solutions", "ModuleNotFoundError"),
        ("b searches for the solutions", "no file holds them"),
        ("b reads others", "FileNotFoundError"),
        ("t endless cell", "does not end within"),
        ("t writes into the channel", "channel"),
        ("b returns a giant", "too large"),
    ],
)
def test_the_message_says_what_happened(results, name, words):
    assert words in results[name].marks[0].message


def test_processor_time_is_limited_whatever_the_clock_says():
    with sandbox.open_jail(MODE, Limits(cpu=4), []) as jail:
        jail.request("load", 60, exercise="0.1", name="f", source="def f():\n    while True: pass\n", before=[], after=[])
        with pytest.raises(sandbox.Gone, match="more processor time or memory than is allowed"):
            jail.request("call", 120, args=pickle.dumps(((), {})))


def test_there_is_no_network(results, listener):
    assert points(results["b network"]) == 1  # it answers right only after every connection has failed
    assert listener[1] == []


def test_nothing_outside_was_touched(results):
    assert (repository_root() / "course.py").exists() and (repository_root() / "helpers" / "exercises" / EX_1).exists()
    assert points(results["b writes to others"]) == 0


@pytest.mark.parametrize(
    "name, words",
    [
        ("invalid JSON", "JSON"),
        ("empty", "empty"),
        ("no UTF-8", "UTF-8"),
        ("a list", "not a notebook"),
        ("no cells", "no code"),
        ("deep JSON", "JSON"),
        ("NaN", "not a notebook"),
        ("long number", "JSON"),
        ("huge", "larger"),
        ("link", "link"),
        ("linked folder", "link"),
        ("linked solutions", "link"),
        ("pipe", "not an ordinary file"),
        ("nothing", "no notebook"),
    ],
)
def test_files_that_are_no_notebooks_are_refused_with_the_reason(results, name, words):
    graded = results.get(name) or results[name + " (file)"]
    assert words in graded.refused and not graded.marks


def test_odd_notebooks_are_graded_or_refused_with_the_reason(results):
    assert points(results["lost tag"]) == 1 and "lost its tag" in results["lost tag"].marks[0].note
    assert points(results["two cells"]) == 1 and "the last one counts" in results["two cells"].marks[0].note
    assert "no cell for this exercise" in results["missing cell"].marks[0].message
    assert results["claims points"].points <= 1
    assert results["odd cells"].marks[0].status == "refused"


def test_pages_and_tables_hold_no_code_of_students(results, tmp_path):
    batch.feedback.write(tmp_path, list(results.values()), "", {})
    pages = list((tmp_path / "students").glob("*.html"))
    assert len(pages) == len({g.student for g in results.values()})
    for page in [*pages, tmp_path / "index.html"]:
        text = page.read_text(encoding="utf-8")
        assert "<script" not in text and "\u202e" not in text and "\x1b" not in text and "http://" not in text
        assert "default-src 'none'" in text
    table = (tmp_path / "grades.csv").read_text(encoding="utf-8-sig")
    assert "'=HYPERLINK" in table and "\n=" not in table
    assert len(table.splitlines()) == len(results) + 1


def test_the_jail_is_what_it_says():
    with sandbox.open_jail("isolated", LIMITS, [], (str(repository_root() / "tests"),)) as jail:
        secret = ["/etc/passwd", str(repository_root() / "tests")]
        facts = jail.request("hello", 20, modules=[], guard=False, secret=secret)["facts"]
        assert sandbox.leaks(facts) == [] and facts["uid"] not in (0, os.getuid()) or os.getuid() != 0
        assert sorted(os.listdir(jail.folder)) == ["root"]
    assert not os.path.exists(jail.folder)


@pytest.mark.parametrize(
    "facts",
    [
        {"uid": 0},
        {"rights": "1ff"},
        {"interfaces": ["lo", "eth0"]},
        {"processes": 9},
        {"seen": ["x"]},
        {"writable": ["/"]},
    ],
)
def test_a_jail_that_is_not_tight_is_noticed(facts):
    good = {"uid": 5, "rights": "", "interfaces": ["lo"], "processes": 2, "seen": [], "writable": []}
    assert sandbox.leaks(good) == [] and sandbox.leaks(good | facts)


@pytest.mark.parametrize(
    "body", [BODY["fork bomb"], BODY["starts a program"], "import socket\nsocket.create_connection(('1.1.1.1', 80), 3)"]
)
def test_the_namespaces_hold_without_the_filter_of_system_calls(body):
    """On a processor whose system calls we do not know there is no filter; limits and namespaces must do."""
    with sandbox.open_jail("isolated", LIMITS, [], guard=False) as jail:
        assert not jail.filtered
        jail.request("load", 20, exercise="0.1", name="bytes_per_character", source=indented(body), before=[], after=[])
        try:
            reply = jail.request("call", 8, args=pickle.dumps((("text",), {})))
        except (sandbox.Late, sandbox.Gone, sandbox.Garbled):
            return
        assert "Error" in reply.get("error", {}).get("type", "") or reply["out"] == 1.2


def test_ordinary_users_get_a_jail_of_the_same_kind(monkeypatch, tmp_path):
    """Without root the jail makes a user namespace; here root takes that way too."""
    lacking = machine.missing(str(tmp_path), as_user=True)
    if lacking:
        pytest.skip(f"user namespaces are forbidden here: {lacking}")
    monkeypatch.setattr(sandbox.os, "getuid", lambda: 1000)
    with sandbox.open_jail("isolated", LIMITS, []) as jail:
        reply = jail.request(
            "load", 20, exercise="0.1", name="f", source="import os\ndef f(x):\n    return os.getuid()\n", before=[], after=[]
        )
        assert reply["defined"] and checks.find("0.1")


def test_packages_that_come_through_a_path_file_are_seen_inside(tmp_path):
    """A layered environment has its packages in another folder, which a .pth file names."""
    venv.create(tmp_path / "layer", with_pip=False, symlinks=True)
    python = tmp_path / "layer" / "bin" / "python"
    site = next((tmp_path / "layer" / "lib").glob("python*/site-packages"))
    (site / "layer.pth").write_text(sysconfig.get_path("purelib") + "\n")
    code = (
        "from helpers.course.classroom import sandbox\n"
        "with sandbox.open_jail('isolated', sandbox.Limits(), ['numpy']) as jail: print('isolated', jail.filtered)"
    )
    done = subprocess.run([python, "-c", code], cwd=repository_root(), capture_output=True, encoding="utf-8", check=False)
    assert done.stdout.startswith("isolated"), done.stderr[-2000:]


def test_a_jail_that_does_not_start_is_no_reason_to_skip():
    assert "no isolation" in machine.judged("unshare: Operation not permitted", "limits", "")
    assert machine.judged("", "isolated", "") == ""
    with pytest.raises(AssertionError, match="did not start: no numpy"):
        machine.judged("", "limits", "no numpy")
