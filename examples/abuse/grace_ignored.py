"""Ignores SIGTERM with all of its processes, and works through its grace.

Tries: to outlive a grace of its own.
Must: be killed at the end of its grace, and end for its deadline.

limits: wallClock=1s grace=700ms
expect: KILLED WALL_CLOCK
"""

import os
import signal
import time

signal.signal(signal.SIGTERM, signal.SIG_IGN)
for _ in range(4):
    if os.fork() == 0:
        break
while True:
    time.sleep(0.01)
    with open(f"work-{os.getpid()}", "w") as file:
        file.write(str(time.time()))
