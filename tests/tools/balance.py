"""A pytest plugin: the longest files come first, so that two workers end together.

A file is what one worker runs as a whole: a notebook has one kernel, a file of tests makes its fixtures once. With
``-n 2 --dist loadfile --no-loadscope-reorder`` a worker that is free takes the next file. (Groups named by a mark, as
``--dist loadgroup`` has them, are silently not seen by pytest-xdist 3.8 under pytest 9.2.)
"""

import pytest

# Seconds of processor time that a file takes, from a run on two cores; only those that matter for the order, by the
# beginning of the path. `course.py test` prints the longest files: bring a number up to date when it is far off.
LONG = {
    "notebooks/08": 330,
    "notebooks/07": 130,
    "notebooks/09": 130,
    "notebooks/10": 110,
    "notebooks/03": 90,
    "notebooks/05": 85,
    "notebooks/11": 80,
    "notebooks/06": 70,
    "notebooks/04": 70,
    "notebooks/02": 60,
    "tests/unit/test_pretrained": 55,
    "tests/parity/test_smollm2": 55,
    "notebooks/01": 50,
    "tests/classroom/test_release": 50,
    "tests/mutation": 45,
    "tests/classroom/test_attacks": 45,
    "tests/classroom/test_grading": 45,
    "tests/unit/test_cli_setup": 45,
    "tests/unit/test_neural": 40,
    "tests/unit/test_train": 40,
    "tests/browser/test_site_pages": 40,
    "notebooks/00": 40,
    "tests/browser/test_browser": 30,
    "tests/unit/test_sampling_study": 25,
    "tests/parity/test_word2vec": 25,
    "tests/classroom/test_nbgrader": 25,
}


def seconds(nodeid: str) -> int:
    """How long the file of a test takes, where it is known to be long, else 0."""
    return next((time for start, time in LONG.items() if nodeid.startswith(start)), 0)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: -seconds(item.nodeid))  # files of the same time stay as they were collected
