"""The two pretrained models of the course: SmolLM2-135M-Instruct (chat) and all-MiniLM-L6-v2 (sentences).

Where they come from, in this order: the converted cache outside the repository (``COURSE_CACHE``) -> the installed
package (data/requirements.txt) -> the public model hub, only with ``COURSE_HUB=1``. Every file is checked against a
pinned sha256 before use; a missing, truncated or changed one is an error that names its repair.

SmolLM2 comes as a 4-bit GGUF file that takes 15 s to read. It is read once, in set-up, and kept as 32-bit weights
(538 MB): half the size (bf16, fp16) would round the dequantized values and move the logits by 0.2 and 0.03.

    python -m helpers.data.weights prepare     convert what is not converted yet (set-up does this)
    python -m helpers.data.weights status      what is there, quickly
    python -m helpers.data.weights verify      what is there, with every sha256 computed

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

from helpers.data import sources, weights_cache
from helpers.data.catalog import HUB
from helpers.data.conversion import Report, convert, convert_from_hub, download, hub_allowed
from helpers.data.sources import FIX, DataError, Finding, about, checked
from helpers.paths import SettingError, cache_folder

__all__ = ["main", "minilm_folder", "prepare", "smollm2_folder", "status", "verify"]

RECIPE = 1  # raise it when the conversion changes, so that nobody keeps an old one
ROOM = 700_000_000  # bytes: the converted weights and something to spare


def prepare(progress: bool = True, report: Report | None = None) -> Path:
    """Convert SmolLM2 into the cache unless a good conversion is there; check MiniLM; return SmolLM2's folder.

    Safe to call at any time, from several processes, and after an interruption; a damaged cache is made again.
    Args: ``progress`` draws a bar while converting; ``report`` is called with each step in words instead.

    Raises DataError when the source is missing or damaged, or the disk is full.
    """
    folder = _prepare_smollm2(progress, report)
    copy = _minilm_copy()
    if weights_cache.exists(copy):
        try:
            weights_cache.check(copy)
        except DataError:
            shutil.rmtree(copy)  # the package, or the hub again, takes its place
    minilm_folder()
    return folder


def smollm2_folder() -> Path:
    """The folder of the converted SmolLM2, in the format of transformers; converts it first if need be.

    Raises DataError when the cache is damaged, or there is nothing to convert.
    """
    for folder in _smollm2_caches():
        if weights_cache.exists(folder):
            weights_cache.check(folder)
            return folder
    try:
        return _prepare_smollm2(progress=True)
    except OSError as error:
        why = error.strerror or error
        raise DataError(
            f"The weights could not be written to {cache_folder()}: {why}. Set COURSE_CACHE to another folder."
        ) from error


def minilm_folder() -> Path:
    """The folder of all-MiniLM-L6-v2 in the format of transformers: the installed package, or the hub's copy.

    Raises DataError when it is missing or damaged.
    """
    source, copy = about("minilm"), _minilm_copy()
    if weights_cache.exists(copy):
        weights_cache.check(copy)
        return copy
    try:
        return [checked(file, source) for file in source.files][0].parent
    except DataError as error:
        if not hub_allowed() or "was not found" not in str(error):
            raise _with_hint(error) from error
    room = 2 * sum(file.bytes for file in HUB["minilm"].files)
    return weights_cache.build(copy, lambda aside: download("minilm", aside), {"source": "hub"}, room)


def _minilm_copy() -> Path:
    """Where the hub's copy of MiniLM lies, if it was ever fetched."""
    return cache_folder() / f"minilm-hub-{HUB['minilm'].revision[:8]}"


def status(full: bool = False) -> list[Finding]:
    """What is found of both models, each with the command that repairs it; with ``full`` every sha256 is computed."""
    cache = _cache_finding(full)
    package = sources.finding(about("smollm2"), full)
    if package.state == "missing" and cache.ok:
        package = Finding("", "absent", "not needed: the converted weights are there")
    minilm = sources.finding(about("minilm"), full)
    if weights_cache.exists(_minilm_copy()):  # it is what `minilm_folder` takes
        try:
            weights_cache.check(_minilm_copy(), full)
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
    return (
        cache_folder() / f"smollm2-{RECIPE}-{package}",
        cache_folder() / f"smollm2-{RECIPE}-hub-{HUB['smollm2'].revision[:8]}",
    )


def _prepare_smollm2(progress: bool, report: Report | None = None) -> Path:
    of_package, of_hub = _smollm2_caches()
    for folder in (of_package, of_hub):
        if weights_cache.exists(folder):
            try:
                weights_cache.check(folder, full=True)
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
            return weights_cache.build(of_hub, lambda aside: convert_from_hub(aside, step), facts, 2 * ROOM, step)
    with _steps(progress, report) as step:
        facts = {"source": gguf.name, "sha256": about("smollm2").files[0].sha256, "recipe": RECIPE}
        return weights_cache.build(of_package, lambda aside: convert(gguf, aside, step), facts, ROOM, step)


# --- shared ----------------------------------------------------------------------------------------------------------


def _cache_finding(full: bool) -> Finding:
    for folder in _smollm2_caches():
        if weights_cache.exists(folder):
            try:
                weights_cache.check(folder, full)
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
    try:
        sys.exit(main(sys.argv[1:]))
    except SettingError as error:
        sys.exit(str(error))
