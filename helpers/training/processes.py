"""Joining and leaving the processes that train one model together, as `torch.distributed.run` starts them."""

from __future__ import annotations

import os
import sys

import torch.distributed as dist

__all__ = ["join", "leave"]


def join(device: str = "cpu") -> None:
    """Take part, over nccl on a GPU and gloo elsewhere; nothing where this process was started alone."""
    if "RANK" in os.environ:
        dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")


def leave(status: int = 0) -> int:
    """The last call of a program: wait for the others and end this process; one that was started alone gets `status` back.

    It ends without Python's clean-up. Threads of gloo can outlive their group, and then the clean-up aborts a process whose work
    is done ("terminate called without an active exception": 6 of 12 runs on one machine, torch 2.13).
    """
    if not (dist.is_available() and dist.is_initialized()):
        return status
    dist.barrier()  # nobody leaves while another still talks
    dist.destroy_process_group()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
