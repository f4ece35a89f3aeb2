"""A fork bomb in many process groups, whose members restart each other.

Tries: to keep a process alive by having others that replace it faster than they can be killed one by one.
Must: be killed at its limit of processes, all of them at once.

limits: pids=24
expect: KILLED PIDS
expect-gvisor: KILLED PIDS or KILLED MEMORY
"""

import os
import signal

signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)


def guard():
    """Has a child in another group, and another one as soon as that is gone."""
    while True:
        try:
            child = os.fork()
        except OSError:
            continue
        if child == 0:
            os.setpgid(0, 0)
            continue
        try:
            os.waitpid(child, 0)
        except ChildProcessError:
            pass


for _ in range(2):
    os.fork()
guard()
