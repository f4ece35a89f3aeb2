"""Sends descriptors to itself over Unix sockets and closes them, so that files are open that no process has.

Tries: to have more files open than its processes may, in messages that are never read, sockets within sockets among them.
Must: succeed: the kernel refuses more files in flight than one process may have open, and a loop of sockets is collected.

limits: openFiles=256
expect: SUCCEEDED
"""

import array
import errno
import os
import socket

from lib.attempt import OWN_KERNEL, check, finish

# What lies in flight in a kernel of its own is that kernel's memory, and so the run's.
GOAL = 2_000 if OWN_KERNEL else 100_000
sent, why, kept = 0, None, []
try:
    while sent < GOAL:
        left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        left.setblocking(False)
        kept.append((left, right))
        for _ in range(8):
            files = [os.open("/dev/null", os.O_RDONLY) for _ in range(16)]
            try:
                left.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))])
                sent += len(files)
            finally:
                for file in files:
                    os.close(file)
except OSError as error:
    why = error.errno
check(f"{sent} files in flight, then {errno.errorcode.get(why, why)}", OWN_KERNEL or (why in (errno.ETOOMANYREFS, errno.EMFILE) and sent < 8192))
for left, right in kept:
    left.close(), right.close()
for _ in range(64):
    left, right = socket.socketpair()
    try:
        left.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [left.fileno(), right.fileno()]))])
    except OSError:
        pass
    left.close(), right.close()
check("sockets that hold each other are collected", socket.socketpair() is not None)
finish()
