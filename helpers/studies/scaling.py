"""A scaling study small enough for one laptop core: for a fixed number of operations, which size of model is best?

Tiny Transformers read bytes of the leads. For each budget C of floating-point operations, each width gets as many tokens as
the budget allows: a small model reads much, a large one little. Loss over size is then a bowl, and its lowest point moves
to the right as the budget grows (Hoffmann et al. 2022, approach 2).

    python -m helpers.studies.scaling                writes data/scaling.json (an hour of a busy core)
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from helpers.models.sizes import Size
from helpers.models.transformer import fit_to_width
from helpers.studies.study import StudyFile

__all__ = ["GRID", "bowl", "load", "lowest", "power_law", "run"]

STUDY = StudyFile("scaling", "scaling study", holds=lambda study: study["runs"][0]["bits"], style={"indent": 1})
load = STUDY.load  # "runs" (as `run` returns them), "command", "hardware"
GRID = {1e11: (16, 24, 32, 48, 64), 3e11: (16, 24, 32, 48, 64, 96), 9e11: (24, 32, 48, 64, 96)}  # budget -> widths
SEEDS = (0, 1)
LAYERS, CONTEXT, BATCH = 2, 64, 8


def config_of(width: int):
    """The model of this width: 2 layers, heads of 8 to 16 channels, a vocabulary of 256 bytes and the end of text."""
    from helpers.models.transformer import Config

    heads = max(2, width // 16)
    return Config(vocab_size=257, context_length=CONTEXT, hidden_dim=width, n_layers=LAYERS, n_heads=heads, start_id=256)


def tokens_for(budget: float, width: int) -> int:
    """How many tokens a model of this width can be trained on for `budget` operations (attention at half the context)."""
    return int(budget / Size.of(config_of(width)).flops_per_token(CONTEXT // 2, training=True))


def run(budget: float, width: int, seed: int, documents: tuple[Sequence, Sequence, int] | None = None) -> dict[str, Any]:
    """Train one model for `budget` operations; returns its size, tokens, seconds and validation bits per byte.

    One learning rate for all widths, warm-up for the first tenth of the steps, starting weights that fit the width.
    Raises ValueError when the budget does not suffice for ten steps.
    """
    from helpers.models.neural import count_parameters
    from helpers.models.transformer import Transformer
    from helpers.training.batches import Windows
    from helpers.training.recipes import bits_of
    from helpers.training.schedule import Plan
    from helpers.training.trainer import Trainer

    train, valid, n_bytes = documents or bytes_of_the_leads()
    tokens = tokens_for(budget, width)
    steps = tokens // (BATCH * CONTEXT)
    if steps < 10:
        raise ValueError(f"expected a budget for at least 10 steps, got {steps}; raise the budget or lower the width")
    model = Transformer(config_of(width), seed=seed)
    fit_to_width(model)
    plan = Plan(steps=steps, peak=0.01, warmup=max(5, steps // 10), floor=0.05, weight_decay=0.1, precision="fp32", seed=seed)
    trainer = Trainer(model, Windows(train, BATCH, CONTEXT, seed=seed), plan)
    trainer.run()
    history, bits = trainer.history, float(bits_of(model, valid, n_bytes))
    return {
        "budget": budget,
        "width": width,
        "seed": seed,
        "parameters": count_parameters(model),
        "tokens": history.tokens,
        "seconds": round(history.seconds, 1),
        "bits": round(bits, 4),
    }


def bytes_of_the_leads(n_valid: int = 120) -> tuple[list, list, int]:
    """Training documents and the first validation documents as bytes, and the validation documents' size in bytes."""
    from helpers.data import datasets
    from helpers.models import language_model
    from helpers.tokenizers.plain import ByteTokenizer

    texts = {split: [lead.text for lead in datasets.leads(split=split)] for split in ("train", "valid")}
    valid = texts["valid"][:n_valid]
    encode = lambda t: language_model.encode_documents(ByteTokenizer(), t)  # noqa: E731
    return encode(texts["train"]), encode(valid), sum(len(t.encode("utf-8")) for t in valid)


def bowl(runs: Sequence[dict], budget: float, seed: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Parameters and bits per byte of one budget, by size; over all seeds the mean."""
    chosen = [r for r in runs if r["budget"] == budget and seed in (None, r["seed"])]
    sizes = sorted({r["parameters"] for r in chosen})
    return np.array(sizes), np.array([np.mean([r["bits"] for r in chosen if r["parameters"] == n]) for n in sizes])


def lowest(sizes: np.ndarray, bits: np.ndarray) -> tuple[float, float]:
    """The lowest point of the parabola through the best size and its two neighbors, over the logarithm of the size.

    Raises ValueError when the best size is the smallest or the largest: then the bowl has not been seen on both sides.
    """
    best = int(np.argmin(bits))
    if best in (0, len(bits) - 1):
        end = "smallest" if best == 0 else "largest"
        raise ValueError(f"expected the best size inside the range, got the {end}; try more sizes")
    a, b, c = np.polyfit(np.log(sizes[best - 1 : best + 2]), bits[best - 1 : best + 2], 2)
    at = -b / (2 * a)
    return float(np.exp(at)), float(np.polyval([a, b, c], at))


def power_law(x: Sequence[float], y: Sequence[float]) -> tuple[float, float]:
    """(k, exponent) of y = k * x^exponent: a straight line through the logarithms, by least squares."""
    exponent, log_k = np.polyfit(np.log(x), np.log(y), 1)
    return float(np.exp(log_k)), float(exponent)


def main() -> int:
    STUDY.one_thread()
    documents, begin = bytes_of_the_leads(), time.perf_counter()
    study: dict[str, Any] = STUDY.origin() | {
        "seeds": list(SEEDS),
        "model": f"{LAYERS} layers, context of {CONTEXT} bytes, batch of {BATCH}",
        "seconds": 0,
        "runs": [],
    }
    for seed in SEEDS:
        for budget, widths in GRID.items():
            for width in widths:
                study["runs"].append(run(budget, width, seed, documents))
                study["seconds"] = round(time.perf_counter() - begin)
                STUDY.keep(study)
                print(study["runs"][-1], flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
