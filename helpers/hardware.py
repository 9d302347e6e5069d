"""The class of this machine in one line, as measurements name it; never its name. Standard library until torch is named."""

from __future__ import annotations

import os
import platform


def hardware(threads: int | None = None, device: str = "cpu") -> str:
    """On what something was measured, in words.

    Without arguments: "2 cores, x86_64, Linux". For a training, with the number of its threads and its device:
    "2 threads, x86_64 CPU, Linux, torch 2.13.0+cpu", or the graphics card's kind and torch (imports torch).
    """
    if threads is None:
        return f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}"
    import torch

    if device.startswith("cuda"):
        return f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
    return f"{threads} thread{'s' * (threads > 1)}, {platform.machine()} CPU, {platform.system()}, torch {torch.__version__}"
