"""Ignores SIGTERM and every other signal that can be ignored, and computes on.

Tries: to live on after its deadline.
Must: be killed at its deadline.

limits: wallClock=1s
expect: KILLED WALL_CLOCK
"""

import signal

for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
while True:
    pass
