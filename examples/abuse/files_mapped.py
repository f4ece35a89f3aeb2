"""Maps files and closes them, so that they stay open without a descriptor, and goes on for ever.

Tries: to use up the machine's open files (fs.file-max), of which a mapping holds one beyond all limits of descriptors.
Must: be killed for the kernel's memory that each of them takes.

limits: memory=32Mi openFiles=64 cpu=1 wallClock=10s
expect: KILLED MEMORY
expect-gvisor: KILLED MEMORY or KILLED WALL_CLOCK
"""

import ctypes
import os
import time

libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
FAILED = ctypes.c_void_p(-1).value
path = "/etc/passwd"


def hold():
    """As many as one process may map; then it stays."""
    while True:
        try:
            file = os.open(path, os.O_RDONLY)
        except OSError:
            time.sleep(0.05)
            continue
        if libc.mmap(None, 4096, 1, 2, file, 0) == FAILED:
            time.sleep(0.05)
        os.close(file)


for _ in range(3):
    if os.fork() == 0:
        hold()
hold()
