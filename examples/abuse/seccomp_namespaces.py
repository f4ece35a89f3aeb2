"""Makes namespaces by unshare, clone and clone3, and joins others by setns.

Tries: to become root of a user namespace of its own, the door to most of the kernel.
Must: be refused, each kind by each call.

expect: SUCCEEDED
"""

import ctypes
import os

from lib.attempt import OWN_KERNEL, attempt, call, finish, prepare

KINDS = {"user": 0x10000000, "mount": 0x20000, "pid": 0x20000000, "net": 0x40000000, "ipc": 0x8000000, "uts": 0x4000000,
         "cgroup": 0x2000000, "time": 0x80}
SIGCHLD = 17


def cloned(flags):
    """A child in a new namespace cannot report it; its parent does."""
    child = call("clone", flags | SIGCHLD, 0, 0, 0, 0)
    if child == 0:
        os._exit(0)
    return child


def cloned3(flags):
    arguments = (ctypes.c_uint64 * 8)(flags, 0, 0, 0, SIGCHLD, 0, 0, 0)
    child = call("clone3", ctypes.byref(arguments), 64)
    if child == 0:
        os._exit(0)
    return child


for name, flag in KINDS.items():
    attempt(f"unshare {name}", lambda: call("unshare", flag))
    attempt(f"clone3 {name}", lambda: cloned3(flag))
    if name != "time":  # its bit means a signal to the old call
        attempt(f"clone {name}", lambda: cloned(flag))
for name in ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup"):
    descriptor = prepare(lambda: os.open(f"/proc/self/ns/{name}", os.O_RDONLY), -1)
    attempt(f"setns {name}", lambda: call("setns", descriptor, 0))
    if not OWN_KERNEL:  # where they are those of the sandbox, and cannot be joined either
        attempt(f"opening PID 1's {name} namespace", lambda: os.open(f"/proc/1/ns/{name}", os.O_RDONLY))
finish()
