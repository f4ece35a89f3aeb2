"""Fills /dev/shm beyond what it was given there, while it has memory to spare.

Tries: to hold more shared memory than its share.
Must: be killed at its limit of shared memory.

limits: memory=96Mi sharedMemory=8Mi
expect: KILLED SHARED_MEMORY
"""

from lib.attempt import hoard_files

hoard_files("/dev/shm")
