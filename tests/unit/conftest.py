"""What several files of tests here share: small courses whose set-up only pretends (see cli_fakes)."""

import cli_fakes
import pytest


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of this test's own, not set up."""
    return cli_fakes.new_course(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A course that the tests of this file share, because a set-up takes a second."""
    with pytest.MonkeyPatch.context() as patch:
        yield cli_fakes.new_course(tmp_path_factory.mktemp("shared"), patch)


@pytest.fixture
def ready(shared, monkeypatch):
    """The shared course, set up, with a pip that does as it is told and no calls so far."""
    cli_fakes.install_fakes(shared, monkeypatch.setattr)
    monkeypatch.setenv("FAKE_PIP", str(shared.pip))
    monkeypatch.setenv("COURSE_CACHE", str(shared.root.parent / "cache"))
    shared.plan()
    shared.write_requirements()
    cli_fakes.prepare(shared, thorough=True)
    shared.calls()
    return shared
