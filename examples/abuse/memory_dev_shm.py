"""Fills /dev/shm with files.

Tries: to store in memory what neither the limit of memory nor that of disk counts.
Must: be killed at its limit of memory, or at that of shared memory, which is the same here: it is no workspace.

limits: memory=48Mi disk=32Mi
expect: KILLED MEMORY or KILLED SHARED_MEMORY
"""

from lib.attempt import hoard_files

hoard_files("/dev/shm")
