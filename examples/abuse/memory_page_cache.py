"""Reads every file of the image, again and again, so that all of it lies in the page cache.

Tries: to grow beyond its memory with cache, or to be killed for memory that it does not own.
Must: succeed: reclaimable cache is reclaimed, and costs the run nothing.

limits: memory=32Mi disk=16Mi wallClock=60s cpu=1
expect: SUCCEEDED
"""

import os

from lib.attempt import check, finish

LIMIT_BYTES = 32 << 20
total = 0
for folder, _, files in os.walk("/usr"):
    for name in files:
        path = os.path.join(folder, name)
        if os.path.isfile(path) and not os.path.islink(path):
            try:
                with open(path, "rb", buffering=0) as file:
                    while block := file.read(1 << 20):
                        total += len(block)
            except OSError:
                pass
check(f"{total >> 20} MiB were read within {LIMIT_BYTES >> 20} MiB", total > LIMIT_BYTES)
finish()
