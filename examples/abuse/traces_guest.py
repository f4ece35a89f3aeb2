"""Traces PID 1, reads and writes its memory, and looks into everything that /proc tells of it.

Tries: to take the guest over, or to read the secrets that passed through it.
Must: be refused each time: the guest has another user, is not dumpable, and the calls for it are filtered.

expect: SUCCEEDED
"""

import ctypes
import os

from lib.attempt import OWN_KERNEL, attempt, call, finish, look_into_guest, write

PTRACE_ATTACH, PTRACE_SEIZE = 16, 0x4206


class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


here = ctypes.create_string_buffer(64)
local = Vector(ctypes.cast(here, ctypes.c_void_p), 64)
remote = Vector(0x400000, 64)
attempt("PTRACE_ATTACH to PID 1", lambda: call("ptrace", PTRACE_ATTACH, 1, 0, 0))
attempt("PTRACE_SEIZE of PID 1", lambda: call("ptrace", PTRACE_SEIZE, 1, 0, 0))
attempt("process_vm_readv of PID 1", lambda: call("process_vm_readv", 1, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0))
attempt("process_vm_writev to PID 1", lambda: call("process_vm_writev", 1, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0))
attempt("kcmp with PID 1", lambda: call("kcmp", os.getpid(), 1, 0, 0, 0))
for name in ("mem", "environ", "maps", "auxv", "syscall", "stack", "io", "pagemap"):
    look_into_guest(name)
for name in ("cwd", "root", "exe"):
    attempt(f"following /proc/1/{name}", lambda: os.readlink(f"/proc/1/{name}"))
if not OWN_KERNEL:  # which shows the numbers; guest_channel tries to open them
    attempt("listing /proc/1/fd", lambda: os.listdir("/proc/1/fd"))
attempt("listing /proc/1/map_files", lambda: os.listdir("/proc/1/map_files"))
for name in ("oom_score_adj", "coredump_filter", "clear_refs", "timerslack_ns", "autogroup"):
    attempt(f"writing /proc/1/{name}", lambda: write(f"/proc/1/{name}", b"0"))
finish()
