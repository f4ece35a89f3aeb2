"""Touches one byte in every two MiB of a huge mapping, so that the page tables weigh as much as the memory.

Tries: to take memory that is no process's, in page tables.
Must: be killed at its limit of memory, which the kernel's own counts to. In class gvisor each touch is a fault that its kernel
handles, so that the wall clock may be first.

limits: memory=32Mi disk=16Mi
expect: KILLED MEMORY
expect-gvisor: KILLED MEMORY or KILLED WALL_CLOCK
"""

import mmap

MAP_NORESERVE = 0x4000

area = mmap.mmap(-1, 512 << 30, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_NORESERVE)
area.madvise(mmap.MADV_NOHUGEPAGE)
for at in range(0, len(area), 2 << 20):
    area[at]
while True:
    pass
