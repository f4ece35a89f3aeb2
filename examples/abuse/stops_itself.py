"""Stops itself and all of its children with SIGSTOP.

Tries: to be deaf to SIGTERM and to look dead, so that it is forgotten.
Must: be killed for being idle, children too.

limits: idle=1s memory=128Mi
expect: KILLED IDLE
"""

import os
import signal
import time

signal.signal(signal.SIGHUP, signal.SIG_IGN)  # which kernels send to a stopped group that is left alone
for _ in range(4):
    if os.fork() == 0:
        if os.fork() == 0:
            os.setsid()
        os.kill(os.getpid(), signal.SIGSTOP)
time.sleep(0.2)
os.kill(-1, signal.SIGSTOP)
os.kill(os.getpid(), signal.SIGSTOP)
time.sleep(600)
