"""Maps shared memory that is larger than /dev/shm, in one sparse file, and touches all of it from many processes.

Tries: to hold more shared memory than its share through mappings, where no write can be refused.
Must: be killed at its limit of shared memory; a process that touches a page which is not there gets SIGBUS, and the others go on.

limits: memory=96Mi sharedMemory=8Mi
expect: KILLED SHARED_MEMORY
"""

import mmap
import os
import time

SIZE = 64 << 20
file = os.open("/dev/shm/sparse", os.O_CREAT | os.O_RDWR)
os.ftruncate(file, SIZE)
for start in range(8):
    if os.fork() == 0:
        mapped = mmap.mmap(file, SIZE)
        for place in range(start * 4096, SIZE, 8 * 4096):
            mapped[place] = 1
        os._exit(0)
while True:
    time.sleep(1)
