"""Starts children that end at once, and never asks after them.

Tries: to fill the table of processes with zombies, which cannot be killed.
Must: be killed at its limit of processes, which counts zombies too; none is left.

limits: pids=48
expect: KILLED PIDS
"""

import os

while True:
    try:
        if os.fork() == 0:
            os._exit(0)
    except OSError:
        pass
