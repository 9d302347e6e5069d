"""The two pretrained models of the course: SmolLM2-135M-Instruct (chat) and all-MiniLM-L6-v2 (sentences).

Where they come from, in this order: the converted cache outside the repository (``COURSE_CACHE``) -> the installed
package (data/requirements.txt) -> the public model hub, only with ``COURSE_HUB=1``. Every file is checked against a
pinned sha256 before use; a missing, truncated or changed one is an error that names its repair.

SmolLM2 comes as a 4-bit GGUF file that takes 15 s to read. It is read once, in set-up, and kept as 32-bit weights
(538 MB): half the size (bf16, fp16) would round the dequantized values and move the logits by 0.2 and 0.03.

    python -m helpers.pretrained prepare     convert what is not converted yet (set-up does this)
    python -m helpers.pretrained status      what is there, quickly
    python -m helpers.pretrained verify      what is there, with every sha256 computed

Importing this module is instant: torch and transformers are loaded by the functions that need them.
"""

from __future__ import annotations

import dataclasses
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import sources, weightcache
from .catalog import HUB
from .cli.paths import cache_folder
from .conversion import Report, convert, convert_from_hub, download, hub_allowed, quiet
from .sources import FIX, DataError, Finding, about, checked

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from .transformer import Transformer

__all__ = [
    "DataError", "Finding", "load_minilm", "load_own_smollm2", "load_smollm2", "load_smollm2_tokenizer", "main", "minilm_folder",
    "prepare", "smollm2_folder", "status", "verify",
]

RECIPE = 1  # raise it when the conversion changes, so that nobody keeps an old one
ROOM = 700_000_000  # bytes: the converted weights and something to spare
DTYPES = ("float32", "bfloat16", "float16")
ATTENTION = ("sdpa", "eager")


def prepare(progress: bool = True, report: Report | None = None) -> Path:
    """Convert SmolLM2 into the cache unless a good conversion is there; check MiniLM; return SmolLM2's folder.

    Safe to call at any time, from several processes, and after an interruption; a damaged cache is made again.
    Args: ``progress`` draws a bar while converting; ``report`` is called with each step in words instead.

    Raises DataError when the source is missing or damaged, or the disk is full.
    """
    folder = _prepare_smollm2(progress, report)
    copy = _minilm_copy()
    if weightcache.exists(copy):
        try:
            weightcache.check(copy)
        except DataError:
            shutil.rmtree(copy)  # the package, or the hub again, takes its place
    minilm_folder()
    return folder


def smollm2_folder() -> Path:
    """The folder of the converted SmolLM2, in the format of transformers; converts it first if need be.

    Raises DataError when the cache is damaged, or there is nothing to convert.
    """
    for folder in _smollm2_caches():
        if weightcache.exists(folder):
            weightcache.check(folder)
            return folder
    return _prepare_smollm2(progress=True)


def load_smollm2(dtype: Any = "float32", attn_implementation: str = "sdpa"
                 ) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """SmolLM2 as the library's own class, in evaluation mode, and its tokenizer.

    Args: ``dtype`` "float32" (538 MB), "bfloat16" or "float16" (269 MB), also as a torch dtype;
    ``attn_implementation`` "sdpa", or "eager" for models that shall return their attention maps.

    Raises ValueError for another dtype or implementation, DataError when the weights are missing or damaged.
    """
    name = str(dtype).removeprefix("torch.")
    if name not in DTYPES:
        raise ValueError(f"dtype must be one of {', '.join(DTYPES)}; got {dtype!r}.")
    if attn_implementation not in ATTENTION:
        raise ValueError(f"attn_implementation must be one of {', '.join(ATTENTION)}; got {attn_implementation!r}.")
    folder = smollm2_folder()
    with quiet():
        import torch
        from transformers import AutoModelForCausalLM

        model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=getattr(torch, name), attn_implementation=attn_implementation, local_files_only=True
        )
    return model.eval(), load_smollm2_tokenizer()


def load_smollm2_tokenizer() -> PreTrainedTokenizerBase:
    """SmolLM2's tokenizer alone: 49,152 entries, byte-level BPE, digits one by one, chat template included.

    Mind that ``pad`` and ``eos`` are the same token (``<|im_end|>``, id 2), and that the chat template inserts a
    system prompt of its own unless it is given one.

    Raises DataError when it is missing or damaged.
    """
    folder = smollm2_folder()
    with quiet():
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(folder, local_files_only=True)


def load_own_smollm2(library: PreTrainedModel | None = None) -> Transformer:
    """SmolLM2's weights in the course's own class, `transformer.Transformer`, in 32 bits and evaluation mode.

    library: a model of `load_smollm2` whose weights are to be shared (no second copy in memory); without one the weights
    are mapped from the cached file, and transformers is not loaded at all.

    Raises DataError when the weights are missing or damaged, ValueError when they do not fit the class.
    """
    import json

    from .transformer import Config, Transformer

    folder = smollm2_folder()
    facts = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    base = facts.get("rope_theta") or facts["rope_parameters"]["rope_theta"]
    config = Config(
        vocab_size=facts["vocab_size"], context_length=facts["max_position_embeddings"], hidden_dim=facts["hidden_size"],
        n_layers=facts["num_hidden_layers"], n_heads=facts["num_attention_heads"], n_kv_heads=facts["num_key_value_heads"],
        ffn_dim=facts["intermediate_size"], rope_base=base, norm_eps=facts["rms_norm_eps"], tied=True, start_id=0)
    if library is not None:
        weights = library.state_dict()
    else:
        from safetensors.torch import load_file

        weights = load_file(folder / "model.safetensors")
    return Transformer.from_llama(config, weights)


def minilm_folder() -> Path:
    """The folder of all-MiniLM-L6-v2 in the format of transformers: the installed package, or the hub's copy.

    Raises DataError when it is missing or damaged.
    """
    source, copy = about("minilm"), _minilm_copy()
    if weightcache.exists(copy):
        weightcache.check(copy)
        return copy
    try:
        return [checked(file, source) for file in source.files][0].parent
    except DataError as error:
        if not hub_allowed() or "was not found" not in str(error):
            raise _with_hint(error) from error
    room = 2 * sum(file.bytes for file in HUB["minilm"].files)
    return weightcache.build(copy, lambda aside: download("minilm", aside), {"source": "hub"}, room)


def _minilm_copy() -> Path:
    """Where the hub's copy of MiniLM lies, if it was ever fetched."""
    return cache_folder() / f"minilm-hub-{HUB['minilm'].revision[:8]}"


def load_minilm() -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """all-MiniLM-L6-v2 in evaluation mode, and its tokenizer (lower-case WordPiece, 30,522 entries).

    A sentence vector (384 numbers) is the mean of the last hidden states over the attention mask, divided by its
    length (Reimers and Gurevych, 2019).

    Raises DataError when it is missing or damaged.
    """
    folder = minilm_folder()
    with quiet():
        import torch
        from transformers import AutoModel, AutoTokenizer

        model = AutoModel.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
        return model.eval(), AutoTokenizer.from_pretrained(folder, local_files_only=True)


def status(full: bool = False) -> list[Finding]:
    """What is found of both models, each with the command that repairs it; with ``full`` every sha256 is computed."""
    cache = _cache_finding(full)
    package = sources.finding(about("smollm2"), full)
    if package.state == "missing" and cache.ok:
        package = Finding("", "absent", "not needed: the converted weights are there")
    minilm = sources.finding(about("minilm"), full)
    if weightcache.exists(_minilm_copy()):  # it is what `minilm_folder` takes
        try:
            weightcache.check(_minilm_copy(), full)
            minilm = dataclasses.replace(minilm, state="ok", detail=f"the hub's copy in {_minilm_copy()}", fix="")
        except DataError as error:
            minilm = dataclasses.replace(minilm, state="damaged", detail=str(error), fix=FIX)
    return [cache, dataclasses.replace(package, name="smollm2 package"), minilm]


def verify() -> list[Finding]:
    """As ``status``, with every sha256 computed: about 1 to 3 seconds."""
    return status(full=True)


def main(arguments: list[str]) -> int:
    """Command line; returns the exit status, 0 when all is well."""
    command = arguments[0] if arguments else "status"
    if command == "prepare":
        return _prepare_command()
    if command not in ("status", "verify"):
        print(f"unknown command {command!r}: use prepare, status or verify", file=sys.stderr)
        return 2
    findings = status(full=command == "verify")
    for finding in findings:
        print(f"{finding.state:8} {finding.name:16} {finding.detail}")
    return 0 if all(finding.ok for finding in findings) else 1


def _prepare_command() -> int:
    bar = sys.stderr.isatty()
    start = time.perf_counter()
    report = None if bar else lambda text: print(f"  {text}", flush=True)
    print("Pretrained weights: SmolLM2-135M-Instruct and all-MiniLM-L6-v2", flush=True)
    try:
        folder = prepare(progress=bar, report=report)
    except DataError as error:
        print(str(error), file=sys.stderr)
        return 1
    except OSError as error:
        print(f"The weights could not be written to {cache_folder()}: {error.strerror or error}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"Interrupted; nothing half-made was kept. To go on, run: {FIX}", file=sys.stderr)
        return 130
    print(f"  ready in {time.perf_counter() - start:.1f} s: {folder}")
    return 0


# --- SmolLM2: source, conversion, repair -----------------------------------------------------------------------------


def _smollm2_caches() -> tuple[Path, Path]:
    """Folders a conversion may lie in: made from the package, made from the hub."""
    package = about("smollm2").files[0].sha256[:8]
    return (cache_folder() / f"smollm2-{RECIPE}-{package}",
            cache_folder() / f"smollm2-{RECIPE}-hub-{HUB['smollm2'].revision[:8]}")


def _prepare_smollm2(progress: bool, report: Report | None = None) -> Path:
    of_package, of_hub = _smollm2_caches()
    for folder in (of_package, of_hub):
        if weightcache.exists(folder):
            try:
                weightcache.check(folder, full=True)
                return folder
            except DataError:
                break  # damaged: make it again
    try:
        source = about("smollm2")
        gguf = checked(source.files[0], source)
    except DataError as error:
        if not hub_allowed() or "was not found" not in str(error):
            raise _with_hint(error) from error
        with _steps(progress, report) as step:
            facts = {"source": f"hub {HUB['smollm2'].repository} {HUB['smollm2'].revision}", "recipe": RECIPE}
            return weightcache.build(of_hub, lambda aside: convert_from_hub(aside, step), facts, 2 * ROOM, step)
    with _steps(progress, report) as step:
        facts = {"source": gguf.name, "sha256": about("smollm2").files[0].sha256, "recipe": RECIPE}
        return weightcache.build(of_package, lambda aside: convert(gguf, aside, step), facts, ROOM, step)


# --- shared ----------------------------------------------------------------------------------------------------------


def _cache_finding(full: bool) -> Finding:
    for folder in _smollm2_caches():
        if weightcache.exists(folder):
            try:
                weightcache.check(folder, full)
            except DataError as error:
                return Finding("smollm2", "damaged", str(error), FIX)
            size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
            return Finding("smollm2", "ok", f"SmolLM2-135M-Instruct, converted, {size:.0f} MB in {folder}")
    return Finding("smollm2", "missing", f"SmolLM2 is not converted yet. To convert it, run: {FIX}", FIX)


def _with_hint(error: DataError) -> DataError:
    """The error, and where the package is missing, the other way to get the model."""
    if "was not found" not in str(error):
        return error
    return DataError(f"{error} (With COURSE_HUB=1 it would be fetched from the public model hub.)")


@contextmanager
def _steps(progress: bool, report: Report | None) -> Iterator[Report]:
    """A function that announces the next step: on a bar, through ``report``, or nowhere."""
    if not progress:
        yield report or (lambda text: None)
        return
    from tqdm.auto import tqdm

    with tqdm(total=4, desc="SmolLM2", leave=False, nrows=24, bar_format="{l_bar}{bar}| {elapsed}{postfix}") as bar:
        started = False

        def step(text: str) -> None:
            nonlocal started
            bar.update(1 if started and bar.n < 4 else 0)
            started = True
            bar.set_postfix_str(text)

        yield step


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
