"""Floods its output in its grace, when its deadline has passed.

Tries: to print more than it may when nobody counts any more, or to have its end wait for what it prints.
Must: be killed for its deadline, which came first.

limits: wallClock=1s grace=500ms output=64Ki
expect: KILLED WALL_CLOCK
"""

import os
import signal


def flood(*_):
    block = b"x" * 65536
    while True:
        os.write(1, block)
        os.write(2, block)


signal.signal(signal.SIGTERM, flood)
while True:
    signal.pause()
