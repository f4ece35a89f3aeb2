"""A fork bomb whose processes all leave for sessions of their own.

Tries: to outlive a kill that goes to a session or to a process group, by having as many of them as processes.
Must: be killed at its limit of processes, with none left behind.

limits: pids=32
expect: KILLED PIDS
expect-gvisor: KILLED PIDS or KILLED MEMORY
"""

import os
import signal

for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
while True:
    try:
        if os.fork() == 0:
            os.setsid()
    except OSError:
        pass
