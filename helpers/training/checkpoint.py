"""Models on disk: safetensors files that are written atomically, say what made them, and are refused when damaged.

A checkpoint holds tensors and a record of facts (JSON). safetensors cannot hold code, so opening a stranger's file is safe.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from helpers.files import write_atomic
from helpers.models.neural import NeuralLM

__all__ = ["digest", "load_model", "load_tensors", "save_model", "save_tensors"]

FORMAT = "from-counts-to-chat 1"


def save_tensors(path: str | Path, tensors: dict[str, Tensor], facts: dict[str, Any]) -> Path:
    """Write tensors and facts into one file, whole or not at all."""
    from safetensors.torch import save

    # clone: tied weights share memory, which the format does not know
    contiguous = {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}
    told = json.dumps(facts, sort_keys=True)
    return write_atomic(path, save(contiguous, {"format": FORMAT, "facts": told, "digest": digest(contiguous, told)}))


def digest(tensors: dict[str, Tensor], facts: str) -> str:
    """SHA-256 over names, shapes, types, bytes and facts: one bit that flips on a disk is found.

    >>> digest({}, "{}")[:8]
    '44136fa3'
    """
    seen = hashlib.sha256(facts.encode())
    for name in sorted(tensors):
        t = tensors[name]
        seen.update(f"{name} {tuple(t.shape)} {t.dtype}".encode())
        seen.update(t.reshape(-1).view(torch.uint8).numpy())
    return seen.hexdigest()


def load_tensors(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What `save_tensors` wrote. Raises FileNotFoundError without such a file, ValueError when it is damaged or foreign."""
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no checkpoint {path.name} in {path.parent.name or '.'}/")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}
        if metadata.get("format") != FORMAT:
            raise ValueError(f"its format is {metadata.get('format')!r}, expected {FORMAT!r}")
        if metadata.get("digest") != digest(tensors, metadata["facts"]):
            raise ValueError("its digest is another one")
        return tensors, json.loads(metadata["facts"])
    except (SafetensorError, ValueError, KeyError, OSError) as error:
        raise ValueError(
            f"{path.name} cannot be used as a checkpoint: it is damaged, cut short, or not one of this course "
            f"({error}). Take it from the repository again (git checkout), or delete it and train again."
        ) from error


def save_model(
    model: NeuralLM, path: str | Path, facts: dict[str, Any] | None = None, *, dtype: torch.dtype | None = None
) -> Path:
    """Write a model of chapter 07 or 08 with its settings. dtype: round the weights to it first (float16 halves the file)."""
    tensors = {name: t.to(dtype) if dtype and t.is_floating_point() else t for name, t in model.state_dict().items()}
    return save_tensors(path, tensors, {"class": type(model).__name__, "settings": model.settings, **(facts or {})})


def load_model(path: str | Path, device: str = "cpu") -> tuple[NeuralLM, dict[str, Any]]:
    """The model in evaluation mode, in 32 bits, and the facts that were saved with it.

    Raises FileNotFoundError, or ValueError when the file is damaged or does not hold the weights that its settings ask for.
    """
    tensors, facts = load_tensors(path)
    try:
        model = build(facts["class"], facts["settings"])
        model.load_state_dict({name: t.float() if t.is_floating_point() else t for name, t in tensors.items()})
    except (KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"{Path(path).name} does not hold the weights that its settings ask for ({error})") from error
    return model.to(device).eval(), facts


def build(name: str, settings: dict[str, Any]) -> NeuralLM:
    """An untrained model from what `save_model` noted."""
    if name == "RecurrentLM":
        from helpers.models.rnn import RecurrentLM

        return RecurrentLM(**settings)
    from helpers.models.transformer import Config, Transformer

    if name != "Transformer":
        raise KeyError(f"unknown kind of model {name!r}")
    return Transformer(Config(**settings))
