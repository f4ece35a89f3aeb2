"""Asks which pages of the image lie in the machine's memory, and has them forgotten.

Tries: to read only what is in memory (RWF_NOWAIT), cachestat, mincore, and POSIX_FADV_DONTNEED: with these, two sandboxes of one
image talk by reading and forgetting pages, without a network.
Must: succeed: none reveals anything, and no page is dropped: a page that was read is read from memory again.

expect: SUCCEEDED
"""

import ctypes
import errno
import mmap
import os
import time

from lib.attempt import LIBC, NUMBERS, OWN_KERNEL, attempt, call, check, finish

NUMBERS["cachestat"], NUMBERS["mincore"] = (451, 451), (27, 232)
path = max((os.path.join(top, name) for top, _, names in os.walk("/usr/lib") for name in names if os.path.isfile(os.path.join(top, name))), key=os.path.getsize)
file = os.open(path, os.O_RDONLY)
attempt("reading what is in memory only", lambda: os.preadv(file, [bytearray(4096)], 0, os.RWF_NOWAIT), errno.EOPNOTSUPP)
attempt("cachestat", lambda: call("cachestat", file, ctypes.addressof(ctypes.create_string_buffer(16)), ctypes.addressof(ctypes.create_string_buffer(40)), 0))
if not OWN_KERNEL:
    size = os.fstat(file).st_size & ~4095
    mapped = mmap.mmap(file, size, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ)
    address = LIBC.mmap
    address.restype, address.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    where = address(None, size, 1, 1, file, 0)
    pages = ctypes.create_string_buffer(size // 4096)
    try:
        call("mincore", where, size, ctypes.addressof(pages))
        told = set(pages.raw)
    except OSError:
        told = {1}
    check(f"mincore tells the same of every page ({sorted(told)[:3]})", len(told) == 1)
    places = range(0, size, max(4096, size // 16 & ~4095))
    while os.read(file, 1 << 20):
        pass
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    slow = 0
    for place in places:
        begun = time.perf_counter()
        os.pread(file, 1, place)
        slow += time.perf_counter() - begun > 60e-6
    check(f"what was read is read from memory again ({slow} of {len(places)} places were not)", slow < len(places) / 4)
finish()
