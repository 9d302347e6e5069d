"""Where the fuzzer starts: every public function of the algorithm rooms, with the calls that its docstring's example makes."""

import copy
import doctest
import functools
import importlib
import inspect
import io
import pkgutil
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from tests.fuzz.more_calls import MADE

ROOMS = ("features", "tokenizers", "models", "training", "evaluation", "generation", "finetuning", "retrieval")
KEPT = 3  # calls of a function that are kept to start from
# Whole name -> why it is not fuzzed.
LEFT_OUT = {
    "helpers.models.pretrained": "reads the weights of real models",
    "helpers.retrieval.stored_vectors": "reads the stored vectors",
    "helpers.training.recipes": "trains for minutes and writes checkpoints",
    "helpers.training.distributed": "starts processes",
    "helpers.training.interruption": "handles signals",
    "helpers.finetuning.dpo": "tunes a real model",
    "helpers.finetuning.verifiable_sums": "tunes a real model",
}


@dataclass
class Call:
    """A call that works: of a function, or of a method on an object."""

    args: tuple
    kwargs: dict[str, Any]


@dataclass
class Target:
    """A public function or method, and calls of it that work. name: with its module."""

    name: str
    function: Callable
    calls: list[Call]


def modules() -> list[ModuleType]:
    """The modules of the algorithm rooms that can be fuzzed."""
    found = []
    for room in ROOMS:
        package = importlib.import_module(f"helpers.{room}")
        names = [f"{package.__name__}.{m.name}" for m in pkgutil.iter_modules(package.__path__)]
        found += [importlib.import_module(name) for name in names if name not in LEFT_OUT]
    return found


def _public(module: ModuleType) -> dict[str, tuple[Any, str]]:
    """Name -> (owner, attribute) of the module's own public functions and of its classes' public methods."""
    found = {}
    for name, thing in vars(module).items():
        if name.startswith("_") or getattr(thing, "__module__", "") != module.__name__:
            continue
        if inspect.isfunction(thing):
            found[f"{module.__name__}.{name}"] = (module, name)
        elif inspect.isclass(thing) and not getattr(thing, "_is_protocol", False) and not issubclass(thing, Exception):
            for attribute, value in vars(thing).items():
                if inspect.isfunction(value) and not attribute.startswith("_"):
                    found[f"{module.__name__}.{name}.{attribute}"] = (thing, attribute)
            if inspect.isfunction(vars(thing).get("__init__")):
                found[f"{module.__name__}.{name}"] = (thing, "__init__")
    return found


def targets() -> list[Target]:
    """Every public function and method that an example calls, with up to `KEPT` of these calls."""
    loaded = modules()
    public = {name: where for module in loaded for name, where in _public(module).items()}
    recorded: dict[str, list[Call]] = {name: [] for name in public}
    before = {name: getattr(owner, attribute) for name, (owner, attribute) in public.items()}
    inside = [False]

    def recorder(name: str, function: Callable) -> Callable:
        @functools.wraps(function)
        def record(*args: Any, **kwargs: Any) -> Any:
            outer, inside[0] = inside[0], True
            try:
                kept = None
                if not outer and len(recorded[name]) < KEPT:
                    try:
                        bare = args[1:] if name.rpartition(".")[2][:1].isupper() else args  # not the unmade object of __init__
                        kept = Call(copy.deepcopy(bare), copy.deepcopy(kwargs))
                    except Exception:
                        kept = None
                out = function(*args, **kwargs)
                if kept is not None:
                    recorded[name].append(kept)
                return out
            finally:
                inside[0] = outer

        return record

    try:
        for name, (owner, attribute) in public.items():
            setattr(owner, attribute, recorder(name, before[name]))
        for module in loaded:
            finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner(verbose=False)
            with redirect_stdout(io.StringIO()):
                for test in finder.find(module):
                    runner.run(test, clear_globs=False)  # a recorded lambda looks its names up there
    finally:
        for name, (owner, attribute) in public.items():
            setattr(owner, attribute, before[name])
    for function, args, kwargs in MADE:
        function(*copy.deepcopy(args), **copy.deepcopy(kwargs))  # a call that does not work is no start
        recorded[f"{function.__module__}.{function.__name__}"].append(Call(args, kwargs))
    made = []
    for name, (owner, attribute) in public.items():
        if recorded[name]:
            made.append(Target(name, owner if attribute == "__init__" else before[name], recorded[name]))
    return made
