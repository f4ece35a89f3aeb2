"""Maps memory in single pages with holes between, each a mapping of its own.

Tries: to have the kernel spend more on the mappings than they hold.
Must: be killed at its limit of memory, or be refused more mappings and then killed for what it fills.

expect: KILLED MEMORY
"""

import mmap

hoard = []
while True:
    try:
        area = mmap.mmap(-1, 3 * mmap.PAGESIZE)
        area[0] = area[2 * mmap.PAGESIZE] = 1
        hoard.append(area)
    except OSError:
        hoard.append(bytearray(1 << 16))
