"""Arranges to come back after its end, with timers, exit hooks and an heir that waits for its death.

Tries: to run again when the run is over: a parent-death signal, an interval timer and a process that waits for the end.
Must: succeed, and nothing of it is left or comes back.

expect: SUCCEEDED
"""

import atexit
import ctypes
import os
import signal
import time

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


def again(*_):
    """Starts another one of itself, out of every group."""
    try:
        if os.fork() == 0:
            os.setsid()
            signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
            while True:
                signal.pause()
    except OSError:
        pass


libc = ctypes.CDLL(None)
libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGCONT):
    signal.signal(number, again)
signal.signal(signal.SIGALRM, lambda *_: None)
atexit.register(again)
heir = os.fork()
if heir == 0:
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGUSR1)
    while True:
        time.sleep(60)
time.sleep(0.2)
print("it will be back")
