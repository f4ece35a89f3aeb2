"""Shares its memory among processes that each take a little.

Tries: to stay below a limit that is looked at process by process.
Must: be killed at its limit of memory, which all processes have in common.

limits: pids=64
expect: KILLED MEMORY
"""

import os
import time

for _ in range(40):
    if os.fork() == 0:
        hoard = bytearray(b"x") * (4 << 20)
        time.sleep(60)
time.sleep(60)
