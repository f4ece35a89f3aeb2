"""Reads random numbers as fast as it can, and writes to the pool.

Tries: to exhaust the machine's randomness, so that others wait for keys, and to credit entropy that is none.
Must: succeed without harm; the pool takes no credit from it.

expect: SUCCEEDED
"""

import errno
import fcntl
import os
import time

from lib.attempt import attempt, check, finish

RNDADDTOENTCNT, RNDZAPENTCNT = 0x40045201, 0x5204
began = time.monotonic()
for _ in range(64):
    os.getrandom(1 << 18)
with open("/dev/random", "rb", buffering=0) as random:
    random.read(1 << 16)
    check("16 MiB of randomness came, and the next byte too", len(os.getrandom(1, os.GRND_NONBLOCK)) == 1)
    attempt("crediting entropy", lambda: fcntl.ioctl(random, RNDADDTOENTCNT, (4096).to_bytes(4, "little")))
    attempt("emptying the pool", lambda: fcntl.ioctl(random, RNDZAPENTCNT))
print(f"took {time.monotonic() - began:.2f} s", flush=True)
finish()
