"""Fills pipes and reads none of them, so that what was written lies in the kernel.

Tries: to take memory that is no process's.
Must: be killed at its limit of memory, which the kernel's own counts to.

limits: memory=32Mi disk=16Mi
expect: KILLED MEMORY
"""

import fcntl
import os
import time

F_SETPIPE_SZ = 1031


def fill():
    hoard = []
    try:
        while True:
            hoard.append(os.pipe())
            end = hoard[-1][1]
            os.set_blocking(end, False)
            try:
                fcntl.fcntl(end, F_SETPIPE_SZ, 1 << 20)
            except OSError:
                pass
            try:
                while True:
                    os.write(end, bytes(1 << 16))
            except BlockingIOError:
                pass
    except OSError:
        time.sleep(60)


for _ in range(16):
    if os.fork() == 0:
        fill()
fill()
