"""Takes huge pages, which are a pool of the whole machine.

Tries: mmap, memfd_create and shmget with flags for huge pages of every size: no memory group counts them, and a database on
the host may have reserved them for itself.
Must: succeed: all are refused, whether the machine has any or not; transparent huge pages are memory as any other.

expect: SUCCEEDED
"""

import mmap
import os

from lib.attempt import NUMBERS, attempt, call, check, finish

NUMBERS["shmget"] = (29, 194)
HUGE = 0x40000
for shift in (0, 21, 30):
    attempt(f"mapping 2^{shift} bytes", lambda: mmap.mmap(-1, 2 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | HUGE | shift << 26))
    attempt(f"a file of 2^{shift} bytes", lambda: os.memfd_create("huge", 4 | shift << 26))
    attempt(f"a segment of 2^{shift} bytes", lambda: call("shmget", 0, 2 << 20, 0o1600 | 0x800 | shift << 26))
usual = mmap.mmap(-1, 4 << 20)
usual.madvise(mmap.MADV_HUGEPAGE)
usual[:5] = b"works"
check("memory as usual works", usual[:5] == b"works")
finish()
