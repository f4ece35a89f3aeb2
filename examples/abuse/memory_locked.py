"""Locks memory, all that it has and all that it will have.

Tries: to hold memory that the kernel cannot take back.
Must: be killed at its limit of memory, locked or not, or be refused to lock and then killed.

expect: KILLED MEMORY
"""

import ctypes

libc = ctypes.CDLL(None, use_errno=True)
libc.mlockall(3)
hoard = []
while True:
    block = ctypes.create_string_buffer(1 << 20)
    libc.mlock(block, len(block))
    ctypes.memset(block, 1, len(block))
    hoard.append(block)
