"""Leaves daemons behind that ignore what can be ignored, and ends well.

Tries: to stay after the run's end, like a classic daemon: forked twice, in its own session, without a parent.
Must: succeed, and nothing of it is left.

expect: SUCCEEDED
"""

import os
import signal
import time


def become_daemon():
    os.setsid()
    if os.fork():
        os._exit(0)
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    os.closerange(0, 256)
    while True:
        time.sleep(60)


for _ in range(8):
    if os.fork() == 0:
        become_daemon()
time.sleep(0.3)
print("eight daemons stay")
