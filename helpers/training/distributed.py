"""Data-parallel training: several processes share each batch, average their gradients and reach the losses of one process.

`join` and `leave` frame a program that `torch.distributed.run` (torchrun) starts several times. This file is such a program, in
small; `launch` runs it as a subprocess of this machine only (loopback, gloo, one thread each) and returns the losses.

    python -m helpers.training.distributed                                               one process
    python -m torch.distributed.run --nproc-per-node 2 -m helpers.training.distributed   two; each computes half of the rows
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

__all__ = ["command", "join", "launch", "leave", "losses", "main"]


def join(device: str = "cpu") -> None:
    """Take part, over nccl on a GPU and gloo elsewhere; nothing where this process was started alone."""
    if "RANK" in os.environ:
        import torch.distributed as dist

        dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")


def leave(status: int = 0) -> int:
    """The last call of a program: wait for the others and end this process; one that was started alone gets `status` back.

    It ends without Python's clean-up. Threads of gloo can outlive their group, and then the clean-up aborts a process whose work
    is done ("terminate called without an active exception": 6 of 12 runs on one machine, torch 2.13).
    """
    import torch.distributed as dist

    if not (dist.is_available() and dist.is_initialized()):
        return status
    dist.barrier()  # nobody leaves while another still talks
    dist.destroy_process_group()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def losses(steps: int = 5) -> list[float]:
    """The training losses (nats per token) of a tiny Transformer on a made-up text; the same whatever the number of processes."""
    import numpy as np
    import torch

    from helpers.models.transformer import Config, Transformer
    from helpers.training.batches import Windows
    from helpers.training.schedule import Plan
    from helpers.training.trainer import Trainer

    torch.set_num_threads(1)
    text = np.random.default_rng(0).integers(1, 50, size=2_000)
    model = Transformer(Config(vocab_size=50, context_length=32, hidden_dim=32, n_layers=2, n_heads=2), seed=0)
    trainer = Trainer(model, Windows([text], batch_size=8, length=32), Plan(steps=steps, peak=3e-3, warmup=2, precision="fp32"))
    return trainer.run().losses


def command(processes: int) -> list[str]:
    """The command that runs this module on so many processes of this machine. Raises ValueError unless they divide the batch."""
    if processes not in (1, 2, 4, 8):
        raise ValueError(f"expected 1, 2, 4 or 8 processes, since 8 rows are shared evenly, got {processes}")
    meeting = "--rdzv-backend c10d --rdzv-endpoint 127.0.0.1:0"  # port 0: any free one
    torchrun = f"torch.distributed.run --nproc-per-node {processes} {meeting} -m".split() if processes > 1 else []
    return [sys.executable, "-m", *torchrun, "helpers.training.distributed"]


def launch(processes: int, seconds: float = 120) -> list[float]:
    """Run `command` and return the losses it prints. Raises RuntimeError when it fails, with what it said, or is too slow."""
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    if sys.platform == "linux":
        env["GLOO_SOCKET_IFNAME"] = "lo"  # talk over loopback, whatever the name of this machine resolves to
    root = Path(__file__).parents[2]
    try:
        done = subprocess.run(command(processes), cwd=root, env=env, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"{processes} processes were not done after {seconds:g} s") from None
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or len(lines) != 1:
        raise RuntimeError(f"{processes} processes failed with status {done.returncode}: {(done.stderr or done.stdout)[-1500:]}")
    answer = json.loads(lines[0])
    if answer["processes"] != processes:
        raise RuntimeError(f"expected {processes} processes, but {answer['processes']} took part")
    return answer["losses"]


def main() -> int:
    join()
    found = losses()
    if int(os.environ.get("RANK", 0)) == 0:
        print(json.dumps({"processes": int(os.environ.get("WORLD_SIZE", 1)), "losses": found}), flush=True)
    return leave()


if __name__ == "__main__":
    sys.exit(main())
