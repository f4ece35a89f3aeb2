"""Makes empty files in /dev/shm without end.

Tries: to take the kernel's memory for files that have no bytes, in the one place where bytes alone are counted.
Must: be killed for the memory that they take.

limits: sharedMemory=1Mi cpu=1 wallClock=10s
expect: KILLED MEMORY
expect-gvisor: KILLED MEMORY or KILLED WALL_CLOCK
"""

import os
import time

number = 0
while True:
    number += 1
    try:
        os.close(os.open(f"/dev/shm/{number:0200}", os.O_CREAT | os.O_WRONLY))
    except OSError:
        time.sleep(0.01)
