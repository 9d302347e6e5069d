"""A busy neighbor (Binder, hubs and laptops have one): small steps of work on two threads, quiet and beside one busy process.

Peers: the two ways of waiting on two threads, and one thread. The course looks at its start whether the cores are free and
chooses (`helpers.hardware.spare_the_neighbor`). Printed are milliseconds a step; nothing is asserted.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

WAYS = {
    "two threads, as the course chooses": {"COURSE_THREADS": "2", "OMP_WAIT_POLICY": ""},
    "two threads, asleep while waiting": {"COURSE_THREADS": "2", "OMP_WAIT_POLICY": "PASSIVE"},
    "two threads, awake while waiting": {"COURSE_THREADS": "2", "OMP_WAIT_POLICY": "ACTIVE"},
    "one thread": {"COURSE_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"},
}
REPEATS, STEPS = 3, 40
PROBE = """
import json, os, statistics, time
from helpers.hardware import spare_the_neighbor
spare_the_neighbor()
import numpy as np, torch
torch.set_num_threads(int(os.environ["COURSE_THREADS"]))
from helpers.models.rnn import RecurrentLM
from helpers.models.transformer import Config, Transformer
from helpers.training.batches import Windows
from helpers.training.schedule import Plan
from helpers.training.trainer import Trainer

documents = [np.random.default_rng(seed).integers(1, 2000, size=300) for seed in range(200)]

def milliseconds(step):
    step(), step()
    times = []
    for _ in range(STEPS):
        begin = time.perf_counter(); step(); times.append(time.perf_counter() - begin)
    return 1e3 * statistics.median(times)

def train(model, batch_size, length):
    return milliseconds(Trainer(model, Windows(documents, batch_size, length), Plan(steps=9999)).update)

state = Transformer(Config(2000, context_length=512, hidden_dim=192, n_layers=4, n_heads=6)).begin([1, 2, 3])
small = RecurrentLM(2000, kind="lstm", embedding_dim=64, hidden_dim=128)
print(json.dumps({
    "LSTM of 128, 16 x 32 tokens": train(small, 16, 32),
    "Transformer of 128, 8 x 64 tokens": train(Transformer(Config(2000, 64, 128, 3, 4)), 8, 64),
    "one token of a Transformer of 192": milliseconds(lambda: (state.advance(5), state.log_probs)),
}))
"""


@contextmanager
def busy_process() -> Iterator[None]:
    """While it lasts, one other process uses all of a core."""
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        other.kill()
        other.wait()


def steps(way: dict[str, str]) -> dict[str, float]:
    """Kind of work -> milliseconds a step, the median over a few processes."""
    env = {k: v for k, v in {**os.environ, **way}.items() if v}
    runs = [
        json.loads(
            subprocess.run(
                [sys.executable, "-c", PROBE.replace("STEPS", str(STEPS))], env=env, check=True, capture_output=True, text=True
            ).stdout
        )
        for _ in range(REPEATS)
    ]
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def report() -> Iterator[str]:
    """One line for each way and kind of work: quiet, beside a busy process, and the ratio of the two."""
    for name, way in WAYS.items():
        quiet = steps(way)
        with busy_process():
            busy = steps(way)
        for work in quiet:
            yield (
                f"{name:48} {work:36} quiet {quiet[work]:7.2f} ms, beside a busy process {busy[work]:7.2f} ms "
                f"({busy[work] / quiet[work]:.2f} times)"
            )
