"""Plans by what it is told of its memory and processors, as a runtime does, and takes all of it.

Tries: to be ended for having believed the sandbox: it holds what /proc/meminfo promises, less what its own program needs.
Must: succeed: what is told is its limit, and can be held.

limits: memory=128Mi cpu=1
expect: SUCCEEDED
"""

import os
import time

from lib.attempt import check, finish

RESERVE = 40 << 20  # Python itself, the guest, and page tables

with open("/proc/meminfo") as file:
    told = int(file.readline().split()[1]) << 10
check(f"the memory that is told is the limit ({told >> 20} MiB)", told == 128 << 20)
check(f"the processors that are told are the share ({os.cpu_count()})", os.cpu_count() == 1)
held = [bytearray(b"x") * (1 << 20) for _ in range((told - RESERVE) >> 20)]
time.sleep(2)
check(f"{len(held)} MiB were held for two seconds", sum(one[-1] for one in held) == len(held) * ord("x"))
finish()
