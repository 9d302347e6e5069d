"""System calls that the program in the jail forbids to itself before it loads an answer (seccomp); Linux only."""

import ctypes
import platform
import sys

AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
CLONE = {"x86_64": 56, "aarch64": 220}
CLONE3, CLONE_THREAD, EPERM, ENOSYS = 435, 0x10000, 1, 38
# System calls that an answer has no use for, by purpose. Both processors, the calls of a purpose in the same order.
FORBIDDEN = {
    "new processes and programs": {"x86_64": (57, 58, 59, 322), "aarch64": (221, 281)},
    "sockets": {"x86_64": (41,), "aarch64": (198,)},
    "looking into other processes": {"x86_64": (101, 310, 311, 438, 434), "aarch64": (117, 270, 271, 438, 434)},
    "namespaces and roots": {"x86_64": (272, 308, 155, 161), "aarch64": (97, 268, 41, 51)},
    "mounts": {"x86_64": (165, 166, 428, 429, 430, 432, 442), "aarch64": (40, 39, 428, 429, 430, 432, 442)},
    "memory that no limit counts": {"x86_64": (319, 447, 29, 68, 64, 240), "aarch64": (279, 447, 194, 186, 190, 180)},
    "programs and counters in the kernel": {"x86_64": (321, 298), "aarch64": (280, 241)},
    "keys": {"x86_64": (250, 248, 249), "aarch64": (219, 217, 218)},
    "page faults and rings of requests": {"x86_64": (323, 425, 426, 427), "aarch64": (282, 425, 426, 427)},
    "other kernels and modules": {"x86_64": (246, 175, 313), "aarch64": (104, 105, 273)},
    "files by their numbers": {"x86_64": (304, 303), "aarch64": (265, 264)},
    "other rules for this process": {"x86_64": (135,), "aarch64": (92,)},
}


class _Instruction(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32)]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.POINTER(_Instruction))]


def filter_calls() -> bool:
    """Forbid `FORBIDDEN` and new processes to this process forever (seccomp). False where that is not possible."""
    machine = platform.machine()
    if sys.platform != "linux" or machine not in AUDIT:
        return False
    load, equal, at_least, any_of, give = 0x20, 0x15, 0x35, 0x45, 0x06
    allow, error = 0x7FFF0000, 0x00050000
    steps = [(load, 0, 0, 4), (equal, 1, 0, AUDIT[machine]), (give, 0, 0, error | EPERM), (load, 0, 0, 0)]
    if machine == "x86_64":
        steps += [(at_least, 0, 1, 0x40000000), (give, 0, 0, error | EPERM)]
    for number in (number for calls in FORBIDDEN.values() for number in calls[machine]):
        steps += [(equal, 0, 1, number), (give, 0, 0, error | EPERM)]
    steps += [(equal, 0, 1, CLONE3), (give, 0, 0, error | ENOSYS)]  # the C library then takes clone, whose flags can be read
    steps += [
        (equal, 0, 3, CLONE[machine]),
        (load, 0, 0, 16),
        (any_of, 1, 0, CLONE_THREAD),
        (give, 0, 0, error | EPERM),
        (give, 0, 0, allow),
    ]
    made = (_Instruction * len(steps))(*steps)
    program = _Program(len(steps), made)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) == -1:
        return False
    return libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0
