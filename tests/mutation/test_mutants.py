"""Every famous bug of `mutants.py` turns its test red, and the same test is green without the bug."""

import inspect
import itertools
import sys

import pytest
import torch

from helpers.models import attention, rnn
from tests.mutation.mutants import MUTANTS, Mutant, copy_of_helpers, load_test

FAILED = pytest.fail.Exception  # what pytest.raises raises when nothing was raised
numbers, green = itertools.count(), set()


def run(mutant: Mutant, bug_in: bool, request, tmp_path) -> None:
    """Call the mutant's test on a copy of helpers, with the bug or without."""
    name = f"{'mutant' if bug_in else 'intact'}_{next(numbers)}"
    with copy_of_helpers(name, mutant if bug_in else None):
        function = load_test(mutant.test, name)
        arguments = {key.rstrip("_"): value for key, value in mutant.arguments.items()}
        if mutant.arguments.get("kind") in rnn.__all__:  # a class of the copy, by its name
            arguments["kind"] = getattr(sys.modules[f"{name}.models.rnn"], arguments["kind"])
        for wanted in set(inspect.signature(function).parameters) - set(arguments):
            arguments[wanted] = request.getfixturevalue(wanted)
        if "tmp_path" in arguments:
            arguments["tmp_path"] = tmp_path / name
            arguments["tmp_path"].mkdir()
        threads, state = torch.get_num_threads(), torch.get_rng_state()
        try:
            function(**arguments)
        finally:
            torch.set_num_threads(threads)
            torch.set_rng_state(state)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: f"{m.module}: {m.bug}")
def test_the_bug_turns_its_test_red(mutant, request, tmp_path):
    mutant.source()  # each snippet occurs exactly once
    key = (mutant.test, str(mutant.arguments))
    if key not in green:
        run(mutant, False, request, tmp_path)
        green.add(key)
    with pytest.raises((AssertionError, FAILED, mutant.error)):
        run(mutant, True, request, tmp_path)


def test_there_are_enough_bugs_and_each_stands_once():
    assert len(MUTANTS) >= 22 and len({m.changes for m in MUTANTS}) == len(MUTANTS)
    assert {m.module.split(".")[-1] for m in MUTANTS} >= {
        "attention",
        "transformer",
        "neural",
        "rnn",
        "bptt",
        "batches",
        "trainer",
        "files",
        "ngram",
        "bpe_training",
        "yardstick",
    }


def test_a_snippet_that_is_gone_or_not_unique_is_told():
    mutant = MUTANTS[0]
    for old in ("no such snippet", "import"):
        with pytest.raises(ValueError, match="was it rewritten"):
            Mutant("x", mutant.module, ((old, "y"),), mutant.test).source()


def test_a_copy_leaves_the_real_package_alone():
    before = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "helpers"}
    with copy_of_helpers("some_copy", MUTANTS[0]):
        from some_copy.models import attention as mutated
        from some_copy.models import transformer

        assert transformer.causal_mask is mutated.causal_mask
        assert mutated.causal_mask(2).tolist() == [[True, True], [False, True]]
    after = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "helpers"}
    assert after == before and not any(name.startswith("some_copy") for name in sys.modules)
    assert attention.causal_mask(2).tolist() == [[True, False], [True, True]]
