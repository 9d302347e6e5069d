"""A look into a Python environment from inside: run by its interpreter, prints one JSON object.

    python inspect_environment.py                      interpreter, folders, installed distributions, torch build
    python inspect_environment.py check FILE ...       the same, and each line of the requirement files against what is there
    python inspect_environment.py broken               the same, and distributions whose files are missing or have another size
    python inspect_environment.py import NAME ...      imports the modules, prints which fail and why

Standard library only (pip's own copy of `packaging` reads requirement lines). Never imports what it looks at,
except under `import`.
"""

import csv
import importlib
import json
import os
import re
import sys
import sysconfig
from importlib import metadata


def canonical(name):
    """The normalised name of a distribution: lower case, runs of - _ . as one hyphen."""
    return re.sub(r"[-_.]+", "-", name).lower()


def distributions():
    """{name: {version, folder}} of every distribution on sys.path, the first one found winning."""
    found = {}
    for item in metadata.distributions():
        name = item.metadata["Name"]
        if name:
            found.setdefault(canonical(name), {"version": item.version, "folder": str(item._path)})
    return found


def torch_build(folder):
    """{version, cuda} read from torch/version.py beside the metadata, without importing torch."""
    path = os.path.join(os.path.dirname(folder), "torch", "version.py")
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError:
        return {"version": "", "cuda": None}
    version = re.search(r"^__version__[^=\n]*=\s*['\"]([^'\"]+)", text, re.MULTILINE)
    cuda = re.search(r"^(?:cuda|hip)\b[^=\n]*=\s*['\"]([^'\"]+)", text, re.MULTILINE)
    return {"version": version[1] if version else "", "cuda": cuda[1] if cuda else None}


def requirement_lines(path):
    """The requirement lines of a file, without comments, hashes and options."""
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"\\\n", " ", file.read())
    for line in text.splitlines():
        line = re.sub(r"(^|\s)#.*", "", line).split(" --hash")[0].strip()
        if line and not line.startswith("-"):
            yield line


def check(files, found):
    """For each requirement line: name, what is wanted, the version found (or null) and whether it will do."""
    from pip._vendor.packaging.requirements import Requirement

    report = []
    for path in files:
        for line in requirement_lines(path):
            wanted = Requirement(line)
            if wanted.marker is not None and not wanted.marker.evaluate():
                continue
            have = found.get(canonical(wanted.name), {}).get("version")
            good = have is not None and wanted.specifier.contains(have, prereleases=True)
            report.append(
                {"file": path, "name": canonical(wanted.name), "wanted": str(wanted.specifier), "found": have, "good": good}
            )
    return report


def broken(found):
    """{name: what is wrong} for distributions whose recorded files are missing or have another size."""
    bad = {}
    for name, item in found.items():
        folder, site = item["folder"], os.path.dirname(item["folder"])
        if not folder.endswith(".dist-info"):
            continue
        try:
            with open(os.path.join(folder, "RECORD"), encoding="utf-8", newline="") as file:
                rows = list(csv.reader(file))
        except OSError:
            bad[name] = "its installation was cut short"
            continue
        for row in rows:
            if len(row) < 3 or not row[2]:
                continue
            try:
                good = os.stat(os.path.join(site, row[0])).st_size == int(row[2])
            except (OSError, ValueError):
                good = False
            if not good:
                bad[name] = row[0] + " is missing or damaged"
                break
    return bad


def imports(names):
    """{module: error} for the modules that cannot be imported."""
    bad = {}
    for name in names:
        try:
            importlib.import_module(name)
        except BaseException as error:  # a broken extension module may raise anything
            bad[name] = type(error).__name__ + ": " + str(error).strip().split("\n")[-1]
    return bad


def look(arguments):
    """The whole answer as a dict."""
    found = distributions()
    answer = {
        "version": ".".join(map(str, sys.version_info[:3])),
        "site": sysconfig.get_path("purelib"),
        "found": found,
        "torch": torch_build(found["torch"]["folder"]) if "torch" in found else None,
    }
    mode, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if mode == "check":
        answer["requirements"] = check(rest, found)
    if mode in ("check", "broken"):
        answer["broken"] = broken(found)
    if mode == "import":
        answer["imports"] = imports(rest)
    return answer


if __name__ == "__main__":
    print("PROBE " + json.dumps(look(sys.argv[1:])))
