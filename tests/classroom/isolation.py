"""Whether this machine can isolate at all, found out without the course's own jail.

A jail that does not start although the kernel has namespaces is a failure of the jail, never a reason to skip its tests.
"""

import os
import subprocess
import sys

from helpers.course.classroom import jail

PROBE = """
import ctypes, os, sys
libc, user, folder = ctypes.CDLL(None, use_errno=True), sys.argv[1] == "user", os.fsencode(sys.argv[2])
def call(name, *arguments):
    if getattr(libc, name)(*arguments) == -1:
        sys.exit(f"{name}: {os.strerror(ctypes.get_errno())}")
uid, gid = os.getuid(), os.getgid()
call("unshare", 0x20000 | 0x4000000 | 0x8000000 | 0x20000000 | 0x40000000 | (0x10000000 if user else 0))
if user:
    try:
        for name, text in (("setgroups", "deny"), ("uid_map", f"65534 {uid} 1"), ("gid_map", f"65534 {gid} 1")):
            open(f"/proc/self/{name}", "w").write(text)
    except OSError as error:
        sys.exit(f"user namespace: {error}")
call("mount", b"none", b"/", None, ctypes.c_ulong(16384 | 1 << 18), b"")
call("mount", b"tmpfs", folder, b"tmpfs", ctypes.c_ulong(6), b"size=1m")
class Attributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "userns")]
attributes = Attributes(1, 0, 0, 0)
call("syscall", 442, -100, folder, 0x8000, ctypes.byref(attributes), ctypes.sizeof(attributes))
"""


def missing(folder: str, as_user: bool | None = None) -> str:
    """What this machine lacks for isolation, in words; "" when it has all of it.

    folder: an empty one, to mount on. as_user: in a user namespace, as everybody but root must (default: unless root).
    """
    if sys.platform != "linux":
        return "isolation needs Linux; this is " + sys.platform
    if os.uname().machine not in jail.SYS_PIVOT_ROOT:
        return "isolation is not known for the processor " + os.uname().machine
    user = os.getuid() != 0 if as_user is None else as_user
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", PROBE, "user" if user else "root", folder],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return "" if done.returncode == 0 else " ".join(done.stderr.split())[-200:] or f"the probe ended with {done.returncode}"


def judged(lacking: str, mode: str, why: str) -> str:
    """Why tests of isolation are skipped ("" to run them). Raises AssertionError when they must not be skipped."""
    if lacking:
        return f"no isolation on this machine: {lacking}"
    assert mode == "isolated", f"this machine has namespaces, but the jail did not start: {why}"
    return ""
