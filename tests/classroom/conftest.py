"""Isolation is needed, not hoped for: where the kernel has it, a jail that does not start fails the tests."""

import pytest

from helpers.course.classroom import sandbox
from tests.classroom import isolation as machine


@pytest.fixture(scope="session")
def isolation(tmp_path_factory) -> None:
    """Skips where the machine lacks namespaces, fails where it has them and the jail does not start."""
    lacking = machine.missing(str(tmp_path_factory.mktemp("probe")))
    reason = machine.judged(lacking, *(("", "") if lacking else sandbox.strongest(sandbox.Limits())))
    if reason:
        pytest.skip(reason)
