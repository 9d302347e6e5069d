"""course.py address, on a copy: every link of ours, none of anybody else's, and not a byte more."""

import argparse
import json

import pytest

from helpers.course.commands import address
from helpers.course.commands.address import Address
from helpers.course.commands.console import Problem

OLD, NEW = Address("OWNER/from-counts-to-chat", "main"), Address("ada/llm-course", "v1.2")
LINKS = [
    "https://github.com/{repository}",
    "https://github.com/{repository}.git",
    "https://github.com/{repository}/issues",
    "https://github.com/{repository}/blob/{tag}/notebooks/01_linear_regression.ipynb",
    "https://github.com/{repository}/tree/{tag}",
    "https://github.com/{repository}/archive/refs/tags/{tag}.zip",
    "git@github.com:{repository}.git",
    "https://colab.research.google.com/github/{repository}/blob/{tag}/notebooks/01.ipynb",
    "https://mybinder.org/v2/gh/{repository}/{tag}?urlpath=lab/tree/notebooks/00.ipynb",
    "https://codespaces.new/{repository}",
    "https://hub.example/hub/user-redirect/git-pull?repo=https://github.com/{repository}&branch={tag}&urlpath=lab/tree/x/01.ipynb",
    "https://codespaces.new/{repository}?quickstart=1",
    "https://raw.githubusercontent.com/{repository}/{tag}/data/README.md",
    "https://nbviewer.org/github/{repository}/blob/{tag}/notebooks/01.ipynb",
    "https://kaggle.com/kernels/welcome?src=https://github.com/{repository}/blob/{tag}/notebooks/01.ipynb",
    'REPOSITORY = "{repository}"\nRELEASE = "{tag}"',
    'REPOSITORY, RELEASE = "{repository}", "{tag}"',
]
FOREIGN = [
    "https://github.com/karpathy/micrograd",
    "https://github.com/pytorch/pytorch/blob/main/README.md",
    "https://raw.githubusercontent.com/a/b/main/c",
    "main",
    "OWNER",
    "git clone https://github.com/{REPOSITORY}",
]


def filled(text, at):
    return text.replace("{repository}", at.repository).replace("{tag}", at.tag)


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("around", ["{}", "[text]({})", "see {} and", "{}\n", '<a href="{}">'])
def test_each_form_is_rewritten_and_back(link, around):
    before, after = (around.replace("{}", filled(link, at)) for at in (OLD, NEW))
    assert address.rewritten(before, OLD, NEW) == after
    assert address.rewritten(after, NEW, OLD) == before
    quoted = json.dumps(before)
    assert json.loads(address.rewritten(quoted, OLD, NEW)) == after


@pytest.mark.parametrize("text", FOREIGN)
def test_what_is_not_ours_stays(text):
    assert address.rewritten(text, OLD, NEW) == text


@pytest.fixture
def copy(tmp_path):
    """A small repository with the address in every kind of file."""
    for folder in ("helpers", "notebooks", "binder", "data", ".github/workflows"):
        (tmp_path / folder).mkdir(parents=True)
    text = "\n".join(filled(link, OLD) for link in LINKS) + "\n" + "\n".join(FOREIGN) + "\n"
    (tmp_path / "helpers" / "__init__.py").write_text('"""Ours."""\nREPOSITORY = "OWNER/from-counts-to-chat"\nRELEASE = "main"\n')
    for name in ("README.md", "binder/postBuild", "data/README.md", ".github/workflows/test.yml"):
        (tmp_path / name).write_bytes(text.replace("\n", "\r\n").encode())
    notebook = {
        "cells": [
            {"cell_type": "markdown", "id": "é", "source": text.splitlines(keepends=True)},
            {"cell_type": "code", "outputs": [], "source": filled(LINKS[-1], OLD)},
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (tmp_path / "notebooks" / "01_a.ipynb").write_text(json.dumps(notebook, indent=1, ensure_ascii=False), encoding="utf-8")
    return tmp_path


def run(root, repository=None, tag="", check=False):
    return address.command(argparse.Namespace(repository=repository, tag=tag, check=check), root)


def test_one_command_sets_it_everywhere_and_back_byte_for_byte(copy, capsys):
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    assert run(copy, check=True) == 0
    assert run(copy, "ada/llm-course", "v1.2") == 0
    assert address.current(copy) == NEW and run(copy, check=True) == 0
    said = capsys.readouterr().out
    assert said.count(f": {len(LINKS) + 1} places") == 4 and f"01_a.ipynb: {len(LINKS) + 2} places" in said
    after = (copy / "notebooks" / "01_a.ipynb").read_text(encoding="utf-8")
    assert "OWNER/from" not in after and json.loads(after)["cells"][0]["id"] == "é"
    run(copy, OLD.repository, OLD.tag)
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before


def test_the_check_names_the_places_that_disagree(copy, capsys):
    path = copy / "README.md"
    path.write_text(
        "[here](https://github.com/someone/from-counts-to-chat) "
        "[there](https://mybinder.org/v2/gh/OWNER/from-counts-to-chat/v9?urlpath=lab)\n"
    )
    assert run(copy, check=True) == 1
    said = capsys.readouterr().out
    assert "README.md:1: someone/from-counts-to-chat" in said and "at v9" in said
    assert run(copy, tag="main") == 0 and run(copy, check=True) == 0


@pytest.mark.parametrize("repository, tag", [("nonsense", ""), ("a/b/c", ""), ("a b/c", ""), (None, "v 1"), (None, "a/b")])
def test_an_impossible_address_is_refused(copy, repository, tag):
    with pytest.raises(Problem):
        run(copy, repository, tag)


def test_a_whole_link_is_understood(copy):
    assert run(copy, "https://github.com/ada/llm-course.git") == 0
    assert address.current(copy).repository == "ada/llm-course"


def test_the_repository_itself_agrees():
    from helpers.paths import repository_root

    assert address.disagreeing(repository_root(), address.current(repository_root())) == []
