"""A fork bomb: every process starts two more.

Tries: to take all processes that the machine can have.
Must: be killed at its limit of processes, before others run out of them.

limits: pids=32
expect: KILLED PIDS
expect-gvisor: KILLED PIDS or KILLED MEMORY
"""

import os

while True:
    try:
        os.fork()
    except OSError:
        pass
