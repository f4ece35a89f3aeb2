"""Opens terminals until it may not, and fills their queues.

Tries: to take all pseudo terminals of the machine (kernel.pty.max), which are counted for all containers together, so that
neighbours and the host's `docker run -t` get none; each takes some 50 KiB that no memory group counts.
Must: succeed: it is refused at a bound of its own, far below the machine's, and again after it has closed some.

limits: memory=128Mi
expect: SUCCEEDED
"""

import errno
import os

from lib.attempt import OWN_KERNEL, check, finish

MOST = 4096 if OWN_KERNEL else 12


def take():
    held, why = [], 0
    try:
        while len(held) < 3900:
            held.append(os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY))
    except OSError as error:
        why = error.errno
    return held, errno.errorcode.get(why, "no reason")


first, why = take()
check(f"{len(first)} terminals, then {why}", 4 < len(first) <= MOST)
for terminal in first[:4]:
    os.close(terminal)
second, why = take()
check(f"{len(second)} more after 4 were closed, then {why}", OWN_KERNEL or len(second) == 4)
finish()
