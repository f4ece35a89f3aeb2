"""Makes, fills and removes files, again and again, so that all that is left are traces in the kernel's caches.

Tries: to be ended for files and memory that are long gone, or to leave them in the kernel.
Must: succeed: what was removed is not counted.

limits: memory=48Mi disk=8Mi files=256 cpu=1 wallClock=60s
expect: SUCCEEDED
"""

import os
import time

from lib.attempt import check, finish

block = bytes(64 * 1024)
begun, rounds = time.monotonic(), 0
while rounds < 20_000 and time.monotonic() - begun < 2:
    rounds += 1
    for folder in ("/workspace", "/tmp", "/dev/shm"):
        path = f"{folder}/{rounds:0200}"
        with open(path, "wb", buffering=0) as file:
            file.write(block)
        os.unlink(path)
check(f"{rounds * 3} files of 64 KiB came and went", rounds >= 50)
finish()
