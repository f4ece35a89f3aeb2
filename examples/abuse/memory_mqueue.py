"""Fills POSIX and System V message queues.

Tries: to leave memory behind in the kernel that no process owns.
Must: succeed: the kernel's limits on queues keep it small, and the queues go with the sandbox's own IPC namespace.

limits: memory=32Mi disk=16Mi
expect: SUCCEEDED
"""

import ctypes
import errno

from lib.attempt import check, finish

libc = ctypes.CDLL(None, use_errno=True)
sent, why = 0, 0
for key in range(1, 100):
    queue = libc.msgget(key, 0o1000 | 0o600)
    if queue < 0:
        break
    message = ctypes.create_string_buffer(8192 + 8)
    message[0] = 1
    while libc.msgsnd(queue, message, 8192, 0o4000) == 0:
        sent += 1
    why = ctypes.get_errno()
check(f"{sent} messages of 8 KiB were taken, then {errno.errorcode.get(why, why)}", why == errno.EAGAIN and sent < 4096)
finish()
