"""Keeps a hundred processes busy at a fiftieth of a processor, so that nothing is left for the process that ends them.

Tries: to outlive the deadline: a killed process has to run once more to exit, and so has the guest that kills it.
Must: be killed at the wall clock, and its last process be gone within a tenth of a second. In class gvisor with the Docker
driver that share may not suffice for its kernel to start, and the run is refused.

limits: cpu=20m pids=128 memory=256Mi wallClock=20s idle=1m
expect: KILLED WALL_CLOCK
expect-gvisor: KILLED WALL_CLOCK or FAILED SANDBOX_REFUSED
"""

import os
import signal

signal.signal(signal.SIGTERM, signal.SIG_IGN)
for _ in range(100):
    try:
        if os.fork() == 0:
            break
    except OSError:
        break
while True:
    pass
