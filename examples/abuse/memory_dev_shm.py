"""Fills /dev/shm with files.

Tries: to store in memory what neither the limit of memory nor that of disk counts.
Must: be killed at its limit of memory: it is shared memory, and no workspace.

limits: memory=48Mi disk=32Mi
expect: KILLED MEMORY
"""

import time

BLOCK = bytes(64 * 1024)
number = 0
while True:
    number += 1
    try:
        with open(f"/dev/shm/hoard-{number}", "wb") as file:
            file.write(BLOCK)
    except OSError:
        time.sleep(0.05)
