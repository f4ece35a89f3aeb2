"""Sends SIGSTOP to all processes that it may, PID 1 among them, again and again, past its deadline.

Tries: to stop the guest, so that the deadline is not enforced.
Must: be killed at its deadline: PID 1 cannot be stopped, and what is stopped can be killed.

limits: wallClock=1s idle=20s
expect: KILLED WALL_CLOCK
"""

import os
import signal

if os.fork() == 0:
    os.setsid()
    while True:
        pass
while True:
    for target in (1, -1, 0):
        try:
            os.kill(target, signal.SIGSTOP)
        except PermissionError:
            pass
