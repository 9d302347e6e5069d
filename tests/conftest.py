"""Settings for all tests."""

import importlib
import signal

import pytest

# Started in the background of a shell (as some CI systems do), a process ignores Ctrl-C, and so do all its children. The
# tests of interruption need it.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

OPTIONAL = {"kenlm"}  # compiles for minutes, so no requirement; its parity test runs where it is there
_import_or_skip = pytest.importorskip


def import_or_fail(name: str, *args: object, **more: object) -> object:
    """pytest.importorskip, but what tests/requirements.txt installs must load: a broken package is no reason to skip."""
    return _import_or_skip(name, *args, **more) if name.split(".")[0] in OPTIONAL else importlib.import_module(name)


pytest.importorskip = import_or_fail
