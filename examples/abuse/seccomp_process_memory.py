"""Reads and writes a child's memory with process_vm_readv and _writev, and takes its descriptors.

Tries: to use the calls for looking into processes, on one that is its own.
Must: be refused: debuggers do not work in here, and neither do exploits that need these.

expect: SUCCEEDED
"""

import ctypes
import os
import signal
import time

from lib.attempt import attempt, call, finish, prepare


class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


data = ctypes.create_string_buffer(b"the same address in the child")
copy = ctypes.create_string_buffer(64)
child = os.fork()
if child == 0:
    time.sleep(30)
    os._exit(0)
remote = Vector(ctypes.addressof(data), 16)
local = Vector(ctypes.addressof(copy), 16)
attempt("process_vm_readv", lambda: call("process_vm_readv", child, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0))
attempt("process_vm_writev", lambda: call("process_vm_writev", child, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0))
attempt("kcmp", lambda: call("kcmp", os.getpid(), child, 0, 0, 0))
descriptor = prepare(lambda: call("pidfd_open", child, 0), -1)
attempt("pidfd_getfd", lambda: call("pidfd_getfd", descriptor, 1, 0))
attempt("process_madvise", lambda: call("process_madvise", descriptor, ctypes.byref(remote), 1, 21, 0))
os.kill(child, signal.SIGKILL)
os.waitpid(child, 0)
finish()
