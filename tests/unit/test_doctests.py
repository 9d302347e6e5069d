"""The examples in the docstrings of six rooms run, and every public function and class there has one."""

import doctest
import importlib
import pkgutil

import pytest

ROOMS = ("tokenizers", "features", "models", "generation", "evaluation", "retrieval")
MODULES = [
    f"helpers.{room}.{found.name}"
    for room in ROOMS
    for found in pkgutil.iter_modules(importlib.import_module(f"helpers.{room}").__path__)
]

#: Public names without an example, and why. What has got one must be taken off: see the last test.
WITHOUT = {
    "helpers.models.pretrained.load_minilm": "it reads weights; test_pretrained.py",
    "helpers.models.pretrained.load_own_smollm2": "it reads weights; test_smollm2_parity.py",
    "helpers.models.pretrained.load_smollm2": "it reads weights; test_pretrained.py",
    "helpers.models.pretrained.load_smollm2_tokenizer": "it reads weights; test_lora_parity.py",
    "helpers.retrieval.rag.likelihood_rerank": "it needs a language model; test_rag.py holds it against a sum by hand",
    "helpers.retrieval.stored_vectors.lead_text": "of leads only; test_retrieval_parity.py",
    "helpers.retrieval.stored_vectors.load": "it reads 3.9 MB; test_encoder.py",
    "helpers.retrieval.stored_vectors.quantized": "of those vectors only; test_encoder.py",
}


def public(module: str) -> dict[str, object]:
    """The functions and classes that a module lists in __all__ or its room offers from it; a protocol holds nothing to run."""
    loaded, room = importlib.import_module(module), importlib.import_module(module.rpartition(".")[0])
    offered = {name for name in room.__all__ if getattr(getattr(room, name), "__module__", "") == module}
    things = {name: getattr(loaded, name) for name in {*getattr(loaded, "__all__", ()), *offered}}
    return {
        name: thing
        for name, thing in sorted(things.items())
        if callable(thing) and getattr(thing, "__module__", "") == module and not getattr(thing, "_is_protocol", False)
    }


def lacking(module: str) -> list[str]:
    """The public names of a module without an example that would run; the example of a class may stand in one of its methods."""
    tests = [test.name for test in doctest.DocTestFinder().find(importlib.import_module(module), module) if test.examples]
    shown = {name.removeprefix(f"{module}.").partition(".")[0] for name in tests}
    return [f"{module}.{name}" for name in public(module) if name not in shown]


@pytest.mark.parametrize("module", MODULES)
def test_examples_run(module):
    result = doctest.testmod(importlib.import_module(module))
    assert result.failed == 0, f"{result.failed} of {result.attempted} examples; see the output above"


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_has_an_example(module):
    assert [name for name in lacking(module) if name not in WITHOUT] == []


def test_the_list_holds_nothing_that_has_got_its_example():
    assert [name for name in WITHOUT if name not in lacking(name.rpartition(".")[0])] == [], "take these off WITHOUT"
