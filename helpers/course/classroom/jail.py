"""Start a program where it can do no harm. Run as a script by `sandbox`: python -I -S jail.py SPEC, SPEC being JSON.

On Linux the program gets namespaces of its own: a file system that shows only Python, the packages and the course's
helpers, all read-only, and a small scratch folder in memory; no network; no other processes. It runs as a user without
rights, under limits of memory, processor time, processes and file size. Elsewhere only the limits remain (mode "limits").

Standard library only, and nothing of the course is imported: this runs before anything is known.
"""

import ctypes
import json
import os
import resource
import signal
import sys

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
MNT_DETACH, PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 2, 1, 24, 38
SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
SYS_MOUNT_SETATTR = 442  # the same number on every processor
FAILED = 97  # exit status: the jail could not be built, so the program did not run


def call(libc, name, *arguments):
    """A C function; raises OSError when it returns -1."""
    if getattr(libc, name)(*arguments) == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def mount(libc, source, target, kind, flags, data=""):
    call(libc, "mount", os.fsencode(source), os.fsencode(target), kind and kind.encode(), ctypes.c_ulong(flags), data.encode())


class MountAttributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "userns")]


def bind(libc, source, target, device=False):
    """Show source at target, read-only with everything below it."""
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "a"):
            pass
    mount(libc, source, target, None, MS_BIND | (0 if device else MS_REC))
    if device:
        return
    attributes = MountAttributes(MS_RDONLY | MS_NOSUID | MS_NODEV, 0, 0, 0)
    call(
        libc, "syscall", SYS_MOUNT_SETATTR, -100, os.fsencode(target), 0x8000, ctypes.byref(attributes), ctypes.sizeof(attributes)
    )


def build_root(libc, spec):
    """A file system that holds what the program needs; afterwards it is /, and nothing else can be reached."""
    root = spec["root"]
    mount(libc, "none", "/", None, MS_REC | MS_PRIVATE)
    mount(libc, "tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=755")
    for link, goal in spec["links"]:
        os.symlink(goal, root + link)
    for source, target in spec["binds"]:
        bind(libc, source, root + target)
    for path in spec["hidden"]:  # what must not be seen although it lies below something that is shown
        if os.path.isdir(root + path):
            mount(libc, "tmpfs", root + path, "tmpfs", MS_NOSUID | MS_NODEV, "size=16k,mode=755,nr_inodes=1k")
    for source, target in spec["late"]:
        bind(libc, source, root + target)
    os.makedirs(root + "/dev", exist_ok=True)
    for name in ("null", "zero", "urandom", "random"):
        bind(libc, "/dev/" + name, f"{root}/dev/{name}", device=True)
    os.makedirs(root + "/proc", exist_ok=True)
    try:
        mount(libc, "proc", root + "/proc", "proc", MS_NOSUID | MS_NODEV | 8)
    except OSError:
        pass  # some containers forbid it; the program can do without
    os.makedirs(root + "/scratch", exist_ok=True)
    mount(libc, "tmpfs", root + "/scratch", "tmpfs", MS_NOSUID | MS_NODEV, f"size={spec['scratch_mb']}m,nr_inodes=2k,mode=1777")
    os.chdir(root)
    call(libc, "syscall", SYS_PIVOT_ROOT[os.uname().machine], b".", b".")
    call(libc, "umount2", b".", MNT_DETACH)
    os.chdir("/")
    mount(libc, "none", "/", None, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)
    os.chdir("/scratch")


def own_user(uid, gid):
    """In a new user namespace: we are an unprivileged user inside, ourselves outside."""
    with open("/proc/self/setgroups", "w") as file:
        file.write("deny")
    with open("/proc/self/uid_map", "w") as file:
        file.write(f"65534 {uid} 1")
    with open("/proc/self/gid_map", "w") as file:
        file.write(f"65534 {gid} 1")


def limit(limits):
    """Set the limits of this process and of what it starts, as far as the system knows them."""
    for name, value in limits.items():
        kind = getattr(resource, "RLIMIT_" + name, None)
        if kind is not None:
            hard = resource.getrlimit(kind)[1]
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            try:
                resource.setrlimit(kind, (value, value))
            except (ValueError, OSError):
                if name not in ("AS", "NPROC"):  # macOS refuses these two
                    raise


def give_up_rights(libc, user):
    """No rights at all from here on, and no way to get any."""
    if user is not None:
        os.setgroups([])
        try:
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
        except OSError:  # a container with few user numbers
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
    else:
        for capability in range(64):
            if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == -1:
                break
    call(libc, "prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def wait_for(child):
    """Wait for a child, and for every orphan that it leaves to us; returns a status for os._exit."""
    while True:
        pid, status = os.wait()
        if pid == child:
            return os.waitstatus_to_exitcode(status) % 256 if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def end_with_parent(libc, parent):
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if parent and os.getppid() != parent:
        os._exit(FAILED)


def close_channel():
    """Only the program holds the channel, so that its end is seen."""
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)


def isolated(spec):
    libc = ctypes.CDLL(None, use_errno=True)
    end_with_parent(libc, spec["parent"])
    uid, gid, is_root = os.getuid(), os.getgid(), spec["user"] is not None
    spaces = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET
    call(libc, "unshare", spaces | (0 if is_root else CLONE_NEWUSER))
    if not is_root:
        own_user(uid, gid)
    first = os.fork()
    if first:
        close_channel()
        os._exit(wait_for(first))
    end_with_parent(libc, 0)  # we are process 1 of the new space: when we end, so does everything in it
    build_root(libc, spec)
    program = os.fork()
    if program:
        close_channel()
        os._exit(wait_for(program))
    os.setsid()
    limit(spec["limits"])
    give_up_rights(libc, spec["user"])
    os.execve(spec["command"][0], spec["command"], spec["env"])


def main():
    spec = json.loads(sys.argv[1])
    try:
        if spec["mode"] == "isolated":
            isolated(spec)
        os.chdir(spec["cwd"])
        os.setsid()
        limit(spec["limits"])
        os.execve(spec["command"][0], spec["command"], spec["env"])
    except BaseException as error:
        sys.stderr.write(f"JAIL {type(error).__name__}: {error}\n")
        sys.stderr.flush()
        os._exit(FAILED)


if __name__ == "__main__":
    main()
