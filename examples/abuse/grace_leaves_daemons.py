"""Ends well at SIGTERM, and leaves children that ignore it.

Tries: to be taken for ended in its grace while its children go on.
Must: end for its deadline, and nothing of it is left.

limits: wallClock=1s grace=500ms
expect: KILLED WALL_CLOCK
"""

import os
import signal
import sys
import time

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
for _ in range(8):
    if os.fork() == 0:
        os.setsid()
        for number in range(1, 65):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        while True:
            time.sleep(60)
while True:
    time.sleep(60)
