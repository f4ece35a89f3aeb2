"""Forks in its grace, and each child forks on.

Tries: to be more processes at the end of its grace than can be killed, or to have one that nobody has seen.
Must: be killed at its deadline, and nothing of it is left.

limits: wallClock=1s grace=300ms pids=64
expect: KILLED WALL_CLOCK or KILLED PIDS
"""

import os
import signal


def storm(*_):
    while True:
        try:
            if os.fork() == 0:
                os.setsid()
        except OSError:
            pass


signal.signal(signal.SIGTERM, storm)
while True:
    signal.pause()
