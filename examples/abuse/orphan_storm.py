"""Hundreds of processes that end at once, ten at a time, each an orphan that PID 1 must reap.

Tries: to drown the guest in ends of children that it has never heard of.
Must: succeed: never many at once is within the limits, and the guest keeps up.

limits: pids=32 wallClock=60s cpu=1
expect: SUCCEEDED
"""

import os
import time

from lib.attempt import finish, held

ROUNDS, ORPHANS = 30, 10


def alive():
    return sum(name.isdigit() for name in os.listdir("/proc"))


for _ in range(ROUNDS):
    child = os.fork()
    if child == 0:
        for _ in range(ORPHANS):
            if os.fork() == 0:
                os._exit(0)
        os._exit(0)
    os.waitpid(child, 0)
    while alive() > 2:
        time.sleep(0.001)
held(f"{ROUNDS * ORPHANS} orphans were reaped")
finish()
