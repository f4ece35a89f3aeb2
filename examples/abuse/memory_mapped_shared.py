"""Takes memory through one shared anonymous mapping.

Tries: to take memory that belongs to no process.
Must: be killed at its limit of memory.

limits: disk=64Mi
expect: KILLED MEMORY
"""

import mmap
import time

area = mmap.mmap(-1, 512 << 20, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
for at in range(0, len(area), mmap.PAGESIZE):
    area[at] = 1
time.sleep(60)
