"""Set up a notebook the same way everywhere: seeds, threads, device, profile, one printed line."""

import ctypes
import gc
import os
import platform
import random
import sys
from contextlib import suppress

from helpers.hardware import threads
from helpers.lab import own_cells
from helpers.paths import SettingError

PROFILES = ("cpu", "full")


def profile() -> str:
    """The profile in force: ``cpu`` (what a laptop, Binder and CI run) or ``full`` (a GPU, more steps).

    Raises ValueError when the environment variable COURSE_PROFILE holds anything else.
    """
    name = os.environ.get("COURSE_PROFILE", "cpu").strip().lower()
    if name not in PROFILES:
        raise SettingError(f"COURSE_PROFILE is {name!r}; set it to one of {', '.join(PROFILES)}, or unset it")
    return name


def budget(*, cpu, full):
    """Pick ``cpu`` or ``full``, whichever profile is in force."""
    return {"cpu": cpu, "full": full}[profile()]


def device() -> str:
    """The device for torch: COURSE_DEVICE if set, else ``cuda``, then ``mps``, then ``cpu``. Imports torch.

    Raises ValueError when COURSE_DEVICE names a device that this machine does not have.
    """
    import torch

    found = ["cpu"]
    if torch.backends.mps.is_available():
        found.insert(0, "mps")
    if torch.cuda.is_available():
        found.insert(0, "cuda")
    wanted = os.environ.get("COURSE_DEVICE", "").strip().lower()
    if wanted and wanted.split(":")[0] not in found:
        raise SettingError(f"COURSE_DEVICE is {wanted!r}, but this machine offers {', '.join(found)}")
    return wanted or found[0]


def seed_all(seed: int) -> None:
    """Seed Python's and NumPy's generators, and torch's where torch is already imported.

    Raises ValueError for a seed that NumPy cannot take (it must be in [0, 2**32)).
    """
    import numpy as np

    if not 0 <= seed < 2**32:
        raise ValueError(f"the seed must be a whole number from 0 to 2**32 - 1, got {seed}")
    random.seed(seed)
    np.random.seed(seed)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


# A controller that is garbage-collected restores nothing, but keep it: limits hold while it lives.
_limits = None


def set_threads(count: int) -> None:
    """Limit the threads of BLAS, OpenMP and (where imported) torch to ``count``."""
    global _limits
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, str(count))  # for libraries that are loaded later
    from threadpoolctl import threadpool_limits

    _limits = threadpool_limits(limits=count)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)


def tidy() -> None:
    """Free what nothing refers to any more, and give it back to the system (Linux's C library keeps freed memory otherwise)."""
    gc.collect()
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL("libc.so.6").malloc_trim(0)


def setup(seed: int = 0, torch: bool = False) -> None:
    """Prepare a notebook and print one line that says on what it runs.

    seed: for random, NumPy and torch. torch: import torch now (chapters that need no torch stay light without).
    Raises ValueError for a bad seed or a bad COURSE_PROFILE, COURSE_THREADS or COURSE_DEVICE.
    """
    import numpy as np

    count, name = threads(), profile()
    versions = [f"Python {platform.python_version()}", f"NumPy {np.__version__}"]
    where = "cpu (NumPy only)"
    if torch:
        import torch as torch_module

        versions.append(f"torch {torch_module.__version__}")
        where = device()
    seed_all(seed)
    set_threads(count)
    own_cells.watch()
    plural = "" if count == 1 else "s"
    print(f"{', '.join(versions)} | device {where} | profile {name} | {count} thread{plural} | seed {seed}")
