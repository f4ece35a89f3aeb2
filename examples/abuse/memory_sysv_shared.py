"""Takes System V shared memory, which outlives the processes that made it.

Tries: to leave memory behind that no process owns.
Must: be killed at its limit of memory; the segments go with the sandbox's own IPC namespace.

limits: disk=64Mi
expect: KILLED MEMORY
"""

import ctypes
import time

libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
IPC_CREAT, SIZE = 0o1000, 4 << 20
for key in range(1, 200):
    segment = libc.shmget(key, SIZE, IPC_CREAT | 0o600)
    address = libc.shmat(segment, None, 0)
    if segment < 0 or address == ctypes.c_void_p(-1).value:
        break
    ctypes.memset(address, 1, SIZE)
    libc.shmdt(ctypes.c_void_p(address))
time.sleep(60)
