#!/usr/bin/env python3
"""From Counts to Chat: the one entry point. Try `python3 course.py lab`.

This file only reads the command line and hands over to helpers/course/commands/. It uses nothing but the standard
library and no recent syntax, so that an old Python can still read it and say what is missing.
"""

import sys

OLDEST = (3, 11)
NEWEST = (3, 13)


def python_problem(version, found=()):
    """A sentence about an unsuitable Python (a tuple such as (3, 8)), or "" when it will do."""
    if OLDEST <= tuple(version[:2]) <= NEWEST:
        return ""
    words = " course.py " + (" ".join(sys.argv[1:]) or "lab")
    sentence = "This course needs Python 3.11, 3.12 or 3.13; this is Python " + ".".join(map(str, version[:2])) + "."
    if found:
        there = "uv brings a suitable one" if found[0].startswith("uv ") else "You have a suitable one"
        return sentence + "\n" + there + ". Run:  " + found[0] + words
    return (
        sentence + "\nInstall Python 3.12 (your system's package manager has it, or the Python website), then run:"
        "  python3.12" + words
    )


def suitable_pythons():
    """Commands that start a suitable Python on this machine, the best one first; uv, which fetches one, if there is none."""
    import os
    import subprocess

    def works(words):
        try:
            return subprocess.call(words, stdout=nothing, stderr=nothing) == 0
        except OSError:
            return False

    known = (["python3.12"], ["python3.13"], ["python3.11"], ["py", "-3.12"], ["py", "-3.13"], ["py", "-3.11"])
    with open(os.devnull, "w") as nothing:
        found = [" ".join(words) for words in known if works(words + ["-c", ""])]
        if not found and works(["uv", "--version"]):
            found = ["uv run --no-project --python 3.12 python"]
    return found


def build_parser():
    """The command line as an argparse parser."""
    import argparse

    parser = argparse.ArgumentParser(
        prog="course.py",
        description="From Counts to Chat: a course of runnable notebooks on language models.",
        epilog="Start with: python3 course.py lab",
    )
    commands = parser.add_subparsers(dest="command", metavar="command")

    def command(name, summary, setup=True, **more):
        sub = commands.add_parser(name, help=summary, description=summary, **more)
        sub.set_defaults(extra=[])
        if setup:
            sub.add_argument("--here", action="store_true", help="use the active Python environment instead of .venv")
            sub.add_argument("--gpu", action="store_true", help="install the GPU build of torch")
            sub.add_argument("--torch-index", metavar="URL", default="", help="take torch from this package index")
        return sub

    lab = command(
        "lab", "Set up, then open the course in JupyterLab.", epilog="What stands after -- goes to JupyterLab as it is."
    )
    lab.add_argument("--no-browser", action="store_true", help="only print the address")
    lab.add_argument("--port", type=int, default=None, help="port (default: 8888, or a free one)")

    command("setup", "Only set up: environment, packages, data, weights.")

    test = command(
        "test",
        "Set up, then run the whole test suite.",
        epilog="Other arguments go to pytest: course.py test tests/unit -k softmax",
    )
    test.add_argument(
        "--steps",
        default="",
        metavar="A,B",
        help="only these steps: unit, parity, exercises, fuzz, mutation, notebooks, classroom, nbval, browser, old",
    )
    test.add_argument("--fast", action="store_true", help="under four minutes: no notebook runs, no browser, class or mutant")
    test.add_argument("--changed", action="store_true", help="only what the changes since main concern, by the imports")

    bench = command("bench", "Measure our code beside the libraries that do the same work.")
    bench.add_argument("names", nargs="*", metavar="name", help="such as bow (default: all but training, which takes minutes)")

    run = command("run", "Execute notebooks without a browser and write them as pages.")
    run.add_argument("chapters", nargs="*", metavar="chapter", help="such as 01 or 01_linear_regression")
    run.add_argument("--record", action="store_true", help="write time and memory into data/results.json")
    run.add_argument("--timeout", type=int, default=600, metavar="SECONDS", help="limit of one cell")

    site = command("site", "Write the executed notebooks, as they are, as a site that needs no server and no network.")
    site.add_argument("--out", default="", metavar="FOLDER", help="where to (default: build/site)")

    mine = command("mine", "What of the course you have written yourself, and a package of it that chats with SmolLM2.")
    mine.add_argument("--write", default="", metavar="FOLDER", help="write your answers as a package with tests and a chat")

    release = command("release", "For teachers: a copy of the course for students, without solutions and wrong answers.")
    release.add_argument("chapters", nargs="*", metavar="chapter", help="such as 03 or 01-04 (default: all)")
    release.add_argument("--out", required=True, metavar="FOLDER", help="a new folder, or one of an earlier release")
    release.add_argument("--due", default="", metavar="DATE", help="such as 2027-03-01 or 2027-03-01T18:00")
    release.add_argument("--points", default="", metavar="ID=N,...", help="such as 3.1=2,3.2=5, or a JSON file")
    release.add_argument("--instructions", default="", metavar="FILE", help="your own text for the notebooks")
    release.add_argument("--address", default="", metavar="OWNER/REPO", help="where you publish the release, for its links")
    release.add_argument("--tag", default="main", help="the tag or branch there")
    release.add_argument("--nbgrader", default="", metavar="FOLDER", help="also write a course folder for nbgrader, for you only")
    release.add_argument("--keep-outputs", action="store_true", help="leave figures and printed results in the notebooks")

    grade = command("grade", "For teachers: grade the notebooks in a folder, each isolated from your files and the others.")
    grade.add_argument("folder", help="a folder for each student, or a notebook for each student")
    grade.add_argument("--chapter", default="", metavar="NN", help="refuse notebooks of other chapters")
    grade.add_argument("--out", default="", metavar="FOLDER", help="where to (default: build/grades/...)")
    grade.add_argument("--release", default="", metavar="FOLDER", help="take points and due date from this release")
    grade.add_argument("--due", default="", metavar="DATE", help="mark files that were changed later")
    grade.add_argument("--jobs", type=int, default=0, metavar="N", help="submissions at a time (default: the number of cores)")
    grade.add_argument("--wall", type=float, default=None, metavar="SECONDS", help="limit of one submission (default: 120)")
    grade.add_argument("--cpu", type=int, default=None, metavar="SECONDS", help="limit of its processor time (default: 60)")
    grade.add_argument(
        "--seed", type=int, default=None, metavar="N", help="of the fresh tries: that of an earlier batch, for appeals"
    )
    grade.add_argument(
        "--helpers",
        choices=("named", "allowed"),
        default="named",
        help="answers that only call the course's own function: named to the teacher (default), or not",
    )
    grade.add_argument("--memory", type=int, default=None, metavar="MB", help="limit of its memory (default: 4096)")
    grade.add_argument(
        "--no-isolation", action="store_true", help="grade although this machine cannot isolate: answers can then read your files"
    )

    doctor = command("doctor", "What is found, what is missing, and the command that mends it.", setup=False)
    doctor.add_argument("--here", action="store_true", help="look at the active environment instead of .venv")

    address = command("address", "Show or set the public address of this repository.", setup=False)
    address.add_argument("repository", nargs="?", metavar="OWNER/REPO")
    address.add_argument("--tag", default="", help="the release tag or branch that links point to")
    address.add_argument("--check", action="store_true", help="only report the places that disagree")
    return parser


def parse(arguments):
    """The parsed command line; for lab and test, `extra` holds what is passed on."""
    parser = build_parser()
    after = []
    if "--" in arguments:
        cut = arguments.index("--")
        arguments, after = arguments[:cut], arguments[cut + 1 :]
    options, unknown = parser.parse_known_args(arguments)
    if not options.command:
        parser.print_help()
        raise SystemExit(2)
    if unknown and options.command != "test":
        parser.error("unknown argument: " + " ".join(unknown))
    if after and options.command not in ("lab", "test"):
        parser.error("nothing can stand after -- here: " + " ".join(after))
    options.extra = unknown + after
    return options


def main(arguments=None):
    """Run one command; returns the exit status."""
    if python_problem(sys.version_info):
        sys.stderr.write(python_problem(sys.version_info, suitable_pythons()) + "\n")
        return 1
    import os
    from importlib import import_module

    here = os.path.dirname(os.path.abspath(__file__))
    if sys.path[:1] != [here]:
        sys.path.insert(0, here)
    options = parse(list(sys.argv[1:] if arguments is None else arguments))
    modules = {
        "setup": "environment",
        "lab": "lab",
        "test": "testing",
        "run": "running",
        "bench": "bench",
        "site": "site",
        "doctor": "doctor",
        "address": "address",
        "mine": "mine",
        "release": "classroom",
        "grade": "classroom",
    }
    from helpers.course.commands.console import guarded

    module = import_module("helpers.course.commands." + modules[options.command])
    return guarded(module.command, options)


def in_utf8():
    """Start again in Python's UTF-8 mode where the locale is another: names of files then read the same here and in children."""
    if sys.getfilesystemencoding().lower() != "utf-8" and sys.version_info[:2] >= OLDEST:
        import os

        os.execv(sys.executable, [sys.executable, "-X", "utf8"] + sys.orig_argv[1:])


if __name__ == "__main__":
    in_utf8()
    sys.exit(main())
