"""The vectors of all 10,033 leads, computed once: data/leads_minilm.safetensors, 3.9 MB.

Encoding the leads takes minutes; a notebook has seconds. The file holds what `python -m helpers.retrieval.stored_vectors` wrote:
for each lead the 384 numbers of MiniLM, rounded to whole numbers from -127 to 127. Only the direction counts, so no scale is
kept; the angle to the exact vector is below a degree. A test recomputes a sample.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from helpers.data import datasets, records
from helpers.features.tfidf import unit_rows
from helpers.files import write_atomic
from helpers.paths import repository_root

__all__ = ["FILE", "lead_text", "load", "quantized"]

FILE = repository_root() / "data" / "leads_minilm.safetensors"
DIGEST = FILE.with_suffix(".sha256")  # as sha256sum writes it, and `sha256sum -c` checks it


def lead_text(lead: records.Lead) -> str:
    """What is indexed of a lead: its title, then its text."""
    return f"{lead.title}. {lead.text}"


def digest(texts: Sequence[str]) -> str:
    """sha256 of the texts, one after the other: were the vectors made from these?"""
    total = hashlib.sha256()
    for text in texts:
        total.update(text.encode("utf-8") + b"\0")
    return total.hexdigest()


def quantized(vectors: np.ndarray) -> np.ndarray:
    """(n, C) int8: each row scaled so that its largest number becomes 127 or -127, and rounded."""
    return np.rint(127 * vectors / np.abs(vectors).max(axis=1, keepdims=True)).astype(np.int8)


def load(path: str | Path = FILE) -> np.ndarray:
    """(10033, 384) float32 unit rows, in the order of `datasets.leads()`.

    Raises ValueError when the file was made from other texts or is damaged, FileNotFoundError when it is missing.
    """
    from safetensors import safe_open

    path = Path(path)
    line, beside = _line(path, path.read_bytes()), path.with_suffix(".sha256")
    if not beside.is_file() or beside.read_text(encoding="utf-8", errors="replace").split() != line.split():
        raise ValueError(
            f"{path.name} is damaged, or its digest {beside.name} is; restore both: "
            f"git checkout -- data/{path.name} data/{beside.name}"
        )
    with safe_open(path, "numpy") as stored:
        vectors, facts = stored.get_tensor("vectors"), stored.metadata()
    found = digest([lead_text(lead) for lead in datasets.leads()])
    if facts.get("texts") != found:
        raise ValueError(
            f"{path.name} holds vectors of other texts than these leads; make it again: "
            "python -m helpers.retrieval.stored_vectors"
        )
    return unit_rows(vectors).astype(np.float32)


def _line(path: Path, data: bytes) -> str:
    return f"{hashlib.sha256(data).hexdigest()}  {path.name}\n"


def main() -> int:
    import torch
    from safetensors.numpy import save
    from tqdm import tqdm

    from helpers.hardware import hardware
    from helpers.models.bert import load_encoder

    torch.set_num_threads(1)
    texts, begin = [lead_text(lead) for lead in datasets.leads()], time.perf_counter()
    vectors = load_encoder().encode(texts, progress=lambda batches: tqdm(batches, mininterval=10))
    facts = {
        "texts": digest(texts),
        "model": "all-MiniLM-L6-v2",
        "command": "python -m helpers.retrieval.stored_vectors",
        "hardware": hardware(1, "cpu"),
        "seconds": f"{time.perf_counter() - begin:.0f}",
        "license": "CC BY-SA 4.0",
    }
    data = save({"vectors": quantized(vectors)}, facts)
    write_atomic(FILE, data)
    write_atomic(DIGEST, _line(FILE, data))
    print(FILE.name, vectors.shape, facts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
