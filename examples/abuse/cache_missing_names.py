"""Asks for hundreds of thousands of names that are not there, each of which the kernel remembers.

Tries: to be charged for the kernel's memory of missing names, or to take that memory from the machine.
Must: succeed: such memory is given back when it is needed, and none of it is the run's.

limits: memory=32Mi cpu=1 wallClock=60s
expect: SUCCEEDED
"""

import os
import time

from lib.attempt import check, finish

begun, asked = time.monotonic(), 0
while asked < 300_000 and time.monotonic() - begun < 2:
    for _ in range(1000):
        asked += 1
        try:
            os.stat(f"/usr/lib/missing-{asked:0180}")
        except FileNotFoundError:
            pass
check(f"{asked} names, each of 188 letters, were asked for within 32 MiB", asked >= 1000)
finish()
