"""Locks every second byte of its files, each lock an object of the kernel's.

Tries: to hold 192 MiB of the host's memory at a limit of 64 MiB in file locks, which no memory group counts and no limit of a
process bounds.
Must: be killed for MEMORY: the node counts the locks of a sandbox's processes. A kernel of its own may be too slow to hold them.

limits: wallClock=60s cpu=1
expect: KILLED MEMORY
expect-gvisor: KILLED MEMORY or SUCCEEDED
"""

import fcntl
import os
import time

from lib.attempt import check, finish

LOCK_BYTES, GOAL = 192, 192 << 20
locks, files = 0, []
begun = time.monotonic()
while locks * LOCK_BYTES < GOAL and time.monotonic() - begun < 45:
    files.append(os.memfd_create("locked"))
    for place in range(500):
        fcntl.lockf(files[-1], fcntl.LOCK_EX, 1, 2 * place)
    locks += 500
print(f"{locks} locks on {len(files)} files", flush=True)
time.sleep(3)
check("the kernel holds less than was given", locks * LOCK_BYTES < 64 << 20)
finish()
